package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) planLint() *cobra.Command {
	cmd := &cobra.Command{
		Use: "lint IMPLEMENTATION", Short: "Look at a plan with the 14 points of the DCMA",
		Long:    "A plan with errors cannot be submitted. The exit code is 7 where there are any.",
		Example: "  golive plan lint crm-rollout", Args: cobra.ExactArgs(1),
	}
	a.completeKind(cmd, "implementation")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("implementation"), args[0])
		if err != nil {
			return err
		}
		r, err := implementationv1.NewScheduleServiceClient(c.people).LintSchedule(ctx, &implementationv1.LintScheduleRequest{Parent: name})
		if err != nil {
			return err
		}
		if err := c.printLint(r); err != nil {
			return err
		}
		if r.GetErrorCount() > 0 {
			return outcome(exitNotYet)
		}
		return nil
	})
}

func (c *client) printLint(r *implementationv1.LintReport) error {
	switch {
	case c.format == show.Name:
		return c.say("%s", r.GetImplementation())
	case !c.format.ForPeople():
		return show.Encode(c.out, c.format, r)
	}
	if err := c.say("%s  %s, %s", c.style.Bold(kind.Short(r.GetImplementation())), many(r.GetErrorCount(), "error"), many(r.GetWarningCount(), "warning")); err != nil {
		return err
	}
	rows := [][]string{c.heads("#", "POINT", "VERDICT", "FOUND", "TASKS")}
	for _, p := range r.GetPoints() {
		number := fmt.Sprint(p.GetNumber())
		if p.GetNumber() == 0 {
			number = "-"
		}
		rows = append(rows, []string{number, p.GetTitle(), lintWord(c.style, p.GetVerdict()), p.GetMessage(), idents(p.GetOffenders())})
	}
	return show.Rows(c.out, rows)
}

// many is a number of things: 1 error, 2 errors.
func many(n int32, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

func lintWord(style show.Style, v implementationv1.LintPoint_Verdict) string {
	switch v {
	case implementationv1.LintPoint_PASS:
		return style.State("PASS")
	case implementationv1.LintPoint_WARNING:
		return style.Bold("! WARNING")
	case implementationv1.LintPoint_ERROR:
		return style.Bold("✗ ERROR")
	default:
		return style.Dim("– nothing to look at")
	}
}
