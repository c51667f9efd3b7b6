package rpc

import (
	"errors"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"
)

// instruments are the metrics of a server. The names are those that the
// dashboards and alerts for gRPC servers found everywhere expect.
type instruments struct {
	handled *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	open    prometheus.Gauge
}

func newInstruments(server string, registerer prometheus.Registerer) (*instruments, error) {
	labels := prometheus.Labels{"server": server}
	i := &instruments{
		handled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "grpc_server_handled_total", Help: "Calls that ended, by code.", ConstLabels: labels,
		}, []string{"grpc_service", "grpc_method", "grpc_code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "grpc_server_handling_seconds", Help: "How long calls took, streams from first to last message.", ConstLabels: labels,
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"grpc_service", "grpc_method"}),
		open: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "grpc_server_open_streams", Help: "Streams that are open now.", ConstLabels: labels,
		}),
	}
	if registerer == nil {
		return i, nil
	}
	return i, errors.Join(registerer.Register(i.handled), registerer.Register(i.seconds), registerer.Register(i.open))
}

// record counts a call that ended. Series come into being with their first
// call; after that a pointer in the method spares the search by labels.
func (i *instruments) record(m *method, code codes.Code, took time.Duration) {
	service, name, _ := strings.Cut(m.full[1:], "/")
	counter := m.handled[code].Load()
	if counter == nil {
		c := i.handled.WithLabelValues(service, name, code.String())
		counter = &c
		m.handled[code].Store(counter)
	}
	(*counter).Inc()
	seconds := m.seconds.Load()
	if seconds == nil {
		s := i.seconds.WithLabelValues(service, name)
		seconds = &s
		m.seconds.Store(seconds)
	}
	(*seconds).Observe(took.Seconds())
}
