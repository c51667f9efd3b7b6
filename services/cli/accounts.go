package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

func (a *app) accounts() *cobra.Command {
	return group("accounts", "Record who has an account in an application, and count them", a.accountsRecord(), a.accountsRemove(), a.accountsImport(), a.accountsCount())
}

func (a *app) accountsRecord() *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use: "record APPLICATION PERSON…", Short: "Record that people have an account",
		Example: "  golive accounts record crm p0013 p0014", Args: cobra.MinimumNArgs(2),
	}
	cmd.Flags().StringVar(&at, "time", "", "since when: 2026-11-30 18:00 local, or RFC 3339; now when not given")
	a.completeKind(cmd, "application")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		application, people, err := c.applicationAndPeople(args)
		if err != nil {
			return err
		}
		since, err := moment("time", at)
		if err != nil {
			return err
		}
		req := &implementationv1.RecordProvisioningsRequest{Parent: "workspaces/" + c.workspace, Application: application}
		for _, person := range people {
			req.Provisionings = append(req.Provisionings, &implementationv1.Provisioning{Person: person, ProvisionTime: since})
		}
		resp, err := implementationv1.NewProvisioningServiceClient(c.people).RecordProvisionings(ctx, req)
		if err != nil {
			return err
		}
		return c.printImport(resp)
	})
}

func (a *app) accountsRemove() *cobra.Command {
	cmd := &cobra.Command{
		Use: "remove APPLICATION PERSON…", Short: "Record that people have no account any more",
		Example: "  golive accounts remove crm p0013", Args: cobra.MinimumNArgs(2),
	}
	a.completeKind(cmd, "application")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		application, people, err := c.applicationAndPeople(args)
		if err != nil {
			return err
		}
		resp, err := implementationv1.NewProvisioningServiceClient(c.people).RemoveProvisionings(ctx, &implementationv1.RemoveProvisioningsRequest{
			Parent: "workspaces/" + c.workspace, Application: application, People: people,
		})
		if err != nil {
			return err
		}
		return c.printImport(resp)
	})
}

func (a *app) accountsImport() *cobra.Command {
	var (
		file    string
		columns map[string]string
		dryRun  bool
	)
	cmd := &cobra.Command{
		Use: "import [APPLICATION] -f FILE", Short: "Record accounts out of a CSV file with the columns person, provision_time, revoke_time",
		Long: "Without APPLICATION the file says it in the column application, row by row.\n" +
			"All rows are good or nothing is changed: bad rows are listed with their line, and the exit code is 6.",
		Example: "  golive accounts import crm -f accounts.csv", Args: cobra.MaximumNArgs(1),
	}
	importFlags(cmd, &file, &columns, &dryRun)
	a.completeKind(cmd, "application")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		req := &implementationv1.ImportProvisioningsRequest{Parent: "workspaces/" + c.workspace, Columns: columns, ValidateOnly: dryRun}
		var err error
		if len(args) > 0 {
			if req.Application, err = c.name(mustFind("application"), args[0]); err != nil {
				return err
			}
		}
		if req.Csv, err = c.readFile(file); err != nil {
			return err
		}
		resp, err := implementationv1.NewProvisioningServiceClient(c.people).ImportProvisionings(ctx, req)
		if err != nil {
			return err
		}
		return c.printImport(resp)
	})
}

func (a *app) accountsCount() *cobra.Command {
	var cohort string
	cmd := &cobra.Command{
		Use: "count APPLICATION", Short: "Count who has an account today",
		Example: "  golive accounts count crm --cohort sales", Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&cohort, "cohort", "", "only who is in this cohort today")
	a.completeKind(cmd, "application")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		req := &implementationv1.CountProvisioningsRequest{Parent: "workspaces/" + c.workspace}
		var err error
		if req.Application, err = c.name(mustFind("application"), args[0]); err != nil {
			return err
		}
		if cohort != "" {
			if req.Cohort, err = c.name(mustFind("cohort"), cohort); err != nil {
				return err
			}
		}
		resp, err := implementationv1.NewProvisioningServiceClient(c.people).CountProvisionings(ctx, req)
		if err != nil {
			return err
		}
		return c.printResult(resp, fmt.Sprintf("%d of %d people have an account", resp.GetProvisionedCount(), resp.GetPeopleCount()))
	})
}

// applicationAndPeople completes the names of an application and the people after it.
func (c *client) applicationAndPeople(args []string) (application string, people []string, err error) {
	if application, err = c.name(mustFind("application"), args[0]); err != nil {
		return "", nil, err
	}
	for _, given := range args[1:] {
		person, err := c.name(mustFind("person"), given)
		if err != nil {
			return "", nil, err
		}
		people = append(people, person)
	}
	return application, people, nil
}
