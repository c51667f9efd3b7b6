// Package gateway is the HTTP face of golive: JSON in front of the gRPC
// services, the live page, and the description of the API. It holds no state
// and decides nothing. A credential is passed on and judged by the service that
// is asked; a reason that a service gives is what the caller reads.
//
// One request, from the outside in:
//
//	Handler        security headers, the open routes (page, assets, health, API documents)
//	credential     a bearer token or the session cookie must be there: default deny
//	grpc-gateway   generated routes, always RegisterXHandlerClient, so that every
//	               call passes the interceptors of the service
//	middleware     unknown query parameters are refused; streams get their framing
//	clients        one generated client a service over its connection; the four shared
//	               contracts (access, event, gate, waiting) find the right service first
//
// JSON is proto3 JSON in lowerCamelCase, see codec; errors are google.rpc.Status,
// see problem.go; streams are NDJSON or server-sent events, see stream.go.
package gateway
