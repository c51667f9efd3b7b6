package fleet

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// instruments are the metrics of a hub.
type instruments struct {
	connected   prometheus.Gauge
	quarantines prometheus.Counter
	dropped     prometheus.Counter
	reports     *prometheus.CounterVec
	seconds     prometheus.Histogram
}

func newInstruments(registerer prometheus.Registerer) (*instruments, error) {
	m := &instruments{
		connected: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "golive_agents_connected", Help: "Agents with a stream to this process.",
		}),
		quarantines: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "golive_agents_quarantined_total", Help: "Times that two processes claimed one identity.",
		}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "golive_agent_output_dropped_total", Help: "Messages with output or probe summaries that were not stored.",
		}),
		reports: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "golive_agent_reports_total", Help: "Reports of agents, by whether they became durable.",
		}, []string{"result"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "golive_agent_reports_apply_seconds", Help: "How long a batch of reports took to become durable.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 10},
		}),
	}
	if registerer == nil {
		return m, nil
	}
	return m, errors.Join(registerer.Register(m.connected), registerer.Register(m.quarantines), registerer.Register(m.dropped),
		registerer.Register(m.reports), registerer.Register(m.seconds))
}

func (m *instruments) applied(reports int, took time.Duration, err error) {
	result := "durable"
	if err != nil {
		result = "failed"
	}
	m.reports.WithLabelValues(result).Add(float64(reports))
	m.seconds.Observe(took.Seconds())
}
