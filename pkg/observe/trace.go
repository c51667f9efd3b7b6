package observe

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// TraceConfig says where traces go. The zero value makes none.
type TraceConfig struct {
	Endpoint string  // OTLP over gRPC, http://collector:4317 or https://…; nothing is traced when empty.
	Ratio    float64 // The share of traces that begin here and are kept, 0.05 when 0; what the caller sampled is always kept.
	Service  string  // The service.name, golive when empty.
}

const defaultRatio = 0.05

// NewTracing returns the tracer provider and what flushes it at the end.
func NewTracing(ctx context.Context, cfg TraceConfig) (trace.TracerProvider, func(context.Context) error, error) {
	if cfg.Endpoint == "" {
		return noop.NewTracerProvider(), func(context.Context) error { return nil }, nil
	}
	exporter, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpointURL(cfg.Endpoint))
	if err != nil {
		return nil, nil, fmt.Errorf("trace to %s: %w", cfg.Endpoint, err)
	}
	service, ratio := cfg.Service, cfg.Ratio
	if service == "" {
		service = "golive"
	}
	if ratio == 0 {
		ratio = defaultRatio
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(ratio))),
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", service), attribute.String("service.version", Version().Version))),
	)
	return provider, provider.Shutdown, nil
}
