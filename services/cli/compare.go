package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

const (
	// comparedWidth is how wide each of the two columns is: with the line between them they fit a terminal of 80.
	comparedWidth = 38
	// comparedLines is how many parts of a cell are shown.
	comparedLines = 8
)

func (a *app) compare() *cobra.Command {
	var out, form string
	cmd := &cobra.Command{
		Use: "compare IMPLEMENTATION", Short: "Set the deployment and the implementation of a go-live side by side",
		Long: "Nine attributes in which the two differ, each with what is true now in both: what it is, when, what it covers, what it is for,\n" +
			"how it goes, how long, what success is, what stands in the way, what it waits for. -o markdown and -o html write it for paper.",
		Example: "  golive compare crm-rollout\n  golive compare crm-rollout -o html > crm.html\n  golive compare crm-rollout --out crm.html", Args: cobra.ExactArgs(1),
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			flag := cmd.Flags().Lookup("output")
			if given := flag.Value.String(); given == "markdown" || given == "html" {
				form = given
				return flag.Value.Set(string(show.Table))
			}
			return nil
		},
	}
	paperFlag(cmd, &out)
	a.completeKind(cmd, "implementation")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("implementation"), args[0])
		if err != nil {
			return err
		}
		table, err := implementationv1.NewComparisonServiceClient(c.people).GetComparison(ctx, &implementationv1.GetComparisonRequest{Parent: name, Report: form != "" || out != ""})
		switch {
		case err != nil:
			return err
		case form == "html" && out == "":
			_, err := io.WriteString(c.out, table.GetHtml())
			return err
		case form != "" || out != "":
			return c.writePaper(out, table)
		case c.format == show.Name:
			return c.say("%s", table.GetImplementation())
		case !c.format.ForPeople():
			return show.Encode(c.out, c.format, table)
		default:
			return c.printComparison(table)
		}
	})
}

// printComparison shows each attribute with its two cells below it.
func (c *client) printComparison(table *implementationv1.Comparison) error {
	if err := c.say("%s  %s\n%s │ %s", c.style.Bold(table.GetDisplayName()), onDay(table.GetAsOf()), padded("DEPLOYMENT", comparedWidth), "IMPLEMENTATION"); err != nil {
		return err
	}
	for _, row := range table.GetRows() {
		title := "─ " + strings.ToLower(strings.ReplaceAll(row.GetAttribute().String(), "_", " ")) + " "
		if err := c.say("%s", c.style.Dim(title+strings.Repeat("─", 2*comparedWidth+3-len([]rune(title))))); err != nil {
			return err
		}
		left, right := comparedCell(row.GetDeployment()), comparedCell(row.GetImplementation())
		for i := range max(len(left), len(right)) {
			if err := c.say("%s", strings.TrimRight(padded(lineAt(left, i), comparedWidth)+" │ "+lineAt(right, i), " ")); err != nil {
				return err
			}
		}
	}
	return nil
}

// comparedCell is a cell in lines: its sentence, then its parts.
func comparedCell(s *implementationv1.ComparisonSide) []string {
	lines := wrapped(s.GetText(), "")
	for n, i := range s.GetItems() {
		if n == comparedLines {
			return append(lines, fmt.Sprintf("  and %d more", int(s.GetTotal())-comparedLines))
		}
		said := i.GetLabel() + ": " + i.GetValue()
		if i.GetTarget() != "" {
			said += " (to be " + i.GetTarget() + ")"
		}
		lines = append(lines, wrapped(comparedMark(i.GetState())+said, "  ")...)
	}
	return lines
}

func comparedMark(s gatev1.Verdict_State) string {
	switch s {
	case gatev1.Verdict_PASS, gatev1.Verdict_WAIVED:
		return "✓ "
	case gatev1.Verdict_FAIL:
		return "✗ "
	case gatev1.Verdict_WAIT, gatev1.Verdict_UNDECIDED:
		return "‖ "
	case gatev1.Verdict_UNKNOWN:
		return "? "
	default:
		return ""
	}
}

// wrapped breaks a text into lines of a column; lines after the first begin with an indent. A word that is too long is cut.
func wrapped(text, indent string) (lines []string) {
	const most = comparedWidth - len("  ")
	line := ""
	for word := range strings.FieldsSeq(show.Safe(text)) {
		for part := range slices.Chunk([]rune(word), most) {
			switch {
			case line == "":
				line = string(part)
			case len([]rune(line))+1+len(part) <= comparedWidth:
				line += " " + string(part)
			default:
				lines, line = append(lines, line), indent+string(part)
			}
		}
	}
	return append(lines, line)
}

func lineAt(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

func padded(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-len([]rune(text))))
}
