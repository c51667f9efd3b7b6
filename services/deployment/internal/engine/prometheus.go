package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/api"
	prometheusv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"go.uber.org/zap"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/canary"
)

// prometheusTimeout is how long the queries of one interval may take. A server that is slower costs that interval.
const prometheusTimeout = 3 * time.Second

var (
	// errNotANumber is an answer that no count can be made of.
	errNotANumber = errors.New("not one number that counts")
	// errItself is a comparison of something with itself, which anything passes.
	errItself = errors.New("the queries ask for the same on both sides")
)

// prometheus asks a Prometheus server for both sides, as of the end of the interval. No answer is not nought.
func (e *Engine) prometheus(ctx context.Context, m *measurement, source *deploymentv1.PrometheusSource) *deploymentv1.AnalysisPoint {
	ctx, cancel := context.WithTimeout(ctx, prometheusTimeout)
	defer cancel()
	counts, err := askPrometheus(ctx, e.gates.Client(), m, source)
	if err == nil {
		return &deploymentv1.AnalysisPoint{
			CanaryBad: counts["bad"], CanaryTotal: counts["total"], BaselineBad: counts["baseline_bad"], BaselineTotal: counts["baseline_total"],
		}
	}
	e.logger.Info("an interval of an analysis was not measured", zap.String("wave", m.wave.GetName()), zap.String("prometheus", source.GetAddress()), zap.Error(err))
	switch {
	case errors.Is(err, errNotANumber):
		return &deploymentv1.AnalysisPoint{Skipped: canary.NotANumber}
	case errors.Is(err, errItself):
		return &deploymentv1.AnalysisPoint{Skipped: canary.NoBaseline}
	default:
		return &deploymentv1.AnalysisPoint{Skipped: canary.SourceUnavailable}
	}
}

// askPrometheus makes the four queries at the same time. The address comes out of a plan, so it is asked as webhooks are.
func askPrometheus(ctx context.Context, outbound *http.Client, m *measurement, source *deploymentv1.PrometheusSource) (map[string]int64, error) {
	client, err := api.NewClient(api.Config{Address: source.GetAddress(), Client: outbound})
	if err != nil {
		return nil, fmt.Errorf("address %s: %w", source.GetAddress(), err)
	}
	queries, variables := canary.Queries(source), m.variables()
	for what, query := range queries {
		if queries[what], err = render(query, variables); err != nil {
			return nil, fmt.Errorf("query %s: %w", what, err)
		}
	}
	if queries["total"] == queries["baseline_total"] {
		return nil, errItself
	}
	var mu sync.Mutex
	var asking sync.WaitGroup
	var errs []error
	counts := map[string]int64{}
	for what, query := range queries {
		asking.Go(func() {
			n, err := ask(ctx, prometheusv1.NewAPI(client), query, m.to)
			mu.Lock()
			defer mu.Unlock()
			if counts[what] = n; err != nil {
				errs = append(errs, fmt.Errorf("query %s: %w", what, err))
			}
		})
	}
	asking.Wait()
	return counts, errors.Join(errs...)
}

// ask makes one query. An empty answer is 0: a counter that was never touched has no series. That is safe,
// because no events at all is no traffic, which does not count.
func ask(ctx context.Context, client prometheusv1.API, query string, at time.Time) (int64, error) {
	value, _, _, err := client.Query(ctx, query, at)
	if err != nil {
		return 0, err
	}
	switch v := value.(type) {
	case *model.Scalar:
		return whole(float64(v.Value))
	case model.Vector:
		switch len(v) {
		case 0:
			return 0, nil
		case 1:
			return whole(float64(v[0].Value))
		}
	}
	return 0, fmt.Errorf("%w: %s is %s", errNotANumber, query, value)
}

func render(query string, variables map[string]string) (string, error) {
	parsed, err := canary.Template(query)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	err = parsed.Execute(&text, variables)
	return text.String(), err
}

// whole rounds what Prometheus extrapolates to a count.
func whole(f float64) (int64, error) {
	if math.IsNaN(f) || f < 0 || f > math.MaxInt64/2 {
		return 0, fmt.Errorf("%w: %v", errNotANumber, f)
	}
	return int64(math.Round(f)), nil
}

// variables are what queries are made of.
func (m *measurement) variables() map[string]string {
	seconds := func(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64) }
	interval := strconv.FormatInt(m.to.Sub(m.from).Milliseconds(), 10) + "ms"
	if m.to.Sub(m.from)%time.Second == 0 {
		interval = strconv.Itoa(int(m.to.Sub(m.from).Seconds())) + "s"
	}
	return map[string]string{
		"start": seconds(m.from), "end": seconds(m.to), "interval": interval,
		"release": lastID(m.release.GetName()), "version": m.release.GetVersion(),
		"baseline": lastID(m.baseline.GetName()), "baselineVersion": m.baseline.GetVersion(),
		"deployment": lastID(m.deployment.GetName()), "wave": m.wave.GetRule().GetId(), "environment": lastID(m.deployment.GetEnvironment()),
		"targets": ids(m.upgraded.Targets), "baselineTargets": ids(m.old.Targets),
	}
}

func lastID(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// ids joins the ids of resources for a match by =~; ids have no character that means anything there.
func ids(names []string) string {
	out := make([]string, 0, len(names))
	for _, name := range names {
		out = append(out, lastID(name))
	}
	return strings.Join(out, "|")
}
