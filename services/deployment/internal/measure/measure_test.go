package measure_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/history"
	"github.com/golive-dev/golive/services/deployment/internal/measure"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

const (
	ws      = "workspaces/w"
	crm     = ws + "/applications/crm"
	erp     = ws + "/applications/erp"
	prod    = ws + "/environments/prod"
	staging = ws + "/environments/staging"
)

// bundle is a store in which the two applications ran for a time, and a clock that stands still.
type bundle struct {
	*store.Store
	testing.TB
	now time.Time
}

func each(t *testing.T, test func(t *testing.T, b *bundle)) {
	t.Helper()
	for _, kind := range pgtest.Databases(t) {
		t.Run(kind.Name, func(t *testing.T) { test(t, setup(t, kind)) })
	}
}

func setup(tb testing.TB, kind pgtest.Named) *bundle {
	tb.Helper()
	b := &bundle{TB: tb, now: time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC)}
	var err error
	b.Store, err = store.Open(tb.Context(), store.Config{
		Database: sqldb.Config{URL: kind.URL(tb)}, Metrics: sqldb.Config{URL: kind.URL(tb)}, Now: func() time.Time { return b.now },
	})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, b.Close()) })
	return b
}

func (b *bundle) tx(fn func(ctx context.Context, tx *sqldb.Tx) error) {
	b.Helper()
	require.NoError(b, b.DB.Tx(b.Context(), fn))
}

// ran puts a release on a target.
func (b *bundle) ran(application, environment, target, release, installation string, at time.Time) {
	b.Helper()
	b.tx(func(ctx context.Context, tx *sqldb.Tx) error {
		return store.PutSlots(ctx, tx, []*store.Slot{{
			Target: environment + "/targets/" + target, Application: application, Release: application + "/releases/" + release, Installation: installation, Since: at, Settled: true,
		}})
	})
}

// probed tells a minute of ten probes.
func (b *bundle) probed(installation string, at time.Time, failed, slow int64) {
	b.Helper()
	good := 10 - failed
	classes := make([]int64, 12)
	for i := range classes {
		if classes[i] = good - slow; i >= 10 { // from 2 s on, the slow ones too
			classes[i] = good
		}
	}
	require.NoError(b, b.AppendProbes(b.Context(), []*agentv1.ProbeSummary{{
		Installation: installation, StartTime: timestamppb.New(at), EndTime: timestamppb.New(at.Add(time.Minute)),
		Succeeded: good, Failed: failed, LatencyMaxUs: 1_500_000, LatencySumUs: 1000, LatencyCounts: classes,
	}}))
}

func (b *bundle) pushed(release, counter, environment string, at time.Time, total, bad int64) {
	b.Helper()
	_, err := b.PutSamples(b.Context(), []*deploymentv1.Sample{{
		Release: release, Counter: counter, Environment: environment, StartTime: timestamppb.New(at.Add(-time.Minute)), EndTime: timestamppb.New(at), Total: total, Bad: bad,
	}})
	require.NoError(b, err)
}

func (b *bundle) insert(messages ...any) {
	b.Helper()
	b.tx(func(ctx context.Context, tx *sqldb.Tx) error {
		for _, m := range messages {
			var err error
			switch m := m.(type) {
			case *deploymentv1.Deployment:
				err = store.Deployments.Insert(ctx, tx, b.Resources, m, resource.Meta{})
			case *deploymentv1.Wave:
				err = store.Waves.Insert(ctx, tx, b.Resources, m, resource.Meta{})
			case *deploymentv1.Incident:
				err = store.Incidents.Insert(ctx, tx, b.Resources, m, resource.Meta{})
			case *deploymentv1.Override:
				err = store.Overrides.Insert(ctx, tx, b.Resources, m, resource.Meta{})
			case *deploymentv1.Feedback:
				err = store.Feedback.Insert(ctx, tx, b.Resources, m, resource.Meta{})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *bundle) compute(req *deploymentv1.ComputeMeasuresRequest) []*deploymentv1.Measures {
	b.Helper()
	req.Parent = ws
	require.NoError(b, b.Rollup(b.Context()))
	out, err := measure.Compute(b.Context(), b.Store, req)
	require.NoError(b, err)
	require.Len(b, out.GetMeasures(), len(req.GetScopes()))
	return out.GetMeasures()
}

func scopeOf(key string, applications []string, environments ...string) *deploymentv1.MeasureScope {
	return &deploymentv1.MeasureScope{Key: key, Applications: applications, Environments: environments}
}

func of(s *deploymentv1.Share) [2]int64 { return [2]int64{s.GetNumerator(), s.GetDenominator()} }

func TestUptimeIsCountedAsHistoryDoes(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		day := b.now.AddDate(0, 0, -4)
		b.ran(crm, prod, "a", "v1", "i1", day)
		b.ran(crm, prod, "a", "v2", "i2", day.Add(3*time.Minute))
		b.ran(crm, prod, "a", "v1", "i2", day.Add(5*time.Minute)) // i2 was reverted: its bucket is read once
		b.ran(crm, staging, "s", "v1", "i3", day)
		b.ran(erp, prod, "a", "v1", "i4", day)
		b.probed("i1", day, 0, 1)
		b.probed("i1", day.Add(time.Minute), 5, 0)
		b.probed("i2", day.Add(3*time.Minute), 10, 0)
		b.probed("i2", day.Add(6*time.Minute), 0, 0)
		b.probed("i3", day, 0, 0)
		b.probed("i4", day, 2, 0)
		b.probed("other", day, 10, 0)

		got := b.compute(&deploymentv1.ComputeMeasuresRequest{Scopes: []*deploymentv1.MeasureScope{
			scopeOf("crm", []string{crm}, prod), scopeOf("everywhere", []string{crm}), scopeOf("both", []string{crm, erp}, prod), scopeOf("none", nil),
			scopeOf("elsewhere", []string{"workspaces/other/applications/crm"}), scopeOf("unknown", []string{ws + "/applications/none"}),
		}})
		require.Equal(t, [2]int64{60_000 + 30_000 + 0 + 60_000, 240_000}, of(got[0].GetUptime()))
		require.Equal(t, [2]int64{150_000 + 60_000, 300_000}, of(got[1].GetUptime()))
		require.Equal(t, [2]int64{150_000 + 48_000, 300_000}, of(got[2].GetUptime()))
		require.EqualValues(t, 1, got[0].GetTargets())
		require.EqualValues(t, 2, got[1].GetTargets())
		require.Equal(t, [2]int64{9 + 5 + 0 + 10, 40}, of(got[0].GetPerformance()), "failed or slower than a second")
		require.Equal(t, [2]int64{15, 40}, of(got[0].GetErrors()), "failed")
		require.InDelta(t, 4*time.Minute.Seconds()/(4*24*time.Hour-25*time.Second).Seconds(), got[0].GetCoverage(), 1e-9, "nobody can have told of the last seconds")
		for _, none := range got[3:] {
			require.Zero(t, none.GetUptime().GetDenominator()+none.GetPerformance().GetDenominator()+none.GetFeedback().GetDenominator(), none.GetKey())
		}

		w, err := history.NewWindow(got[0].GetStartTime(), got[0].GetEndTime(), nil, b.now)
		require.NoError(t, err)
		same, err := history.Availability(t.Context(), b.Store, history.Scope{Environment: staging, Application: crm}, w, history.Objective{})
		require.NoError(t, err)
		only := b.compute(&deploymentv1.ComputeMeasuresRequest{Scopes: []*deploymentv1.MeasureScope{scopeOf("s", []string{crm}, staging)}})[0]
		require.Equal(t, same.GetGood().AsDuration().Milliseconds(), only.GetUptime().GetNumerator())
		require.InDelta(t, same.GetCoverage(), only.GetCoverage(), 1e-12)
		require.Equal(t, same.GetLatencyP95().AsDuration(), only.GetLatencyP95().AsDuration())

		before := b.compute(&deploymentv1.ComputeMeasuresRequest{
			Scopes: []*deploymentv1.MeasureScope{scopeOf("crm", []string{crm})}, EndTime: timestamppb.New(day), Window: durationpb.New(time.Hour),
		})[0]
		require.Zero(t, before.GetUptime().GetDenominator(), "before it ran")
	})
}

func TestRequestsAreWhatWasPushed(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		day := b.now.AddDate(0, 0, -2)
		b.ran(crm, prod, "a", "v1", "i1", day)
		b.probed("i1", day, 10, 0)
		v1, v2 := crm+"/releases/v1", crm+"/releases/v2"
		b.pushed(v1, "http_errors", prod, day, 1000, 20)
		b.pushed(v1, "http_slow", prod, day, 1000, 30)
		b.pushed(v2, "http_errors", prod, day, 500, 0)
		b.pushed(v2, "slow", prod, day, 100, 60)
		b.pushed(v1, "logins", prod, day, 7, 7)
		b.pushed(v1, "terrors", prod, day, 7, 7)
		b.pushed(v1, "http_errors", prod, b.now.AddDate(0, 0, -40), 1000, 1000)
		b.pushed(v1, "errors", staging, day, 10, 10)
		b.pushed(erp+"/releases/v1", "errors", prod, day, 10, 4)
		got := b.compute(&deploymentv1.ComputeMeasuresRequest{NumbersOnly: true, Scopes: []*deploymentv1.MeasureScope{
			scopeOf("crm", []string{crm}, prod), scopeOf("everywhere", []string{crm}), scopeOf("erp", []string{erp}, prod),
		}})
		require.Equal(t, [2]int64{950 + 500 + 40, 1600}, of(got[0].GetPerformance()), "requests, not probes")
		require.Equal(t, [2]int64{20, 1500}, of(got[0].GetErrors()), "over those of which errors are counted")
		require.Equal(t, [2]int64{1490, 1610}, of(got[1].GetPerformance()))
		require.Equal(t, [2]int64{6, 10}, of(got[2].GetPerformance()))
	})
}

func TestFeedbackIsTheLastWordOfEachPerson(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		end := b.now
		say := func(application, pseudonym, release string, rating int32, daysAgo int) {
			b.now = end.AddDate(0, 0, -daysAgo)
			b.insert(&deploymentv1.Feedback{Name: fmt.Sprintf("%s/feedback/f%s%s", application, pseudonym, release), Release: application + "/releases/" + release, Pseudonym: pseudonym, Rating: rating})
		}
		say(crm, "ann", "v1", 5, 40) // too long ago
		say(crm, "ben", "v1", 5, 20)
		say(crm, "ben", "v2", 3, 10) // changed their mind
		say(crm, "eve", "v1", 1, 9)
		say(crm, "eve", "v2", 4, 8)
		say(crm, "tom", "v2", 5, 7)
		say(erp, "ben", "v1", 2, 6) // who it is there cannot be known: the key is another
		b.now = end
		got := b.compute(&deploymentv1.ComputeMeasuresRequest{Scopes: []*deploymentv1.MeasureScope{scopeOf("crm", []string{crm}, prod), scopeOf("both", []string{crm, erp})}})
		require.Equal(t, [2]int64{2, 3}, of(got[0].GetFeedback()))
		require.Equal(t, [2]int64{2, 4}, of(got[1].GetFeedback()))
	})
}

func TestWhatIsUnderWay(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		end := b.now
		deployment := func(application, id, environment string, state deploymentv1.Deployment_State, hoursAgo int, kind deploymentv1.Deployment_Kind) string {
			b.now = end.Add(-time.Duration(hoursAgo) * time.Hour)
			name := application + "/deployments/" + id
			b.insert(&deploymentv1.Deployment{Name: name, Environment: environment, State: state, Kind: kind, Counts: &deploymentv1.InstallationCounts{Total: 9, Healthy: 2, Sealed: 3}})
			return name
		}
		deployment(crm, "old", prod, deploymentv1.Deployment_SUCCEEDED, 9, deploymentv1.Deployment_RELEASE)
		last := deployment(crm, "last", prod, deploymentv1.Deployment_FAILED, 8, deploymentv1.Deployment_RELEASE)
		deployment(crm, "mended", prod, deploymentv1.Deployment_SUCCEEDED, 7, deploymentv1.Deployment_CATCH_UP)
		running := deployment(crm, "running", prod, deploymentv1.Deployment_RUNNING, 6, deploymentv1.Deployment_RELEASE)
		tested := deployment(crm, "tested", staging, deploymentv1.Deployment_SUCCEEDED, 5, deploymentv1.Deployment_RELEASE)
		deployment(erp, "erp", prod, deploymentv1.Deployment_RUNNING, 4, deploymentv1.Deployment_RELEASE)
		b.now = end
		b.insert(
			&deploymentv1.Wave{Name: running + "/waves/all", Ordinal: 2, State: deploymentv1.Wave_PENDING}, &deploymentv1.Wave{Name: running + "/waves/pilot", Ordinal: 1, State: deploymentv1.Wave_SEALED},
			&deploymentv1.Incident{Name: ws + "/incidents/a", CausedBy: last, State: deploymentv1.Incident_OPEN}, &deploymentv1.Incident{Name: ws + "/incidents/b", CausedBy: tested, State: deploymentv1.Incident_OPEN},
			&deploymentv1.Incident{Name: ws + "/incidents/c", CausedBy: last, State: deploymentv1.Incident_RESOLVED}, &deploymentv1.Incident{Name: ws + "/incidents/d", State: deploymentv1.Incident_OPEN},
		)
		override := func(id, subject string, expires time.Time) {
			b.insert(&deploymentv1.Override{
				Name: ws + "/overrides/" + id, Subject: subject, Opens: &deploymentv1.Override_Gate{Gate: "approved"}, Person: "users/ada", Reason: "fire", ExpireTime: timestamppb.New(expires),
			})
		}
		later := end.Add(time.Hour)
		override("app", crm, later)
		override("dep", running+"/waves/pilot", later)
		override("env", prod, later)
		override("erp", erp, later)
		override("over", crm, end.Add(-time.Second))
		override("staging", tested, later)

		got := b.compute(&deploymentv1.ComputeMeasuresRequest{Scopes: []*deploymentv1.MeasureScope{scopeOf("crm", []string{crm}, prod), scopeOf("all", []string{crm})}})
		require.Equal(t, []string{running, last}, deploymentsOf(got[0]), "what runs, and the newest that ended")
		require.Equal(t, []string{tested, running}, deploymentsOf(got[1]), "the newest first")
		first := got[0].GetDeployments()[0]
		require.Equal(t, "RUNNING", first.GetState())
		require.EqualValues(t, 9, first.GetTargets())
		require.EqualValues(t, 5, first.GetHealthy())
		require.Len(t, first.GetWaves(), 2)
		require.Equal(t, running+"/waves/pilot", first.GetWaves()[0].GetWave())
		require.Equal(t, []string{ws + "/incidents/a"}, got[0].GetOpenIncidents())
		require.Equal(t, []string{ws + "/incidents/a", ws + "/incidents/b"}, got[1].GetOpenIncidents())
		require.Equal(t, []string{"app", "dep", "env"}, overridesOf(got[0]))
		require.Equal(t, []string{"app", "dep", "env", "staging"}, overridesOf(got[1]))

		bare := b.compute(&deploymentv1.ComputeMeasuresRequest{Scopes: []*deploymentv1.MeasureScope{scopeOf("crm", []string{crm})}, NumbersOnly: true})[0]
		require.Empty(t, bare.GetDeployments())
		require.Empty(t, bare.GetOverrides())
	})
}

func deploymentsOf(m *deploymentv1.Measures) (names []string) {
	for _, d := range m.GetDeployments() {
		names = append(names, d.GetDeployment())
	}
	return names
}

func overridesOf(m *deploymentv1.Measures) (ids []string) {
	for _, o := range m.GetOverrides() {
		ids = append(ids, o.GetOverride()[len(ws+"/overrides/"):])
	}
	return ids
}

func TestWindowsThatAreTooOldAreRefused(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		_, err := measure.Compute(t.Context(), b.Store, &deploymentv1.ComputeMeasuresRequest{
			Parent: ws, Scopes: []*deploymentv1.MeasureScope{scopeOf("a", nil)}, EndTime: timestamppb.New(b.now.AddDate(-3, 0, 0)),
		})
		require.Equal(t, "WINDOW_TOO_OLD", fault.ReasonOf(err))
	})
}
