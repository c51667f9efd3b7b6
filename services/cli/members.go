package cli

import (
	"context"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

func (a *app) members() *cobra.Command {
	return group("members", "Say who belongs to a cohort", a.membersImport(), a.membersExport())
}

func (a *app) membersImport() *cobra.Command {
	var (
		file           string
		columns        map[string]string
		dryRun, create bool
	)
	cmd := &cobra.Command{
		Use: "import [COHORT] -f FILE", Short: "Put people into cohorts out of a CSV file with the columns person, start_date, end_date, role",
		Long: "Without COHORT the file says it in the column cohort, row by row.\n" +
			"All rows are good or nothing is changed: bad rows are listed with their line, and the exit code is 6.",
		Example: "  golive members import sales -f sales.csv --create-people\n  golive members import -f everybody.csv --dry-run", Args: cobra.MaximumNArgs(1),
	}
	importFlags(cmd, &file, &columns, &dryRun)
	cmd.Flags().BoolVar(&create, "create-people", false, "create people that are not known yet")
	a.completeKind(cmd, "cohort")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.cohortOrAll(args)
		if err != nil {
			return err
		}
		data, err := c.readFile(file)
		if err != nil {
			return err
		}
		resp, err := implementationv1.NewMembershipServiceClient(c.people).ImportMemberships(ctx, &implementationv1.ImportMembershipsRequest{
			Parent: name, Csv: data, Columns: columns, ValidateOnly: dryRun, CreatePeople: create,
		})
		if err != nil {
			return err
		}
		return c.printImport(resp)
	})
}

func (a *app) membersExport() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "export [COHORT]", Short: "Write who belongs to a cohort, or to all, as CSV",
		Example: "  golive members export -f everybody.csv", Args: cobra.MaximumNArgs(1),
	}
	exportFlags(cmd, &file)
	a.completeKind(cmd, "cohort")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.cohortOrAll(args)
		if err != nil {
			return err
		}
		return c.writePages(ctx, file, func(ctx context.Context, token string) (*implementationv1.ExportResult, error) {
			return implementationv1.NewMembershipServiceClient(c.people).ExportMemberships(ctx, &implementationv1.ExportMembershipsRequest{Parent: name, PageToken: token})
		})
	})
}

// cohortOrAll is the cohort that is named, or all of the workspace.
func (c *client) cohortOrAll(args []string) (string, error) {
	if len(args) == 0 {
		return "workspaces/" + c.workspace + "/cohorts/-", nil
	}
	return c.name(mustFind("cohort"), args[0])
}
