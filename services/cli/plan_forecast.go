package cli

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) planForecast() *cobra.Command {
	var (
		f            implementationv1.Forecast
		distribution string
		correlation  float64
		target, at   string
		id           string
		keep         bool
	)
	cmd := &cobra.Command{
		Use: "forecast IMPLEMENTATION", Short: "Show by when the plan ends, with which probability",
		Long: "Plays the plan some thousand times with durations drawn from the estimates of its tasks. The forecast is kept, with\n" +
			"everything it was made of; --dry-run only shows it. The same plan, --seed and --at give the same numbers on any machine.",
		Example: "  golive plan forecast crm-rollout\n  golive plan forecast crm-rollout --target 2026-09-30 --distribution triangular --correlation 0.5 --dry-run",
		Args:    cobra.ExactArgs(1),
	}
	flags := cmd.Flags()
	flags.Int32Var(&f.Iterations, "iterations", 0, "how many times to play it, 100 to 100000; 10000 when not given")
	flags.Int64Var(&f.Seed, "seed", 0, "where the random numbers begin; follows from the implementation when not given")
	flags.Float64Var(&correlation, "correlation", .2, "how strongly the tasks of a stage go well or badly together, 0 to 1")
	flags.StringVar(&distribution, "distribution", "beta-pert", "what an estimate stands for: beta-pert or triangular")
	flags.StringVar(&target, "target", "", "the date whose probability is asked for; the target date when not given")
	flags.StringVar(&at, "at", "", "look at the plan as of this time; now when not given")
	flags.StringVar(&id, "id", "", "its id; made by the server when not given")
	flags.BoolVar(&keep, "dry-run", false, "compute it and do not keep it")
	must(cmd.RegisterFlagCompletionFunc("distribution", cobra.FixedCompletions([]string{"beta-pert", "triangular"}, cobra.ShellCompDirectiveNoFileComp)))
	a.completeKind(cmd, "implementation")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("implementation"), args[0])
		if err != nil {
			return err
		}
		f.Correlation = &correlation
		if f.Distribution, err = distributionOf(distribution); err != nil {
			return err
		}
		if f.TargetTime, err = moment("target", target); err != nil {
			return err
		}
		if f.AsOfTime, err = moment("at", at); err != nil {
			return err
		}
		made, err := implementationv1.NewForecastServiceClient(c.people).CreateForecast(ctx, &implementationv1.CreateForecastRequest{
			Parent: name, ForecastId: id, Forecast: &f, ValidateOnly: keep,
		})
		if err != nil {
			return err
		}
		return c.printForecast(made)
	})
}

func distributionOf(word string) (implementationv1.Forecast_Distribution, error) {
	d, ok := implementationv1.Forecast_Distribution_value[strings.ToUpper(strings.ReplaceAll(word, "-", "_"))]
	if !ok || d == 0 {
		return 0, usage("there is no distribution "+word, "choose beta-pert or triangular")
	}
	return implementationv1.Forecast_Distribution(d), nil
}

func (c *client) printForecast(f *implementationv1.Forecast) error {
	switch {
	case c.format == show.Name:
		return c.say("%s", f.GetName())
	case !c.format.ForPeople():
		return show.Encode(c.out, c.format, f)
	}
	distribution := strings.ToLower(strings.ReplaceAll(f.GetDistribution().String(), "_", "-"))
	lines := []string{
		c.style.Bold(kind.Short(f.GetName())),
		c.style.Dim(fmt.Sprintf("%d iterations of %d tasks, %s, correlation %.2g, seed %d, %s",
			f.GetIterations(), f.GetTaskCount(), distribution, f.GetCorrelation(), f.GetSeed(), f.GetEngineVersion())),
		"",
	}
	for _, line := range lines {
		if err := c.say("%s", line); err != nil {
			return err
		}
	}
	if err := show.Rows(c.out, c.dates(f)); err != nil {
		return err
	}
	if err := c.printCurve(f); err != nil {
		return err
	}
	if err := c.printSensitivities(f); err != nil {
		return err
	}
	for _, w := range f.GetWarnings() {
		if err := c.say("%s", c.style.State("WARNING")+" "+w.GetMessage()); err != nil {
			return err
		}
	}
	return nil
}

// dates is the table of dates with their probabilities.
func (c *client) dates(f *implementationv1.Forecast) [][]string {
	percent := func(p float64) string { return fmt.Sprintf("%.1f %%", 100*p) }
	rows := [][]string{
		{"P50", onDay(f.GetP50Time()), "half of the iterations end by then"},
		{"P80", c.style.Bold(onDay(f.GetP80Time())), "the date to promise"},
		{"P90", onDay(f.GetP90Time()), ""},
		{percent(f.GetScheduleProbability()), onDay(f.GetScheduleFinishTime()), "the schedule, where every task takes its likely time"},
	}
	if f.TargetProbability != nil {
		rows = append(rows, []string{
			percent(f.GetTargetProbability()), onDay(f.GetTargetTime()),
			fmt.Sprintf("the target, ± %.1f points by simulation", 100*2*f.GetTargetProbabilityError()),
		})
	}
	p := f.GetClassicalPert()
	row := []string{"te", onDay(p.GetFinishTime()), p.GetLabel()}
	if p.TargetProbability != nil {
		row[2] = percent(p.GetTargetProbability()) + " for the target; " + row[2]
	}
	for _, m := range f.GetMilestones() {
		rows = append(rows, []string{"P80", onDay(m.GetP80Time()), kind.ID(m.GetTask()) + ", P50 " + onDay(m.GetP50Time())})
	}
	return append(rows, row)
}

// printCurve draws the histogram in one line, and the cumulative curve as bars.
func (c *client) printCurve(f *implementationv1.Forecast) error {
	const width = 40
	bins := f.GetBins()
	if len(bins) == 0 || f.GetUncertainTaskCount() == 0 {
		return nil
	}
	counts := make([]float64, len(bins))
	for i, b := range bins {
		counts[i] = float64(b.GetCount())
	}
	spark := show.Spark(counts, len(counts), 0, slices.Max(counts))
	if err := c.say("\n%s %s %s\n", onDay(bins[0].GetStartTime()), spark, onDay(bins[len(bins)-1].GetEndTime())); err != nil {
		return err
	}
	var rows [][]string
	for _, p := range f.GetPoints() {
		share := p.GetProbability()
		if tenth := 10 * share; math.Abs(tenth-math.Round(tenth)) > 1e-9 || share <= 0 {
			continue // the bars are for tenths; -o json has them all
		}
		rows = append(rows, []string{fmt.Sprintf("%3.0f %%", 100*share), onDay(p.GetTime()), strings.Repeat("█", int(math.Round(width*share)))})
	}
	return show.Rows(c.out, rows)
}

func (c *client) printSensitivities(f *implementationv1.Forecast) error {
	const most = 8
	rows := [][]string{{""}, {"TASK", "CRITICAL", "SENSITIVITY", "CRUCIALITY", "DAYS OF 8 HOURS"}}
	for i, s := range f.GetSensitivities() {
		if i == most || s.GetSensitivity() == 0 {
			break
		}
		const day = 8 * 60
		rows = append(rows, []string{
			kind.ID(s.GetTask()), fmt.Sprintf("%.0f %%", 100*s.GetCriticality()), fmt.Sprintf("%.2f", s.GetSensitivity()),
			fmt.Sprintf("%.2f", s.GetCruciality()), fmt.Sprintf("%.1f ± %.1f", s.GetMeanMinutes()/day, s.GetStandardDeviationMinutes()/day),
		})
	}
	if len(rows) == 2 {
		return nil
	}
	return show.Rows(c.out, append(rows, []string{""}))
}
