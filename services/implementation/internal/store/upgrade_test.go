package store_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

func TestAnImplementationFromBeforeStatesBecomesADraft(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		ctx := t.Context()
		// As the release before wrote it: neither the message nor its column knows a state.
		before := store.Implementations.With(resource.Hooks[*implementationv1.Implementation]{})
		for i := range 3 {
			_, err := before.Create(ctx, s.Store, &implementationv1.CreateImplementationRequest{
				Parent: ws, ImplementationId: fmt.Sprintf("old-%d", i), Implementation: &implementationv1.Implementation{DisplayName: "Of before"},
			})
			require.NoError(t, err)
		}
		require.NoError(t, s.Upgrade(ctx))
		find := &implementationv1.ListImplementationsRequest{Parent: ws, Filter: "state = DRAFT"}
		found, _, err := store.Implementations.List(ctx, s.Store, find)
		require.NoError(t, err)
		require.Len(t, found, 3)
		require.NoError(t, s.Upgrade(ctx))
		again, _, err := store.Implementations.List(ctx, s.Store, find)
		require.NoError(t, err)
		require.Equal(t, found[0].GetUpdateTime().AsTime(), again[0].GetUpdateTime().AsTime(), "once is enough")
		require.NoError(t, store.Implementations.Rederive(ctx, db))
	})
}
