package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) report() *cobra.Command {
	var week string
	var html bool
	cmd := &cobra.Command{
		Use: "report IMPLEMENTATION", Short: "Write the status report of a week from the plan",
		Example: "  golive report crm-rollout\n  golive report crm-rollout --week 2026-W12 --html > w12.html", Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&week, "week", "", "a week of ISO 8601, 2026-W12; this week when not given")
	cmd.Flags().BoolVar(&html, "html", false, "as an HTML page instead of Markdown")
	a.completeKind(cmd, "implementation")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("implementation"), args[0])
		if err != nil {
			return err
		}
		r, err := implementationv1.NewStatusReportServiceClient(c.people).ComputeStatusReport(ctx, &implementationv1.ComputeStatusReportRequest{Parent: name, Week: week})
		switch {
		case err != nil:
			return err
		case !c.format.ForPeople():
			return show.Encode(c.out, c.format, r)
		case html:
			_, err = io.WriteString(c.out, r.GetHtml())
		default:
			_, err = io.WriteString(c.out, r.GetMarkdown())
		}
		return err
	})
}
