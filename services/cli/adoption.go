package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) adoption() *cobra.Command {
	var (
		cohort, from, until string
		forecast            bool
		weeks               int32
	)
	cmd := &cobra.Command{
		Use: "adoption IMPLEMENTATION", Short: "Show who uses the new way of working, against the plan, and how that may go on",
		Long: "Counts, for each cohort and day, who used the new way on enough days of the window, out of all who could. Nothing is told of\n" +
			"groups of less than ten people. --forecast shows the weeks to come.",
		Example: "  golive adoption crm-rollout\n  golive adoption crm-rollout --cohort crm-rollout/cohortPlans/sales --forecast\n" +
			"  golive adoption crm-rollout --from 2026-03-02 --until 2026-05-31 -o json", Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&cohort, "cohort", "", "only this cohort plan")
	f.StringVar(&from, "from", "", "the first day, 2026-03-02; 89 days before the last when not given")
	f.StringVar(&until, "until", "", "the last day; yesterday when not given")
	f.BoolVar(&forecast, "forecast", false, "show how it may go on instead")
	f.Int32Var(&weeks, "weeks", 0, "how many weeks ahead; 26 when not given")
	cmd.MarkFlagsMutuallyExclusive("forecast", "from")
	cmd.MarkFlagsMutuallyExclusive("forecast", "until")
	a.completeKind(cmd, "implementation")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("implementation"), args[0])
		if err != nil {
			return err
		}
		plan := ""
		if cohort != "" {
			if !strings.Contains(cohort, "/") {
				cohort = args[0] + "/cohortPlans/" + cohort
			}
			if plan, err = c.name(mustFind("cohortPlan"), cohort); err != nil {
				return err
			}
		}
		client := implementationv1.NewAdoptionServiceClient(c.people)
		if forecast {
			answer, err := client.ForecastAdoption(ctx, &implementationv1.ForecastAdoptionRequest{Parent: name, CohortPlan: plan, Weeks: weeks})
			if err != nil {
				return err
			}
			return c.printOutlook(answer)
		}
		answer, err := client.GetAdoption(ctx, &implementationv1.GetAdoptionRequest{Parent: name, CohortPlan: plan, StartDay: from, EndDay: until})
		if err != nil {
			return err
		}
		return c.printAdoption(answer)
	})
}

func (c *client) printAdoption(a *implementationv1.Adoption) error {
	if !c.format.ForPeople() {
		return show.Encode(c.out, c.format, a)
	}
	if err := c.say("%s  %s to %s", c.style.Bold(kind.Short(a.GetImplementation())), a.GetStartDay(), a.GetEndDay()); err != nil {
		return err
	}
	rows := [][]string{{"COHORT", "ADOPTION", "PLANNED", "ACTIVE", "CURVE", "PLAN", "TREND", "PROFICIENT", "HALF BEGAN WITHIN", "OLD WAY"}}
	for _, cohort := range a.GetCohorts() {
		rows = append(rows, adoptionRow(kind.ID(cohort.GetCohort()), cohort))
	}
	if a.GetTotal() != nil {
		rows = append(rows, adoptionRow("all of them", a.GetTotal()))
	}
	if err := show.Rows(c.out, rows); err != nil {
		return err
	}
	for _, cohort := range a.GetCohorts() {
		if n := cohort.GetPoints(); len(n) > 0 && n[len(n)-1].GetDisclosure() != implementationv1.CohortAdoption_SHOWN {
			c.note("a dash: the group has less than %d people, or one that has would follow from the number", a.GetSmallestGroup())
			break
		}
	}
	return nil
}

func adoptionRow(name string, cohort *implementationv1.CohortAdoption) []string {
	row := []string{name, "-", "-", "-", "-", "-", "-", "-", "-", "-"}
	points := cohort.GetPoints()
	if len(points) == 0 {
		return row
	}
	last := points[len(points)-1]
	if last.Planned != nil {
		row[2] = percent(last.GetPlanned())
	}
	var actual, planned []float64
	for _, p := range points {
		if p.GetDisclosure() == implementationv1.CohortAdoption_SHOWN {
			actual = append(actual, p.GetShare())
		}
		planned = append(planned, p.GetPlanned())
	}
	const width = 30
	if row[2] != "-" {
		row[5] = show.Spark(planned, width, 0, 1)
	}
	if last.GetDisclosure() != implementationv1.CohortAdoption_SHOWN {
		return row
	}
	row[1], row[3], row[4] = percent(last.GetShare()), fmt.Sprintf("%d/%d", last.GetActive(), last.GetEligible()), show.Spark(actual, width, 0, 1)
	row[6] = trend(cohort.GetUtilisation())
	if p := cohort.GetProficiency(); p.GetDisclosure() == implementationv1.CohortAdoption_SHOWN {
		row[7] = fmt.Sprintf("%d/%d", p.GetProficient(), p.GetActive())
	}
	row[8] = speed(cohort.GetSpeed())
	if l := cohort.GetLegacy(); l.GetDisclosure() == implementationv1.CohortAdoption_SHOWN {
		row[9] = fmt.Sprintf("%d/%d", l.GetActive(), l.GetEligible())
	}
	return row
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

func trend(u *implementationv1.Utilisation) string {
	switch u.GetTrend() {
	case implementationv1.Utilisation_PLATEAU:
		return fmt.Sprintf("at rest at %s since %s", percent(u.GetValue()), u.GetSinceDay())
	case implementationv1.Utilisation_RISING, implementationv1.Utilisation_FALLING:
		return fmt.Sprintf("%s, %+.1f points a week", strings.ToLower(u.GetTrend().String()), 100*u.GetSlopePerWeek())
	default:
		return "-"
	}
}

func speed(s *implementationv1.AdoptionSpeed) string {
	if s.GetDisclosure() != implementationv1.CohortAdoption_SHOWN {
		return "-"
	}
	if s.MedianDays == nil {
		return "not half yet"
	}
	bound := func(days *int32) string {
		if days == nil {
			return "…"
		}
		return fmt.Sprint(*days)
	}
	return fmt.Sprintf("%d days (%s–%s)", s.GetMedianDays(), bound(s.LowerDays), bound(s.UpperDays)) //nolint:protogetter // whether they are set
}

func (c *client) printOutlook(f *implementationv1.AdoptionForecast) error {
	if !c.format.ForPeople() {
		return show.Encode(c.out, c.format, f)
	}
	for _, cohort := range f.GetCohorts() {
		basis := strings.ToLower(strings.ReplaceAll(cohort.GetBasis().String(), "_", " "))
		if cohort.GetReason() != "" {
			basis += ": " + cohort.GetReason()
		}
		if err := c.say("%s  %s", c.style.Bold(kind.Short(cohort.GetCohortPlan())), basis); err != nil {
			return err
		}
		if cohort.GetBasis() == implementationv1.CohortForecast_BASS {
			err := c.say("Bass after %d weeks: market %.0f of %d, p %.4f, q %.4f, residual %.1f people a week, seed %d\ntarget reached: %s (P50), %s (P80)",
				cohort.GetWeeks(), cohort.GetM(), cohort.GetEligible(), cohort.GetP(), cohort.GetQ(), cohort.GetResidualError(), cohort.GetSeed(),
				orDash(cohort.GetTargetDayP50()), orDash(cohort.GetTargetDayP80()))
			if err != nil {
				return err
			}
		}
		rows := [][]string{{"WEEK TO", "BEGAN", "P10", "P50", "P90", "PLANNED"}}
		cell := func(v *float64) string {
			if v == nil {
				return "-"
			}
			return percent(*v)
		}
		for _, p := range cohort.GetPoints() {
			rows = append(rows, []string{p.GetDay(), cell(p.Actual), cell(p.P10), cell(p.P50), cell(p.P90), cell(p.Planned)}) //nolint:protogetter // whether they are set
		}
		if err := show.Rows(c.out, rows); err != nil {
			return err
		}
	}
	return nil
}
