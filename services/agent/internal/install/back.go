package install

import (
	"context"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent/internal/ledger"
)

// back does REVERT and CANCEL: what the installation activated is replaced by
// what ran before. Where it activated nothing, nothing is touched.
func (w *Worker) back(ctx context.Context) error {
	command := w.slot.Command
	to, known := w.before(command)
	if !known && w.touched(command.GetInstallation()) {
		// What ran before is not kept here any more: bring it as if it were new.
		inner, done := w.interruptible(ctx)
		err := w.stage(inner, command.GetPrevious())
		done()
		if err != nil {
			return w.failBack(ctx, err)
		}
		to, w.slot.Candidate = w.slot.Candidate, 0
		restored := w.slot.Instances[to]
		restored.Installation = "" // it is what ran before this installation, not its work
		w.slot.Instances[to] = restored
	}
	if !w.touched(command.GetInstallation()) {
		state := deploymentv1.Installation_REVERTED
		if command.GetAction() == agentv1.Command_CANCEL {
			state = deploymentv1.Installation_CANCELLED
		}
		w.slot.Phase = ledger.Idle
		return w.host.Ledger.Put(w.slot, w.report(state))
	}
	w.slot.Back, w.slot.Phase = to, ledger.Reverting
	if err := w.host.Ledger.Put(w.slot, nil); err != nil {
		return err
	}
	return w.revert(ctx)
}

// touched tells whether an installation changed what is live: it is live, or it
// took the application down.
func (w *Worker) touched(installation string) bool {
	if w.slot.Live != 0 {
		return w.slot.Instances[w.slot.Live].Installation == installation
	}
	return w.slot.Back != 0 && w.slot.Down == installation
}

// before returns the instance that ran before the installation.
func (w *Worker) before(command *agentv1.Command) (n int, known bool) {
	if command.GetPrevious() == nil {
		if w.slot.Back != w.slot.Live {
			return w.slot.Back, true
		}
		return 0, true
	}
	if back, ok := w.slot.Instances[w.slot.Back]; ok && back.SHA256 == command.GetPrevious().GetArtifact().GetSha256() && back.Digest == command.GetPrevious().GetConfigDigest() {
		return w.slot.Back, true
	}
	n, known = w.slot.Find(command.GetPrevious())
	return n, known && n != w.slot.Live
}

// failBack reports that the way back failed before anything live was touched.
func (w *Worker) failBack(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if stopped(err) {
		return errSuperseded
	}
	f := failureOf(err)
	w.slot.Phase, w.slot.Candidate = ledger.Idle, 0
	report := w.report(deploymentv1.Installation_REVERT_FAILED)
	report.Cause, report.Message = f.cause, f.message(w)
	return w.host.Ledger.Put(w.slot, report)
}

// seal forgets what no way leads back to: it keeps what is live and one before.
func (w *Worker) seal(ctx context.Context) error {
	cut := w.slot.Hook
	w.slot.Hook = ""
	numbers, err := w.place.Instances()
	w.warn("list instances", err)
	for _, n := range numbers {
		if n != w.slot.Live && n != w.slot.Back {
			w.warn("remove instance", w.place.Remove(n))
			delete(w.slot.Instances, n)
		}
	}
	if l := w.live; w.silent && l != nil {
		w.tail(l.n, l.instance) // its first words may have been on their way when it was healthy already
	}
	w.silent = false
	warning := w.verify(ctx, cut)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	w.slot.Phase = ledger.Idle
	report := w.sealed()
	if warning != nil {
		report.Cause, report.Message = warning.cause, warning.message(w)
	}
	if err := w.host.Ledger.Put(w.slot, report); err != nil {
		return err
	}
	w.warn("prune releases", w.host.Content.Prune(w.host.keeps()))
	return nil
}

// sealed reports that all is as it should be, with the health of now.
func (w *Worker) sealed() *agentv1.Report {
	report := w.report(deploymentv1.Installation_SEALED)
	if l := w.live; l != nil {
		report.Health = deploymentv1.Installation_UNHEALTHY
		if l.healthy {
			report.Health = deploymentv1.Installation_HEALTHY_NOW
		}
	}
	return report
}

// keeps returns which releases any place of the agent still needs.
func (h *Host) keeps() func(sha256 string) bool {
	needed := map[string]bool{}
	for _, s := range h.Ledger.Slots() {
		needed[s.Command.GetWorkload().GetArtifact().GetSha256()] = true
		needed[s.Command.GetPrevious().GetArtifact().GetSha256()] = true
		for _, i := range s.Instances {
			needed[i.SHA256] = true
		}
	}
	return func(sha256 string) bool { return needed[sha256] }
}
