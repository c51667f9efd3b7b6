package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) surveyResults() *cobra.Command {
	var comments bool
	cmd := &cobra.Command{
		Use: "results SURVEY/WAVE", Short: "Show the numbers of a published wave, with their intervals",
		Long: "Numbers are told of groups that were fixed when the wave opened. A group of which nothing is told says why:\n" +
			"too few answers, or because they, with other numbers, would tell of too few. That you read them is written down.",
		Example: "  golive survey results pulse/march --comments", Args: cobra.ExactArgs(1),
	}
	cmd.Flags().BoolVar(&comments, "comments", false, "the comments too, where there are enough")
	a.completeKind(cmd, "surveyWave")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("surveyWave"), args[0])
		if err != nil {
			return err
		}
		r, err := implementationv1.NewSurveyResultServiceClient(c.people).SummarizeSurveyWave(ctx, &implementationv1.SummarizeSurveyWaveRequest{Name: name})
		if err != nil {
			return err
		}
		if !c.format.ForPeople() {
			return show.Encode(c.out, c.format, r)
		}
		return c.printSurvey(r, comments)
	})
}

func (c *client) printSurvey(r *implementationv1.SurveyResult, comments bool) error {
	rows := [][]string{{"GROUP", "ANSWERED", "QUESTION", "VALUE", "95 % INTERVAL", "SINCE THE WAVE BEFORE"}}
	for _, g := range r.GetGroups() {
		name := "everybody"
		if g.GetCohort() != "" {
			name = kind.ID(g.GetCohort())
		}
		if g.GetValue() != "" {
			name += " · " + g.GetValue()
		}
		if g.GetState() != implementationv1.SurveyGroup_TOLD {
			rows = append(rows, []string{name, fmt.Sprintf("– of %d", g.GetAskedCount()), c.style.Dim(whyNotTold(g.GetState(), r.GetThreshold())), "", "", ""})
			continue
		}
		answered := fmt.Sprintf("%d of %d, %.0f %%", g.GetResponseCount(), g.GetAskedCount(), 100*g.GetResponseRate())
		if g.GetLowResponse() {
			answered += " (too few to decide by)"
		}
		for _, m := range g.GetMeasures() {
			rows = append(rows, append([]string{name, answered}, measureRow(g, m)...))
			name, answered = "", ""
		}
	}
	if err := show.Rows(c.out, rows); err != nil {
		return err
	}
	if r.GetCommentsWithheld() {
		if err := c.say("\nThere are comments, fewer than the %d from which on they are told.", r.GetCommentThreshold()); err != nil {
			return err
		}
	}
	for _, comment := range r.GetComments() {
		if !comments {
			return c.say("\n%d comments: golive survey results %s --comments", len(r.GetComments()), kind.Short(r.GetSurveyWave()))
		}
		if _, err := fmt.Fprintf(c.out, "\n%s: %s\n", comment.GetQuestion(), comment.GetText()); err != nil {
			return err
		}
	}
	return nil
}

// measureRow is what was asked, the value, its interval and what changed.
func measureRow(g *implementationv1.SurveyGroup, m *implementationv1.SurveyMeasure) []string {
	name, scale, form := m.GetQuestion(), 100., "%.0f %%"
	switch m.GetKind() {
	case implementationv1.Question_ENPS:
		form = "%+.0f"
	case implementationv1.Question_SUS:
		scale, form = 1, "%.1f"
	default:
	}
	if m.GetElement() != "" {
		name += " " + m.GetElement()
		if m.GetElement() == g.GetBarrier() {
			name += " (the barrier)"
		}
	}
	number := func(x float64) string { return fmt.Sprintf(form, scale*x) }
	change := ""
	if m.GetChange() != nil {
		change = fmt.Sprintf("%+.1f", scale*m.GetChange().GetDifference())
		if m.GetChange().Lower != nil {
			change += fmt.Sprintf(" (%+.1f to %+.1f)", scale*m.GetChange().GetLower(), scale*m.GetChange().GetUpper())
		}
	}
	return []string{name, number(m.GetValue()), number(m.GetLower()) + " to " + number(m.GetUpper()), change}
}

// whyNotTold says in words why a group has no numbers.
func whyNotTold(state implementationv1.SurveyGroup_State, threshold int32) string {
	switch state {
	case implementationv1.SurveyGroup_TOO_FEW:
		return fmt.Sprintf("fewer than %d answered", threshold)
	case implementationv1.SurveyGroup_COMPLEMENTARY:
		return "not told: a group that is too small would follow from it"
	case implementationv1.SurveyGroup_DIFFERENCING:
		return "not told: it differs by too few people from what was told before"
	case implementationv1.SurveyGroup_POOLED:
		return "not told: some of its people were too few, and counted with others"
	default:
		return "not told"
	}
}

func (a *app) surveyTransparency() *cobra.Command {
	var asHTML bool
	cmd := &cobra.Command{
		Use: "transparency SURVEY", Short: "Write what is asked, who sees what, from how many answers on, and for how long",
		Long:    "It is made from what is configured, as Markdown. Everybody can read the same at /privacy/WORKSPACE/SURVEY of the server.",
		Example: "  golive survey transparency pulse > privacy.md", Args: cobra.ExactArgs(1),
	}
	cmd.Flags().BoolVar(&asHTML, "html", false, "as HTML")
	a.completeKind(cmd, "survey")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		k := mustFind("survey")
		name, err := c.name(k, args[0])
		if err != nil {
			return err
		}
		notice, err := implementationv1.NewSurveyNoticeServiceClient(c.people).GetSurveyNotice(ctx, &implementationv1.GetSurveyNoticeRequest{
			Workspace: strings.Split(name, "/")[1], Survey: kind.ID(name),
		})
		if err != nil {
			return err
		}
		switch {
		case !c.format.ForPeople():
			return show.Encode(c.out, c.format, notice)
		case asHTML:
			_, err = io.WriteString(c.out, notice.GetHtml())
		default:
			_, err = io.WriteString(c.out, notice.GetMarkdown())
		}
		return err
	})
}
