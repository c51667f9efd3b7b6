package store_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

func TestAnAnswerAboutFreezesCountsWhileItIsWaitedFor(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		open(t, db)
		now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		s := store.New(db, feed.New(db, feed.Config{}), func() time.Time { return now })
		makeCRM(t, s)
		claim := func() time.Time {
			t.Helper()
			i, until, err := s.ClaimFreezes(t.Context())
			require.NoError(t, err)
			require.Equal(t, crm, i.GetName())
			return until
		}
		record := func(claimed time.Time, policy string) {
			t.Helper()
			require.NoError(t, s.RecordFreezes(t.Context(), crm, claimed, []*deploymentv1.Freeze{{Policy: policy}}))
		}
		idle := func() {
			t.Helper()
			i, _, err := s.ClaimFreezes(t.Context())
			require.NoError(t, err)
			require.Nil(t, i)
		}
		known := func() (policies []string) {
			t.Helper()
			rows, err := db.Read().QueryContext(t.Context(), "SELECT policy FROM freezes")
			policies, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (policy string, err error) { return policy, rows.Scan(&policy) })
			require.NoError(t, err)
			return policies
		}

		asked := claim()
		idle()
		require.NoError(t, db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			return s.HearDeployments(ctx, tx, []*eventv1.Event{{Type: "deployment.policy.updated", Resource: ws + "/policies/nights"}})
		}))
		record(asked, "before the change")
		require.Empty(t, known())
		now = now.Add(time.Second)
		again := claim()
		record(asked, "late")
		require.Empty(t, known())
		record(again, "after the change")
		require.Equal(t, []string{"after the change"}, known())
		idle()

		now = now.Add(time.Hour)
		asked = claim()
		_, err := store.Implementations.Delete(t.Context(), s.Store, &implementationv1.DeleteImplementationRequest{Name: crm})
		require.NoError(t, err)
		record(asked, "of what is gone")
		require.Empty(t, known())
	})
}
