package cli

import (
	"context"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

func (a *app) contact() *cobra.Command {
	return group("contact", "Say where people are reached; addresses are kept apart from all else",
		a.contactSet(), a.contactImport(), a.contactOptOut(true), a.contactOptOut(false))
}

func (a *app) contactSet() *cobra.Command {
	var language string
	cmd := &cobra.Command{
		Use: "set PERSON EMAIL", Short: "Set the address of a person",
		Long:    "An address that is written here stays in the history of your shell; import reads a file.",
		Example: "  golive contact set p0013 ada@example.com --language de", Args: cobra.ExactArgs(2),
	}
	cmd.Flags().StringVar(&language, "language", "", "what the person reads: de, pt-BR")
	a.completeKind(cmd, "person")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("contact"), args[0])
		if err != nil {
			return err
		}
		m, err := implementationv1.NewContactServiceClient(c.people).SetContact(ctx, &implementationv1.SetContactRequest{
			Name: name, Email: args[1], Language: language,
		})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("contact"), m)
	})
}

func (a *app) contactImport() *cobra.Command {
	var (
		file    string
		columns map[string]string
		dryRun  bool
	)
	cmd := &cobra.Command{
		Use: "import -f FILE", Short: "Set addresses out of a CSV file with the columns person, email, language",
		Long:    "All rows are good or nothing is changed: bad rows are listed with their line and without their values, and the exit code is 6.",
		Example: "  golive contact import -f addresses.csv --columns person=Employee --dry-run", Args: cobra.NoArgs,
	}
	importFlags(cmd, &file, &columns, &dryRun)
	return a.remote(cmd, func(ctx context.Context, c *client, _ []string) error {
		data, err := c.readFile(file)
		if err != nil {
			return err
		}
		resp, err := implementationv1.NewContactServiceClient(c.people).ImportContacts(ctx, &implementationv1.ImportContactsRequest{
			Parent: "workspaces/" + c.workspace, Csv: data, Columns: columns, ValidateOnly: dryRun,
		})
		if err != nil {
			return err
		}
		return c.printImport(resp)
	})
}

// contactOptOut is opt-out, or opt-in.
func (a *app) contactOptOut(out bool) *cobra.Command {
	use, short := "opt-out", "End mail to a person"
	if !out {
		use, short = "opt-in", "Allow mail to a person again"
	}
	cmd := &cobra.Command{Use: use + " PERSON", Short: short, Example: "  golive contact " + use + " p0013", Args: cobra.ExactArgs(1)}
	a.completeKind(cmd, "person")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("contact"), args[0])
		if err != nil {
			return err
		}
		contacts := implementationv1.NewContactServiceClient(c.people)
		var m *implementationv1.Contact
		if out {
			m, err = contacts.OptOutContact(ctx, &implementationv1.OptOutContactRequest{Name: name})
		} else {
			m, err = contacts.OptInContact(ctx, &implementationv1.OptInContactRequest{Name: name})
		}
		if err != nil {
			return err
		}
		return c.printOne(mustFind("contact"), m)
	})
}
