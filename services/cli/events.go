package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) events() *cobra.Command {
	var (
		limit  int32
		follow bool
		types  []string
	)
	cmd := &cobra.Command{
		Use: "events NAME", Short: "Show what happened to a resource and everything under it",
		Example: "  golive events crm/deployments/d1\n  golive events cohorts/sales --follow -o ndjson", Args: cobra.ExactArgs(1),
	}
	cmd.Flags().Int32Var(&limit, "limit", 50, "how many of the latest")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what happens from now on")
	cmd.Flags().StringSliceVar(&types, "types", nil, "only these types, or prefixes that end in a dot: deployment.wave.")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		k, name, err := c.any(args[0])
		if err != nil {
			return err
		}
		if _, err := c.fetch(ctx, k, name); err != nil {
			return err
		}
		resp, err := c.eventClient(k).ListEvents(ctx, &eventv1.ListEventsRequest{Parent: name, PageSize: limit, Types: types})
		if err != nil {
			return err
		}
		events := resp.GetEvents()
		slices.Reverse(events) // the latest last, as one reads
		if err := c.printEvents(events, time.Now()); err != nil || !follow {
			return err
		}
		token := ""
		if len(events) > 0 {
			token = events[len(events)-1].GetToken()
		}
		return c.tail(ctx, k, name, types, token, func(e *eventv1.Event) error {
			return c.printEvents([]*eventv1.Event{e}, time.Now())
		})
	})
}

func (c *client) eventClient(k *kind.Kind) eventv1.EventServiceClient {
	if k.Implementation() {
		return eventv1.NewEventServiceClient(c.people)
	}
	return eventv1.NewEventServiceClient(c.software)
}

func (c *client) printEvents(events []*eventv1.Event, _ time.Time) error {
	switch c.format {
	case show.Table, show.Wide:
		rows := make([][]string, 0, len(events))
		for _, e := range events {
			rows = append(rows, []string{
				e.GetTime().AsTime().Local().Format("2006-01-02 15:04:05 MST"), e.GetType(), kind.Short(e.GetResource()), e.GetActor(), strings.TrimSpace(e.GetCause()),
			})
		}
		return show.Rows(c.out, rows)
	case show.Name:
		for _, e := range events {
			if err := c.say("%s", e.GetResource()); err != nil {
				return err
			}
		}
		return nil
	default:
		return show.EncodeList(c.out, c.format, events)
	}
}

// any resolves a name whose kind its collections tell. An application alone
// stands for its newest deployment in the commands about rollouts; see rollout.go.
func (c *client) any(given string) (*kind.Kind, string, error) {
	k, name, err := kind.Of(c.workspace, given)
	if err != nil {
		return nil, "", usage(err.Error(), "golive list KIND shows names")
	}
	return k, name, nil
}
