package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/waiting"
)

// Second brings version 2 cohort by cohort; sales has to learn first, and somebody has to say go.
func (d *Demo) Second(ctx context.Context) (err error) {
	d.say("Version 2.0.0 goes out by cohort. The pilot goes first and is judged by the errors of its users; every other wave waits until its people are trained, and for a go/no-go.")
	stop := d.push(ctx)
	defer func() { err = errors.Join(err, stop()) }()
	question, err := d.decide(ctx, "second", "Does version 2 go to sales and to the warehouse?")
	if err != nil {
		return err
	}
	name, err := d.Deploy(ctx, "second", "2.0.0", decided(d.judged(time.Second), question))
	if err != nil {
		return err
	}
	if err := d.waits(ctx, wave("second", "sales"), gatev1.BlockedBy_CRITERION, gatev1.BlockedBy_READINESS, gatev1.BlockedBy_DECISION); err != nil {
		return err
	}
	if err := d.verdict(ctx, wave("second", "pilot"), gatev1.Verdict_PASS); err != nil {
		return err
	}
	if err := d.explained(ctx); err != nil {
		return err
	}
	if err := d.Expect(ctx, map[string]string{"pilot": "2.0.0", "sales": "1.0.0", "warehouse": "1.0.0"}); err != nil {
		return err
	}
	if err := d.turned(ctx, question); err != nil {
		return err
	}
	if err := d.Reach(ctx, name, deploymentv1.Deployment_SUCCEEDED); err != nil {
		return err
	}
	if err := d.Expect(ctx, map[string]string{"pilot": "2.0.0", "sales": "2.0.0", "warehouse": "2.0.0"}); err != nil {
		return err
	}
	if err := d.live(ctx); err != nil {
		return err
	}
	return d.rolledOut(ctx)
}

// waits waits until a wave is held by reasons of these kinds, all of them and no others.
func (d *Demo) waits(ctx context.Context, name string, kinds ...gatev1.BlockedBy_Kind) error {
	slices.Sort(kinds)
	var last *deploymentv1.Wave
	err := d.until(ctx, fmt.Sprintf("%s to wait for %v", name, kinds), func() (bool, error) {
		w, err := d.wave(ctx, name)
		var held []gatev1.BlockedBy_Kind
		for _, b := range w.GetBlockedBy() {
			held = append(held, b.GetKind())
		}
		slices.Sort(held)
		last = w
		return w.GetState() == deploymentv1.Wave_GATED && slices.Equal(slices.Compact(held), kinds), err
	})
	if err != nil {
		return fmt.Errorf("%w: it is %s, because of %v", err, last.GetState(), last.GetBlockedBy())
	}
	return nil
}

// explained shows why sales waits, and who has to do something about it.
func (d *Demo) explained(ctx context.Context) error {
	sales := wave("second", "sales")
	d.say("The pilot is sealed. Wave sales holds: its cohort is 60 %% trained, and nobody has said go. `golive why` follows the reasons through both services:")
	d.show(ctx, "why", sales)
	why, err := waiting.Explain(ctx, d.both, sales)
	if err != nil {
		return err
	}
	if len(why.GetRootCauses()) == 0 || len(why.GetUnreachable())+len(why.GetCycle()) > 0 || !among(why.GetBehind(), plan("sales")) {
		return fmt.Errorf("why %s waits is explained by %v", sales, why)
	}
	d.say("`golive inbox` says who can do something about it:")
	d.show(ctx, "inbox")
	inbox, err := waiting.List(ctx, d.both, &waitingv1.ListWaitingRequest{Parent: Workspace})
	if err != nil {
		return err
	}
	for _, name := range []string{sales, Implementation + "/decisions/second", stage("rollout")} {
		if !among(inbox.GetWaiting(), name) {
			return fmt.Errorf("the inbox does not say that %s waits: %v", name, inbox.GetWaiting())
		}
	}
	for _, w := range inbox.GetWaiting() {
		if len(w.GetBlockedBy()) == 0 {
			return fmt.Errorf("%s waits for nothing", w.GetResource())
		}
	}
	return nil
}

func among(all []*waitingv1.Waiting, name string) bool {
	return slices.ContainsFunc(all, func(w *waitingv1.Waiting) bool { return w.GetResource() == name })
}

// turned trains the rest of sales, lets a person say go, and sees the wave start by itself.
func (d *Demo) turned(ctx context.Context, question string) error {
	sales := wave("second", "sales")
	person, err := d.approves(ctx)
	if err != nil {
		return err
	}
	if err := refused(ctx, person, question); err != nil {
		return err
	}
	d.say("The approver says go, and is refused: the evidence does not pass. Training goes on, and eight more people of sales complete it.")
	if err := d.train(ctx, "sales", 12, 20); err != nil {
		return err
	}
	if err := d.waits(ctx, sales, gatev1.BlockedBy_DECISION); err != nil {
		return err
	}
	d.note("sales is trained; its wave waits for the word of a person alone")
	if err := d.goes(ctx, person, question, "everybody is trained, and the pilot is content"); err != nil {
		return err
	}
	opened := time.Now()
	if err := d.started(ctx, sales, opened); err != nil {
		return err
	}
	d.say("Now both halves pass. The go is kept with what it stands on, and the wave went on by itself, %d ms later.", time.Since(opened).Milliseconds())
	return nil
}

// live checks that the seal of each wave has started the clock of its cohort's adoption.
func (d *Demo) live(ctx context.Context) error {
	for _, c := range d.cfg.Cohorts {
		sealed, err := d.wave(ctx, wave("second", c.ID))
		if err != nil {
			return err
		}
		if err := d.until(ctx, "cohort "+c.ID+" to be live", func() (bool, error) {
			p, err := d.plans.GetCohortPlan(ctx, &implementationv1.GetCohortPlanRequest{Name: plan(c.ID)})
			return p.GetLiveWave() == sealed.GetName() && p.GetLiveTime().AsTime().Equal(sealed.GetEndTime().AsTime()), err
		}); err != nil {
			return err
		}
	}
	d.say("Each seal has started the clock of a cohort: from that moment its adoption is counted.")
	return nil
}

// rolledOut sees the stage that waited for the machines become ready, and ends it.
func (d *Demo) rolledOut(ctx context.Context) error {
	name := stage("rollout")
	d.say("In turn, the plan of the people waits for the machines: all sealed, and up with few errors as far as agents have told, every ten seconds. Why its stage `rollout` waits:")
	d.show(ctx, "why", name)
	var last *implementationv1.Stage
	if err := d.until(ctx, name+" to be ready", func() (bool, error) {
		s, err := d.stages.GetStage(ctx, &implementationv1.GetStageRequest{Name: name})
		last = s
		return s.GetState() == implementationv1.Stage_READY, err
	}); err != nil {
		return fmt.Errorf("%w: it is %s, because of %v", err, last.GetState(), last.GetBlockedBy())
	}
	d.say("Sealed, up, few errors: the stage is READY by itself, and the lead works through it.")
	return d.through(ctx, "rollout")
}
