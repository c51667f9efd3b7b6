package courier

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// metrics are what an operator wants to see of a courier.
type metrics struct{ attempts *prometheus.CounterVec }

func newMetrics() metrics {
	return metrics{attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "golive_mail_attempts_total",
		Help: "Messages that were tried, by what became of them: sent, queued (tried again), bounced, skipped, expired.",
	}, []string{"state"})}
}

func (m metrics) attempt(p store.Posted) {
	m.attempts.WithLabelValues(strings.ToLower(p.State.String())).Inc()
}

// Describe makes the courier a collector of its metrics.
func (c *Courier) Describe(descs chan<- *prometheus.Desc) { c.metrics.attempts.Describe(descs) }

// Collect makes the courier a collector of its metrics.
func (c *Courier) Collect(out chan<- prometheus.Metric) { c.metrics.attempts.Collect(out) }
