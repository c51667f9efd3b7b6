package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) planValue() *cobra.Command {
	cmd := &cobra.Command{
		Use: "value IMPLEMENTATION", Short: "Compare what was planned, done and spent: earned value and earned schedule",
		Long:    "Against the current baseline, in money, or in hours of work where the baseline has no costs.",
		Example: "  golive plan value crm-rollout", Args: cobra.ExactArgs(1),
	}
	a.completeKind(cmd, "implementation")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("implementation"), args[0])
		if err != nil {
			return err
		}
		v, err := implementationv1.NewScheduleServiceClient(c.people).GetEarnedValue(ctx, &implementationv1.GetEarnedValueRequest{Parent: name})
		if err != nil {
			return err
		}
		return c.printValue(v)
	})
}

func (c *client) printValue(v *implementationv1.EarnedValue) error {
	switch {
	case c.format == show.Name:
		return c.say("%s", v.GetBaseline())
	case !c.format.ForPeople():
		return show.Encode(c.out, c.format, v)
	}
	amount := func(x float64) string { return fmt.Sprintf("%.2f %s", x/100, v.GetCurrency()) }
	if v.GetUnit() == implementationv1.EarnedValue_EFFORT_MINUTES {
		amount = func(x float64) string { return fmt.Sprintf("%.1f h", x/60) }
	}
	defined := func(is bool, x float64, text func(float64) string) string {
		if !is {
			return "not defined"
		}
		return text(x)
	}
	index := func(x float64) string { return fmt.Sprintf("%.3f", x) }
	work := func(x float64) string { return show.Work(int64(x + .5)) }
	if err := c.say("%s against %s", c.style.Bold(kind.Short(v.GetImplementation())), kind.Short(v.GetBaseline())); err != nil {
		return err
	}
	rows := [][]string{
		{"planned value (PV)", amount(float64(v.GetPlannedValue())), "of", amount(float64(v.GetBudgetAtCompletion()))},
		{"earned value (EV)", amount(float64(v.GetEarnedValue())), "schedule variance", amount(float64(v.GetScheduleVariance()))},
		{"actual cost (AC)", amount(float64(v.GetActualCost())), "cost variance", amount(float64(v.GetCostVariance()))},
		{"cost performance (CPI)", defined(v.CostPerformanceIndex != nil, v.GetCostPerformanceIndex(), index), "to complete (TCPI)", defined(v.ToCompletePerformanceIndex != nil, v.GetToCompletePerformanceIndex(), index)},
		{"schedule performance (SPI)", defined(v.SchedulePerformanceIndex != nil, v.GetSchedulePerformanceIndex(), index), "by time (SPI(t))", defined(v.TimePerformanceIndex != nil, v.GetTimePerformanceIndex(), index)},
		{"earned schedule (ES)", defined(v.EarnedScheduleMinutes != nil, v.GetEarnedScheduleMinutes(), work), "of", show.Work(v.GetActualMinutes())},
		{"will take (IEAC(t))", defined(v.EstimatedDurationMinutes != nil, v.GetEstimatedDurationMinutes(), work), "until", onDay(v.GetEstimatedEndTime())},
	}
	for _, e := range v.GetEstimates() {
		rows = append(rows, []string{
			"will cost (EAC)", defined(e.EstimateAtCompletion != nil, e.GetEstimateAtCompletion(), amount), "if the rest goes " + formulaWord(e.GetFormula()), defined(e.VarianceAtCompletion != nil, e.GetVarianceAtCompletion(), func(x float64) string { return amount(x) + " left" }),
		})
	}
	return show.Rows(c.out, rows)
}

func formulaWord(f implementationv1.EstimateAtCompletion_Formula) string {
	switch f {
	case implementationv1.EstimateAtCompletion_COST_PERFORMANCE:
		return "as until now"
	case implementationv1.EstimateAtCompletion_AS_PLANNED:
		return "as planned"
	default:
		return "as late and as dear"
	}
}
