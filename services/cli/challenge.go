package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) challenges() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "challenges IMPLEMENTATION", Short: "Show what stands in the way, what a person has to decide first on top",
		Long: "Detectors suggest challenges from numbers, people raise them. A suggestion is opened or dismissed by a person.\n" +
			"An open one that is critical (probability × impact of 15 and more, or declared) holds the readiness of its cohort.",
		Example: "  golive challenges crm-rollout\n  golive challenges open crm-rollout/challenges/r2-sales-2026-w47 --owner users/ada",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().BoolVar(&all, "all", false, "those that ended, too")
	a.completeKind(cmd, "implementation")
	cmd.AddCommand(a.challengesShow(), a.challengesRaise(), a.challengesDetect(), a.challengesTickets())
	cmd.AddCommand(a.challengeVerbs()...)
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		parent, err := c.name(mustFind("implementation"), args[0])
		if err != nil {
			return err
		}
		q := query{parent: parent, filter: `state != "CLOSED" AND state != "DISMISSED"`}
		if all {
			q.filter = ""
		}
		found, _, err := c.all(ctx, mustFind("challenge"), q)
		if err != nil {
			return err
		}
		slices.SortStableFunc(found, triage)
		if !c.format.ForPeople() {
			return c.printAll(mustFind("challenge"), found)
		}
		return c.printChallenges(parent, found)
	})
}

// triage puts first what waits for a decision, then what is worst.
func triage(a, b proto.Message) int {
	one, other := a.(*implementationv1.Challenge), b.(*implementationv1.Challenge) //nolint:errcheck // a list of challenges has no others
	rank := func(c *implementationv1.Challenge) int {
		order := []implementationv1.Challenge_State{
			implementationv1.Challenge_SUGGESTED, implementationv1.Challenge_OPEN, implementationv1.Challenge_MITIGATING, implementationv1.Challenge_RESOLVED, implementationv1.Challenge_ACCEPTED,
		}
		if i := slices.Index(order, c.GetState()); i >= 0 {
			return i
		}
		return len(order)
	}
	critical := func(c *implementationv1.Challenge) int {
		if c.GetCritical() {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(rank(one), rank(other)), cmp.Compare(critical(other), critical(one)),
		cmp.Compare(other.GetSeverity(), one.GetSeverity()), cmp.Compare(one.GetName(), other.GetName()))
}

func (c *client) printChallenges(parent string, all []proto.Message) error {
	if len(all) == 0 {
		c.note("no challenges in %s; golive challenges detect %s --dry-run shows what every rule sees", kind.Short(parent), kind.Short(parent))
		return nil
	}
	rows := [][]string{{"CHALLENGE", "STATE", "P×I", "CLASS", "OWNER", "WHAT"}}
	for _, m := range all {
		ch := m.(*implementationv1.Challenge) //nolint:errcheck // a list of challenges has no others
		weight := fmt.Sprintf("%d×%d=%d", ch.GetProbability(), ch.GetImpact(), ch.GetSeverity())
		if ch.GetCritical() {
			weight = c.style.Bold(weight + "!")
		}
		what := ch.GetDisplayName()
		if ch.GetArithmetic() != "" {
			what += "  " + c.style.Dim(ch.GetArithmetic())
		}
		if ch.GetProposal() != nil {
			what += "  " + c.style.Bold("proposed as over: "+ch.GetProposal().GetMessage())
		}
		rows = append(rows, []string{kind.ID(ch.GetName()), c.style.State(ch.GetState().String()), weight, ch.GetClass().String(), cmp.Or(ch.GetOwner(), "-"), what})
	}
	if err := show.Rows(c.out, rows); err != nil {
		return err
	}
	return c.printMatrix(all)
}

// printMatrix is how many challenges there are of each probability and impact.
func (c *client) printMatrix(all []proto.Message) error {
	const most, critical = 5, 15
	var count [most + 1][most + 1]int
	for _, m := range all {
		ch := m.(*implementationv1.Challenge) //nolint:errcheck // a list of challenges has no others
		count[min(ch.GetProbability(), most)][min(ch.GetImpact(), most)]++
	}
	rows := [][]string{{""}, {"PROBABILITY \\ IMPACT", "1", "2", "3", "4", "5"}}
	for p := most; p >= 1; p-- {
		row := []string{fmt.Sprint(p)}
		for i := 1; i <= most; i++ {
			cell := "·"
			if n := count[p][i]; n > 0 {
				cell = fmt.Sprint(n)
				if p*i >= critical {
					cell = c.style.Bold(cell + "!")
				}
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	return show.Rows(c.out, rows)
}

func (a *app) challengesShow() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show CHALLENGE", Short: "Show one with its evidence and arithmetic", Args: cobra.ExactArgs(1),
		Example: "  golive challenges show crm-rollout/challenges/r2-sales-2026-w47",
	}
	a.completeKind(cmd, "challenge")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("challenge"), args[0])
		if err != nil {
			return err
		}
		m, err := c.fetch(ctx, mustFind("challenge"), name)
		if err != nil {
			return err
		}
		if ch, ok := m.(*implementationv1.Challenge); ok && c.format.ForPeople() {
			return c.printChallenge(ctx, ch)
		}
		return c.printOne(mustFind("challenge"), m)
	})
}

func (c *client) printChallenge(ctx context.Context, ch *implementationv1.Challenge) error {
	rows := [][]string{{c.style.Bold(ch.GetDisplayName()), c.style.State(ch.GetState().String())}}
	for _, line := range [][2]string{
		{"name", kind.Short(ch.GetName())},
		{"class", ch.GetClass().String() + ", " + ch.GetNature().String()},
		{"severity", fmt.Sprintf("%d × %d = %d%s", ch.GetProbability(), ch.GetImpact(), ch.GetSeverity(), map[bool]string{true: ", critical"}[ch.GetCritical()])},
		{"subject", kind.Short(ch.GetSubject())},
		{"owner", ch.GetOwner()},
		{"raised by", ch.GetCreator()},
		{"rule", ch.GetRule()},
		{"mitigation", ch.GetMitigation()},
		{"reason", ch.GetReason()},
		{"looked at again", ch.GetReviewDate()},
		{"proposed as over", ch.GetProposal().GetMessage()},
	} {
		if line[1] != "" {
			rows = append(rows, []string{line[0], line[1]})
		}
	}
	if err := show.Rows(c.out, rows); err != nil {
		return err
	}
	rows = [][]string{{""}, {"PERIOD", "PHASE", "ARITHMETIC"}}
	for _, name := range ch.GetEvidence() {
		m, err := c.fetch(ctx, mustFind("signal"), name)
		if err != nil {
			return err
		}
		s := m.(*implementationv1.Signal) //nolint:errcheck // it is what was asked for
		rows = append(rows, []string{kind.ID(s.GetPeriod()), s.GetPhase().String(), s.GetArithmetic()})
	}
	if len(ch.GetEvidence()) == 0 {
		return nil
	}
	return show.Rows(c.out, rows)
}

func (a *app) challengesRaise() *cobra.Command {
	var class, subject, owner, mitigation, description, id string
	var probability, impact int32
	var issue, critical bool
	cmd := &cobra.Command{
		Use: "raise IMPLEMENTATION TITLE", Short: "Write down what stands in the way, or may",
		Example: "  golive challenges raise crm-rollout 'the works council has not agreed' --class priorities --probability 3 --impact 5\n" +
			"  golive challenges raise crm-rollout 'printers refuse labels' --class technical --issue --subject crm-rollout/cohortPlans/sales",
		Args: cobra.ExactArgs(2),
	}
	f := cmd.Flags()
	f.StringVar(&class, "class", "", "resistance, resources, priorities, technical or other")
	f.Int32Var(&probability, "probability", 0, "1 (hardly) to 5 (almost sure); 3 when not given, 5 for an issue")
	f.Int32Var(&impact, "impact", 0, "1 (a nuisance) to 5 (the go-live fails); 3 when not given")
	f.BoolVar(&issue, "issue", false, "it is there already")
	f.BoolVar(&critical, "critical", false, "it is critical, whatever its numbers say")
	f.StringVar(&subject, "subject", "", "what it is about: a cohort plan, a task, …; the implementation when not given")
	f.StringVar(&owner, "owner", "", "who answers for it")
	f.StringVar(&mitigation, "mitigation", "", "what can be done about it")
	f.StringVar(&description, "description", "", "more, in Markdown")
	f.StringVar(&id, "id", "", "its id; made by the server when not given")
	must(cmd.MarkFlagRequired("class"))
	must(cmd.RegisterFlagCompletionFunc("class", cobra.FixedCompletions([]string{"resistance", "resources", "priorities", "technical", "other"}, cobra.ShellCompDirectiveNoFileComp)))
	a.completeKind(cmd, "implementation")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		parent, err := c.name(mustFind("implementation"), args[0])
		if err != nil {
			return err
		}
		value := implementationv1.Challenge_Class_value[strings.ToUpper(class)]
		if value == 0 {
			return usage("there is no class "+class, "choose resistance, resources, priorities, technical or other")
		}
		ch := &implementationv1.Challenge{
			DisplayName: args[1], Class: implementationv1.Challenge_Class(value), Probability: probability, Impact: impact, DeclaredCritical: critical,
			Owner: owner, Mitigation: mitigation, Description: description,
		}
		if issue {
			ch.Nature = implementationv1.Challenge_ISSUE
		}
		if subject != "" {
			if _, ch.Subject, err = c.any(subject); err != nil {
				return err
			}
		}
		created, err := implementationv1.NewChallengeServiceClient(c.people).CreateChallenge(ctx, &implementationv1.CreateChallengeRequest{Parent: parent, ChallengeId: id, Challenge: ch})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("challenge"), created)
	})
}

// thisWeek is the ISO week of a moment.
func thisWeek(t time.Time) string {
	year, week := t.UTC().ISOWeek()
	return fmt.Sprintf("%04d-W%02d", year, week)
}
