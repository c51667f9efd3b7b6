package circle_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/circle"
)

func TestAGraphIsKeptByTwo(t *testing.T) {
	t.Parallel()
	here := map[string][]string{"a": {"x1"}, "b": {"a"}}
	there := map[string][]string{"x1": {"x2"}, "x2": {"b"}}
	asked := map[string]int{}
	silent := false
	graph := func() *circle.Graph {
		return &circle.Graph{
			Elsewhere: func(name string) bool { return strings.HasPrefix(name, "x") },
			Here: func(_ context.Context, name string) ([]string, error) {
				asked[name]++
				return here[name], nil
			},
			There: func(_ context.Context, name string) ([]string, error) {
				asked[name]++
				if silent {
					return there[name], errors.New("silent")
				}
				return there[name], nil
			},
		}
	}
	g := graph()
	path, err := g.Find(t.Context(), "a", 100)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "x1", "x2", "b", "a"}, path)
	_, err = g.Find(t.Context(), "b", 100)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"a": 1, "b": 1, "x1": 1, "x2": 1}, asked, "each once, however often it is searched")

	silent = true
	g = graph()
	path, err = g.Find(t.Context(), "a", 100)
	require.NoError(t, err)
	require.Nil(t, path)
	require.True(t, g.Deaf(), "nothing was found, and it may be there")

	g = graph()
	g.Set("new", "x9", "b")
	g.Add("a", "new")
	path, err = g.Find(t.Context(), "new", 100)
	require.NoError(t, err)
	require.Equal(t, []string{"new", "b", "a", "new"}, path, "what is about to be stored closes it")

	g = graph()
	g.There = nil
	path, err = g.Find(t.Context(), "a", 100)
	require.NoError(t, err)
	require.Nil(t, path)
	require.False(t, g.Deaf(), "where nobody else is nothing is missing")
	_, err = (&circle.Graph{Elsewhere: func(string) bool { return false }, Here: func(context.Context, string) ([]string, error) { return nil, errors.New("broken") }}).Find(t.Context(), "a", 9)
	require.ErrorContains(t, err, "broken")
}
