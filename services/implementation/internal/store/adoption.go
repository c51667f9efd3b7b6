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
func (s *Store) AdoptionFacts(ctx context.Context, implementation, plan string, first, last adoption.Day) (adoption.Facts, error) {
	plans, err := s.adoptionPlans(ctx, implementation, plan)
	if err != nil {
		return adoption.Facts{}, err
	}
	facts, err := s.adoptionFacts(ctx, Workspace(implementation), []adopting{{implementation, plans, plan == ""}}, first, last)
	if err != nil {
		return adoption.Facts{}, err
	}
	return facts[0], nil
}

// adopting is an implementation with the cohort plans that are counted, with a total of them or without.
type adopting struct {
	implementation string
	plans          []*implementationv1.CohortPlan
	total          bool
}

// adoptionFacts are those of several implementations of a workspace, in their order; as many queries as for one.
func (s *Store) adoptionFacts(ctx context.Context, workspace string, all []adopting, first, last adoption.Day) ([]adoption.Facts, error) {
	features, err := Features.Select(ctx, s.DB().Read(), "WHERE parent = $1 ORDER BY name", workspace)
	if err != nil {
		return nil, err
	}
	facts, groupsFrom, usageFrom := make([]adoption.Facts, len(all)), make([]adoption.Day, len(all)), first
	counted := map[string]bool{}
	for i, a := range all {
		facts[i] = adoption.Facts{First: first, Last: last}
		for _, p := range a.plans {
			cohort := adoption.NewCohort(p, features)
			facts[i].Cohorts = append(facts[i].Cohorts, cohort)
			for _, feature := range cohort.Features() {
				counted[feature] = true
			}
		}
		var from adoption.Day
		groupsFrom[i], from = adoption.Needs(facts[i].Cohorts, first, last)
		usageFrom = min(usageFrom, from)
	}
	if err := s.groups(ctx, workspace, all, facts, groupsFrom); err != nil {
		return nil, err
	}
	usage, err := s.readUsage(ctx, slices.Sorted(maps.Keys(counted)), usageFrom, last)
	for i := range facts {
		facts[i].Usage = usage
	}
	return facts, err
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
	if err != nil {
		return nil, err
	}
	return plans, fewPlans(implementation, plans)
}

// fewPlans refuses more cohort plans than are counted at once.
func fewPlans(implementation string, plans []*implementationv1.CohortPlan) error {
	if len(plans) <= MaxPlans {
		return nil
	}
	return fault.Precondition("TOO_MANY_COHORTS", "%s has more than %d cohort plans; ask for one at a time", implementation, MaxPlans).
		Subject("COHORT_PLANS", implementation, "are too many")
}

// groups fills in who numbers may be told about, each from its own day on.
func (s *Store) groups(ctx context.Context, workspace string, all []adopting, facts []adoption.Facts, from []adoption.Day) error {
	who, err := s.eligible(ctx, workspace, facts)
	if err != nil {
		return err
	}
	fresh := make([]map[string][]adoption.Composition, len(facts))
	for i := range facts {
		fresh[i] = who.from(from[i], &facts[i])
	}
	return s.publish(ctx, workspace, func(family *adoption.Family) map[string][]*adoption.Set {
		released := map[string][]*adoption.Set{}
		for i, a := range all {
			var shown [][]adoption.Composition
			f := &facts[i]
			for c := range f.Cohorts {
				cohort := f.Cohorts[c].Plan.GetCohort()
				var some []*adoption.Set
				f.Cohorts[c].Shown, some = family.Publish(cohort, fresh[i][cohort])
				shown = append(shown, f.Cohorts[c].Shown)
				if len(some) > 0 {
					released[cohort] = append(released[cohort], some...)
				}
			}
			if a.total {
				var some []*adoption.Set
				if f.Total, some = family.PublishTotal(a.implementation, shown); len(some) > 0 {
					released[a.implementation] = some
				}
			}
		}
		return released
	})
}

// eligible is who is a member of which cohort, and who is out.
type eligible struct {
	members map[string][]adoption.Span
	outs    []adoption.Span
}

func (s *Store) eligible(ctx context.Context, workspace string, facts []adoption.Facts) (who eligible, err error) {
	var cohorts []string
	for _, f := range facts {
		for _, c := range f.Cohorts {
			cohorts = append(cohorts, c.Plan.GetCohort())
		}
	}
	slices.Sort(cohorts)
	if who.members, err = s.memberSpans(ctx, slices.Compact(cohorts)); err != nil {
		return who, err
	}
	version, err := s.usageVersion(ctx, workspace)
	if err != nil {
		return who, err
	}
	out, err := s.optedOut(ctx, workspace, version)
	for _, spans := range out {
		who.outs = append(who.outs, spans...)
	}
	return who, err
}

// from is who is a member and not out, by cohort, from a day on. Who is out is kept with the facts.
func (e eligible) from(first adoption.Day, f *adoption.Facts) map[string][]adoption.Composition {
	gone := adoption.Compositions(first, f.Last, e.outs)
	f.OptedOut = make(map[string][]adoption.Composition, len(f.Cohorts))
	fresh := make(map[string][]adoption.Composition, len(f.Cohorts))
	for _, c := range f.Cohorts {
		cohort := c.Plan.GetCohort()
		if _, known := fresh[cohort]; known {
			continue
		}
		all := adoption.Compositions(first, f.Last, e.members[cohort])
		fresh[cohort] = adoption.Less(all, gone)
		f.OptedOut[cohort] = adoption.Less(all, fresh[cohort])
	}
	return fresh
}

// tellRead puts into the log that aggregates were read.
func (s *Store) tellRead(ctx context.Context, implementation, what string, request proto.Message) error {
	return s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return s.tell(ctx, tx, feed.Record{Resource: implementation + "/adoption", Type: what, After: request})
	})
}
