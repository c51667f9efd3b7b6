package engine_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/engine"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// up is a deployment service that was up nine tenths of the time.
type up struct{}

func (up) ComputeMeasures(_ context.Context, req *deploymentv1.ComputeMeasuresRequest, _ ...grpc.CallOption) (*deploymentv1.ComputeMeasuresResponse, error) {
	out := &deploymentv1.ComputeMeasuresResponse{}
	for _, s := range req.GetScopes() {
		out.Measures = append(out.Measures, &deploymentv1.Measures{Key: s.GetKey(), Uptime: &deploymentv1.Share{Numerator: 9, Denominator: 10}, Coverage: 1})
	}
	return out, nil
}

func TestTheScorecardOfADayIsKeptOnce(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		s := keeping(t, db, func() time.Time { return now })
		states := map[string]implementationv1.Implementation_State{
			"draft": implementationv1.Implementation_DRAFT, "closed": implementationv1.Implementation_CLOSED, "cancelled": implementationv1.Implementation_CANCELLED,
			"active": implementationv1.Implementation_ACTIVE, "held": implementationv1.Implementation_ON_HOLD,
		}
		for id, state := range states {
			begun(t, s, "workspaces/default/implementations/"+id, state)
		}
		cards := engine.NewScorecards(s, up{}, zap.NewNop())
		keep := func() int {
			t.Helper()
			n, err := engine.NewSnapshots(s, cards, zap.NewNop()).Keep(t.Context())
			require.NoError(t, err)
			return n
		}
		require.Zero(t, keep(), "the day has not ended")

		now = time.Date(2026, 3, 3, 0, 0, 30, 0, time.UTC)
		var both sync.WaitGroup
		counts := make(chan int, 2)
		for range cap(counts) { // two replicas
			both.Go(func() { counts <- keep() })
		}
		both.Wait()
		require.Equal(t, 2, <-counts+<-counts, "active and held, each once")
		const active = "workspaces/default/implementations/active"
		kept, err := s.ScorecardHistory(t.Context(), active, "2026-01-01")
		require.NoError(t, err)
		require.Len(t, kept, 1)
		require.Equal(t, active+"/scorecardSnapshots/2026-03-02", kept[0].GetName())
		card := kept[0].GetScorecard()
		require.Equal(t, "2026-03-02T23:59:59.999999Z", card.GetAsOf().AsTime().Format(time.RFC3339Nano))
		require.InDelta(t, .9, card.GetMeasures()[0].GetValue(), 1e-12)
		require.NotContains(t, card.GetMeasures()[0].GetMessage(), "written", "in time")
		require.Zero(t, keep())

		now = now.AddDate(0, 0, 3).Add(5 * time.Hour) // nobody ran for three days
		require.Equal(t, 2, keep(), "of the days before the last nothing is made up")
		kept, err = s.ScorecardHistory(t.Context(), active, "2026-01-01")
		require.NoError(t, err)
		require.Len(t, kept, 2)
		require.Equal(t, "2026-03-05", kept[1].GetDay())
		require.Contains(t, kept[1].GetScorecard().GetMeasures()[3].GetMessage(), "written 5 h after the end of the day")

		now = time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC) // four weeks before is 3 March, of which nothing was kept
		today, err := cards.Compute(t.Context(), "workspaces/default", []string{active})
		require.NoError(t, err)
		require.Equal(t, "2026-03-02", today[0].GetMeasures()[0].GetTrend().GetPreviousDay())

		again, err := s.KeepScorecard(t.Context(), "2026-03-05", today[0])
		require.NoError(t, err)
		require.False(t, again, "what was kept is never changed")
		require.NoError(t, store.ScorecardSnapshots.CheckTable(t.Context(), db))
		require.NoError(t, store.ScorecardSnapshots.Rederive(t.Context(), db))
	})
}

// silent does not answer.
type silent struct{}

func (silent) ComputeMeasures(context.Context, *deploymentv1.ComputeMeasuresRequest, ...grpc.CallOption) (*deploymentv1.ComputeMeasuresResponse, error) {
	return nil, fault.Unavailable("AWAY", "away; try again")
}

func TestASnapshotWaitsForTheOtherHalfAndForNobodyElse(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		s := keeping(t, db, func() time.Time { return now })
		const broken, well = "workspaces/default/implementations/broken", "workspaces/default/implementations/well"
		begun(t, s, broken, implementationv1.Implementation_ACTIVE)
		begun(t, s, well, implementationv1.Implementation_ACTIVE)
		now = time.Date(2026, 3, 3, 0, 10, 0, 0, time.UTC)
		keep := func() int {
			n, err := engine.NewSnapshots(s, engine.NewScorecards(s, silent{}, zap.NewNop()), zap.NewNop()).Keep(t.Context())
			require.NoError(t, err)
			return n
		}
		require.Zero(t, keep(), "it may answer in a minute")
		// More cohort plans than are counted at once: this one has no scorecard.
		require.NoError(t, db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			for i := range store.MaxPlans + 1 {
				plan := &implementationv1.CohortPlan{Name: fmt.Sprintf("%s/cohortPlans/p%d", broken, i), Cohort: "workspaces/default/cohorts/c"}
				if err := store.CohortPlans.Insert(ctx, tx, s.Store, plan, resource.Meta{}); err != nil {
					return err
				}
			}
			return nil
		}))
		now = time.Date(2026, 3, 3, 1, 10, 0, 0, time.UTC)
		require.Equal(t, 1, keep(), "an hour is enough, and one that is broken holds nobody up")
		kept, err := s.ScorecardHistory(t.Context(), well, "2026-01-01")
		require.NoError(t, err)
		require.Len(t, kept, 1)
		require.Equal(t, implementationv1.ScorecardMeasure_UNKNOWN, kept[0].GetScorecard().GetMeasures()[0].GetState())
		require.Contains(t, kept[0].GetScorecard().GetMeasures()[0].GetMessage(), "does not answer")
	})
}

func TestASnapshotWithoutApplicationsWaitsForNobody(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		s := keeping(t, db, func() time.Time { return now })
		const crm, people = "workspaces/default/implementations/crm", "workspaces/default/implementations/people"
		begun(t, s, crm, implementationv1.Implementation_ACTIVE)
		begun(t, s, people, implementationv1.Implementation_ACTIVE, func(i *implementationv1.Implementation) { i.Applications = nil })
		now = time.Date(2026, 3, 3, 0, 10, 0, 0, time.UTC)
		for _, want := range []int{1, 0} {
			n, err := engine.NewSnapshots(s, engine.NewScorecards(s, silent{}, zap.NewNop()), zap.NewNop()).Keep(t.Context())
			require.NoError(t, err)
			require.Equal(t, want, n)
		}
		kept, err := s.ScorecardHistory(t.Context(), people, "2026-01-01")
		require.NoError(t, err)
		require.Len(t, kept, 1)
		require.Contains(t, kept[0].GetScorecard().GetMeasures()[0].GetMessage(), "names no application")
		var reads int
		require.NoError(t, db.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM events WHERE type = $1", "implementation.adoption.read").Scan(&reads))
		require.Equal(t, 1, reads, "nothing is read for a scorecard that waits")
	})
}

// keeping is a store with usage beside it.
func keeping(t *testing.T, db *sqldb.DB, now func() time.Time) *store.Store {
	t.Helper()
	require.NoError(t, db.Migrate(t.Context(), feed.Source(), resource.Source(), store.Source()))
	s := store.New(db, feed.New(db, feed.Config{}), now)
	require.NoError(t, s.UseMetrics(t.Context(), db))
	return s
}

func begun(t *testing.T, s *store.Store, name string, state implementationv1.Implementation_State, change ...func(*implementationv1.Implementation)) {
	t.Helper()
	i := &implementationv1.Implementation{Name: name, State: state, Applications: []string{"workspaces/default/applications/crm"}}
	for _, f := range change {
		f(i)
	}
	require.NoError(t, s.DB().Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		return store.Implementations.Insert(ctx, tx, s.Store, i, resource.Meta{})
	}))
}
