package engine

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what an operator wants to see of the engine.
type metrics struct {
	judged  prometheus.Histogram
	failed  prometheus.Counter
	current prometheus.Gauge
}

func newMetrics() metrics {
	return metrics{
		judged: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "golive_readiness_round_seconds",
			Help:    "How long it took to judge the cohort plans that a burst of events, or the sweep, touched.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "golive_readiness_round_failures_total",
			Help: "Rounds that ended with an error and are tried again.",
		}),
		current: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "golive_readiness_sweep_timestamp_seconds",
			Help: "When all cohort plans were last judged; it should not be much older than five minutes.",
		}),
	}
}

func (m metrics) round(began time.Time, all bool, err error) {
	m.judged.Observe(time.Since(began).Seconds())
	switch {
	case err != nil:
		m.failed.Inc()
	case all:
		m.current.SetToCurrentTime()
	}
}

// Describe makes the engine a collector of its metrics.
func (e *Engine) Describe(descs chan<- *prometheus.Desc) { prometheus.DescribeByCollect(e, descs) }

// Collect makes the engine a collector of its metrics.
func (e *Engine) Collect(out chan<- prometheus.Metric) {
	e.metrics.judged.Collect(out)
	e.metrics.failed.Collect(out)
	e.metrics.current.Collect(out)
}
