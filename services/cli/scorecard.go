package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

// mostScorecards is how many one request computes.
const mostScorecards = 100

func (a *app) scorecard() *cobra.Command {
	var all bool
	var days int
	cmd := &cobra.Command{
		Use: "scorecard [IMPLEMENTATION]", Short: "Show what an implementation has reached, in six measures",
		Long: "Sets each measure beside its target and what it was before: uptime, performance and feedback of the software, adoption, savings and\n" +
			"satisfaction of the people. The targets are the field scorecardTargets of the implementation.\n" +
			"What may not be told, or rests on too little, is UNKNOWN.",
		Example: "  golive scorecard crm-rollout\n  golive scorecard crm-rollout --days 28\n  golive scorecard --all\n  golive scorecard report crm-rollout --out scorecard.html",
		Args:    cobra.MaximumNArgs(1),
	}
	cmd.Flags().BoolVar(&all, "all", false, "all implementations that are under way, one a line")
	cmd.Flags().IntVar(&days, "days", 0, "what was kept of the last days, one a line")
	a.completeKind(cmd, "implementation")
	cmd.AddCommand(a.scorecardReport())
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		switch {
		case all == (len(args) == 1):
			return usage("name one implementation, or all of them with --all", "golive scorecard crm-rollout")
		case all && days != 0:
			return usage("--days is of one implementation", "golive scorecard crm-rollout --days 28")
		case all:
			return c.allScorecards(ctx)
		}
		name, err := c.name(mustFind("implementation"), args[0])
		if err != nil {
			return err
		}
		if days != 0 {
			return c.keptScorecards(ctx, name, days)
		}
		card, err := implementationv1.NewScorecardServiceClient(c.people).ComputeScorecard(ctx, &implementationv1.ComputeScorecardRequest{Parent: name})
		if err != nil {
			return err
		}
		return c.printScorecard(card)
	})
}

func (a *app) scorecardReport() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "report IMPLEMENTATION", Short: "Write the scorecard on one page to print",
		Example: "  golive scorecard report crm-rollout\n  golive scorecard report crm-rollout --out scorecard.html", Args: cobra.ExactArgs(1),
	}
	paperFlag(cmd, &out)
	a.completeKind(cmd, "implementation")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("implementation"), args[0])
		if err != nil {
			return err
		}
		r, err := implementationv1.NewScorecardServiceClient(c.people).ComputeScorecardReport(ctx, &implementationv1.ComputeScorecardReportRequest{Parent: name})
		switch {
		case err != nil:
			return err
		case !c.format.ForPeople():
			return show.Encode(c.out, c.format, r)
		default:
			return c.writePaper(out, r)
		}
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
	rows := [][]string{{"MEASURE", "", "VALUE", "TARGET", "BEFORE", "95 % INTERVAL", "DAY", ""}}
	for _, m := range card.GetMeasures() {
		between, before := "-", "-"
		if m.Lower != nil && m.Upper != nil {
			between = percent(m.GetLower()) + " – " + percent(m.GetUpper())
		}
		if t := m.GetTrend(); t != nil {
			before = fmt.Sprintf("%s, %+.1f points since %s", percent(t.GetPreviousValue()), 100*t.GetChange(), t.GetPreviousDay())
		}
		rows = append(rows, []string{
			strings.ToLower(m.GetKind().String()), c.style.State(m.GetState().String()), shareOrDash(m.Value), shareOrDash(m.Target), before, between, orDash(m.GetDay()), m.GetMessage(),
		})
	}
	if err := show.Rows(c.out, rows); err != nil {
		return err
	}
	for _, o := range card.GetOverrides() {
		subject := ""
		if o.GetSubject() != "" {
			subject = " (" + kind.Short(o.GetSubject()) + ")"
		}
		if err := c.say("overridden: %s%s by %s until %s: %s", kind.Short(o.GetResource()), subject, o.GetPerson(), o.GetExpireTime().AsTime().Local().Format(time.DateTime), o.GetReason()); err != nil { //nolint:gosmopolitan // for the person who reads it
			return err
		}
	}
	if card.GetDecision() == "" {
		return nil
	}
	return c.say("decision: %s %s", kind.Short(card.GetDecision()), c.style.State(card.GetDecisionState().String()))
}

// shareOrDash is a share where it is known.
func shareOrDash(v *float64) string {
	if v == nil {
		return "-"
	}
	return percent(*v)
}

// allScorecards shows those of every implementation that is under way, a hundred at a time.
func (c *client) allScorecards(ctx context.Context) error {
	workspace := "workspaces/" + c.workspace
	list := &implementationv1.ListImplementationsRequest{Parent: workspace, PageSize: mostScorecards, Filter: "NOT (state = CLOSED OR state = CANCELLED)"}
	var cards []*implementationv1.Scorecard
	for {
		page, err := implementationv1.NewImplementationServiceClient(c.people).ListImplementations(ctx, list)
		if err != nil {
			return err
		}
		req := &implementationv1.BatchComputeScorecardsRequest{Parent: workspace}
		for _, i := range page.GetImplementations() {
			req.Names = append(req.Names, i.GetName())
		}
		if len(req.GetNames()) > 0 {
			some, err := implementationv1.NewScorecardServiceClient(c.people).BatchComputeScorecards(ctx, req)
			if err != nil {
				return err
			}
			cards = append(cards, some.GetScorecards()...)
		}
		if list.PageToken = page.GetNextPageToken(); list.GetPageToken() == "" {
			return c.printScorecards(cards, func(card *implementationv1.Scorecard) string { return kind.Short(card.GetImplementation()) }, "IMPLEMENTATION", "no implementation is under way; golive list implementations shows all")
		}
	}
}

// keptScorecards shows what was kept at the end of each of the last days.
func (c *client) keptScorecards(ctx context.Context, name string, days int) error {
	const mostDays = 1000
	if days < 1 || days > mostDays {
		return usage(fmt.Sprintf("--days is 1 to %d", mostDays), "golive scorecard crm-rollout --days 28")
	}
	from := time.Now().UTC().AddDate(0, 0, -days).Format(time.DateOnly)
	page, err := implementationv1.NewScorecardSnapshotServiceClient(c.people).ListScorecardSnapshots(ctx, &implementationv1.ListScorecardSnapshotsRequest{
		Parent: name, PageSize: mostDays, Filter: fmt.Sprintf("day >= %q", from), OrderBy: "day",
	})
	if err != nil {
		return err
	}
	cards := make([]*implementationv1.Scorecard, 0, len(page.GetScorecardSnapshots()))
	of := map[*implementationv1.Scorecard]string{}
	for _, s := range page.GetScorecardSnapshots() {
		cards = append(cards, s.GetScorecard())
		of[s.GetScorecard()] = s.GetDay()
	}
	return c.printScorecards(cards, func(card *implementationv1.Scorecard) string { return of[card] }, "DAY", "nothing was kept yet; the first scorecard is kept at the end of the day in UTC")
}

// printScorecards shows one a line: each measure with a sign of how it stands.
func (c *client) printScorecards(cards []*implementationv1.Scorecard, first func(*implementationv1.Scorecard) string, head, none string) error {
	if !c.format.ForPeople() {
		return show.EncodeList(c.out, c.format, cards)
	}
	rows := [][]string{{head, "UPTIME", "PERFORMANCE", "FEEDBACK", "ADOPTION", "SAVINGS", "SATISFACTION"}}
	for _, card := range cards {
		row := []string{first(card)}
		for _, m := range card.GetMeasures() {
			cell := shareOrDash(m.Value)
			switch m.GetState() {
			case implementationv1.ScorecardMeasure_MET:
				cell = "✓ " + cell
			case implementationv1.ScorecardMeasure_NOT_MET:
				cell = "✗ " + cell
			case implementationv1.ScorecardMeasure_UNKNOWN:
				cell = "? " + cell
			default:
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	if len(cards) == 0 {
		return c.say("%s", none)
	}
	return show.Rows(c.out, rows)
}
