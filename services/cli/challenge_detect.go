package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) challengesDetect() *cobra.Command {
	var week string
	var dryRun, all bool
	cmd := &cobra.Command{
		Use: "detect IMPLEMENTATION", Short: "Judge an implementation by every rule, for the last week",
		Long: "A rule that holds in two weeks running suggests a challenge. The server does this every day by itself; a week is decided once.\n" +
			"A week before the last one is judged by what had dates then, and by plans and stances as they are now.",
		Example: "  golive challenges detect crm-rollout --dry-run --all\n  golive challenges detect crm-rollout --week 2026-W46", Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&week, "week", "", "the week to judge, 2026-W46; the last that is over when not given")
	f.BoolVar(&dryRun, "dry-run", false, "only show what every rule finds")
	f.BoolVar(&all, "all", false, "what does not hold, too, and what cannot be said")
	a.completeKind(cmd, "implementation")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("implementation"), args[0])
		if err != nil {
			return err
		}
		answer, err := implementationv1.NewSignalServiceClient(c.people).RunDetectors(ctx, &implementationv1.RunDetectorsRequest{Name: name, Week: week, ValidateOnly: dryRun})
		if err != nil {
			return err
		}
		if !c.format.ForPeople() {
			return show.Encode(c.out, c.format, answer)
		}
		return c.printDetected(answer, all)
	})
}

func (c *client) printDetected(answer *implementationv1.RunDetectorsResponse, all bool) error {
	rows := [][]string{{"RULE", "WHAT", "STATUS", "SUBJECT", "ARITHMETIC"}}
	counts := map[implementationv1.RuleOutcome_Status]int{}
	for _, rule := range answer.GetRules() {
		if all && rule.GetDisabled() {
			rows = append(rows, []string{rule.GetRule(), rule.GetDisplayName(), "switched off", "-", ""})
		}
		for _, o := range rule.GetOutcomes() {
			counts[o.GetStatus()]++
			if all || o.GetStatus() == implementationv1.RuleOutcome_HOLDS {
				rows = append(rows, []string{rule.GetRule(), rule.GetDisplayName(), ruleStatus(c.style, o.GetStatus()), kind.Short(o.GetSubject()), o.GetArithmetic()})
			}
		}
	}
	if len(rows) > 1 {
		if err := show.Rows(c.out, rows); err != nil {
			return err
		}
	}
	if err := c.say("week %s: %d hold, %d do not, %d too small, %d not known", answer.GetWeek(), counts[implementationv1.RuleOutcome_HOLDS],
		counts[implementationv1.RuleOutcome_CLEAR], counts[implementationv1.RuleOutcome_TOO_SMALL], counts[implementationv1.RuleOutcome_UNKNOWN]); err != nil {
		return err
	}
	for _, name := range answer.GetSuggested() {
		if err := c.say("suggested: golive challenges show %s", kind.Short(name)); err != nil {
			return err
		}
	}
	for _, name := range answer.GetProposed() {
		if err := c.say("proposed as over: golive challenges show %s", kind.Short(name)); err != nil {
			return err
		}
	}
	return nil
}

func ruleStatus(style show.Style, s implementationv1.RuleOutcome_Status) string {
	switch s {
	case implementationv1.RuleOutcome_HOLDS:
		return style.Bold("✗ holds")
	case implementationv1.RuleOutcome_CLEAR:
		return "✓ clear"
	case implementationv1.RuleOutcome_TOO_SMALL:
		return style.Dim("– too small")
	default:
		return style.Dim("? not known")
	}
}

func (a *app) challengesTickets() *cobra.Command {
	var week string
	var users int64
	cmd := &cobra.Command{
		Use: "tickets IMPLEMENTATION [COHORT TICKETS]", Short: "Record how many tickets a cohort opened in a week, or show the counts",
		Long:    "The counts feed rule R8: tickets per active user, beside those of the weeks before the go-live.",
		Example: "  golive challenges tickets crm-rollout sales 35 --week 2026-W47 --users 120\n  golive challenges tickets crm-rollout", Args: cobra.MatchAll(cobra.RangeArgs(1, 3)),
	}
	cmd.Flags().StringVar(&week, "week", "", "the week, 2026-W47; this one when not given")
	cmd.Flags().Int64Var(&users, "users", 0, "how many people used the system in it; the members of the cohort when not given")
	a.completeKind(cmd, "implementation")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("implementation"), args[0])
		if err != nil {
			return err
		}
		support := implementationv1.NewSupportServiceClient(c.people)
		switch len(args) {
		case 2:
			return usage("there is no count after "+args[1], "write golive challenges tickets IMPLEMENTATION COHORT TICKETS")
		case 1:
			answer, err := support.QueryTickets(ctx, &implementationv1.QueryTicketsRequest{Name: name})
			if err != nil {
				return err
			}
			return c.printTickets(answer)
		}
		count := &implementationv1.TicketCount{Week: week, ActiveUsers: users}
		if count.GetWeek() == "" {
			count.Week = thisWeek(time.Now())
		}
		if count.Cohort, err = c.name(mustFind("cohort"), args[1]); err != nil {
			return err
		}
		if count.Tickets, err = strconv.ParseInt(args[2], 10, 64); err != nil {
			return usage(args[2]+" is no count", "write how many tickets there were: 35")
		}
		answer, err := support.RecordTickets(ctx, &implementationv1.RecordTicketsRequest{Name: name, Counts: []*implementationv1.TicketCount{count}})
		if err != nil {
			return err
		}
		if !c.format.ForPeople() {
			return show.Encode(c.out, c.format, answer)
		}
		return c.say("%s in %s: %d tickets", kind.ID(count.GetCohort()), count.GetWeek(), count.GetTickets())
	})
}

func (c *client) printTickets(answer *implementationv1.QueryTicketsResponse) error {
	if !c.format.ForPeople() {
		return show.Encode(c.out, c.format, answer)
	}
	rows := [][]string{{"WEEK", "COHORT", "TICKETS", "USERS"}}
	for _, t := range answer.GetCounts() {
		users := "members"
		if t.GetActiveUsers() > 0 {
			users = fmt.Sprint(t.GetActiveUsers())
		}
		rows = append(rows, []string{t.GetWeek(), kind.ID(t.GetCohort()), fmt.Sprint(t.GetTickets()), users})
	}
	return show.Rows(c.out, rows)
}
