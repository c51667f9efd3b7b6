package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

const (
	// gateEvery is how often a gate is asked while a check waits.
	gateEvery = time.Second
	// gateBeat is how often somebody who waits is told why.
	gateBeat = 30 * time.Second
)

func (a *app) gate() *cobra.Command {
	return group("gate", "Ask whether something may go on", a.gateCheck(), a.gateURL())
}

func (a *app) gateCheck() *cobra.Command {
	var purpose string
	var wait time.Duration
	cmd := &cobra.Command{
		Use: "check COHORT-PLAN|STAGE|DECISION|WAVE|DEPLOYMENT|ENVIRONMENT", Short: "Answer by the exit code whether something may go on: 0 go, 7 not yet or no",
		Long: "For scripts and pipelines. With --wait it goes on asking until the answer is go, cannot become go any more, or\n" +
			"the time is over. Over HTTP the same question is /v1/NAME:checkGate, which answers 200, 403 or 503.",
		Example: "  golive gate check crm-rollout/cohortPlans/sales --wait 30m\n  golive gate check crm-rollout/stages/monitor\n  golive gate check environments/prod --purpose technical",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&purpose, "purpose", "all", "which half of the evidence: readiness, technical or all")
	cmd.Flags().DurationVar(&wait, "wait", 0, "how long to wait for go")
	must(cmd.RegisterFlagCompletionFunc("purpose", cobra.FixedCompletions([]string{"readiness", "technical", "all"}, cobra.ShellCompDirectiveNoFileComp)))
	a.completeKind(cmd, "cohortPlan")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		k, name, err := c.subject(ctx, args[0])
		if err != nil {
			return err
		}
		which, ok := gatev1.Purpose_value["PURPOSE_"+strings.ToUpper(purpose)]
		if !ok {
			return usage("there is no purpose "+purpose, "choose readiness, technical or all")
		}
		v, err := c.awaitGate(ctx, k, &gatev1.EvaluateGateRequest{Resource: name, Purpose: gatev1.Purpose(which)}, wait)
		if err != nil {
			return err
		}
		if err := c.printVerdict(v); err != nil {
			return err
		}
		if !gateOpens(v) {
			return outcome(exitNotYet)
		}
		return nil
	})
}

func gateOpens(v *gatev1.Verdict) bool {
	return v.GetState() == gatev1.Verdict_PASS || v.GetState() == gatev1.Verdict_WAIVED
}

// awaitGate asks the service that keeps the resource, again and again while there is time.
func (c *client) awaitGate(ctx context.Context, k *kind.Kind, req *gatev1.EvaluateGateRequest, wait time.Duration) (*gatev1.Verdict, error) {
	gates := gatev1.NewGateServiceClient(c.software)
	if k.Implementation() {
		gates = gatev1.NewGateServiceClient(c.people)
	}
	v, err := gates.EvaluateGate(ctx, req)
	if err != nil || wait <= 0 || gateOpens(v) || v.GetState() == gatev1.Verdict_FAIL {
		return v, err
	}
	over := time.NewTimer(wait)
	defer over.Stop()
	ask, beat := time.NewTicker(gateEvery), time.NewTicker(gateBeat)
	defer ask.Stop()
	defer beat.Stop()
	c.noteWaiting(v)
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-over.C:
			return v, nil
		case <-beat.C:
			c.noteWaiting(v)
			continue
		case <-ask.C:
		}
		next, err := gates.EvaluateGate(ctx, req)
		switch {
		case fault.Is(err, fault.KindUnavailable):
			continue // it may come back in time
		case err != nil:
			return nil, err
		case gateOpens(next), next.GetState() == gatev1.Verdict_FAIL:
			return next, nil
		}
		v = next
	}
}

// noteWaiting says on stderr what is waited for.
func (c *client) noteWaiting(v *gatev1.Verdict) {
	why := "nobody can say"
	if reasons := v.GetReasons(); len(reasons) > 0 {
		why = reasons[0].GetCurrent() + ", " + reasons[0].GetRequired() + " is required"
	}
	c.note("%s says %s: %s", kind.Short(v.GetResource()), v.GetState(), why)
}

func (c *client) printVerdict(v *gatev1.Verdict) error {
	if !c.format.ForPeople() {
		return show.Encode(c.out, c.format, v)
	}
	if err := c.say("%s  %s", c.style.Bold(kind.Short(v.GetResource())), c.style.State(v.GetState().String())); err != nil {
		return err
	}
	if len(v.GetReasons()) == 0 {
		return nil
	}
	rows := [][]string{{"WAITS FOR", "NOW", "REQUIRED", "OWNER", "COMMAND"}}
	for _, r := range v.GetReasons() {
		rows = append(rows, []string{kind.Short(r.GetResource()), r.GetCurrent(), r.GetRequired(), r.GetOwner(), c.shortCommand(r.GetCommand())})
	}
	return show.Rows(c.out, rows)
}
