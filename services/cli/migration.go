package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

func (a *app) resolve() *cobra.Command {
	var found, reason string
	cmd := &cobra.Command{
		Use: "resolve MIGRATION-RUN", Short: "Say what became of a migration that failed or was interrupted",
		Long: "--as done: it is made, all of it. --as not-run: nothing of it is made, or it was taken back by hand. --as retry: its\n" +
			"command may be run again as things are. What waits for the migration goes on.",
		Example: "  golive list migration-runs prod\n  golive resolve prod/migrationRuns/crm.2026-11-add-index --as done --reason 'looked at the table'",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&found, "as", "", "done, not-run or retry")
	cmd.Flags().StringVar(&reason, "reason", "", "how you know, for the audit trail")
	must(cmd.RegisterFlagCompletionFunc("as", cobra.FixedCompletions([]string{"done", "not-run", "retry"}, cobra.ShellCompDirectiveNoFileComp)))
	a.completeKind(cmd, "migrationRun")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("migrationRun"), args[0])
		if err != nil {
			return err
		}
		resolution, ok := deploymentv1.ResolveMigrationRunRequest_Resolution_value[strings.ToUpper(strings.ReplaceAll(found, "-", "_"))]
		if !ok || resolution == 0 || reason == "" {
			return usage("it is not said what became of it, or how you know", "add --as done, not-run or retry, and --reason")
		}
		resolved, err := deploymentv1.NewMigrationServiceClient(c.software).ResolveMigrationRun(ctx, &deploymentv1.ResolveMigrationRunRequest{
			Name: name, Resolution: deploymentv1.ResolveMigrationRunRequest_Resolution(resolution), Reason: reason,
		})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("migrationRun"), resolved)
	})
}
