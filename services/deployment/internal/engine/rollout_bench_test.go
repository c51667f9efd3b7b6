package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/engine"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// BenchmarkRollouts takes one release after the other to fleets of two sizes, with agents that answer at once. What the
// engine costs for a target must not grow with their number: the larger fleet is the control of the smaller.
func BenchmarkRollouts(b *testing.B) {
	for _, kind := range tables.Databases(b) {
		for _, size := range []int{250, 2000} {
			b.Run(fmt.Sprintf("%s/%d", kind.Name, size), func(b *testing.B) {
				f := newFleetBench(b, kind.URL(b), size)
				for n := 0; b.Loop(); n++ {
					f.rollout(fmt.Sprintf("d%d", n), fmt.Sprintf("v%d", n%2))
				}
				f.report()
			})
		}
	}
}

// fleetBench is an engine without workers, so that each step is called and timed by itself.
type fleetBench struct {
	b      *testing.B
	ctx    context.Context
	store  *store.Store
	engine *engine.Engine
	size   int
	spent  map[string]time.Duration
	count  int
}

func newFleetBench(b *testing.B, url string, size int) *fleetBench {
	b.Helper()
	st, err := store.Open(b.Context(), store.Config{Database: sqldb.Config{URL: url}, Metrics: sqldb.Config{URL: url, Synchronous: "NORMAL"}})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, st.Close()) })
	e, err := engine.New(engine.Config{Store: st, Blobs: blobs{}})
	require.NoError(b, err)
	f := &fleetBench{b: b, ctx: as(b.Context(), "users/alice"), store: st, engine: e, size: size, spent: map[string]time.Duration{}}
	_, err = store.Applications.Create(f.ctx, st.Resources, &deploymentv1.CreateApplicationRequest{Parent: ws, ApplicationId: "shop", Application: &deploymentv1.Application{}})
	require.NoError(b, err)
	_, err = store.Environments.Create(f.ctx, st.Resources, &deploymentv1.CreateEnvironmentRequest{Parent: ws, EnvironmentId: "prod", Environment: &deploymentv1.Environment{}})
	require.NoError(b, err)
	for i := range 2 {
		_, err := store.Releases.Create(f.ctx, st.Resources, &deploymentv1.CreateReleaseRequest{Parent: app, ReleaseId: fmt.Sprintf("v%d", i), Release: &deploymentv1.Release{
			Version: fmt.Sprintf("%d.0.0", i+1), Run: &deploymentv1.RunSpec{Command: []string{"bin/app"}},
			Artifacts: []*deploymentv1.Artifact{{Os: "linux", Arch: "amd64", Sha256: strings.Repeat(fmt.Sprint(i), 64), SizeBytes: 1}},
		}})
		require.NoError(b, err)
	}
	require.NoError(b, st.DB.Tx(f.ctx, f.seed))
	return f
}

// seed makes the targets, all of them connected for an hour.
func (f *fleetBench) seed(ctx context.Context, tx *sqldb.Tx) error {
	targets := make([]*deploymentv1.Target, 0, f.size)
	for i := range f.size {
		targets = append(targets, &deploymentv1.Target{Name: fmt.Sprintf("%s/targets/t%05d", env, i)})
	}
	if err := store.Targets.InsertMany(ctx, tx, f.store.Resources, targets); err != nil {
		return err
	}
	now := f.store.Now()
	for _, t := range targets {
		_, err := tx.ExecContext(ctx, `INSERT INTO target_presence (target, agent, connected, changed_at, last_seen, replica, lease_until) VALUES ($1, 'a', 1, $2, $2, 'r', $3)`,
			t.GetName(), now.UnixMicro(), now.Add(time.Hour).UnixMicro())
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *fleetBench) timed(phase string, do func() error) {
	f.b.Helper()
	began := time.Now()
	require.NoError(f.b, do())
	f.spent[phase] += time.Since(began)
}

// rollout takes a release to all targets and waits until it is sealed everywhere.
func (f *fleetBench) rollout(id, release string) {
	f.b.Helper()
	var d *deploymentv1.Deployment
	f.timed("create", func() (err error) {
		d, err = f.engine.Create(f.ctx, &deploymentv1.CreateDeploymentRequest{Parent: app, DeploymentId: id, Deployment: &deploymentv1.Deployment{
			Release: app + "/releases/" + release, Environment: env,
		}})
		return err
	})
	sequence := int64(0)
	for {
		f.timed("decide", func() error { return f.engine.Advance(f.ctx, d.GetName()) })
		var commands []*agentv1.Command
		f.timed("dispatch", func() (err error) { commands, err = f.pending(); return err })
		if len(commands) == 0 {
			break
		}
		for len(commands) > 0 {
			batch := commands[:min(reportBatch, len(commands))]
			commands = commands[len(batch):]
			sequence++
			f.timed("results", func() error { return f.engine.Apply(f.ctx, answers(batch, sequence)) })
		}
	}
	ended, err := store.Deployments.Load(f.ctx, f.store.DB.Read(), d.GetName())
	require.NoError(f.b, err)
	require.Equal(f.b, deploymentv1.Deployment_SUCCEEDED, ended.GetState(), ended.String())
	f.count++
}

// pending asks for the commands of all targets, a hundred at a time as agents of such hosts would.
func (f *fleetBench) pending() (all []*agentv1.Command, err error) {
	for first := 0; first < f.size; first += 100 {
		var targets []string
		for i := first; i < min(first+100, f.size); i++ {
			targets = append(targets, fmt.Sprintf("%s/targets/t%05d", env, i))
		}
		commands, err := f.engine.Pending(f.ctx, targets)
		if err != nil {
			return nil, err
		}
		all = append(all, commands...)
	}
	return all, nil
}

// answers is what agents say that do at once as they are told.
func answers(commands []*agentv1.Command, sequence int64) []*agentv1.Report {
	reports := make([]*agentv1.Report, 0, len(commands))
	for _, c := range commands {
		r := &agentv1.Report{
			Sequence: sequence, Installation: c.GetInstallation(), Attempt: c.GetAttempt(), Epoch: c.GetEpoch(),
			State: deploymentv1.Installation_HEALTHY, Health: deploymentv1.Installation_HEALTHY_NOW,
		}
		switch c.GetAction() {
		case agentv1.Command_SEAL:
			r.State = deploymentv1.Installation_SEALED
		case agentv1.Command_PRESTAGE:
			r.Prestaged = true
		default:
		}
		reports = append(reports, r)
	}
	return reports
}

func (f *fleetBench) report() {
	perTarget := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(f.count*f.size) }
	total := time.Duration(0)
	for phase, d := range f.spent {
		f.b.ReportMetric(perTarget(d), "µs/target-"+phase)
		total += d
	}
	f.b.ReportMetric(perTarget(total), "µs/target")
	f.b.ReportMetric(0, "ns/op")
}
