package store

import (
	"cmp"
	"context"
	"maps"
	"slices"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
	"github.com/golive-dev/golive/services/implementation/internal/detect"
	"github.com/golive-dev/golive/services/implementation/internal/earned"
	"github.com/golive-dev/golive/services/implementation/internal/level"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// scarcity are the facts of L3: what levelling would cost, with the same seed every time.
func (g *gathering) scarcity(ctx context.Context, in plan.Input) error {
	p := &implementationv1.Proposal{Seed: 1}
	if err := level.Propose(in, p); err != nil {
		return g.without(ctx, err, "L3")
	}
	short := map[string]int64{}
	for _, o := range p.GetOverallocationsBefore() {
		short[o.GetResource()] += o.GetAllocatedMinutes() - o.GetCapacityMinutes()
	}
	worst := slices.SortedFunc(maps.Keys(short), func(a, b string) int { return cmp.Or(cmp.Compare(short[b], short[a]), cmp.Compare(a, b)) })
	v := &detect.Scarcity{
		CriticalFinish: moment(p.GetFinishTimeBefore()), LevelledFinish: moment(p.GetFinishTimeAfter()),
		Target: moment(g.i.GetTargetDate()), Resources: worst[:min(len(worst), 5)],
	}
	const workday = 480
	c, err := calendar.New(in.Implementation.GetCalendar())
	if err != nil {
		return g.without(ctx, err, "L3")
	}
	v.CriticalDays = float64(c.Between(in.Now, v.CriticalFinish)) / workday
	v.LevelledDays = v.CriticalDays + float64(p.GetPriceMinutes())/workday
	if len(worst) > 0 {
		i := slices.IndexFunc(in.Resources, func(r *implementationv1.Resource) bool { return r.GetName() == worst[0] })
		v.Scarce = cmp.Or(in.Resources[i].GetDisplayName(), personID(worst[0]))
	}
	g.f.Scarcity = v
	return nil
}

// earned are the facts of L4 and L5.
func (g *gathering) earned(ctx context.Context, in plan.Input) error {
	e, err := earned.Of(in)
	if err != nil {
		return g.without(ctx, err, "L4", "L5")
	}
	v := &detect.Earned{
		BAC:  float64(e.GetBudgetAtCompletion()),
		SPIt: e.TimePerformanceIndex, CPI: e.CostPerformanceIndex, TCPI: e.ToCompletePerformanceIndex,
	}
	for _, estimate := range e.GetEstimates() {
		if estimate.GetFormula() == implementationv1.EstimateAtCompletion_COST_PERFORMANCE {
			v.EAC = estimate.EstimateAtCompletion
		}
	}
	g.f.Earned = v
	return nil
}
