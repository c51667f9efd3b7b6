package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
	"github.com/golive-dev/golive/services/evidence"
)

func (a *app) decideReport() *cobra.Command {
	var out string
	var html bool
	cmd := &cobra.Command{
		Use: "report DECISION", Short: "Write a decision for people: Markdown, or a page to print", Args: cobra.ExactArgs(1),
		Long:    "The page loads nothing from elsewhere. A file that is called .html gets the page.",
		Example: "  golive decide report crm-rollout/go-sales\n  golive decide report crm-rollout/go-sales --out go-sales.html",
	}
	cmd.Flags().BoolVar(&html, "html", false, "as an HTML page instead of Markdown")
	cmd.Flags().StringVar(&out, "out", "", "the file to write; the standard output when not given")
	a.completeKind(cmd, "decision")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("decision"), args[0])
		if err != nil {
			return err
		}
		r, err := implementationv1.NewDecisionServiceClient(c.people).ComputeDecisionReport(ctx, &implementationv1.ComputeDecisionReportRequest{Name: name})
		if err != nil {
			return err
		}
		if !c.format.ForPeople() {
			return show.Encode(c.out, c.format, r)
		}
		text := r.GetMarkdown()
		if html || strings.HasSuffix(out, ".html") {
			text = r.GetHtml()
		}
		if out == "" {
			_, err = io.WriteString(c.out, text)
			return err
		}
		if err := os.WriteFile(out, []byte(text), 0o600); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
		c.note("written to %s", out)
		return nil
	})
}

func (a *app) decideVerify() *cobra.Command {
	cmd := &cobra.Command{
		Use: "verify DECISION", Short: "Compute the digests of the frozen evidence again, here, and compare; exit code 6 when they differ", Args: cobra.ExactArgs(1),
		Example: "  golive decide verify crm-rollout/go-sales",
	}
	a.completeKind(cmd, "decision")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		d, err := c.decision(ctx, args[0])
		if err != nil {
			return err
		}
		if len(d.GetRecords()) == 0 {
			return c.say("nothing has been decided in %s yet", kind.Short(d.GetName()))
		}
		differs := false
		for i, r := range d.GetRecords() {
			wrong := evidence.Verify(r)
			differs = differs || len(wrong) > 0
			said := "matches"
			if len(wrong) > 0 {
				said = "does not match: " + strings.Join(wrong, "; ")
			}
			if err := c.say("record %d, %s, %d verdicts, %s: %s", i+1, onMinute(r.GetTime()), len(r.GetEvidence()), r.GetEvidenceDigest(), said); err != nil {
				return err
			}
		}
		if differs {
			return outcome(exitUnwell)
		}
		return nil
	})
}
