package comparison

import (
	"fmt"
	"strings"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/weekly"
)

// mostLines is how many parts of a cell are printed.
const mostLines = 8

// Report writes the table on one page, as Markdown and as HTML to print.
func Report(c *implementationv1.Comparison) (markdown, html string, err error) {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s: deployment and implementation\n\nAs of %s.\n\n", weekly.Text(c.GetDisplayName()), c.GetAsOf().AsTime().UTC().Format("2006-01-02 15:04 MST"))
	b.WriteString("| | Deployment: the software is there | Implementation: people work with it |\n|---|---|---|\n")
	for _, row := range c.GetRows() {
		fmt.Fprintf(&b, "| **%s** | %s | %s |\n", Title(row.GetAttribute()), cell(row.GetDeployment()), cell(row.GetImplementation()))
	}
	markdown = b.String()
	html, err = weekly.HTML(c.GetDisplayName()+": deployment and implementation", markdown)
	return markdown, html, err
}

// Title is an attribute for people.
func Title(a implementationv1.ComparisonRow_Attribute) string {
	said := words(a.String())
	return strings.ToUpper(said[:1]) + said[1:]
}

// cell is a sentence with its parts. A cell of a Markdown table is one line, so the parts follow each other.
func cell(s *implementationv1.ComparisonSide) string {
	parts := []string{weekly.Text(s.GetText())}
	for n, i := range s.GetItems() {
		if n == mostLines {
			parts = append(parts, fmt.Sprintf("and %d more", int(s.GetTotal())-mostLines))
			break
		}
		said := weekly.Text(i.GetLabel()) + ": " + weekly.Text(i.GetValue())
		if i.GetTarget() != "" {
			said += " (to be " + weekly.Text(i.GetTarget()) + ")"
		}
		parts = append(parts, mark(i.GetState())+said)
	}
	return strings.Join(parts, " · ")
}

// mark is how a part stands, in one sign.
func mark(s gatev1.Verdict_State) string {
	switch s {
	case gatev1.Verdict_PASS, gatev1.Verdict_WAIVED:
		return "✓ "
	case gatev1.Verdict_FAIL:
		return "✗ "
	case gatev1.Verdict_WAIT, gatev1.Verdict_UNDECIDED:
		return "… "
	case gatev1.Verdict_UNKNOWN:
		return "? "
	default:
		return ""
	}
}
