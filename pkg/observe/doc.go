// Package observe is how a running golive is seen: logs, metrics, traces,
// and the admin port.
//
// [NewLogger] gives the process its zap logger, which hides credentials by the
// name of their field. [Secret] is the type of settings that hide themselves.
// [NewRegistry] is the Prometheus registry with what every process shows of
// itself. [NewTracing] is the OpenTelemetry provider, which costs nothing until an OTLP
// endpoint is configured. [Admin] serves /metrics, /healthz, /readyz and, if
// asked, profiles over HTTP, and gRPC health and reflection on the same port.
package observe
