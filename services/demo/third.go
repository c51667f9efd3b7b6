package demo

import (
	"context"
	"fmt"
	"time"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Third brings a version that falls ill after it was healthy. Nobody watches, and it is caught.
func (d *Demo) Third(ctx context.Context) error {
	d.say("Version 3.0.0 is bad: healthy at first, ill after a few seconds. The pilot bakes for ten; nobody has decided about the others yet.")
	began := time.Now()
	question, err := d.decide(ctx, "third", "Does version 3 go to sales and to the warehouse?")
	if err != nil {
		return err
	}
	name, err := d.Deploy(ctx, "third", "3.0.0", decided(d.byCohort(10*time.Second), question))
	if err != nil {
		return err
	}
	if err := d.Reach(ctx, name, deploymentv1.Deployment_FAILED); err != nil {
		return err
	}
	ended, err := d.deployments.GetDeployment(ctx, &deploymentv1.GetDeploymentRequest{Name: name})
	if err != nil {
		return err
	}
	d.say("Caught while baking, and reverted by itself: %s.", ended.GetStateMessage())
	if err := d.Expect(ctx, map[string]string{"pilot": "2.0.0", "sales": "2.0.0", "warehouse": "2.0.0"}); err != nil {
		return err
	}
	if err := d.untouched(ctx, name, began); err != nil {
		return err
	}
	d.say("Every target is back on 2.0.0, and no other wave was touched.")
	return d.noGo(ctx, question)
}

// noGo lets the approver try to say go to what has failed, and then say no.
func (d *Demo) noGo(ctx context.Context, question string) error {
	person, err := d.approves(ctx)
	if err != nil {
		return err
	}
	if err := refused(ctx, person, question); err != nil {
		return err
	}
	said, err := person.decisions.DecideDecision(ctx, &implementationv1.DecideDecisionRequest{Name: question, Outcome: implementationv1.Decision_OUTCOME_NO_GO, Reason: "it fell ill in the pilot"})
	if err != nil {
		return err
	}
	if said.GetState() != implementationv1.Decision_NO_GO {
		return fmt.Errorf("%s is %s after a no-go", question, said.GetState())
	}
	d.note("The go that it waited for was refused, for its pilot has failed; the approver said no-go, and that is kept.")
	return nil
}
