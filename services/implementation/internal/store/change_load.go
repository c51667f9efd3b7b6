package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/readiness"
)

const (
	week = 7 * 24 * time.Hour
	// touched is how long a go-live asks something of people: its own week and the three after it.
	touched = 4 * week
	// furthest is how many weeks a change load criterion may look at.
	furthest = 52
)

// monday is the beginning of the ISO week of a moment, in UTC.
func monday(t time.Time) time.Time {
	t = t.UTC().Truncate(24 * time.Hour)
	return t.AddDate(0, 0, -(int(t.Weekday())+6)%7)
}

// changeLoad sums, for each week from the go-live of a plan on, the impact of
// every cohort plan of the workspace whose go-live touches that week, times the share of the cohort that it touches.
func (j *judgement) changeLoad(ctx context.Context, q sqldb.Queryer, plans []string) error {
	cohorts := make([]string, len(plans))
	for i, plan := range plans {
		cohorts[i] = j.plans[plan].GetCohort()
	}
	others, err := j.movements(ctx, q, plans)
	if err != nil {
		return err
	}
	shares, err := overlap(ctx, q, j.roster, cohorts, others, j.store.Now())
	if err != nil {
		return err
	}
	for _, name := range plans {
		plan, f := j.plans[name], j.facts[name]
		f.Capacity = j.cohorts[plan.GetCohort()].GetChangeCapacity()
		if plan.GetGoLiveTime() != nil {
			f.Loads = loads(monday(plan.GetGoLiveTime().AsTime()), plan.GetCohort(), others, shares)
		}
	}
	return nil
}

// movements are the cohort plans of the workspaces that go live where it can matter to one of the plans.
func (j *judgement) movements(ctx context.Context, q sqldb.Queryer, plans []string) ([]*implementationv1.CohortPlan, error) {
	var first, last time.Time
	workspaces := map[string]bool{}
	for _, name := range plans {
		at := moment(j.plans[name].GetGoLiveTime())
		if at.IsZero() {
			continue
		}
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
		workspaces[Workspace(name)] = true
	}
	if first.IsZero() {
		return nil, nil
	}
	live := fmt.Sprintf(`WHERE go_live_time BETWEEN $1 AND $2 AND parent IN (SELECT name FROM implementations WHERE state NOT IN (%d, %d)) ORDER BY name`,
		implementationv1.Implementation_CANCELLED, implementationv1.Implementation_CLOSED)
	all, err := CohortPlans.Select(ctx, q, live, micros(first.Add(-touched)), micros(last.Add(furthest*week)))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(plan *implementationv1.CohortPlan) bool { return !workspaces[Workspace(plan.GetName())] }), nil
}

// overlap is the share of each cohort that belongs to each of the others too, at a moment. The members are read
// once and met here: a join of every cohort with every other one costs a hundred times as much.
func overlap(ctx context.Context, q sqldb.Queryer, r *roster, cohorts []string, others []*implementationv1.CohortPlan, at time.Time) (map[[2]string]float64, error) {
	shares := map[[2]string]float64{}
	if len(others) == 0 {
		return shares, nil
	}
	if err := r.read(ctx, q, cohorts); err != nil {
		return nil, err
	}
	here := map[string]bool{}
	for _, cohort := range cohorts {
		here[cohort] = true
	}
	names := slices.Clone(cohorts)
	for _, plan := range others {
		names = append(names, plan.GetCohort())
	}
	slices.Sort(names)
	names = slices.Compact(names)
	elsewhere, err := r.elsewhere(ctx, q, cohorts, names)
	if err != nil {
		return nil, err
	}
	of := make([][]int, len(r.people)) // indexes of names, by person
	for i, cohort := range names {
		for b := range elsewhere.at(cohort, at.UnixMicro()) {
			if in := of[b.person]; len(in) == 0 || in[len(in)-1] != i {
				of[b.person] = append(in, i)
			}
		}
	}
	met := map[[2]int]float64{}
	for _, cohorts := range of {
		for _, i := range cohorts {
			for _, j := range cohorts {
				met[[2]int{i, j}]++
			}
		}
	}
	for pair, both := range met {
		if here[names[pair[0]]] {
			shares[[2]string{names[pair[0]], names[pair[1]]}] = both / met[[2]int{pair[0], pair[0]}]
		}
	}
	return shares, nil
}

// loads are the weeks from a Monday on.
func loads(from time.Time, cohort string, others []*implementationv1.CohortPlan, shares map[[2]string]float64) []readiness.Load {
	all := make([]readiness.Load, furthest)
	for i := range all {
		all[i].Week = from.Add(time.Duration(i) * week)
	}
	for _, plan := range others {
		points := float64(impact(plan)) * shares[[2]string{cohort, plan.GetCohort()}]
		if points <= 0 {
			continue
		}
		begins := monday(plan.GetGoLiveTime().AsTime())
		for i := range all {
			if l := &all[i]; !l.Week.Before(begins) && l.Week.Before(begins.Add(touched)) {
				l.Load += points
				if i := parent(plan.GetName()); !slices.Contains(l.From, i) {
					l.From = append(l.From, i)
				}
			}
		}
	}
	return all
}

// impact is how much a plan asks of its people: the greatest of its aspects.
func impact(plan *implementationv1.CohortPlan) int32 {
	var most int32
	for _, i := range plan.GetImpacts() {
		most = max(most, i.GetLevel())
	}
	return most
}
