package cli

import (
	"context"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

func (a *app) people() *cobra.Command {
	return group("people", "Say who is to adopt what is rolled out, by pseudonym", a.peopleImport(), a.peopleExport())
}

func (a *app) peopleImport() *cobra.Command {
	var (
		file    string
		columns map[string]string
		dryRun  bool
	)
	cmd := &cobra.Command{
		Use: "import -f FILE", Short: "Create people out of a CSV file with the column person",
		Long:    "All rows are good or nothing is changed: bad rows are listed with their line, and the exit code is 6.",
		Example: "  golive people import -f people.csv --columns person=Pseudonym", Args: cobra.NoArgs,
	}
	importFlags(cmd, &file, &columns, &dryRun)
	return a.remote(cmd, func(ctx context.Context, c *client, _ []string) error {
		data, err := c.readFile(file)
		if err != nil {
			return err
		}
		resp, err := implementationv1.NewPersonServiceClient(c.people).ImportPeople(ctx, &implementationv1.ImportPeopleRequest{
			Parent: "workspaces/" + c.workspace, Csv: data, Columns: columns, ValidateOnly: dryRun,
		})
		if err != nil {
			return err
		}
		return c.printImport(resp)
	})
}

func (a *app) peopleExport() *cobra.Command {
	var file string
	cmd := &cobra.Command{Use: "export", Short: "Write the pseudonyms of a workspace as CSV", Example: "  golive people export > people.csv", Args: cobra.NoArgs}
	exportFlags(cmd, &file)
	return a.remote(cmd, func(ctx context.Context, c *client, _ []string) error {
		return c.writePages(ctx, file, func(ctx context.Context, token string) (*implementationv1.ExportResult, error) {
			return implementationv1.NewPersonServiceClient(c.people).ExportPeople(ctx, &implementationv1.ExportPeopleRequest{
				Parent: "workspaces/" + c.workspace, PageToken: token,
			})
		})
	})
}
