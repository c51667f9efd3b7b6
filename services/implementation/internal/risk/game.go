package risk

import (
	"slices"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// newGame makes the tables and streams of a network.
func newGame(n network, d implementationv1.Forecast_Distribution, rho float64, seed int64) *game {
	g := &game{
		network: n, rho: rho,
		tables: make([]*quantiles, len(n.tasks)), streams: make([]stream, len(n.tasks)), stage: make([]int, len(n.tasks)),
	}
	shape, tables, factors := newGrid(), map[Estimate]*quantiles{}, map[string]int{}
	for i, t := range n.tasks {
		if t.milestone && !t.isDone {
			g.watched = append(g.watched, i)
		}
		if t.certain || t.isDone || t.left.Certain() {
			continue
		}
		if tables[t.left] == nil {
			tables[t.left] = shape.tabulate(t.left, d)
		}
		g.tables[i] = tables[t.left]
		g.streams[i] = newStream(seed, ofTask, t.name)
		if _, ok := factors[t.stage]; !ok {
			factors[t.stage] = len(g.stages)
			g.stages = append(g.stages, newStream(seed, ofStage, t.stage))
		}
		g.stage[i] = factors[t.stage]
	}
	g.watched = slices.Clip(g.watched)
	return g
}
