package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/canary"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// count asks the sources of all metrics at the same time what they counted in the interval. A source that does not
// answer makes a point that does not count; an error is one of our own database, and to be tried again.
func (e *Engine) count(ctx context.Context, m *measurement) (map[string]*deploymentv1.AnalysisPoint, error) {
	metrics := m.rule().GetMetrics()
	points, errs := make([]*deploymentv1.AnalysisPoint, len(metrics)), make([]error, len(metrics))
	var counting sync.WaitGroup
	for i, metric := range metrics {
		counting.Go(func() { points[i], errs[i] = e.countOne(ctx, m, metric) })
	}
	counting.Wait()
	out := make(map[string]*deploymentv1.AnalysisPoint, len(metrics))
	for i, metric := range metrics {
		if errs[i] != nil {
			return nil, fmt.Errorf("metric %s: %w", metric.GetId(), errs[i])
		}
		out[metric.GetId()] = points[i]
	}
	return out, nil
}

func (e *Engine) countOne(ctx context.Context, m *measurement, metric *deploymentv1.MetricRule) (*deploymentv1.AnalysisPoint, error) {
	if m.baseline == nil {
		return &deploymentv1.AnalysisPoint{Skipped: canary.NoBaseline}, nil
	}
	switch source := metric.GetSource().(type) {
	case *deploymentv1.MetricRule_Probes:
		return e.probes(ctx, m, source.Probes)
	case *deploymentv1.MetricRule_Pushed:
		return e.pushed(ctx, m, source.Pushed)
	case *deploymentv1.MetricRule_Prometheus:
		return e.prometheus(ctx, m, source.Prometheus), nil
	default:
		return &deploymentv1.AnalysisPoint{Skipped: canary.SourceUnavailable}, nil // of a newer version of the service
	}
}

// probes counts what the agents' probes saw of both sides.
func (e *Engine) probes(ctx context.Context, m *measurement, source *deploymentv1.ProbeSource) (*deploymentv1.AnalysisPoint, error) {
	bucket := -1
	if source.GetMeasure() == deploymentv1.ProbeSource_LATENCY {
		bucket = slices.Index(canary.LatencyBounds(), source.GetThreshold().AsDuration())
	}
	upgraded, err := e.store.ProbeTally(ctx, m.upgraded.Installations, bucket, m.from, m.to)
	if err != nil {
		return nil, err
	}
	old, err := e.store.ProbeTally(ctx, m.old.Installations, bucket, m.from, m.to)
	return point(upgraded, old), err
}

// pushed counts what was pushed of both releases. Where only the configuration changes they are one, and say nothing.
func (e *Engine) pushed(ctx context.Context, m *measurement, source *deploymentv1.PushedSource) (*deploymentv1.AnalysisPoint, error) {
	if m.baseline.GetName() == m.release.GetName() {
		return &deploymentv1.AnalysisPoint{Skipped: canary.NoBaseline}, nil
	}
	environment := m.deployment.GetEnvironment()
	upgraded, err := e.store.PushedTally(ctx, environment, m.release.GetName(), source.GetCounter(), m.from, m.to)
	if err != nil {
		return nil, err
	}
	old, err := e.store.PushedTally(ctx, environment, m.baseline.GetName(), source.GetCounter(), m.from, m.to)
	return point(upgraded, old), err
}

func point(upgraded, old store.Tally) *deploymentv1.AnalysisPoint {
	return &deploymentv1.AnalysisPoint{CanaryBad: upgraded.Bad, CanaryTotal: upgraded.Total, BaselineBad: old.Bad, BaselineTotal: old.Total}
}
