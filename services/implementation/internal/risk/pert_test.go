package risk

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

func path(p pert) (names string) {
	for i, r := range p.rows {
		if r.critical {
			names += string(rune('A' + i))
		}
	}
	return names
}

func TestClassicalPertOfSixTasks(t *testing.T) {
	t.Parallel()
	n := net(work(2, 5, 8), work(1, 2, 9, 0), work(.25, .5, 3.75, 0), work(1, 1, 7, 1), work(1, 2, 9, 1, 2), work(1, 3, 11, 3, 4))
	p := newGame(n, beta, 0, 1).pert()
	for i, te := range []float64{5, 3, 1, 2, 3, 4} {
		require.InDelta(t, te, p.rows[i].expected/unit, 1e-9)
	}
	require.InDelta(t, 15, p.expected/unit, 1e-9)
	require.InDelta(t, 7.3333, p.variance/unit/unit, 5e-5)
	require.Equal(t, "ABEF", path(p))
}

func TestClassicalPertOfFourteenTasks(t *testing.T) {
	t.Parallel()
	const A, B, C, D, E, F, G, H, I, J, K, L, M = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
	n := net(
		work(5, 5, 7), work(1, 2, 5), work(5, 5, 5, A), work(4, 8, 13, A), work(1, 10, 17, B, C), work(1, 5, 7, D), work(2, 6, 9, D),
		work(4, 4, 6, E, F), work(2, 7, 10, G, H), work(2, 4, 7, I), work(6, 10, 13, I), work(2, 6, 6, J), work(2, 2, 3, K), work(7, 7, 12, L, M),
	)
	p := newGame(n, beta, 0, 1).pert()
	require.InDelta(t, 50.8333, p.expected/unit, 5e-5)
	require.InDelta(t, 3.3458, math.Sqrt(p.variance)/unit, 5e-5)
	for i, float := range []float64{0, 8, 0, 1.8333, 0, 1.8333} {
		require.InDelta(t, float, p.rows[i].float/unit, 5e-4, "float of %c", 'A'+i)
	}
}

func TestClassicalPertKnowsAllLinks(t *testing.T) {
	t.Parallel()
	const ss, ff, fs = 2, 3, 1
	at := func(days float64, links ...plan.Link) plan.Node {
		node := work(days/unit, days/unit, days/unit)
		node.Links = links
		return node
	}
	n := net(
		at(10), at(6, plan.Link{From: 0, Type: ss, Lag: 3}), at(8, plan.Link{From: 0, Type: fs, Lag: 2}),
		at(4, plan.Link{From: 1, Type: ff, Lag: 5}, plan.Link{From: 2, Type: fs, Lag: -1}),
	)
	p := newGame(n, beta, 0, 1).pert()
	require.InDelta(t, 23, p.expected, 1e-9)
	for i, float := range []float64{0, 9, 0, 0} {
		require.InDelta(t, float, p.rows[i].float, 1e-9, "float of %c", 'A'+i)
	}
	require.Equal(t, "ACD", path(p))
}
