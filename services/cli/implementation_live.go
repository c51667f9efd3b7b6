package cli

import (
	"context"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
)

func (a *app) implementationLive() *cobra.Command {
	var (
		at       string
		withdraw bool
	)
	cmd := &cobra.Command{
		Use: "live COHORT_PLAN", Short: "Record when a cohort really went live, or take that back",
		Long:    "From then on adoption is counted against its planned curve. An implementation is sustained once all its cohorts are live.",
		Example: "  golive implementation live crm-rollout/cohortPlans/sales --time 2026-11-02", Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&at, "time", "", "when, 2026-11-02 or RFC 3339; now when not given")
	cmd.Flags().BoolVar(&withdraw, "withdraw", false, "take back what was recorded")
	cmd.MarkFlagsMutuallyExclusive("time", "withdraw")
	a.completeKind(cmd, "cohortPlan")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("cohortPlan"), args[0])
		if err != nil {
			return err
		}
		req := &implementationv1.RecordGoLiveRequest{Name: name, Withdraw: withdraw}
		if req.LiveTime, err = moment("time", at); err != nil {
			return err
		}
		p, err := implementationv1.NewCohortPlanServiceClient(c.people).RecordGoLive(ctx, req)
		if err != nil {
			return err
		}
		text := kind.Short(p.GetName()) + " went live on " + onDay(p.GetLiveTime())
		if p.GetLiveTime() == nil {
			text = kind.Short(p.GetName()) + " is not live"
		}
		return c.printResult(p, text)
	})
}
