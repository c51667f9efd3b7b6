package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) scorecard() *cobra.Command {
	cmd := &cobra.Command{
		Use: "scorecard IMPLEMENTATION", Short: "Show what an implementation has reached: adoption, savings, satisfaction",
		Long: "Sets each measure beside its target and what it was before. The targets are the field scorecardTargets of the implementation.\n" +
			"What may not be told, or rests on too few answers, is UNKNOWN.",
		Example: "  golive scorecard crm-rollout\n  golive scorecard crm-rollout -o json", Args: cobra.ExactArgs(1),
	}
	a.completeKind(cmd, "implementation")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("implementation"), args[0])
		if err != nil {
			return err
		}
		card, err := implementationv1.NewScorecardServiceClient(c.people).ComputeScorecard(ctx, &implementationv1.ComputeScorecardRequest{Parent: name})
		if err != nil {
			return err
		}
		return c.printScorecard(card)
	})
}

func (c *client) printScorecard(card *implementationv1.Scorecard) error {
	switch {
	case c.format == show.Name:
		return c.say("%s", card.GetImplementation())
	case !c.format.ForPeople():
		return show.Encode(c.out, c.format, card)
	}
	if err := c.say("%s  %s", c.style.Bold(kind.Short(card.GetImplementation())), onDay(card.GetAsOf())); err != nil {
		return err
	}
	rows := [][]string{{"MEASURE", "", "VALUE", "TARGET", "BEFORE", "DAY", ""}}
	for _, m := range card.GetMeasures() {
		share := func(v *float64) string {
			if v == nil {
				return "-"
			}
			return percent(*v)
		}
		before := "-"
		if t := m.GetTrend(); t != nil {
			before = fmt.Sprintf("%s, %+.1f points since %s", percent(t.GetPreviousValue()), 100*t.GetChange(), t.GetPreviousDay())
		}
		rows = append(rows, []string{
			strings.ToLower(m.GetKind().String()), c.style.State(m.GetState().String()), share(m.Value), share(m.Target), before, orDash(m.GetDay()), m.GetMessage(), //nolint:protogetter // whether they are set
		})
	}
	return show.Rows(c.out, rows)
}
