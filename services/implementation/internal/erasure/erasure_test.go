package erasure_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/erasure"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestAnErasureThatBeganEnds(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		t.Helper()
		require.NoError(t, db.Migrate(t.Context(), feed.Source(), resource.Source(), store.Source()))
		s := store.New(db, feed.New(db, feed.Config{}), nil)
		_, err := store.People.Create(t.Context(), s.Store, &implementationv1.CreatePersonRequest{
			Parent: "workspaces/w", PersonId: "p1", Person: &implementationv1.Person{},
		})
		require.NoError(t, err)
		asked := 0
		place := erasure.Place{Data: "elsewhere", Forget: func(_ context.Context, person string) (int64, error) {
			require.Equal(t, "workspaces/w/people/p1", person)
			if asked++; asked == 1 {
				return 0, errors.New("the disk is away")
			}
			return 3, nil
		}}
		e := erasure.New(s, zap.NewNop(), place)
		req := &implementationv1.ErasePersonRequest{Name: "workspaces/w/people/p1"}
		receipt, err := e.Erase(t.Context(), req)
		require.NoError(t, err, "it began, and that is kept")
		require.Equal(t, implementationv1.Erasure_ERASING, receipt.GetState())
		known, err := s.KnownPeople(t.Context(), []string{"workspaces/w/people/p1"})
		require.NoError(t, err)
		require.Empty(t, known, "nothing new is kept of who is being erased")

		// Another process sweeps.
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- erasure.New(s, zap.NewNop(), place).Run(ctx) }()
		require.Eventually(t, func() bool {
			receipt, err = store.Erasures.Load(t.Context(), db.Read(), "workspaces/w/erasures/p1")
			require.NoError(t, err)
			return receipt.GetState() == implementationv1.Erasure_DONE
		}, time.Minute, 5*time.Millisecond)
		cancel()
		require.NoError(t, <-done)
		require.Equal(t, 2, asked)
		counts := map[string]int64{}
		for _, item := range receipt.GetItems() {
			counts[item.GetData()] = item.GetCount()
		}
		require.EqualValues(t, 3, counts["elsewhere"])
		again, err := e.Erase(t.Context(), req)
		require.NoError(t, err)
		require.Equal(t, receipt.GetEtag(), again.GetEtag())
	})
}

func TestARunThatIsToldToEndEnds(t *testing.T) {
	db := pgtest.Databases(t)[0].Open(t)
	require.NoError(t, db.Migrate(t.Context(), feed.Source(), resource.Source(), store.Source()))
	s := store.New(db, feed.New(db, feed.Config{}), nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, erasure.New(s, zap.NewNop()).Run(ctx))
}
