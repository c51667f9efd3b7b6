package circle_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/golive-dev/golive/pkg/circle"
)

type graph map[string][]string

func (g graph) next(_ context.Context, name string) ([]string, error) { return g[name], nil }

func TestFind(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		graph graph
		most  int
		want  []string
	}{
		"nothing is waited for":                {graph: graph{}, most: 10},
		"a thing waits for itself":             {graph: graph{"a": {"a"}}, most: 10, want: []string{"a", "a"}},
		"two wait for each other":              {graph: graph{"a": {"b"}, "b": {"a"}}, most: 10, want: []string{"a", "b", "a"}},
		"the shortest way is told":             {graph: graph{"a": {"b", "c"}, "b": {"d"}, "d": {"a"}, "c": {"a"}}, most: 10, want: []string{"a", "c", "a"}},
		"a circle without the start is none":   {graph: graph{"a": {"b"}, "b": {"c"}, "c": {"b"}}, most: 10},
		"a diamond is no circle":               {graph: graph{"a": {"b", "c"}, "b": {"d"}, "c": {"d"}}, most: 10},
		"not more than most are asked about":   {graph: graph{"a": {"b"}, "b": {"c"}, "c": {"a"}}, most: 2},
		"just as many as most are asked about": {graph: graph{"a": {"b"}, "b": {"c"}, "c": {"a"}}, most: 3, want: []string{"a", "b", "c", "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := circle.Find(t.Context(), "a", tt.graph.next, tt.most)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestFindStopsWithAnError(t *testing.T) {
	t.Parallel()
	broken := errors.New("nobody answers")
	_, err := circle.Find(t.Context(), "a", func(context.Context, string) ([]string, error) { return nil, broken }, 10)
	require.ErrorIs(t, err, broken)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = circle.Find(ctx, "a", graph{}.next, 10)
	require.ErrorIs(t, err, context.Canceled)
}

// A circle is found exactly where the start can be reached from one of those it waits for, its way follows the edges, and nothing is asked twice.
func TestFindIsReachability(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "things")
		thing := rapid.Map(rapid.IntRange(0, n-1), strconv.Itoa)
		g := graph{}
		for i := range n {
			g[strconv.Itoa(i)] = rapid.SliceOfN(thing, 0, 3).Draw(t, "waits for")
		}
		asked := map[string]int{}
		path, err := circle.Find(t.Context(), "0", func(ctx context.Context, name string) ([]string, error) {
			asked[name]++
			return g.next(ctx, name)
		}, n)
		require.NoError(t, err)
		for name, times := range asked {
			require.Equal(t, 1, times, name)
		}
		require.Equal(t, reaches(g, "0"), path != nil)
		for i := 1; i < len(path); i++ {
			require.Contains(t, g[path[i-1]], path[i])
		}
		if path != nil {
			require.Equal(t, "0", path[0])
			require.Equal(t, "0", path[len(path)-1])
			inner := slices.Clone(path[1 : len(path)-1])
			slices.Sort(inner)
			require.Len(t, slices.Compact(inner), len(path)-2, "a shortest way goes through nothing twice")
		}
	})
}

// reaches is the closure by depth, an independent way to the same answer.
func reaches(g graph, start string) bool {
	seen := map[string]bool{}
	var visit func(name string) bool
	visit = func(name string) bool {
		return slices.ContainsFunc(g[name], func(to string) bool {
			if to == start {
				return true
			}
			if seen[to] {
				return false
			}
			seen[to] = true
			return visit(to)
		})
	}
	return visit(start)
}
