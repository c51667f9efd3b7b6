package engine_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/pkg/pgtest"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/canary"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// startPrometheus starts a real server that scrapes a target ten times a second, and returns its address; "" where
// there is none to start and none is required.
func startPrometheus(t *testing.T, scrape string) string {
	t.Helper()
	binary, err := exec.LookPath("prometheus")
	if err != nil {
		require.NotEqual(t, "require", os.Getenv("GOLIVE_TEST_PROMETHEUS"), "no prometheus in PATH; install Debian's package of that name")
		t.Log("nothing was tested: no prometheus in PATH, and GOLIVE_TEST_PROMETHEUS does not require one")
		return ""
	}
	dir, address := t.TempDir(), freeAddress(t)
	configuration := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(configuration, fmt.Appendf(nil, `
global: {scrape_interval: 100ms, scrape_timeout: 100ms}
scrape_configs: [{job_name: shop, static_configs: [{targets: [%q]}]}]
`, strings.TrimPrefix(scrape, "http://")), 0o600))
	log, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	server := exec.CommandContext(ctx, binary, "--config.file="+configuration, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	server.Stdout, server.Stderr = log, log
	server.Cancel = func() error { return server.Process.Signal(syscall.SIGTERM) }
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		stop()
		_ = server.Wait() // it ends by the signal
		require.NoError(t, log.Close())
	})
	require.Eventually(t, func() bool { return ready(ctx, "http://"+address+"/-/ready") }, 20*time.Second, 50*time.Millisecond, "prometheus does not become ready")
	return "http://" + address
}

func ready(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	return response.Body.Close() == nil && response.StatusCode == http.StatusOK
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	return listener.Addr().String()
}

// shop serves requests of three releases, and exports how many went wrong, as an application does.
func shop(t *testing.T) (url string) {
	t.Helper()
	registry := prometheus.NewRegistry()
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "http_requests_total", Help: "Requests."}, []string{"version"})
	failures := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "http_errors_total", Help: "Failed requests."}, []string{"version"})
	registry.MustRegister(requests, failures)
	exporter := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	t.Cleanup(exporter.Close)
	w := &world{t: t}
	w.every(20*time.Millisecond, func(context.Context, time.Time, time.Time) {
		for version, bad := range map[string]float64{"1.0.0": 10, "2.0.0": 10, "3.0.0": 400} {
			requests.WithLabelValues(version).Add(1000)
			failures.WithLabelValues(version).Add(bad)
		}
	})
	return exporter.URL
}

func fromPrometheus(address string) *deploymentv1.MetricRule {
	increase := func(metric, version string) string {
		return fmt.Sprintf(`sum(increase(%s{version="{{.%s}}"}[{{.interval}}]))`, metric, version)
	}
	return &deploymentv1.MetricRule{Id: "errors", Source: &deploymentv1.MetricRule_Prometheus{Prometheus: &deploymentv1.PrometheusSource{
		Address: address,
		Bad:     increase("http_errors_total", "version"), Total: increase("http_requests_total", "version"),
		BaselineBad: increase("http_errors_total", "baselineVersion"), BaselineTotal: increase("http_requests_total", "baselineVersion"),
	}}}
}

func TestARealPrometheusServerIsAsked(t *testing.T) {
	t.Parallel()
	address := startPrometheus(t, shop(t))
	if address == "" {
		return
	}
	plan := measuredPilot(time.Hour, fromPrometheus(address))
	plan.GetWaves()[0].GetAnalysis().Interval = durationpb.New(500 * time.Millisecond)
	kind := tables.Databases(t)[0]

	t.Run("about a release that is worse", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, kind.Open(t))
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		third := w.deploy("third", "v3", plan).GetName()
		failed := w.reach(third, deploymentv1.Deployment_FAILED)
		require.Equal(t, rollout.ReasonAnalysisFailed, failed.GetStateReason())
		a := w.analysis(third, "errors")
		require.InDelta(t, 0.4, a.GetCanaryShare(), 0.02)
		require.InDelta(t, 0.01, a.GetBaselineShare(), 0.005)
		require.Greater(t, a.GetCanaryTotal(), int64(10_000))
	})
	t.Run("about one that is not", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, kind.Open(t))
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		second := w.deploy("second", "v2", plan).GetName()
		w.reach(second, deploymentv1.Deployment_SUCCEEDED)
		a := w.analysis(second, "errors")
		require.Equal(t, gatev1.Verdict_PASS, a.GetState(), a.GetReason())
		gapless(t, a)
	})
	t.Run("what is no number", func(t *testing.T) {
		t.Parallel()
		metric := fromPrometheus(address)
		metric.GetPrometheus().Bad = `vector(0) / vector(0)`
		requireSkipped(t, kind, metric, canary.NotANumber)
	})
	t.Run("more than one number", func(t *testing.T) {
		t.Parallel()
		metric := fromPrometheus(address)
		metric.GetPrometheus().Total = `vector(1) or label_replace(vector(2), "another", "series", "", "")`
		requireSkipped(t, kind, metric, canary.NotANumber)
	})
}

func TestAReleaseIsNotComparedWithItself(t *testing.T) {
	t.Parallel()
	metric := fromPrometheus("http://" + freeAddress(t)) // nobody is asked
	metric.GetPrometheus().BaselineTotal = metric.GetPrometheus().GetTotal()
	requireSkipped(t, tables.Databases(t)[0], metric, canary.NoBaseline)
}

func TestAPrometheusServerThatIsNotThereMeasuresNothing(t *testing.T) {
	t.Parallel()
	requireSkipped(t, tables.Databases(t)[0], fromPrometheus("http://"+freeAddress(t)), canary.SourceUnavailable)
}

// TestAPrometheusServerLeadsNobodyElsewhere answers with a redirect, as one that was put into a plan to reach what only
// the server of golive can reach.
func TestAPrometheusServerLeadsNobodyElsewhere(t *testing.T) {
	t.Parallel()
	var reached atomic.Int64
	secret := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(secret.Close)
	leads := httptest.NewServer(http.RedirectHandler(secret.URL, http.StatusTemporaryRedirect))
	t.Cleanup(leads.Close)
	requireSkipped(t, tables.Databases(t)[0], fromPrometheus(leads.URL), canary.SourceUnavailable)
	require.Zero(t, reached.Load())
}

// requireSkipped deploys with a metric whose intervals do not count, and proves that the wave waits for a person.
func requireSkipped(t *testing.T, kind pgtest.Named, metric *deploymentv1.MetricRule, why string) {
	t.Helper()
	w := newWorld(t, kind.Open(t))
	w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
	second := w.deploy("second", "v2", measuredPilot(time.Second, metric)).GetName()
	w.reach(second, deploymentv1.Deployment_PAUSED)
	a := w.analysis(second, "errors")
	require.Equal(t, gatev1.Verdict_UNDECIDED, a.GetState())
	require.Zero(t, a.GetIntervals())
	require.NotEmpty(t, a.GetPoints())
	require.Equal(t, why, a.GetPoints()[0].GetSkipped())
}
