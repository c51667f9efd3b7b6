// Package fault is the one vocabulary of errors that golive speaks.
//
// A fault has four parts. The kind says what sort of thing went wrong and maps
// to exactly one gRPC code. The reason is a stable UPPER_SNAKE word that
// programs may compare. The message is for a person: one sentence on what and
// why, then what to do. The cause is for the log of the process it happened in
// and never leaves that process.
//
//	return fault.Conflict("ETAG_MISMATCH",
//		"%s was changed by somebody else; read it again and repeat the change", name).
//		Meta("etag", current).Cause(err)
//
// Kinds and details survive gRPC in both directions: [Error.GRPCStatus] writes
// google.rpc.Status with ErrorInfo, BadRequest, PreconditionFailure and
// RetryInfo, and [From] reads the same back on the other side. [From] turns any
// other error into a fault too; what it does not recognise becomes an Internal
// fault with a constant message, so that nothing unexpected is told to a caller.
//
// Faults are values: the chainable methods return a changed copy. No other
// package of golive builds a gRPC status.
package fault
