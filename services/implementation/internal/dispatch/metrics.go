package dispatch

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/golive-dev/golive/services/implementation/internal/delivery"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// metrics are what an operator wants to see of a dispatcher.
type metrics struct {
	attempts *prometheus.CounterVec
	oldest   prometheus.Gauge
}

func newMetrics() *metrics {
	return &metrics{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "golive_event_delivery_attempts_total",
			Help: "Attempts to deliver an event to a subscription, by its kind (webhook, chat, mail) and by what came of it: delivered, retried, failed (given up).",
		}, []string{"kind", "outcome"}),
		oldest: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "golive_event_delivery_oldest_pending_seconds",
			Help: "How long the oldest event waits for a subscription that is enabled; 0 when none waits.",
		}),
	}
}

func (m *metrics) attempt(to *store.EventReceiver, verdict delivery.Verdict) {
	kind := "webhook"
	switch {
	case to.Subscription.GetSlack() != nil:
		kind = "chat"
	case to.Subscription.GetEmail() != nil:
		kind = "mail"
	}
	outcome := "retried"
	switch verdict {
	case delivery.Delivered:
		outcome = "delivered"
	case delivery.Failed:
		outcome = "failed"
	case delivery.Again:
	}
	m.attempts.WithLabelValues(kind, outcome).Inc()
}

// Describe makes the dispatcher a collector of its metrics.
func (d *Dispatcher) Describe(descs chan<- *prometheus.Desc) {
	d.metrics.attempts.Describe(descs)
	d.metrics.oldest.Describe(descs)
}

// Collect makes the dispatcher a collector of its metrics.
func (d *Dispatcher) Collect(out chan<- prometheus.Metric) {
	d.metrics.attempts.Collect(out)
	d.metrics.oldest.Collect(out)
}
