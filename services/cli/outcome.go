package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

func (a *app) outcome() *cobra.Command {
	return group("outcome", "Measure what an implementation promised, and decide what came of it", a.outcomeRecord(), a.outcomeDecide())
}

func (a *app) outcomeRecord() *cobra.Command {
	var at, source string
	cmd := &cobra.Command{
		Use: "record OUTCOME VALUE", Short: "Add a measurement",
		Example: "  golive outcome record crm-rollout/outcomes/offer-time 12.5 --source 'report of week 14'", Args: cobra.ExactArgs(2),
	}
	cmd.Flags().StringVar(&at, "time", "", "when it was so; now when not given")
	cmd.Flags().StringVar(&source, "source", "", "where it comes from")
	a.completeKind(cmd, "outcome")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("outcome"), args[0])
		if err != nil {
			return err
		}
		value, err := strconv.ParseFloat(args[1], 64)
		if err != nil {
			return usage(args[1]+" is no number", "write it with a point: 12.5")
		}
		m := &implementationv1.Measurement{Value: value, Source: source}
		if m.Time, err = moment("time", at); err != nil {
			return err
		}
		o, err := implementationv1.NewOutcomeServiceClient(c.people).RecordOutcome(ctx, &implementationv1.RecordOutcomeRequest{Name: name, Measurement: m})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("outcome"), o)
	})
}

func (a *app) outcomeDecide() *cobra.Command {
	var reason, owner string
	cmd := &cobra.Command{
		Use: "decide OUTCOME met|missed|waived", Short: "Give the verdict on an outcome",
		Long:    "met needs a newest measurement that reaches the target; missed and waived need --reason and --owner, who carries on with what remains.",
		Example: "  golive outcome decide crm-rollout/outcomes/offer-time missed --reason 'half way' --owner users/ada", Args: cobra.ExactArgs(2),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why")
	cmd.Flags().StringVar(&owner, "owner", "", "who carries on with what remains")
	a.completeKind(cmd, "outcome")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("outcome"), args[0])
		if err != nil {
			return err
		}
		verdict, ok := implementationv1.Outcome_Verdict_value[strings.ToUpper(args[1])]
		if !ok || verdict == 0 {
			return usage(args[1]+" is no verdict", "choose met, missed or waived")
		}
		o, err := implementationv1.NewOutcomeServiceClient(c.people).DecideOutcome(ctx, &implementationv1.DecideOutcomeRequest{
			Name: name, Verdict: implementationv1.Outcome_Verdict(verdict), Reason: reason, RemainingOwner: owner,
		})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("outcome"), o)
	})
}
