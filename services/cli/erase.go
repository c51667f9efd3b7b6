package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) erase() *cobra.Command {
	var reason string
	var yes, dryRun bool
	cmd := &cobra.Command{
		Use: "erase PERSON", Short: "Forget a person on request, and show what was removed, what stays and why",
		Long: "The address, memberships, the personal part of enrolments, usage, invitations and messages that wait are removed.\n" +
			"Counts of the past stay. The pseudonym is retired for ever. It cannot be undone; repeating it shows the same receipt.",
		Example: "  golive erase p0013 --reason 'request of 3 March'", Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the receipt; no name and no address")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would be removed from the main database and change nothing")
	yesFlag(cmd, &yes)
	a.completeKind(cmd, "person")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("person"), args[0])
		if err != nil {
			return err
		}
		if !dryRun {
			if err := c.confirm(yes, "forget for ever", kind.Short(name)); err != nil {
				return err
			}
		}
		receipt, err := implementationv1.NewErasureServiceClient(c.people).ErasePerson(ctx, &implementationv1.ErasePersonRequest{
			Name: name, Reason: reason, ValidateOnly: dryRun,
		})
		if err != nil {
			return err
		}
		return c.printErasure(receipt)
	})
}

func (c *client) printErasure(r *implementationv1.Erasure) error {
	switch {
	case c.format == show.Name:
		return c.say("%s", r.GetName())
	case !c.format.ForPeople():
		return show.Encode(c.out, c.format, r)
	}
	if err := c.say("%s  %s", c.style.Bold(kind.Short(r.GetName())), c.style.State(r.GetState().String())); err != nil {
		return err
	}
	rows := [][]string{{c.style.Bold("DATA"), c.style.Bold("WHAT"), c.style.Bold("RECORDS"), c.style.Bold("WHY")}}
	for _, i := range r.GetItems() {
		records := "-"
		if i.GetAction() != implementationv1.ErasedData_KEPT {
			records = fmt.Sprint(i.GetCount())
		}
		rows = append(rows, []string{i.GetData(), i.GetAction().String(), records, i.GetWhy()})
	}
	return show.Rows(c.out, rows)
}
