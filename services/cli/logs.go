package cli

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) logs() *cobra.Command {
	var (
		attempt int32
		follow  bool
	)
	cmd := &cobra.Command{
		Use: "logs INSTALLATION", Short: "Show the output of an installation's steps and of its application",
		Example: "  golive logs crm/deployments/d1/installations/shop-1 --follow", Args: cobra.ExactArgs(1),
	}
	cmd.Flags().Int32Var(&attempt, "attempt", 0, "which try; the last one when 0")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with new lines")
	a.completeKind(cmd, "installation")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.installationOf(ctx, args[0])
		if err != nil {
			return err
		}
		if _, err := c.fetch(ctx, mustFind("installation"), name); err != nil {
			return err
		}
		stream, err := deploymentv1.NewInstallationServiceClient(c.software).ReadLogs(ctx, &deploymentv1.ReadLogsRequest{
			Name: name, Attempt: attempt, Follow: follow,
		})
		if err != nil {
			return err
		}
		for {
			frame, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if err := c.printLines(frame.GetLines()); err != nil {
				return err
			}
		}
	})
}

func (c *client) printLines(lines []*deploymentv1.LogLine) error {
	if !c.format.ForPeople() && c.format != show.Name {
		return show.EncodeList(c.out, show.NDJSON, lines) // a stream has no end that an array could close on
	}
	for _, l := range lines {
		if err := c.say("%s %s %s", c.style.Dim(l.GetTime().AsTime().Local().Format("15:04:05.000")), c.style.Dim("["+l.GetSource()+"]"), l.GetText()); err != nil {
			return err
		}
	}
	return nil
}
