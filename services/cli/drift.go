package cli

import (
	"context"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) drift() *cobra.Command {
	var application string
	cmd := &cobra.Command{
		Use: "drift ENVIRONMENT", Short: "Show what runs otherwise than it should",
		Long: "Stragglers that have not caught up, hosts that were changed by hand, applications that do not run. golive deploy with\n" +
			"--kind reapply puts a release back where it drifted. The exit code is 7 while there is any.",
		Example: "  golive drift prod\n  golive deploy crm 2.0.0 --to prod --kind reapply", Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&application, "application", "", "only this application")
	a.completeKind(cmd, "environment")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		req := &deploymentv1.ListDriftRequest{PageSize: page}
		var err error
		if req.Parent, err = c.name(mustFind("environment"), args[0]); err != nil {
			return err
		}
		if req.Application, _, err = c.scopeNames(application, "", ""); err != nil {
			return err
		}
		var found []*deploymentv1.Drift
		for {
			resp, err := deploymentv1.NewTargetServiceClient(c.software).ListDrift(ctx, req)
			if err != nil {
				return err
			}
			found = append(found, resp.GetDrifts()...)
			if req.PageToken = resp.GetNextPageToken(); req.GetPageToken() == "" {
				return c.printDrift(found)
			}
		}
	})
}

func (c *client) printDrift(found []*deploymentv1.Drift) error {
	if !c.format.ForPeople() {
		all := make([]proto.Message, 0, len(found))
		for _, d := range found {
			all = append(all, d)
		}
		if err := show.EncodeList(c.out, c.format, all); err != nil {
			return err
		}
	}
	if len(found) == 0 {
		c.note("everything runs as it should")
		return nil
	}
	if c.format.ForPeople() {
		rows := [][]string{{"TARGET", "APPLICATION", "WHY", "RUNS", "SHOULD RUN", "BEING MENDED BY", "MESSAGE"}}
		for _, d := range found {
			rows = append(rows, []string{
				kind.ID(d.GetTarget()), kind.ID(d.GetRunning().GetApplication()), d.GetRunning().GetDrift(), orDash(kind.ID(d.GetRunning().GetRelease())),
				orDash(kind.ID(d.GetRunning().GetDesiredRelease())), orDash(kind.Short(d.GetDeployment())), d.GetMessage(),
			})
		}
		if err := show.Rows(c.out, rows); err != nil {
			return err
		}
	}
	return outcome(exitNotYet)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
