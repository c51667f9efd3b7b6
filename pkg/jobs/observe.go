package jobs

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

type metrics struct {
	runs *prometheus.HistogramVec
}

func newMetrics() *metrics {
	return &metrics{runs: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "golive_job_run_seconds",
		Help:    "How long handlers ran, by kind and result (ok, failed).",
		Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
	}, []string{"kind", "result"})}
}

func (m *metrics) register(with prometheus.Registerer) error { return with.Register(m.runs) }

// riverLog passes on what River finds wrong; what it finds noteworthy stays with it.
type riverLog struct {
	logger *zap.Logger
	fields []zap.Field
}

// Enabled keeps warnings out: River warns of what is normal here, such as a job that was stopped.
func (l *riverLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }

// Handle writes one line.
func (l *riverLog) Handle(_ context.Context, record slog.Record) error {
	fields := append([]zap.Field{}, l.fields...)
	record.Attrs(func(attr slog.Attr) bool {
		fields = append(fields, zap.Any(attr.Key, attr.Value.Any()))
		return true
	})
	l.logger.Error("river: "+record.Message, fields...)
	return nil
}

// WithAttrs adds fields to every line.
func (l *riverLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	fields := append([]zap.Field{}, l.fields...)
	for _, attr := range attrs {
		fields = append(fields, zap.Any(attr.Key, attr.Value.Any()))
	}
	return &riverLog{logger: l.logger, fields: fields}
}

// WithGroup changes nothing: keys are plain here.
func (l *riverLog) WithGroup(string) slog.Handler { return l }
