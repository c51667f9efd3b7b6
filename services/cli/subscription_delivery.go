package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) subscriptionTest() *cobra.Command {
	cmd := &cobra.Command{
		Use: "test SUBSCRIPTION", Short: "Send an event now, and say what came back", Args: cobra.ExactArgs(1),
		Long: "It is tried once; exit code 6 says that it was not taken.", Example: "  golive subscription test ops",
	}
	a.completeKind(cmd, "subscription")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("subscription"), args[0])
		if err != nil {
			return err
		}
		d, err := implementationv1.NewSubscriptionServiceClient(c.people).TestSubscription(ctx, &implementationv1.TestSubscriptionRequest{Name: name})
		if err != nil {
			return err
		}
		if err := c.printDelivery(d); err != nil {
			return err
		}
		if d.GetState() != implementationv1.EventDelivery_DELIVERED {
			return &complaint{
				code: exitUnwell, what: "the event was not taken: " + lastAttempt(d).GetError(),
				fix: "look at the receiver, then repeat golive subscription test " + kind.Short(name),
			}
		}
		return nil
	})
}

func (a *app) subscriptionRotate() *cobra.Command {
	var overlap time.Duration
	cmd := &cobra.Command{
		Use: "rotate SUBSCRIPTION", Short: "Make a new signing secret and print it, once", Args: cobra.ExactArgs(1),
		Long:    "Events are signed with both secrets for a while, so that the receiver can change in its own time.",
		Example: "  golive subscription rotate ops --overlap 48h",
	}
	cmd.Flags().DurationVar(&overlap, "overlap", 24*time.Hour, "how long the secret before is used beside it; 0s ends it at once")
	a.completeKind(cmd, "subscription")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("subscription"), args[0])
		if err != nil {
			return err
		}
		made, err := implementationv1.NewSubscriptionServiceClient(c.people).RotateSubscription(ctx, &implementationv1.RotateSubscriptionRequest{
			Name: name, Overlap: durationpb.New(overlap),
		})
		if err != nil {
			return err
		}
		return c.printSecret(name, made)
	})
}

func (a *app) subscriptionDelete() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "delete SUBSCRIPTION", Short: "Remove one, with what is still on its way", Args: cobra.ExactArgs(1), Example: "  golive subscription delete ops --yes",
	}
	yesFlag(cmd, &yes)
	a.completeKind(cmd, "subscription")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("subscription"), args[0])
		if err != nil {
			return err
		}
		if err := c.confirm(yes, "delete", kind.Short(name)); err != nil {
			return err
		}
		_, err = implementationv1.NewSubscriptionServiceClient(c.people).DeleteSubscription(ctx, &implementationv1.DeleteSubscriptionRequest{Name: name})
		return err
	})
}

func (a *app) subscriptionDeliveries() *cobra.Command {
	var (
		state string
		limit int
	)
	cmd := &cobra.Command{
		Use: "deliveries SUBSCRIPTION", Short: "Show what was sent and what came back, the newest first", Args: cobra.ExactArgs(1),
		Example: "  golive subscription deliveries ops --state failed",
	}
	cmd.Flags().StringVar(&state, "state", "", "pending, delivered or failed")
	cmd.Flags().IntVar(&limit, "limit", 50, "how many at most; 0 is all")
	must(cmd.RegisterFlagCompletionFunc("state", cobra.FixedCompletions([]string{"pending", "delivered", "failed"}, cobra.ShellCompDirectiveNoFileComp)))
	a.completeKind(cmd, "subscription")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("subscription"), args[0])
		if err != nil {
			return err
		}
		filter := ""
		switch state {
		case "":
		case "pending":
			filter = `state = "PENDING"`
		case "delivered":
			filter = `state = "DELIVERED"`
		case "failed":
			filter = `state = "FAILED"`
		default:
			return usage("there is no state "+state, "choose pending, delivered or failed")
		}
		return c.printDeliveries(ctx, name, filter, limit)
	})
}

func (a *app) subscriptionRedeliver() *cobra.Command {
	var failed bool
	cmd := &cobra.Command{
		Use: "redeliver DELIVERY|SUBSCRIPTION", Short: "Send an event again, or with --failed all that were given up", Args: cobra.ExactArgs(1),
		Example: "  golive subscription redeliver ops/eventDeliveries/e0650b3c1a2d1f00000k3jx9q2ab1\n  golive subscription redeliver ops --failed",
	}
	cmd.Flags().BoolVar(&failed, "failed", false, "all of a subscription that were given up")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		service := implementationv1.NewEventDeliveryServiceClient(c.people)
		if !failed {
			name, err := c.name(mustFind("eventDelivery"), args[0])
			if err != nil {
				return err
			}
			d, err := service.RedeliverEventDelivery(ctx, &implementationv1.RedeliverEventDeliveryRequest{Name: name})
			if err != nil {
				return err
			}
			return c.printDelivery(d)
		}
		name, err := c.name(mustFind("subscription"), args[0])
		if err != nil {
			return err
		}
		found, _, err := c.all(ctx, mustFind("eventDelivery"), query{parent: name, filter: `state = "FAILED"`, order: "create_time"})
		if err != nil {
			return err
		}
		for _, m := range found {
			if _, err := service.RedeliverEventDelivery(ctx, &implementationv1.RedeliverEventDeliveryRequest{Name: nameOf(m)}); err != nil {
				return err
			}
		}
		return c.say("%d sent again", len(found))
	})
}

func lastAttempt(d *implementationv1.EventDelivery) *implementationv1.EventDeliveryAttempt {
	if n := len(d.GetAttempts()); n > 0 {
		return d.GetAttempts()[n-1]
	}
	return nil
}

func (c *client) printDelivery(d *implementationv1.EventDelivery) error {
	if !c.format.ForPeople() {
		return c.printOne(mustFind("eventDelivery"), d)
	}
	return show.Rows(c.out, [][]string{deliveryHead(), c.deliveryRow(d)})
}

func deliveryHead() []string {
	return []string{"DELIVERY", "EVENT", "STATE", "TRIED", "LAST", "RESOURCE"}
}

func (c *client) deliveryRow(d *implementationv1.EventDelivery) []string {
	last := "-"
	if attempt := lastAttempt(d); attempt != nil {
		last = attempt.GetError()
		if last == "" {
			last = fmt.Sprintf("%d in %d ms", attempt.GetCode(), attempt.GetDurationMillis())
		}
	}
	return []string{kind.ID(d.GetName()), d.GetEventType(), c.style.State(d.GetState().String()), fmt.Sprint(d.GetAttemptCount()), last, kind.Short(d.GetResource())}
}

func (c *client) printDeliveries(ctx context.Context, subscription, filter string, limit int) error {
	found, _, err := c.all(ctx, mustFind("eventDelivery"), query{parent: subscription, filter: filter, order: "create_time desc", limit: limit})
	if err != nil {
		return err
	}
	if !c.format.ForPeople() {
		return c.printAll(mustFind("eventDelivery"), found)
	}
	if len(found) == 0 {
		c.note("no deliveries to show; golive subscription test %s sends one", kind.Short(subscription))
		return nil
	}
	rows := [][]string{deliveryHead()}
	for _, m := range found {
		if d, ok := m.(*implementationv1.EventDelivery); ok {
			rows = append(rows, c.deliveryRow(d))
		}
	}
	return show.Rows(c.out, rows)
}
