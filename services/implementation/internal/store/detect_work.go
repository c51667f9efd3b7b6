package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/detect"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

const (
	// horizon is how many weeks of a plan are looked at, at most as far as a policy may ask for.
	horizon = 12
	// mostPlans is how many other implementations that want the same people are looked at.
	mostPlans = 50
)

// work are the facts of the rules about the plan, and about those of others who want the same people. A plan that
// cannot be computed says so in the place of each.
func (g *gathering) work(ctx context.Context) error {
	in, p, err := g.plan(ctx, g.f.Implementation)
	if err != nil {
		return g.without(ctx, err, "L1", "L2", "L3", "L4", "L5", "L7", "P2", "P3", "P4")
	}
	until := g.f.Now.Add(horizon * week)
	loads := p.Loads(g.f.Now, until)
	g.f.Loads, g.f.Tasks, g.f.Remaining, g.f.Stalled = loads, p.Tasks(), p.Remaining(), p.Stalled(g.Now())
	if err := g.scarcity(ctx, in); err != nil {
		return err
	}
	if err := g.earned(ctx, in); err != nil {
		return err
	}
	others, err := g.others(ctx, until)
	if err != nil {
		return err
	}
	others[g.f.Implementation] = detect.Weeks(loads)
	for _, person := range p.Persons() {
		v := detect.Shared{Resource: person}
		for n := range horizon {
			w := detect.SharedWeek{Week: detect.WeekOf(g.f.Now).Add(n)}
			w.Capacity = p.Capacity(person, w.Week)
			for _, name := range slices.Sorted(maps.Keys(others)) {
				if minutes := others[name][person][w.Week]; minutes > 0 {
					w.Plans = append(w.Plans, detect.PlanLoad{Implementation: name, Minutes: minutes})
				}
			}
			v.Weeks = append(v.Weeks, w)
		}
		g.f.Shared = append(g.f.Shared, v)
	}
	return g.finished(ctx)
}

// without leaves rules out, and says why; what is our own mistake is an error.
func (g *gathering) without(ctx context.Context, err error, rules ...detect.ID) error {
	why := fault.From(err)
	if why.Kind() == fault.KindInternal || ctx.Err() != nil {
		return err
	}
	for _, id := range rules {
		g.f.Missing[id] = why.Message()
	}
	return nil
}

// plan is an implementation's plan, what it was made of, and its last forecast in it.
func (g *gathering) plan(ctx context.Context, implementation string) (in plan.Input, p *detect.Plan, err error) {
	if in, err = g.PlanInput(ctx, implementation); err != nil {
		return in, nil, err
	}
	last, err := Forecasts.Select(ctx, g.DB().Read(), "WHERE parent = $1 ORDER BY create_time DESC, name LIMIT 1", implementation)
	if err != nil {
		return in, nil, err
	}
	var forecast *implementationv1.Forecast
	if len(last) > 0 {
		forecast = last[0]
	}
	p, err = detect.NewPlan(in, forecast)
	return in, p, err
}

// others are what other implementations want of the same people, by implementation, person and week.
func (g *gathering) others(ctx context.Context, until time.Time) (map[string]map[string]map[detect.Week]int64, error) {
	rows, err := g.DB().Read().QueryContext(ctx, fmt.Sprintf(`SELECT DISTINCT t2.parent FROM tasks t
		JOIN task_assignments a ON a.task = t.name JOIN task_assignments a2 ON a2.resource = a.resource JOIN tasks t2 ON t2.name = a2.task
		JOIN implementations i ON i.name = t2.parent
		WHERE t.parent = $1 AND t2.parent <> $1 AND t2.state IN (%d, %d) AND i.state NOT IN (%d, %d, %d) ORDER BY t2.parent LIMIT %d`,
		implementationv1.Task_TODO, implementationv1.Task_IN_PROGRESS, implementationv1.Implementation_ON_HOLD,
		implementationv1.Implementation_CANCELLED, implementationv1.Implementation_CLOSED, mostPlans), g.f.Implementation)
	names, err := sqldb.Collect(rows, err, scanText)
	if err != nil {
		return nil, fmt.Errorf("which implementations share people with %s: %w", g.f.Implementation, err)
	}
	all := make(map[string]map[string]map[detect.Week]int64, len(names)+1)
	for _, name := range names {
		_, p, err := g.plan(ctx, name)
		if err != nil && (fault.KindOf(err) == fault.KindInternal || ctx.Err() != nil) {
			return nil, err
		}
		if err == nil { // a plan that cannot be computed says so where it is judged itself
			all[name] = detect.Weeks(p.Loads(g.f.Now, until))
		}
	}
	return all, nil
}

// finished fills in what the people of stalled tasks finished in other implementations meanwhile.
func (g *gathering) finished(ctx context.Context) error {
	stalled := g.f.Stalled
	if len(stalled) == 0 {
		return nil
	}
	people := make([]string, len(stalled))
	for i, s := range stalled {
		people[i] = s.Person
	}
	slices.Sort(people)
	people = slices.Compact(people)
	for part := range slices.Chunk(people, chunk) {
		done, err := Tasks.Select(ctx, g.DB().Read(), fmt.Sprintf("WHERE parent <> $1 AND state = %d AND name IN (SELECT task FROM task_assignments WHERE resource IN (%s)) ORDER BY name",
			implementationv1.Task_DONE, sqldb.Marks(2, len(part))), append([]any{g.f.Implementation}, sqldb.Texts(part)...)...)
		if err != nil {
			return err
		}
		owners := make([]string, len(done))
		for i, t := range done {
			owners[i] = parent(t.GetName())
		}
		plans, err := Implementations.LoadMany(ctx, g.DB().Read(), owners)
		if err != nil {
			return err
		}
		for i, s := range stalled {
			for _, t := range done {
				on := slices.ContainsFunc(t.GetAssignments(), func(a *implementationv1.Assignment) bool { return a.GetResource() == s.Person })
				if on && t.GetActualEndTime().AsTime().After(s.Since) {
					lower := s.Lower(plans[parent(t.GetName())].GetPriority(), t.GetPriority())
					stalled[i].Finished = append(stalled[i].Finished, detect.Finished{Task: t.GetName(), Lower: lower})
				}
			}
		}
	}
	return nil
}
