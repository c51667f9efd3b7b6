package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) planICal() *cobra.Command {
	out, address, ttl := "", false, lifetime(addressLife)
	cmd := &cobra.Command{
		Use: "ical IMPLEMENTATION", Short: "Write the dates of a go-live as a calendar, or make an address to subscribe to",
		Long: "Milestones, stages, tasks, go-lives, trainings, decisions, conditions and freezes, as iCalendar. With --subscribe a secret address\n" +
			"is made that calendars can subscribe to: treat it as a password, and end it with golive token revoke.",
		Example: "  golive plan ical crm-rollout --out crm.ics\n  golive plan ical crm-rollout --subscribe --ttl 180d",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&out, "out", "", "write the calendar to this file instead of stdout")
	cmd.Flags().BoolVar(&address, "subscribe", false, "make a secret address to subscribe to instead")
	cmd.Flags().Var(&ttl, "ttl", "how long the address works: 90d, 12h")
	cmd.MarkFlagsMutuallyExclusive("out", "subscribe")
	a.completeKind(cmd, "implementation")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("implementation"), args[0])
		if err != nil {
			return err
		}
		if address {
			return c.printAddress(ctx, name, "/calendarFeed.ics", url.Values{}, ttl, "implementation.calendarFeeds.export")
		}
		feed, err := implementationv1.NewCalendarFeedServiceClient(c.people).ExportCalendarFeed(ctx, &implementationv1.ExportCalendarFeedRequest{Parent: name})
		switch {
		case err != nil:
			return err
		case !c.format.ForPeople():
			return show.Encode(c.out, c.format, feed)
		case out == "":
			_, err = io.WriteString(c.out, feed.GetCalendar())
			return err
		}
		if err := os.WriteFile(out, []byte(feed.GetCalendar()), 0o600); err != nil {
			return fmt.Errorf("write the calendar: %w", err)
		}
		c.note("written to %s", out)
		return nil
	})
}
