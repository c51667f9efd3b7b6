package demo

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

const (
	freeze = Workspace + "/policies/year-end"
	zone   = "Europe/Berlin"
)

// Fifth brings a good version at a bad time: the environment is frozen, until a person takes it on themselves.
func (d *Demo) Fifth(ctx context.Context) error {
	d.say("Production is frozen: a policy lets no wave start for the next hour. Version 5.0.0 is deployed all the same, for it is a fix.")
	until, err := d.freeze(ctx)
	if err != nil {
		return err
	}
	name, err := d.Deploy(ctx, "fifth", "5.0.0", nil)
	if err != nil {
		return err
	}
	held := wave("fifth", "all")
	if err := d.until(ctx, "the wave to wait for the freeze to end", func() (bool, error) {
		w, err := d.wave(ctx, held)
		return frozen(w, until), err
	}); err != nil {
		return err
	}
	d.show(ctx, "why", held)
	if err := d.Expect(ctx, map[string]string{"pilot": "2.0.0", "sales": "2.0.0", "warehouse": "2.0.0"}); err != nil {
		return err
	}
	if err := d.overrideFreeze(ctx, name); err != nil {
		return err
	}
	opened := time.Now()
	if err := d.started(ctx, held, opened); err != nil {
		return err
	}
	d.say("An approver overrode the freeze for this deployment, with a name, a reason and an end; the wave went on by itself, %d ms later.", time.Since(opened).Milliseconds())
	if err := d.Reach(ctx, name, deploymentv1.Deployment_SUCCEEDED); err != nil {
		return err
	}
	if err := d.Expect(ctx, map[string]string{"pilot": "5.0.0", "sales": "5.0.0", "warehouse": "5.0.0"}); err != nil {
		return err
	}
	if _, err := d.policies.DeletePolicy(ctx, &deploymentv1.DeletePolicyRequest{Name: freeze}); err != nil {
		return err
	}
	d.say("Every target answers with 5.0.0, and the freeze is lifted.")
	return nil
}

// freeze begins an hour ago and ends in one, and checks that the policies say so. It returns the end.
func (d *Demo) freeze(ctx context.Context) (until time.Time, err error) {
	local, err := time.LoadLocation(zone)
	if err != nil {
		return until, err
	}
	now := time.Now().In(local).Truncate(time.Second)
	until = now.Add(time.Hour)
	const written = "2006-01-02T15:04:05"
	if _, err := d.policies.CreatePolicy(ctx, &deploymentv1.CreatePolicyRequest{Parent: Workspace, PolicyId: "year-end", Policy: &deploymentv1.Policy{
		DisplayName: "Year-end close", Environments: []string{"production"}, Verbs: []deploymentv1.Verb{deploymentv1.Verb_START_WAVE},
		Freezes: []*deploymentv1.Window{{TimeZone: zone, Start: now.Add(-time.Hour).Format(written), End: until.Format(written), DisplayName: "the books are closed"}},
	}}); err != nil {
		return until, err
	}
	answer, err := d.policies.EvaluatePolicies(ctx, &deploymentv1.EvaluatePoliciesRequest{Parent: Workspace, Application: Application, Environment: Environment, Verb: deploymentv1.Verb_START_WAVE})
	if err != nil {
		return until, err
	}
	if answer.GetAllowed() || !answer.GetNextChange().AsTime().Equal(until) {
		return until, fmt.Errorf("the policies were asked whether a wave may start, and say allowed=%t until %s, in a freeze that ends at %s", answer.GetAllowed(), answer.GetNextChange().AsTime(), until)
	}
	return until, nil
}

// frozen reports whether a wave waits for a policy alone and says when that ends.
func frozen(w *deploymentv1.Wave, until time.Time) bool {
	blocked := w.GetBlockedBy()
	return w.GetState() == deploymentv1.Wave_GATED && len(blocked) == 1 && blocked[0].GetKind() == gatev1.BlockedBy_POLICY && blocked[0].GetEta().AsTime().Equal(until)
}

// overrideFreeze lets an approver set the freeze aside for one deployment.
func (d *Demo) overrideFreeze(ctx context.Context, deployment string) error {
	person, err := d.approves(ctx)
	if err != nil {
		return err
	}
	o, err := person.overrides.CreateOverride(ctx, &deploymentv1.CreateOverrideRequest{Parent: Workspace, Override: &deploymentv1.Override{
		Subject: deployment, Opens: &deploymentv1.Override_Policy{Policy: freeze}, Verbs: []deploymentv1.Verb{deploymentv1.Verb_START_WAVE},
		Reason: "orders are lost without the fix", ExpireTime: timestamppb.New(time.Now().Add(10 * time.Minute)),
	}})
	if err != nil {
		return err
	}
	if o.GetPerson() != approver {
		return fmt.Errorf("%s names %s, but it was %s", o.GetName(), o.GetPerson(), approver)
	}
	return nil
}
