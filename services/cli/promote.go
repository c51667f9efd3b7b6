package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) promote() *cobra.Command {
	var (
		to, plan, reason, id  string
		watch, detach, dryRun bool
		w                     watching
	)
	cmd := &cobra.Command{
		Use: "promote APPLICATION RELEASE --to ENVIRONMENT", Short: "Take a release on from the environment where it has proved itself",
		Long: "The release must have been sealed and healthy in the environment that ENVIRONMENT is promoted from, for as long as its\n" +
			"soak asks. --dry-run says whether it may go, and what is missing.",
		Example: "  golive promote crm 2.0.0 --to prod --dry-run\n  golive promote crm 2.0.0 --to prod --plan careful --watch",
		Args:    cobra.ExactArgs(2),
	}
	f := cmd.Flags()
	f.StringVar(&to, "to", "", "the environment")
	f.StringVar(&plan, "plan", "", "the deployment plan; the application's default when not given")
	f.StringVar(&reason, "reason", "", "why, for the audit trail")
	f.StringVar(&id, "id", "", "the id of the deployment; made by the server when not given")
	f.BoolVar(&watch, "watch", false, "follow it to its end")
	f.BoolVar(&detach, "detach", false, "return when it is created")
	f.BoolVar(&dryRun, "dry-run", false, "check everything on the server and change nothing")
	must(cmd.MarkFlagRequired("to"))
	cmd.MarkFlagsMutuallyExclusive("watch", "detach")
	w.register(cmd)
	a.completeKind(cmd, "application")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		var d deploymentv1.Deployment
		if _, err := c.deploymentFor(ctx, &d, args, to, plan); err != nil {
			return err
		}
		created, err := deploymentv1.NewDeploymentServiceClient(c.software).PromoteRelease(ctx, &deploymentv1.PromoteReleaseRequest{
			Name: d.GetRelease(), Environment: d.GetEnvironment(), DeploymentPlan: d.GetDeploymentPlan(), DeploymentId: id, Reason: reason, ValidateOnly: dryRun,
		})
		if err != nil {
			return err
		}
		_, terminal := c.terminal(c.out)
		if dryRun || detach || !watch && !terminal {
			return c.printOne(mustFind("deployment"), created)
		}
		return c.watchDeployment(ctx, created.GetName(), &w)
	})
}

func (a *app) matrix() *cobra.Command {
	var releases int32
	cmd := &cobra.Command{
		Use: "matrix [APPLICATION]", Short: "Show which release stands in which environment, and what may be promoted",
		Long: "Releases down, environments across. ✓ runs and is healthy, ✗ some of it is not, ▶ is on its way, ◷ can be promoted\n" +
			"later (golive promote --dry-run says when), → can be promoted now.",
		Example: "  golive matrix\n  golive matrix crm -o json", Args: cobra.MaximumNArgs(1),
	}
	cmd.Flags().Int32Var(&releases, "releases", 10, "how many of the newest releases of each application")
	a.completeKind(cmd, "application")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		req := &deploymentv1.GetReleaseMatrixRequest{Parent: "workspaces/" + c.workspace, Releases: releases}
		if len(args) == 1 {
			var err error
			if req.Application, err = c.name(mustFind("application"), args[0]); err != nil {
				return err
			}
		}
		m, err := deploymentv1.NewDeploymentServiceClient(c.software).GetReleaseMatrix(ctx, req)
		if err != nil {
			return err
		}
		if !c.format.ForPeople() {
			return show.Encode(c.out, c.format, m)
		}
		rows := [][]string{{c.style.Bold("RELEASE")}}
		for _, e := range m.GetEnvironments() {
			rows[0] = append(rows[0], c.style.Bold(kind.ID(e)))
		}
		for _, r := range m.GetRows() {
			row := []string{kind.Short(r.GetRelease())}
			for _, cell := range r.GetCells() {
				row = append(row, matrixCell(c.style, cell))
			}
			rows = append(rows, row)
		}
		return show.Rows(c.out, rows)
	})
}

// matrixCell is one release in one environment, in a few characters.
func matrixCell(style show.Style, cell *deploymentv1.ReleaseMatrixCell) string {
	switch {
	case cell.GetDeployment() != "" && !over(cell.GetDeploymentState()):
		return style.State(cell.GetDeploymentState().String()) + fmt.Sprintf(" %d", cell.GetRunning())
	case cell.GetRunning() > 0 && cell.GetHealthy() == cell.GetRunning():
		return style.State("HEALTHY") + fmt.Sprintf(" %d", cell.GetRunning())
	case cell.GetRunning() > 0:
		return style.State("UNHEALTHY") + fmt.Sprintf(" %d of %d", cell.GetRunning()-cell.GetHealthy(), cell.GetRunning())
	case cell.GetDeployment() != "":
		return style.Dim(cell.GetDeploymentState().String())
	case len(cell.GetPromotionBlockedBy()) > 0:
		return style.Dim("◷")
	default:
		return style.Dim("→")
	}
}
