package simulator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// policies is what the simulator knows of the rules of the workspace: a freeze that people edit
// while deployments wait, and a switch that stops the line.
type policies struct {
	made, stopped bool
	frozen        time.Time // until then
	// Each is doubtful while it is not known whether its last change became durable.
	doubtfulLine, doubtfulFreeze bool
}

const (
	freezePolicy = workspace + "/policies/freeze"
	linePolicy   = workspace + "/policies/line"
)

// admin is who may write policies.
func admin(ctx context.Context) context.Context {
	return auth.NewContext(ctx, &auth.Principal{Name: "users/root", Grants: map[string][]auth.Role{"default": {auth.Admin}}})
}

// rule lets somebody change the rules.
func (w *world) rule(r *replica) {
	p := &w.policies
	switch {
	case !p.made:
		p.made = r.do("make policies", func(ctx context.Context) error {
			_, line := r.engine.CreatePolicy(admin(ctx), &deploymentv1.CreatePolicyRequest{Parent: workspace, PolicyId: "line", Policy: &deploymentv1.Policy{StopLine: &deploymentv1.StopLine{HotfixExempt: true}}})
			_, freeze := r.engine.CreatePolicy(admin(ctx), &deploymentv1.CreatePolicyRequest{Parent: workspace, PolicyId: "freeze", Policy: w.freeze(0)})
			for _, err := range []error{line, freeze} { // whoever died over them may have made one already
				if err != nil && !fault.Is(err, fault.KindAlreadyExists) {
					return err
				}
			}
			return nil
		}) == nil
	case w.chance(400):
		w.stop(r, !p.stopped)
	case w.now.Before(p.frozen):
		w.edit(r, 0)
	default:
		w.edit(r, w.between(5*time.Second, 2*time.Minute))
	}
}

// stop stops the line or releases it.
func (w *world) stop(r *replica, engage bool) {
	w.note("%s: line stopped %t", r.name, engage)
	err := r.do("the line", func(ctx context.Context) error {
		_, err := r.engine.StopLine(admin(ctx), &deploymentv1.EngageStopLineRequest{Name: linePolicy, Reason: "test"}, engage)
		return err
	})
	if reason := fault.ReasonOf(err); reason == "LINE_STOPPED" || reason == "LINE_NOT_STOPPED" {
		err = nil // it was so already
	}
	w.policies.doubtfulLine = errors.Is(err, errCrashed) || w.policies.doubtfulLine && err != nil
	if err == nil {
		w.policies.stopped = engage
	}
}

// edit freezes from now on for a while; for none it takes the freeze away.
func (w *world) edit(r *replica, d time.Duration) {
	w.note("%s: frozen for %s", r.name, d)
	err := r.do("edit the freeze", func(ctx context.Context) error {
		p := w.freeze(d)
		p.Name = freezePolicy
		_, err := r.engine.UpdatePolicy(admin(ctx), &deploymentv1.UpdatePolicyRequest{Policy: p, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"freezes"}}})
		return err
	})
	w.policies.doubtfulFreeze = errors.Is(err, errCrashed) || w.policies.doubtfulFreeze && err != nil
	if err == nil {
		w.policies.frozen = w.now.Add(d).Truncate(time.Second)
	}
}

func (w *world) freeze(d time.Duration) *deploymentv1.Policy {
	const layout = "2006-01-02T15:04:05"
	p := &deploymentv1.Policy{Verbs: []deploymentv1.Verb{deploymentv1.Verb_START_WAVE}}
	if d > 0 {
		p.Freezes = []*deploymentv1.Window{{TimeZone: "UTC", Start: w.now.Add(-time.Hour).Format(layout), End: w.now.Add(d).Format(layout)}}
	}
	return p
}

// rulesHold (F24, F25): while the line is stopped or all is frozen no wave begins, but of a rollback or a hotfix.
func rulesHold(w *world, c *change) error {
	p := w.policies
	if p.doubtfulLine || p.doubtfulFreeze || w.faults.clocks || !p.stopped && !w.now.Before(p.frozen) {
		return nil
	}
	for _, d := range c.waves {
		if d.before.GetStartTime() != nil || d.after.GetStartTime() == nil || w.book.exempt(d.after.GetName(), p.stopped) {
			continue
		}
		return fmt.Errorf("F25: %s began while the line is stopped (%t) or all is frozen (until %s)", d.after.GetName(), p.stopped, p.frozen)
	}
	for _, i := range c.installations {
		if p.stopped && i.before.state == deploymentv1.Installation_QUEUED && i.after.state == deploymentv1.Installation_CLAIMED && !w.book.exempt(i.after.wave, true) {
			return fmt.Errorf("F25: %s was claimed while the line is stopped", i.after.name)
		}
	}
	return nil
}

// exempt tells whether a wave belongs to what no rule holds: a rollback, or where the line is stopped a hotfix.
func (b *book) exempt(wave string, stopped bool) bool {
	d := b.deployments[rollout.DeploymentOf(wave)].message
	return d.GetRollbackOf() != "" || stopped && d.GetHotfix()
}
