package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/engine"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestSeveralDetectorsJudgeEveryImplementation(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		require.NoError(t, db.Migrate(t.Context(), feed.Source(), resource.Source(), store.Source()))
		s := store.New(db, feed.New(db, feed.Config{}), nil)
		for _, id := range []string{"crm", "erp", "hr"} {
			_, err := store.Implementations.Create(t.Context(), s.Store, &implementationv1.CreateImplementationRequest{
				Parent: "workspaces/default", ImplementationId: id, Implementation: &implementationv1.Implementation{},
			})
			require.NoError(t, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 2)
		for range cap(done) {
			go func() { done <- engine.NewDetectors(s, zap.NewNop(), time.Millisecond).Run(ctx) }()
		}
		tomorrow := time.Now().Add(23 * time.Hour).UnixMicro() // a claim alone is for minutes
		require.Eventually(t, func() bool {
			var judged int
			err := db.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM detector_runs WHERE due_time > $1", tomorrow).Scan(&judged)
			return err == nil && judged == 3
		}, 10*time.Second, 5*time.Millisecond)
		cancel()
		for range cap(done) {
			require.NoError(t, <-done)
		}
	})
}
