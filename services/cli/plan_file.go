package cli

import (
	"context"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

func (a *app) planImport() *cobra.Command {
	var (
		file           string
		columns        map[string]string
		dryRun, create bool
	)
	cmd := &cobra.Command{
		Use: "import IMPLEMENTATION -f FILE", Short: "Read the tasks of a plan out of a CSV file",
		Long: "Columns: id or name, stage, likely, optimistic, pessimistic (2d, 4h, 90m), predecessors (a; b FS+2d; c SS-4h), owner,\n" +
			"resources (trainers:2; room), milestone, earliest_start, deadline, priority, effort, fixed_cost, description.\n" +
			"Tasks that are known get what the file says; a column that it does not have leaves them as they are. All rows are good\n" +
			"or nothing is changed: bad rows are listed with their line, and the exit code is 6.",
		Example: "  golive plan import crm-rollout -f plan.csv --create-stages --dry-run\n  golive plan import crm-rollout -f plan.csv --columns name=Vorgang,likely=Dauer",
		Args:    cobra.ExactArgs(1),
	}
	importFlags(cmd, &file, &columns, &dryRun)
	cmd.Flags().BoolVar(&create, "create-stages", false, "create stages that are not known yet")
	a.completeKind(cmd, "implementation")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("implementation"), args[0])
		if err != nil {
			return err
		}
		data, err := c.readFile(file)
		if err != nil {
			return err
		}
		resp, err := implementationv1.NewTaskServiceClient(c.people).ImportTasks(ctx, &implementationv1.ImportTasksRequest{
			Parent: name, Csv: data, Columns: columns, ValidateOnly: dryRun, CreateStages: create,
		})
		if err != nil {
			return err
		}
		return c.printImport(resp)
	})
}

func (a *app) planExport() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "export IMPLEMENTATION", Short: "Write the tasks of a plan as CSV that plan import reads",
		Example: "  golive plan export crm-rollout -f plan.csv", Args: cobra.ExactArgs(1),
	}
	exportFlags(cmd, &file)
	a.completeKind(cmd, "implementation")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("implementation"), args[0])
		if err != nil {
			return err
		}
		return c.writePages(ctx, file, func(ctx context.Context, _ string) (*implementationv1.ExportResult, error) {
			return implementationv1.NewTaskServiceClient(c.people).ExportTasks(ctx, &implementationv1.ExportTasksRequest{Parent: name})
		})
	})
}

func (a *app) planBaseline() *cobra.Command {
	var title, note string
	var dryRun bool
	cmd := &cobra.Command{
		Use: "baseline IMPLEMENTATION [ID]", Short: "Keep a copy of the plan to compare with",
		Long:    "The copy has the computed dates and the costs of every task. It becomes the current baseline.",
		Example: "  golive plan baseline crm-rollout agreed --note 'steering committee of 3 March'", Args: cobra.RangeArgs(1, 2),
	}
	cmd.Flags().StringVar(&title, "title", "", "its name for people")
	cmd.Flags().StringVar(&note, "note", "", "why it is captured")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "compute it and do not keep it")
	a.completeKind(cmd, "implementation")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("implementation"), args[0])
		if err != nil {
			return err
		}
		req := &implementationv1.CaptureBaselineRequest{Parent: name, DisplayName: title, Note: note, ValidateOnly: dryRun}
		if len(args) > 1 {
			req.BaselineId = args[1]
		}
		made, err := implementationv1.NewBaselineServiceClient(c.people).CaptureBaseline(ctx, req)
		if err != nil {
			return err
		}
		return c.printOne(mustFind("baseline"), made)
	})
}
