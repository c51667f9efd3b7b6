package cli

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) readiness() *cobra.Command {
	cmd := &cobra.Command{
		Use: "readiness COHORT-PLAN|IMPLEMENTATION", Short: "Show whether cohorts are ready for their go-live, with the numbers",
		Long:    "The exit code is 0 for go and 7 for not yet.",
		Example: "  golive readiness crm-rollout\n  golive readiness crm-rollout/cohortPlans/sales", Args: cobra.ExactArgs(1),
	}
	a.completeKind(cmd, "cohortPlan")
	shown := a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		if !strings.Contains(strings.TrimPrefix(args[0], "workspaces/"+c.workspace+"/implementations/"), "/") {
			return c.readinessOfAll(ctx, args[0])
		}
		name, err := c.name(mustFind("cohortPlan"), args[0])
		if err != nil {
			return err
		}
		r, err := c.readinessOf(ctx, name)
		if err != nil {
			return err
		}
		if err := c.printReadiness(r); err != nil {
			return err
		}
		return goOrNot(r)
	})
	shown.AddCommand(a.readinessOverride(), a.readinessWithdraw())
	return shown
}

// goOrNot is the exit code of a readiness.
func goOrNot(all ...*implementationv1.Readiness) error {
	for _, r := range all {
		if s := r.GetState(); s != gatev1.Verdict_PASS && s != gatev1.Verdict_WAIVED {
			return outcome(exitNotYet)
		}
	}
	return nil
}

func (c *client) readinessOf(ctx context.Context, plan string) (*implementationv1.Readiness, error) {
	return implementationv1.NewCohortPlanServiceClient(c.people).EvaluateReadiness(ctx, &implementationv1.EvaluateReadinessRequest{Name: plan})
}

// readinessOfAll shows the cohorts of an implementation against the criteria.
func (c *client) readinessOfAll(ctx context.Context, given string) error {
	name, err := c.name(mustFind("implementation"), given)
	if err != nil {
		return err
	}
	answer, err := implementationv1.NewCohortPlanServiceClient(c.people).BatchEvaluateReadiness(ctx, &implementationv1.BatchEvaluateReadinessRequest{Parent: name})
	if err != nil {
		return err
	}
	all := answer.GetReadinesses()
	if !c.format.ForPeople() {
		return cmp.Or(show.EncodeList(c.out, c.format, all), goOrNot(all...))
	}
	if len(all) == 0 {
		return c.say("%s has no cohort plans yet: golive apply -f with a CohortPlan makes one", kind.Short(name))
	}
	var criteria []string
	for _, r := range all {
		for _, cr := range r.GetCriteria() {
			if !slices.Contains(criteria, cr.GetId()) {
				criteria = append(criteria, cr.GetId())
			}
		}
	}
	rows := [][]string{append([]string{"COHORT", "PEOPLE", "VERDICT", "SCORE"}, criteria...)}
	for _, r := range all {
		row := []string{path.Base(r.GetCohortPlan()), fmt.Sprint(r.GetHeadcount()), c.style.State(r.GetState().String()), score(r)}
		for _, id := range criteria {
			row = append(row, c.cell(r, id))
		}
		rows = append(rows, row)
	}
	return cmp.Or(show.Rows(c.out, rows), goOrNot(all...))
}

// cell is one cohort at one criterion: the word, and the numbers behind it.
func (c *client) cell(r *implementationv1.Readiness, id string) string {
	for _, cr := range r.GetCriteria() {
		if cr.GetId() != id {
			continue
		}
		text := c.style.State(cr.GetStatus().String())
		if cr.GetDenominator() > 0 {
			text += fmt.Sprintf(" %d/%d", cr.GetNumerator(), cr.GetDenominator())
		}
		return text
	}
	return "-"
}

// score is for the eye only, and never without its coverage.
func score(r *implementationv1.Readiness) string {
	if r.Score == nil {
		return "-"
	}
	return fmt.Sprintf("%.0f %% of %.0f %% known", 100*r.GetScore(), 100*r.GetScoreCoverage())
}

func (a *app) readinessOverride() *cobra.Command {
	var reason string
	var hold time.Duration
	cmd := &cobra.Command{
		Use: "override COHORT-PLAN CRITERION", Short: "Let one criterion pass for at most 24 hours", Args: cobra.ExactArgs(2),
		Example: "  golive readiness override crm-rollout/cohortPlans/sales messages --reason 'told in the meeting of today' --for 4h",
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why")
	cmd.Flags().DurationVar(&hold, "for", 4*time.Hour, "how long it holds, 24h at most")
	must(cmd.MarkFlagRequired("reason"))
	a.completeKind(cmd, "cohortPlan")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("cohortPlan"), args[0])
		if err != nil {
			return err
		}
		plan, err := implementationv1.NewCohortPlanServiceClient(c.people).OverrideReadiness(ctx, &implementationv1.OverrideReadinessRequest{
			Name: name, Override: &implementationv1.ReadinessOverride{Criterion: args[1], Reason: reason, ExpireTime: timestamppb.New(time.Now().Add(hold))},
		})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("cohortPlan"), plan)
	})
}

func (a *app) readinessWithdraw() *cobra.Command {
	cmd := &cobra.Command{Use: "withdraw COHORT-PLAN CRITERION", Short: "Take an override of a criterion back", Example: "  golive readiness withdraw crm-rollout/cohortPlans/sales trained", Args: cobra.ExactArgs(2)}
	a.completeKind(cmd, "cohortPlan")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("cohortPlan"), args[0])
		if err != nil {
			return err
		}
		plan, err := implementationv1.NewCohortPlanServiceClient(c.people).WithdrawReadiness(ctx, &implementationv1.WithdrawReadinessRequest{Name: name, Criterion: args[1]})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("cohortPlan"), plan)
	})
}

func (c *client) printReadiness(r *implementationv1.Readiness) error {
	switch {
	case c.format == show.Name:
		return c.say("%s", r.GetCohortPlan())
	case !c.format.ForPeople():
		return show.Encode(c.out, c.format, r)
	}
	if err := c.say("%s  %s  %d people, score %s", c.style.Bold(kind.Short(r.GetCohortPlan())), c.style.State(r.GetState().String()), r.GetHeadcount(), score(r)); err != nil {
		return err
	}
	rows := [][]string{{"CRITERION", "STATUS", "NOW", "REQUIRED", "WAIVED", "DETAIL"}}
	for _, cr := range r.GetCriteria() {
		id := cr.GetId()
		if !cr.GetMust() {
			id += " (no gate)"
		}
		rows = append(rows, []string{id, c.style.State(cr.GetStatus().String()), counts(cr), threshold(cr), fmt.Sprint(cr.GetWaived()), cr.GetMessage()})
	}
	return show.Rows(c.out, rows)
}

func counts(cr *implementationv1.CriterionResult) string {
	if cr.GetDenominator() == 0 {
		return "-"
	}
	return fmt.Sprintf("%d/%d", cr.GetNumerator(), cr.GetDenominator())
}

// threshold is a share where the value is one, and the number itself where it is not.
func threshold(cr *implementationv1.CriterionResult) string {
	switch {
	case cr.GetThreshold() == 0:
		return "-"
	case cr.GetThreshold() <= 1:
		return fmt.Sprintf("%.0f %%", 100*cr.GetThreshold())
	default:
		return fmt.Sprintf("%g", cr.GetThreshold())
	}
}
