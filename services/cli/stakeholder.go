package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) stakeholder() *cobra.Command {
	return group("stakeholder", "Keep who has influence, how they stand, and who is in touch",
		a.stakeholderAdd(), a.stakeholderStance(), a.stakeholderContact(), a.stakeholderHistory())
}

// stances are the words of a stance, without the one that is not set.
func stances() []string {
	all := make([]string, 0, len(implementationv1.Stance_name)-1)
	for n := int32(1); n < int32(len(implementationv1.Stance_name)); n++ { //nolint:gosec // six
		all = append(all, strings.ToLower(implementationv1.Stance_name[n]))
	}
	return all
}

func stanceOf(word string) (implementationv1.Stance, error) {
	number, known := implementationv1.Stance_value[strings.ToUpper(word)]
	if !known || number == 0 {
		return 0, usage("there is no stance "+word, "choose one of "+strings.Join(stances(), ", "))
	}
	return implementationv1.Stance(number), nil
}

func (a *app) stakeholderAdd() *cobra.Command {
	var m implementationv1.Stakeholder
	var stance, target, person string
	cmd := &cobra.Command{
		Use: "add IMPLEMENTATION/STAKEHOLDER", Short: "Note somebody whose stance matters",
		Example: "  golive stakeholder add crm-rollout/head-of-sales --influence 5 --stance sceptical --target supportive --sponsor", Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&m.DisplayName, "name", "", "a role rather than a name: 'Head of sales'")
	f.Int32Var(&m.Influence, "influence", 0, "from 1 (little) to 5 (the decision is theirs)")
	f.StringVar(&stance, "stance", "neutral", strings.Join(stances(), ", "))
	f.StringVar(&target, "target", "", "how they should stand")
	f.BoolVar(&m.Sponsor, "sponsor", false, "pays for the change and stands for it")
	f.StringVar(&person, "person", "", "the person, so that communications reach them")
	f.StringVar(&m.Owner, "owner", "", "who keeps in touch: users/ada")
	must(cmd.MarkFlagRequired("influence"))
	for _, flag := range []string{"stance", "target"} {
		must(cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(stances(), cobra.ShellCompDirectiveNoFileComp)))
	}
	a.completeKind(cmd, "implementation")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("stakeholder"), args[0])
		if err != nil {
			return err
		}
		if m.Stance, err = stanceOf(stance); err != nil {
			return err
		}
		if target != "" {
			if m.TargetStance, err = stanceOf(target); err != nil {
				return err
			}
		}
		if person != "" {
			if m.Person, err = c.name(mustFind("person"), person); err != nil {
				return err
			}
		}
		parent, id, _ := strings.Cut(name, "/stakeholders/")
		created, err := implementationv1.NewStakeholderServiceClient(c.people).CreateStakeholder(ctx, &implementationv1.CreateStakeholderRequest{
			Parent: parent, StakeholderId: id, Stakeholder: &m,
		})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("stakeholder"), created)
	})
}

func (a *app) stakeholderStance() *cobra.Command {
	var note string
	cmd := &cobra.Command{
		Use: "stance IMPLEMENTATION/STAKEHOLDER STANCE", Short: "Record how somebody stands now",
		Long:    "A stance is one of " + strings.Join(stances(), ", ") + ". Each that is recorded is kept.",
		Example: "  golive stakeholder stance crm-rollout/head-of-sales supportive --note 'asked for more seats'", Args: cobra.ExactArgs(2),
	}
	cmd.Flags().StringVar(&note, "note", "", "what was seen or heard; it is not in the event log")
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 1 {
			return stances(), cobra.ShellCompDirectiveNoFileComp
		}
		return a.names(cmd, "stakeholder"), cobra.ShellCompDirectiveNoFileComp
	}
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("stakeholder"), args[0])
		if err != nil {
			return err
		}
		stance, err := stanceOf(args[1])
		if err != nil {
			return err
		}
		m, err := implementationv1.NewStakeholderServiceClient(c.people).RecordStance(ctx, &implementationv1.RecordStanceRequest{Name: name, Stance: stance, Note: note})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("stakeholder"), m)
	})
}

func (a *app) stakeholderContact() *cobra.Command {
	var at string
	var acted bool
	cmd := &cobra.Command{
		Use: "contact IMPLEMENTATION/STAKEHOLDER", Short: "Record that somebody was in touch, or that a sponsor acted", Args: cobra.ExactArgs(1),
		Example: "  golive stakeholder contact crm-rollout/head-of-sales --acted",
	}
	cmd.Flags().StringVar(&at, "time", "", "when: 2026-11-30 18:00 local, or RFC 3339; now when not given")
	cmd.Flags().BoolVar(&acted, "acted", false, "they did something for the change that others saw")
	a.completeKind(cmd, "stakeholder")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("stakeholder"), args[0])
		if err != nil {
			return err
		}
		req := &implementationv1.RecordContactRequest{Name: name, Acted: acted}
		if req.ContactTime, err = moment("time", at); err != nil {
			return err
		}
		m, err := implementationv1.NewStakeholderServiceClient(c.people).RecordContact(ctx, req)
		if err != nil {
			return err
		}
		return c.printOne(mustFind("stakeholder"), m)
	})
}

func (a *app) stakeholderHistory() *cobra.Command {
	cmd := &cobra.Command{Use: "history IMPLEMENTATION/STAKEHOLDER", Short: "Show how somebody stood, from the first to the last", Example: "  golive stakeholder history crm-rollout/head-of-sales", Args: cobra.ExactArgs(1)}
	a.completeKind(cmd, "stakeholder")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("stakeholder"), args[0])
		if err != nil {
			return err
		}
		found, _, err := c.all(ctx, mustFind("stanceChange"), query{parent: name})
		if err != nil {
			return err
		}
		if !c.format.ForPeople() {
			return show.EncodeList(c.out, c.format, found)
		}
		rows := [][]string{{c.style.Bold("WHEN"), c.style.Bold("STANCE"), c.style.Bold("BY"), c.style.Bold("NOTE")}}
		for _, s := range as[*implementationv1.StanceChange](found) {
			rows = append(rows, []string{
				s.GetCreateTime().AsTime().UTC().Format(time.RFC3339), s.GetStance().String(), s.GetRecorder(), s.GetNote(),
			})
		}
		return show.Rows(c.out, rows)
	})
}
