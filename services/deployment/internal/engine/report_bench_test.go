package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/engine"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// reportBatch is how many reports the fleet makes durable at once.
const reportBatch = 200

// BenchmarkReports applies what a fleet says while a wave goes through it, in the batches in which
// it arrives, and beside it the same number of rows written with nothing decided: what the database takes for it.
func BenchmarkReports(b *testing.B) {
	for _, kind := range tables.Databases(b) {
		b.Run(kind.Name, func(b *testing.B) {
			st, err := store.Open(b.Context(), store.Config{
				Database: sqldb.Config{URL: kind.URL(b)}, Metrics: sqldb.Config{URL: kind.URL(b), Synchronous: "NORMAL"},
			})
			require.NoError(b, err)
			b.Cleanup(func() { require.NoError(b, st.Close()) })
			e, err := engine.New(engine.Config{Store: st, Blobs: blobs{}})
			require.NoError(b, err)
			b.Run("engine", func(b *testing.B) { applyWaves(b, st, e) })
			b.Run("control", func(b *testing.B) { writeBare(b, st) })
		})
	}
}

// applyWaves lets waves of reportBatch hosts each say FETCHING, ACTIVATING, PROBING and HEALTHY.
func applyWaves(b *testing.B, st *store.Store, e *engine.Engine) {
	b.Helper()
	states := []deploymentv1.Installation_State{
		deploymentv1.Installation_FETCHING, deploymentv1.Installation_ACTIVATING, deploymentv1.Installation_PROBING, deploymentv1.Installation_HEALTHY,
	}
	reports := 0
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		names := claimedWave(b, st, fmt.Sprintf("%s-%d", b.Name(), n))
		b.StartTimer()
		for i, state := range states {
			batch := make([]*agentv1.Report, 0, len(names))
			for _, name := range names {
				batch = append(batch, &agentv1.Report{
					Sequence: int64(i + 1), Installation: name, Attempt: 1, Epoch: 1, State: state,
					Steps: []*deploymentv1.InstallationStep{{State: state, Step: "test", Succeeded: true}},
				})
			}
			require.NoError(b, e.Apply(b.Context(), batch))
			reports += len(batch)
		}
	}
	b.ReportMetric(float64(reports)/b.Elapsed().Seconds(), "reports/s")
	b.ReportMetric(0, "ns/op")
}

func claimedWave(b *testing.B, st *store.Store, id string) (names []string) {
	b.Helper()
	deployment := app + "/deployments/" + id
	var rows []*store.Installation
	for i := range reportBatch {
		name := fmt.Sprintf("%s/installations/t%d", deployment, i)
		names = append(names, name)
		rows = append(rows, &store.Installation{
			Installation: &deploymentv1.Installation{
				Name: name, Target: fmt.Sprintf("%s/targets/%s-%d", env, id, i), ToRelease: app + "/releases/v1", Attempt: 1, Epoch: 1,
				State: deploymentv1.Installation_CLAIMED,
			},
			Deployment: deployment, Application: app, Action: agentv1.Command_INSTALL, Active: true,
		})
	}
	require.NoError(b, st.DB.Tx(b.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		return store.InsertInstallations(ctx, tx, time.Now(), rows)
	}))
	return names
}

// writeBare writes as many rows as a report does: one changed, a step and an event added.
func writeBare(b *testing.B, st *store.Store) {
	b.Helper()
	require.NoError(b, st.DB.Tx(b.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		for _, table := range []string{"bare_rows (id BIGINT PRIMARY KEY, state BIGINT NOT NULL)", "bare_steps (id BIGINT PRIMARY KEY, step TEXT NOT NULL)", "bare_events (id BIGINT PRIMARY KEY, after TEXT NOT NULL)"} {
			if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS `+table); err != nil {
				return err
			}
		}
		for i := range reportBatch {
			if _, err := tx.ExecContext(ctx, `INSERT INTO bare_rows (id, state) VALUES ($1, 0) ON CONFLICT DO NOTHING`, i); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM bare_steps`)
		if err == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM bare_events`)
		}
		return err
	}))
	text := fmt.Sprintf("%0400d", 1)
	written := 0
	for b.Loop() {
		require.NoError(b, st.DB.Tx(b.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			for i := range reportBatch {
				for query, args := range map[string][]any{
					`UPDATE bare_rows SET state = $1 WHERE id = $2`:       {written, i},
					`INSERT INTO bare_steps (id, step) VALUES ($1, $2)`:   {written + i, "test"},
					`INSERT INTO bare_events (id, after) VALUES ($1, $2)`: {written + i, text},
				} {
					if _, err := tx.ExecContext(ctx, query, args...); err != nil {
						return err
					}
				}
			}
			return nil
		}))
		written += reportBatch
	}
	b.ReportMetric(float64(written)/b.Elapsed().Seconds(), "reports/s")
	b.ReportMetric(0, "ns/op")
}
