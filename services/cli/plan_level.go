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

func (a *app) planLevel() *cobra.Command {
	var (
		req        implementationv1.LevelImplementationRequest
		apply, yes bool
	)
	cmd := &cobra.Command{
		Use: "level IMPLEMENTATION", Short: "Propose later starts so that nobody is over-allocated, with the price",
		Long: "Looks for an order of the work in which nobody has more to do on a day than they can. The plan itself does not change:\n" +
			"the result is a proposal, kept until it is applied with --apply or golive plan apply-proposal, unless the plan has changed meanwhile.",
		Example: "  golive plan level crm-rollout\n  golive plan level crm-rollout --apply",
		Args:    cobra.ExactArgs(1),
	}
	flags := cmd.Flags()
	flags.Int64Var(&req.Seed, "seed", 0, "where the random restarts begin")
	flags.Int32Var(&req.Restarts, "restarts", 0, "how many orders to try, at most 10000; by the size of the plan when not given")
	flags.StringVar(&req.ProposalId, "id", "", "its id; made by the server when not given")
	flags.BoolVar(&req.ValidateOnly, "dry-run", false, "compute it and do not keep it")
	flags.BoolVar(&apply, "apply", false, "write the new starts into the tasks, after a question")
	yesFlag(cmd, &yes)
	cmd.MarkFlagsMutuallyExclusive("apply", "dry-run")
	a.completeKind(cmd, "implementation")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) (err error) {
		if req.Name, err = c.name(mustFind("implementation"), args[0]); err != nil {
			return err
		}
		service := implementationv1.NewProposalServiceClient(c.people)
		p, err := service.LevelImplementation(ctx, &req)
		if err != nil || !apply {
			if err == nil {
				err = c.printProposal(p)
			}
			return err
		}
		if c.format.ForPeople() {
			if err := c.printProposal(p); err != nil {
				return err
			}
		}
		if len(p.GetMoves()) == 0 {
			return nil
		}
		if err := c.confirm(yes, "apply", kind.Short(p.GetName())); err != nil {
			return err
		}
		return c.applyProposal(ctx, p.GetName())
	})
}

func (a *app) planApplyProposal() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "apply-proposal PROPOSAL", Short: "Write the starts of a levelled plan into its tasks",
		Long:    "Refused when the plan has changed since the proposal was computed; level it again then.",
		Example: "  golive plan apply-proposal crm-rollout/proposals/p1", Args: cobra.ExactArgs(1),
	}
	yesFlag(cmd, &yes)
	a.completeKind(cmd, "proposal")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("proposal"), args[0])
		if err != nil {
			return err
		}
		if err := c.confirm(yes, "apply", kind.Short(name)); err != nil {
			return err
		}
		return c.applyProposal(ctx, name)
	})
}

func (c *client) applyProposal(ctx context.Context, name string) error {
	p, err := implementationv1.NewProposalServiceClient(c.people).ApplyProposal(ctx, &implementationv1.ApplyProposalRequest{Name: name})
	if err != nil {
		return err
	}
	return c.printOne(mustFind("proposal"), p)
}

func (c *client) printProposal(p *implementationv1.Proposal) error {
	switch {
	case c.format == show.Name:
		return c.say("%s", p.GetName())
	case !c.format.ForPeople():
		return show.Encode(c.out, c.format, p)
	}
	if len(p.GetMoves()) == 0 && len(p.GetOverallocationsBefore()) == 0 {
		return c.say("%s  nobody has more to do on a day than they can: nothing moves", c.style.Bold(kind.Short(p.GetName())))
	}
	if err := c.say("%s  ends %s instead of %s: scarcity costs %.1f working days",
		c.style.Bold(kind.Short(p.GetName())), onDay(p.GetFinishTimeAfter()), onDay(p.GetFinishTimeBefore()), p.GetPriceDays()); err != nil {
		return err
	}
	rows := [][]string{{"TASK", "BEGINS", "INSTEAD OF", ""}}
	for _, m := range p.GetMoves() {
		why := "follows from the others"
		if m.GetConstrained() {
			why = "not before"
		}
		rows = append(rows, []string{kind.ID(m.GetTask()), onDay(m.GetStartTimeAfter()), onDay(m.GetStartTimeBefore()), why})
	}
	if len(rows) > 1 {
		if err := show.Rows(c.out, append([][]string{{""}}, rows...)); err != nil {
			return err
		}
	}
	if err := c.printOverallocations("Too much to do now", p.GetOverallocationsBefore()); err != nil {
		return err
	}
	return c.printOverallocations("Too much to do even so", p.GetOverallocationsAfter())
}

func (c *client) printOverallocations(title string, all []*implementationv1.Proposal_Overallocation) error {
	if len(all) == 0 {
		return nil
	}
	if err := c.say("\n%s:", title); err != nil {
		return err
	}
	rows := [][]string{{"RESOURCE", "DAY", "ALLOCATED", "CAPACITY", "TASKS"}}
	for _, o := range all {
		tasks := make([]string, len(o.GetTasks()))
		for i, t := range o.GetTasks() {
			tasks[i] = kind.ID(t)
		}
		rows = append(rows, []string{
			kind.ID(o.GetResource()), o.GetDate(), hours(o.GetAllocatedMinutes()), hours(o.GetCapacityMinutes()), strings.Join(tasks, ", "),
		})
	}
	return show.Rows(c.out, rows)
}

func hours(minutes int64) string { return fmt.Sprintf("%.1f h", float64(minutes)/60) }
