package engine

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestManyGatesAreWatchedByManyStreams(t *testing.T) {
	many := watch{}
	for i := range 2*watchMost + 1 {
		many[fmt.Sprintf("p%d", i)] = []string{"d2", "d1", "d2"}
	}
	a, b := part{workspace: "workspaces/a"}, part{workspace: "workspaces/b"}
	pieces := parts(map[part]watch{a: many, b: {"p": {"d"}}})
	require.Len(t, pieces, 4)
	again := watch{}
	for p, piece := range pieces {
		require.LessOrEqual(t, len(piece), watchMost, "more is refused by the contract, and nobody would be told of anything")
		for r, waiting := range piece {
			if p.workspace == "workspaces/a" {
				again[r] = waiting
				require.Equal(t, []string{"d1", "d2"}, waiting)
			}
		}
	}
	require.Len(t, again, len(many))
}
