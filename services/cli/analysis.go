package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) analysis() *cobra.Command {
	cmd := &cobra.Command{
		Use: "analysis WAVE", Short: "Show what was measured of a wave against its baseline, and what it says",
		Long: "Each metric has its verdict, the shares of bad events of both sides, and the interval of their difference as it closed:\n" +
			"a lower end above 0 is a failure, an upper end below 0 passes, else nothing is decided yet.",
		Example: "  golive analysis crm/waves/canary", Args: cobra.ExactArgs(1),
	}
	a.completeKind(cmd, "wave")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		k, name, err := c.subject(ctx, args[0])
		if err != nil {
			return err
		}
		if k.Singular == "deployment" {
			name += "/waves/-"
		} else if k.Singular != "wave" {
			return usage(args[0]+" is no wave", "write crm/waves/canary, or a deployment for all its waves")
		}
		found, _, err := c.all(ctx, mustFind("analysis"), query{parent: name})
		if err != nil {
			return err
		}
		if !c.format.ForPeople() {
			return show.EncodeList(c.out, c.format, found)
		}
		if len(found) == 0 {
			c.note("nothing is measured of %s", kind.Short(name))
		}
		for _, one := range as[*deploymentv1.Analysis](found) {
			if err := c.printAnalysis(one); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *client) printAnalysis(a *deploymentv1.Analysis) error {
	if err := c.say("%s  %s  %s", c.style.Bold(kind.Short(a.GetName())), c.style.State(a.GetState().String()), a.GetReason()); err != nil {
		return err
	}
	rows := [][]string{
		{"  new", fmt.Sprintf("%.3f %%", 100*a.GetCanaryShare()), fmt.Sprintf("of %d", a.GetCanaryTotal())},
		{"  baseline", fmt.Sprintf("%.3f %%", 100*a.GetBaselineShare()), fmt.Sprintf("of %d", a.GetBaselineTotal())},
		{"  interval", fmt.Sprintf("%+.3f %% … %+.3f %%", 100*a.GetLower(), 100*a.GetUpper()), fmt.Sprintf("after %d intervals, α %.4f", a.GetIntervals(), a.GetAlpha())},
	}
	if err := show.Rows(c.out, rows); err != nil {
		return err
	}
	var low, high float64
	lowers, uppers := make([]float64, 0, len(a.GetPoints())), make([]float64, 0, len(a.GetPoints()))
	for _, p := range a.GetPoints() {
		if p.GetSkipped() != "" || p.GetUpper() == 0 && p.GetLower() == 0 {
			continue
		}
		lowers, uppers = append(lowers, p.GetLower()), append(uppers, p.GetUpper())
		low, high = min(low, p.GetLower()), max(high, p.GetUpper())
	}
	if len(lowers) < 2 {
		return nil
	}
	return c.say("  upper %s\n  lower %s  %+.2f %% to %+.2f %%", show.Spark(uppers, 60, low, high), show.Spark(lowers, 60, low, high), 100*low, 100*high)
}
