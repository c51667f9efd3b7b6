package fault

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/known/anypb"
)

// Domain is the ErrorInfo domain of every reason that golive defines.
const Domain = "golive.dev"

// Error is a fault. Build one with the constructor of its kind.
type Error struct {
	kind     Kind
	reason   string
	domain   string
	message  string
	meta     map[string]string
	fields   []*errdetails.BadRequest_FieldViolation
	subjects []*errdetails.PreconditionFailure_Violation
	retry    time.Duration
	other    []*anypb.Any // details of a peer that this package does not read, kept as they came
	cause    error
}

func newError(kind Kind, reason, format string, args []any) *Error {
	message := format
	if len(args) > 0 {
		message = fmt.Sprintf(format, args...)
	}
	return &Error{kind: kind, reason: clean(reason), domain: Domain, message: clean(message)}
}

// Invalid returns an INVALID_ARGUMENT fault.
func Invalid(reason, format string, args ...any) *Error {
	return newError(KindInvalid, reason, format, args)
}

// NotFound returns a NOT_FOUND fault.
func NotFound(reason, format string, args ...any) *Error {
	return newError(KindNotFound, reason, format, args)
}

// AlreadyExists returns an ALREADY_EXISTS fault.
func AlreadyExists(reason, format string, args ...any) *Error {
	return newError(KindAlreadyExists, reason, format, args)
}

// Conflict returns an ABORTED fault.
func Conflict(reason, format string, args ...any) *Error {
	return newError(KindConflict, reason, format, args)
}

// Precondition returns a FAILED_PRECONDITION fault.
func Precondition(reason, format string, args ...any) *Error {
	return newError(KindPrecondition, reason, format, args)
}

// Unauthenticated returns an UNAUTHENTICATED fault.
func Unauthenticated(reason, format string, args ...any) *Error {
	return newError(KindUnauthenticated, reason, format, args)
}

// Denied returns a PERMISSION_DENIED fault.
func Denied(reason, format string, args ...any) *Error {
	return newError(KindDenied, reason, format, args)
}

// Exhausted returns a RESOURCE_EXHAUSTED fault.
func Exhausted(reason, format string, args ...any) *Error {
	return newError(KindExhausted, reason, format, args)
}

// Unavailable returns an UNAVAILABLE fault.
func Unavailable(reason, format string, args ...any) *Error {
	return newError(KindUnavailable, reason, format, args)
}

// Deadline returns a DEADLINE_EXCEEDED fault.
func Deadline(reason, format string, args ...any) *Error {
	return newError(KindDeadline, reason, format, args)
}

// Cancelled returns a CANCELLED fault.
func Cancelled(reason, format string, args ...any) *Error {
	return newError(KindCancelled, reason, format, args)
}

// Unsupported returns an UNIMPLEMENTED fault.
func Unsupported(reason, format string, args ...any) *Error {
	return newError(KindUnsupported, reason, format, args)
}

// Internal returns an INTERNAL fault. The message does reach the caller; what
// the caller must not see belongs in Cause.
func Internal(reason, format string, args ...any) *Error {
	return newError(KindInternal, reason, format, args)
}

// Error returns the message and the cause, for logs. A caller sees Message.
func (e *Error) Error() string {
	if e.cause == nil {
		return e.message
	}
	return e.message + ": " + e.cause.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Kind returns what sort of fault it is.
func (e *Error) Kind() Kind { return e.kind }

// Reason returns the stable word that programs compare.
func (e *Error) Reason() string { return e.reason }

// Message returns the sentence for a person, without the cause.
func (e *Error) Message() string { return e.message }

// Metadata returns the values attached with Meta. It must not be changed.
func (e *Error) Metadata() map[string]string { return e.meta }

// Fields returns the field violations. It must not be changed.
func (e *Error) Fields() []*errdetails.BadRequest_FieldViolation { return e.fields }

// Subjects returns the precondition violations. It must not be changed.
func (e *Error) Subjects() []*errdetails.PreconditionFailure_Violation { return e.subjects }

// RetryDelay returns how long to wait before a repetition, 0 when not said.
func (e *Error) RetryDelay() time.Duration { return e.retry }

// Field adds a violation of one request field, named by its path (a.b[2].c).
func (e *Error) Field(path, description string) *Error {
	c := *e
	c.fields = append(slices.Clip(e.fields), &errdetails.BadRequest_FieldViolation{
		Field: clean(path), Description: clean(description),
	})
	return &c
}

// Subject adds a precondition that does not hold: its kind (a stable word), what it concerns, and why.
func (e *Error) Subject(kind, subject, description string) *Error {
	c := *e
	c.subjects = append(slices.Clip(e.subjects), &errdetails.PreconditionFailure_Violation{
		Type: clean(kind), Subject: clean(subject), Description: clean(description),
	})
	return &c
}

// Meta adds a value for programs, such as the etag that is current.
func (e *Error) Meta(key, value string) *Error {
	c := *e
	c.meta = maps.Clone(e.meta)
	if c.meta == nil {
		c.meta = make(map[string]string, 1)
	}
	c.meta[clean(key)] = clean(value)
	return &c
}

// RetryAfter says when a repetition may succeed.
func (e *Error) RetryAfter(d time.Duration) *Error {
	c := *e
	c.retry = d
	return &c
}

// Cause keeps the error behind the fault for the log and for errors.Is.
func (e *Error) Cause(err error) *Error {
	c := *e
	c.cause = err
	return &c
}

// clean keeps a stray byte in a name from making the whole status
// unmarshalable, which gRPC answers by dropping every detail.
func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
