package engine_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/engine"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

func opened(t *testing.T, path string) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(t.Context(), sqldb.Config{URL: "sqlite:" + path})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// backUp copies a database that is in use, as the documentation tells people to.
func backUp(t *testing.T, from, to string) {
	t.Helper()
	db, err := sql.Open("sqlite", from)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), `VACUUM INTO ?`, to)
	require.NoError(t, err)
	require.NoError(t, db.Close())
}

// restored is a server on a database that was put back, with hosts that lived on.
func restored(t *testing.T, db *sqldb.DB) *world {
	t.Helper()
	st, err := store.Over(t.Context(), db, db, store.Config{Logger: zaptest.NewLogger(t)})
	require.NoError(t, err)
	w := &world{t: t, store: st, ctx: as(t.Context(), "users/alice")}
	w.engine, err = engine.New(engine.Config{Store: st, Blobs: blobs{}, Logger: zaptest.NewLogger(t)})
	require.NoError(t, err)
	w.hosts = &hosts{work: w.engine, t: t, hold: map[string]bool{}, done: map[string]int{}, hinted: make(chan []string, 100)}
	w.engine.HintTo(w.hosts)
	return w
}

func (w *world) live(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	t.Cleanup(func() { stop(); running.Wait() })
	running.Go(func() { w.hosts.run(ctx) })
	running.Go(func() { _ = w.store.Log.Run(ctx) })
	running.Go(func() { _ = w.engine.Run(ctx) })
}

func TestAgentsObeyAServerWhoseDatabaseWasPutBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	before := newWorld(t, opened(t, filepath.Join(dir, "now.db")))
	before.gate.set(1, nil)
	before.reach(before.deploy("first", "v1", byCohort(0)).GetName(), deploymentv1.Deployment_SUCCEEDED)
	backUp(t, filepath.Join(dir, "now.db"), filepath.Join(dir, "backup.db"))
	before.reach(before.deploy("second", "v2", byCohort(0)).GetName(), deploymentv1.Deployment_SUCCEEDED)
	targets := make([]string, 0, 6)
	for _, id := range []string{"t0", "t1", "t2", "t3", "t4", "t5"} {
		targets = append(targets, env+"/targets/"+id)
	}
	accepted, err := store.Epochs(t.Context(), before.store.DB.Read(), targets)
	require.NoError(t, err)
	require.Len(t, accepted, 6)

	w := restored(t, opened(t, filepath.Join(dir, "backup.db")))
	var inventory []*agentv1.Inventory
	for place, epoch := range accepted {
		inventory = append(inventory, &agentv1.Inventory{
			Target: place.Target, Application: place.Application, Installation: app + "/deployments/second/installations/x", Epoch: epoch, ActiveSha256: strings.Repeat("2", 64),
		})
	}
	var stale []string
	w.hosts.ends = func(c *agentv1.Command) deploymentv1.Installation_State {
		if c.GetEpoch() <= accepted[store.Place{Target: c.GetTarget(), Application: c.GetApplication()}] {
			stale = append(stale, c.GetInstallation()) // an agent would refuse it
		}
		return 0
	}
	require.NoError(t, w.engine.Inventory(t.Context(), inventory))
	require.NoError(t, w.engine.Inventory(t.Context(), inventory), "an agent that comes again changes nothing")
	w.live(t)
	for i := range 6 {
		w.connect([]string{"t0", "t1", "t2", "t3", "t4", "t5"}[i], time.Hour)
	}
	third := w.reach(w.deploy("third", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
	require.Equal(t, int32(6), third.GetCounts().GetSealed(), "what the old state calls running is not taken for it: %v", third.GetCounts())
	require.Equal(t, 6, w.hosts.count("INSTALL"))
	require.Empty(t, stale)
}

func TestAnArchiveThatIsNotTheSlotsIsNotTakenForKnown(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.gate.set(1, nil)
		w.reach(w.deploy("first", "v1", byCohort(0)).GetName(), deploymentv1.Deployment_SUCCEEDED)
		target := env + "/targets/t0"
		row, err := store.Targets.Load(w.ctx, w.store.DB.Read(), target)
		require.NoError(t, err)
		row.Facts = &deploymentv1.HostFacts{Os: "linux", Arch: "amd64", MemoryBytes: 1 << 40, DiskFreeBytes: 1 << 40}
		require.NoError(t, w.store.DB.Tx(w.ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			locked, err := store.Targets.LockRow(ctx, tx, target)
			require.NoError(t, err)
			locked.Message.Facts = row.GetFacts()
			return store.Targets.Save(ctx, tx, w.store.Resources, locked.Message, locked.Revision, resource.Meta{})
		}))
		epochs, err := store.Epochs(w.ctx, w.store.DB.Read(), []string{target})
		require.NoError(t, err)
		told := func(sha256 string) bool {
			require.NoError(t, w.engine.Inventory(w.ctx, []*agentv1.Inventory{{
				Target: target, Application: app, Epoch: epochs[store.Place{Target: target, Application: app}], ActiveSha256: sha256,
			}}))
			slots, err := store.SlotsOf(w.ctx, w.store.DB.Read(), app, env)
			require.NoError(t, err)
			return slots[target].Settled
		}
		require.True(t, told(strings.Repeat("1", 64)))
		require.False(t, told(strings.Repeat("3", 64)))
	})
}
