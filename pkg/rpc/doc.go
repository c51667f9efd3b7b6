// Package rpc is how golive serves and calls gRPC: one chain around every
// handler, one way to dial, and one transport inside a process.
//
// A [Server] wraps a grpc.Server. Whatever arrives, unary or stream, from a
// socket or through [Server.Local], passes the same steps in chain.go:
//
//	recover → request id → trace, metrics, request line → deadline → authenticate
//	→ authorise → rate limit → validate → handler → fault to status
//
// What a method needs is in its contract, the option golive.options.v1.access.
// It is resolved once when a service is registered (method.go); a server with a
// method that lacks it does not start, and would deny the method if it did.
//
// A stream is authorised by its first message, where the resource is named, and
// ends by itself when its credential expires or is revoked (stream.go).
//
// [Dial] makes the client side: TLS, a token for each call, traces, and
// repetition of reads. [Server.Local] is the same conversation without a
// socket (local.go), which is how the services of one process meet. [Guard] holds what one
// service asks the other to a deadline, and stops asking one that does not answer (breaker.go).
package rpc
