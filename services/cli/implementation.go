package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

func (a *app) implementation() *cobra.Command {
	verb := func(use, short, word string, reason, asking bool) *cobra.Command {
		return a.verb(verb{use: use + " IMPLEMENTATION", short: short, word: word, kind: "implementation", needReason: reason, asking: asking, subject: named("implementation")})
	}
	cmd := group("implementation", "Take an implementation through its life",
		a.implementationCreate(),
		verb("submit", "Agree on the plan of a draft: it needs a sponsor, a baseline, and a plan without errors", "Submit", false, false),
		verb("start", "Begin a planned implementation", "Start", false, false),
		verb("hold", "Interrupt an implementation", "Hold", true, false),
		verb("resume", "Go on after an interruption", "Resume", false, false),
		a.implementationLive(),
		verb("sustain", "Record that every cohort is live; what was won has to stay now", "Sustain", false, false),
		verb("complete", "End an implementation whose outcomes all have a verdict", "Complete", false, false),
		verb("cancel", "Give an implementation up", "Cancel", true, true))
	cmd.Aliases = []string{"impl"}
	return cmd
}

// named resolves names of a kind as people write them.
func named(word string) func(c *client, ctx context.Context, given string) (string, error) {
	return func(c *client, _ context.Context, given string) (string, error) { return c.name(mustFind(word), given) }
}

func (a *app) implementationCreate() *cobra.Command {
	var (
		i                       implementationv1.Implementation
		start, target, template string
		dryRun                  bool
	)
	cmd := &cobra.Command{
		Use: "create IMPLEMENTATION", Short: "Begin an implementation, with the plan of a template where one is named",
		Long:    "It begins as a DRAFT. golive apply -f changes it later, and takes more of it: calendar, environments, labels.",
		Example: "  golive implementation create erp --title 'ERP for finance' --owner users/lead --sponsor users/cfo --start 2027-03-01 --template erp-cutover", Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&i.DisplayName, "title", "", "what people call it")
	f.StringVar(&i.Goal, "goal", "", "what is better afterwards")
	f.StringVar(&i.Owner, "owner", "", "who leads it: users/lead")
	f.StringVar(&i.Sponsor, "sponsor", "", "who stands behind it; needed before it can be submitted")
	f.StringVar(&i.Currency, "currency", "", "of its money, ISO 4217: EUR")
	f.StringVar(&start, "start", "", "when the plan begins: 2027-03-01; when it was created where not given")
	f.StringVar(&target, "target", "", "when it should be done")
	f.StringVar(&template, "template", "", "the plan to begin with; see golive plan template list")
	f.BoolVar(&dryRun, "dry-run", false, "check it and change nothing")
	cmd.MarkFlagsMutuallyExclusive("template", "dry-run")
	a.completeTemplates(cmd, "template")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		k := mustFind("implementation")
		name, err := c.name(k, args[0])
		if err != nil {
			return err
		}
		if i.StartTime, err = moment("start", start); err != nil {
			return err
		}
		if i.TargetDate, err = moment("target", target); err != nil {
			return err
		}
		if err := c.knowsTemplate(ctx, template); err != nil {
			return err
		}
		made, err := c.create(ctx, k, name, &i, dryRun)
		if err != nil {
			return err
		}
		if template != "" {
			req := &implementationv1.ApplyTemplateRequest{Implementation: name, Template: template}
			if _, err := implementationv1.NewPlanTemplateServiceClient(c.people).ApplyTemplate(ctx, req); err != nil {
				return fmt.Errorf("%s was created without a plan: %w", args[0], err)
			}
		}
		return c.printOne(k, made)
	})
}
