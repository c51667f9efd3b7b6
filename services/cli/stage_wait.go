package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) stageShow() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show STAGE", Short: "Show where a stage is, what it waits for of the rollout, and why it waits", Args: cobra.ExactArgs(1),
		Example: "  golive stage show crm-rollout/monitor",
	}
	a.completeKind(cmd, "stage")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("stage"), args[0])
		if err != nil {
			return err
		}
		stage, err := implementationv1.NewStageServiceClient(c.people).GetStage(ctx, &implementationv1.GetStageRequest{Name: name})
		if err != nil {
			return err
		}
		return c.printStage(stage)
	})
}

func (a *app) stageOverride() *cobra.Command {
	var reason string
	var hold time.Duration
	cmd := &cobra.Command{
		Use: "override STAGE CONDITION", Short: "Let one thing that a stage waits for pass for at most 24 hours", Args: cobra.ExactArgs(2),
		Example: "  golive stage override crm-rollout/monitor pilot-sealed --reason 'seen on site' --for 4h",
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why")
	cmd.Flags().DurationVar(&hold, "for", 4*time.Hour, "how long it holds, 24h at most")
	must(cmd.MarkFlagRequired("reason"))
	a.completeKind(cmd, "stage")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("stage"), args[0])
		if err != nil {
			return err
		}
		stage, err := implementationv1.NewStageServiceClient(c.people).OverrideStage(ctx, &implementationv1.OverrideStageRequest{
			Name: name, Override: &implementationv1.StageOverride{Condition: args[1], Reason: reason, ExpireTime: timestamppb.New(time.Now().Add(hold))},
		})
		if err != nil {
			return err
		}
		return c.printStage(stage)
	})
}

func (a *app) stageWithdraw() *cobra.Command {
	cmd := &cobra.Command{
		Use: "withdraw STAGE CONDITION", Short: "Take an override of what a stage waits for back", Args: cobra.ExactArgs(2),
		Example: "  golive stage withdraw crm-rollout/monitor pilot-sealed",
	}
	a.completeKind(cmd, "stage")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("stage"), args[0])
		if err != nil {
			return err
		}
		stage, err := implementationv1.NewStageServiceClient(c.people).WithdrawStage(ctx, &implementationv1.WithdrawStageRequest{Name: name, Condition: args[1]})
		if err != nil {
			return err
		}
		return c.printStage(stage)
	})
}

// printStage prints a stage: its state, the conditions that it waits for, and what holds it up.
func (c *client) printStage(s *implementationv1.Stage) error {
	switch {
	case c.format == show.Name:
		return c.say("%s", s.GetName())
	case !c.format.ForPeople():
		return show.Encode(c.out, c.format, s)
	}
	if err := c.say("%s  %s", c.style.Bold(kind.Short(s.GetName())), c.style.State(s.GetState().String())); err != nil {
		return err
	}
	if len(s.GetConditionStatuses()) > 0 {
		rows := [][]string{{"CONDITION", "OF", "STATUS", "HELD SINCE", "ASKED", "NOW"}}
		for _, status := range s.GetConditionStatuses() {
			v := status.GetVerdict()
			rows = append(rows, []string{
				status.GetId(), kind.Short(v.GetResource()), c.style.State(v.GetState().String()), stageTime(status.GetHeldSince()), stageTime(status.GetAskTime()), conditionNow(v),
			})
		}
		if err := show.Rows(c.out, rows); err != nil {
			return err
		}
	}
	if len(s.GetBlockedBy()) == 0 {
		return nil
	}
	rows := [][]string{{"WAITS FOR", "NOW", "REQUIRED", "OWNER", "SINCE", "COMMAND"}}
	for _, r := range s.GetBlockedBy() {
		rows = append(rows, []string{kind.Short(r.GetResource()), r.GetCurrent(), r.GetRequired(), r.GetOwner(), stageTime(r.GetSince()), c.shortCommand(r.GetCommand())})
	}
	return show.Rows(c.out, rows)
}

// conditionNow is what is behind a status: the reason while it does not hold, or who let it pass.
func conditionNow(v *gatev1.Verdict) string {
	if reasons := v.GetReasons(); len(reasons) > 0 {
		return reasons[0].GetCurrent()
	}
	if v.GetState() == gatev1.Verdict_WAIVED {
		return v.GetEvidence()[len(v.GetEvidence())-1].GetDetail()
	}
	return "-"
}

func stageTime(t *timestamppb.Timestamp) string {
	if t == nil {
		return "-"
	}
	return t.AsTime().Local().Format(time.DateTime)
}
