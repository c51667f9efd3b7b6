package simulator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/golive-dev/golive/pkg/auth"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// policies is what the simulator knows of the rules of the workspace: a freeze that people edit
// while deployments wait, and a switch that stops the line.
type policies struct {
	made, stopped bool
	frozen        time.Time // until then
	// doubtful is set while it is not known whether a change became durable.
	doubtful bool
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
		w.changed(r.do("make policies", func(ctx context.Context) error {
			_, err := r.engine.CreatePolicy(admin(ctx), &deploymentv1.CreatePolicyRequest{Parent: workspace, PolicyId: "line", Policy: &deploymentv1.Policy{StopLine: &deploymentv1.StopLine{HotfixExempt: true}}})
			if err == nil {
				_, err = r.engine.CreatePolicy(admin(ctx), &deploymentv1.CreatePolicyRequest{Parent: workspace, PolicyId: "freeze", Policy: w.freeze(0)})
			}
			return err
		}), func() { p.made = true })
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
	w.changed(r.do("the line", func(ctx context.Context) error {
		_, err := r.engine.StopLine(admin(ctx), &deploymentv1.EngageStopLineRequest{Name: linePolicy, Reason: "test"}, engage)
		return err
	}), func() { w.policies.stopped = engage })
}

// edit freezes from now on for a while; for none it takes the freeze away.
func (w *world) edit(r *replica, d time.Duration) {
	w.note("%s: frozen for %s", r.name, d)
	w.changed(r.do("edit the freeze", func(ctx context.Context) error {
		p := w.freeze(d)
		p.Name = freezePolicy
		_, err := r.engine.UpdatePolicy(admin(ctx), &deploymentv1.UpdatePolicyRequest{Policy: p, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"freezes"}}})
		return err
	}), func() { w.policies.frozen = w.now.Add(d).Truncate(time.Second) })
}

func (w *world) freeze(d time.Duration) *deploymentv1.Policy {
	const layout = "2006-01-02T15:04:05"
	p := &deploymentv1.Policy{Verbs: []deploymentv1.Verb{deploymentv1.Verb_START_WAVE}}
	if d > 0 {
		p.Freezes = []*deploymentv1.Window{{TimeZone: "UTC", Start: w.now.Add(-time.Hour).Format(layout), End: w.now.Add(d).Format(layout)}}
	}
	return p
}

// changed takes a change of the rules for made, or for doubtful where a server died over it.
func (w *world) changed(err error, made func()) {
	w.policies.doubtful = w.policies.doubtful || errors.Is(err, errCrashed)
	if err == nil {
		made()
		w.policies.doubtful = false
	}
}

// rulesHold (F24, F25): while the line is stopped or all is frozen no wave begins, but of a rollback or a hotfix.
func rulesHold(w *world, c *change) error {
	p := w.policies
	if p.doubtful || w.faults.clocks || !p.stopped && !w.now.Before(p.frozen) {
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
