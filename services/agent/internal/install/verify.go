package install

import (
	"context"
	"errors"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// verify runs the release's last check, once all is sealed. What it finds is a warning: nothing goes back by it.
func (w *Worker) verify(ctx context.Context, cut string) *failure {
	if cut != "" {
		return interrupted(cut)
	}
	if w.slot.Live == 0 {
		return nil
	}
	instance, workload, err := w.load(w.slot.Live)
	if err == nil {
		err = w.hook(ctx, w.slot.Live, instance, "verify", instance.Hooks.Verify, workload.GetHooks().GetVerify(), deploymentv1.Installation_SEALED)
	}
	if err == nil || stopped(err) {
		return nil
	}
	f := failureOf(err)
	return &failure{cause: "VERIFY_FAILED", err: errors.Join(errors.New("the release's last check failed; it runs on"), f), exit: f.exit}
}
