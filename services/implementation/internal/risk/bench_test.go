package risk

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
	"github.com/golive-dev/golive/services/implementation/internal/cputime"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// The figure is 500 tasks × 10 000 iterations; the others show that the time is linear in
// both. The control is what one writes first: a random number and an inverse distribution
// function a sample, the tasks one after the other, on one goroutine.
func BenchmarkForecast(b *testing.B) {
	for _, size := range []struct{ tasks, iterations int }{{500, 10_000}, {250, 10_000}, {1000, 10_000}, {500, 5000}, {500, 20_000}} {
		b.Run(fmt.Sprintf("tasks=%d/iterations=%d", size.tasks, size.iterations), func(b *testing.B) {
			n := examplePlan(size.tasks, 3)
			defer cputime.Measure(b)()
			for b.Loop() {
				run(n, beta, .2, 1, size.iterations)
			}
			perDraw(b, size.tasks*size.iterations)
		})
	}
	b.Run("tasks=500/iterations=10000/calendars=mixed", func(b *testing.B) {
		n := examplePlan(500, 3)
		other, err := calendar.New(&implementationv1.Calendar{TimeZone: "Europe/Berlin"})
		require.NoError(b, err)
		for i := range n.Tasks {
			if i%3 == 0 {
				n.Tasks[i].Calendar = other
			}
		}
		for b.Loop() {
			run(n, beta, .2, 1, 10_000)
		}
		perDraw(b, 500*10_000)
	})
	b.Run("control=naive/tasks=500/iterations=100", func(b *testing.B) {
		n := examplePlan(500, 3)
		defer cputime.Measure(b)()
		for b.Loop() {
			naive(n, 100)
		}
		perDraw(b, 500*100)
	})
}

func perDraw(b *testing.B, draws int) {
	b.Helper()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(draws), "ns/draw")
}

func naive(n *plan.Network, iterations int) (finishes []float64) {
	r := rand.New(rand.NewPCG(1, 1))
	for range iterations {
		end := make([]float64, len(n.Tasks))
		var finish float64
		for i, t := range n.Tasks {
			e := left(&t)
			lambda := 4 * (e.Likely - e.Optimistic) / (e.Pessimistic - e.Optimistic)
			took := e.Optimistic + (e.Pessimistic-e.Optimistic)*distuv.Beta{Alpha: 1 + lambda, Beta: 5 - lambda}.Quantile(r.Float64())
			var begin float64
			for _, l := range t.Links {
				begin = max(begin, end[l.From])
			}
			end[i] = begin + took
			finish = max(finish, end[i])
		}
		finishes = append(finishes, finish)
	}
	return finishes
}
