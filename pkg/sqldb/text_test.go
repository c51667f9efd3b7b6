package sqldb_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/sqldb"
)

func TestPlaceholdersAreCountedAcrossRows(t *testing.T) {
	require.Equal(t, "$3, $4, $5", sqldb.Marks(3, 3))
	require.Equal(t, "($1, $2), ($3, $4), ($5, $6)", sqldb.Tuples(3, 2))
	require.Empty(t, sqldb.Marks(1, 0)+sqldb.Tuples(0, 2))
	require.Equal(t, []any{"a", "b"}, sqldb.Texts([]string{"a", "b"}))
}
