package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/adoption"
)

// usualDays is how many days adoption is shown for where nobody says.
const usualDays = 90

// Adoption counts the adoption of an implementation, or of one of its cohort plans, day by day. That it was read is told in the log: who, and of what, without a number.
func (s *Store) Adoption(ctx context.Context, req *implementationv1.GetAdoptionRequest) (*implementationv1.Adoption, error) {
	first, last, err := s.usageDays(req.GetStartDay(), req.GetEndDay())
	if err != nil {
		return nil, err
	}
	facts, err := s.AdoptionFacts(ctx, req.GetParent(), req.GetCohortPlan(), first, last)
	if err != nil {
		return nil, err
	}
	report := adoption.Report(facts)
	report.Implementation, report.AsOf = req.GetParent(), stamp(s.Now())
	return report, s.tellRead(ctx, req.GetParent(), "implementation.adoption.read", &implementationv1.GetAdoptionRequest{
		Parent: req.GetParent(), CohortPlan: req.GetCohortPlan(), StartDay: first.String(), EndDay: last.String(),
	})
}

// ForecastAdoption says how it may go on.
func (s *Store) ForecastAdoption(ctx context.Context, req *implementationv1.ForecastAdoptionRequest) (*implementationv1.AdoptionForecast, error) {
	last := adoption.DayOf(s.Now()) - 1
	facts, err := s.AdoptionFacts(ctx, req.GetParent(), req.GetCohortPlan(), last, last)
	if err != nil {
		return nil, err
	}
	outlook := adoption.Outlook(facts, int(req.GetWeeks()))
	outlook.Implementation, outlook.AsOf = req.GetParent(), stamp(s.Now())
	return outlook, s.tellRead(ctx, req.GetParent(), "implementation.adoption.forecast", &implementationv1.ForecastAdoptionRequest{
		Parent: req.GetParent(), CohortPlan: req.GetCohortPlan(), Weeks: req.GetWeeks(),
	})
}

// usageDays are the days of a request.
func (s *Store) usageDays(start, end string) (first, last adoption.Day, err error) {
	today := adoption.DayOf(s.Now())
	last = today - 1
	if end != "" {
		if last, err = adoption.ParseDay(end); err != nil || last > today {
			return 0, 0, fault.Invalid(ReasonDateInvalid, "%s is no day up to today, %s; write it as 2026-03-02", quoted(end), today).
				Field("end_day", "is no day up to today")
		}
	}
	first = last - usualDays + 1
	if start != "" {
		if first, err = adoption.ParseDay(start); err != nil || first > last || last-first > adoption.MaxSpan {
			return 0, 0, fault.Invalid(ReasonDateInvalid, "%s is no day of the %d before %s; write it as 2026-03-02", quoted(start), adoption.MaxSpan, last).
				Field("start_day", "is no day of those before end_day")
		}
	}
	return first, last, nil
}

// AdoptionFacts reads what adoption is counted from: groups that numbers may be told about, and usage. It is what
// readiness, detectors and reports count from too; nothing of a person leaves package adoption. Six queries, whatever the number of people.
func (s *Store) AdoptionFacts(ctx context.Context, implementation, plan string, first, last adoption.Day) (f adoption.Facts, err error) {
	plans, err := s.adoptionPlans(ctx, implementation, plan)
	if err != nil {
		return f, err
	}
	features, err := Features.Select(ctx, s.DB().Read(), "WHERE parent = $1 ORDER BY name", Workspace(implementation))
	if err != nil {
		return f, err
	}
	f = adoption.Facts{First: first, Last: last}
	counted := map[string]bool{}
	for _, p := range plans {
		cohort := adoption.NewCohort(p, features)
		f.Cohorts = append(f.Cohorts, cohort)
		for _, feature := range cohort.Features() {
			counted[feature] = true
		}
	}
	groupsFrom, usageFrom := adoption.Needs(f.Cohorts, first, last)
	if err := s.groups(ctx, implementation, &f, groupsFrom, plan == ""); err != nil {
		return f, err
	}
	f.Usage, err = s.readUsage(ctx, slices.Sorted(maps.Keys(counted)), usageFrom, last)
	return f, err
}

// adoptionPlans are the cohort plans of an implementation by name, or the one named.
func (s *Store) adoptionPlans(ctx context.Context, implementation, plan string) ([]*implementationv1.CohortPlan, error) {
	q := s.DB().Read()
	if err := Implementations.Required(ctx, q, implementation); err != nil {
		return nil, err
	}
	if plan != "" {
		if _, err := CohortPlans.Parse(plan); err != nil || parent(plan) != implementation {
			return nil, fault.Invalid(ReasonReferenceNotFound, "%s is no cohort plan of %s; name one of it", quoted(plan), implementation).
				Field("cohort_plan", "is of another implementation")
		}
		one, err := CohortPlans.Load(ctx, q, plan)
		return []*implementationv1.CohortPlan{one}, err
	}
	plans, err := CohortPlans.Select(ctx, q, fmt.Sprintf("WHERE parent = $1 ORDER BY name LIMIT %d", MaxPlans+1), implementation)
	if err == nil && len(plans) > MaxPlans {
		return nil, fault.Precondition("TOO_MANY_COHORTS", "%s has more than %d cohort plans; ask for one at a time", implementation, MaxPlans).
			Subject("COHORT_PLANS", implementation, "are too many")
	}
	return plans, err
}

// groups fills in who numbers may be told about.
func (s *Store) groups(ctx context.Context, implementation string, f *adoption.Facts, first adoption.Day, total bool) error {
	workspace := Workspace(implementation)
	fresh, err := s.eligible(ctx, workspace, f, first)
	if err != nil {
		return err
	}
	return s.publish(ctx, workspace, func(family *adoption.Family) map[string][]*adoption.Set {
		released := map[string][]*adoption.Set{}
		var shown [][]adoption.Composition
		for i := range f.Cohorts {
			cohort := f.Cohorts[i].Plan.GetCohort()
			var some []*adoption.Set
			f.Cohorts[i].Shown, some = family.Publish(cohort, fresh[cohort])
			shown = append(shown, f.Cohorts[i].Shown)
			if len(some) > 0 {
				released[cohort] = append(released[cohort], some...)
			}
		}
		if total {
			var some []*adoption.Set
			if f.Total, some = family.PublishTotal(implementation, shown); len(some) > 0 {
				released[implementation] = some
			}
		}
		return released
	})
}

// eligible is who is a member and not out, by cohort, from a day on.
func (s *Store) eligible(ctx context.Context, workspace string, f *adoption.Facts, first adoption.Day) (map[string][]adoption.Composition, error) {
	var cohorts []string
	for _, c := range f.Cohorts {
		cohorts = append(cohorts, c.Plan.GetCohort())
	}
	slices.Sort(cohorts)
	members, err := s.memberSpans(ctx, slices.Compact(cohorts))
	if err != nil {
		return nil, err
	}
	version, err := s.usageVersion(ctx, workspace)
	if err != nil {
		return nil, err
	}
	out, err := s.optedOut(ctx, workspace, version)
	if err != nil {
		return nil, err
	}
	var outs []adoption.Span
	for _, spans := range out {
		outs = append(outs, spans...)
	}
	gone := adoption.Compositions(first, f.Last, outs)
	f.OptedOut = make(map[string][]adoption.Composition, len(cohorts))
	fresh := make(map[string][]adoption.Composition, len(cohorts))
	for _, cohort := range cohorts {
		all := adoption.Compositions(first, f.Last, members[cohort])
		fresh[cohort] = adoption.Less(all, gone)
		f.OptedOut[cohort] = adoption.Less(all, fresh[cohort])
	}
	return fresh, nil
}

// tellRead puts into the log that aggregates were read.
func (s *Store) tellRead(ctx context.Context, implementation, what string, request proto.Message) error {
	return s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return s.tell(ctx, tx, feed.Record{Resource: implementation + "/adoption", Type: what, After: request})
	})
}
