package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) readiness() *cobra.Command {
	cmd := &cobra.Command{
		Use: "readiness COHORT-PLAN", Short: "Show whether a cohort is ready for its go-live, with the numbers",
		Long:    "The exit code is 0 for go and 7 for not yet.",
		Example: "  golive readiness crm-rollout/cohortPlans/sales", Args: cobra.ExactArgs(1),
	}
	a.completeKind(cmd, "cohortPlan")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("cohortPlan"), args[0])
		if err != nil {
			return err
		}
		r, err := c.readinessOf(ctx, name)
		if err != nil {
			return err
		}
		if err := c.printReadiness(r); err != nil {
			return err
		}
		if s := r.GetState(); s != gatev1.Verdict_PASS && s != gatev1.Verdict_WAIVED {
			return outcome(exitNotYet)
		}
		return nil
	})
}

func (c *client) printReadiness(r *implementationv1.Readiness) error {
	switch {
	case c.format == show.Name:
		return c.say("%s", r.GetCohortPlan())
	case !c.format.ForPeople():
		return show.Encode(c.out, c.format, r)
	}
	if err := c.say("%s  %s  %d people", c.style.Bold(kind.Short(r.GetCohortPlan())), c.style.State(r.GetState().String()), r.GetHeadcount()); err != nil {
		return err
	}
	rows := [][]string{{"CRITERION", "STATUS", "NOW", "REQUIRED", "WAIVED", "DETAIL"}}
	for _, cr := range r.GetCriteria() {
		id := cr.GetId()
		if !cr.GetMust() {
			id += " (no gate)"
		}
		rows = append(rows, []string{
			id, c.style.State(cr.GetStatus().String()), fmt.Sprintf("%d/%d", cr.GetNumerator(), cr.GetDenominator()),
			fmt.Sprintf("%.0f %%", 100*cr.GetThreshold()), fmt.Sprint(cr.GetWaived()), cr.GetMessage(),
		})
	}
	return show.Rows(c.out, rows)
}
