package fault

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
)

// The messages of faults that nobody wrote by hand.
const (
	internalMessage    = "internal error; the server's log has the details under the request id"
	unavailableMessage = "a service needed for this call does not answer; try again in a moment"
	deadlineMessage    = "the call took longer than its deadline; try again, or allow more time"
	tooLargeMessage    = "the message has more bytes than the other side reads of one; send less at a time, or upload files as blobs"
	cancelledMessage   = "the caller went away before the answer; ask again if that was not meant"
)

// GRPCStatus returns the fault as gRPC carries it. The cause is not in it.
func (e *Error) GRPCStatus() *status.Status {
	p := &statuspb.Status{Code: int32(e.kind.Code()), Message: e.message} //nolint:gosec // codes are 0 … 16
	add := func(m proto.Message) {
		// Marshalling a message whose strings are valid UTF-8 cannot fail, and clean sees to that.
		// Deterministic, so that one fault is the same bytes on every replica.
		detail := new(anypb.Any)
		if err := anypb.MarshalFrom(detail, m, proto.MarshalOptions{Deterministic: true}); err == nil {
			p.Details = append(p.Details, detail)
		}
	}
	add(&errdetails.ErrorInfo{Reason: e.reason, Domain: e.domain, Metadata: e.meta})
	if len(e.fields) > 0 {
		add(&errdetails.BadRequest{FieldViolations: e.fields})
	}
	if len(e.subjects) > 0 {
		add(&errdetails.PreconditionFailure{Violations: e.subjects})
	}
	if e.retry > 0 {
		add(&errdetails.RetryInfo{RetryDelay: durationpb.New(e.retry)})
	}
	p.Details = append(p.Details, e.other...)
	return status.FromProto(p)
}

// From returns err as a fault: the one in its chain, what a gRPC status says,
// a context's end, a database that is away or full, or else an Internal fault with a constant message and err as
// its cause. From(nil) is a nil *Error, so ask before you return it as an error.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*Error](err); ok {
		return f
	}
	if s, ok := errors.AsType[interface {
		error
		GRPCStatus() *status.Status
	}](err); ok {
		return fromStatus(s.GRPCStatus(), err)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return Deadline("DEADLINE_EXCEEDED", deadlineMessage).Cause(err)
	case errors.Is(err, context.Canceled):
		return Cancelled("CANCELLED", cancelledMessage).Cause(err)
	}
	if f := outage(err); f != nil {
		return f
	}
	return Internal("INTERNAL", internalMessage).Cause(err)
}

// FromStatus returns a google.rpc.Status that did not travel as an error, such
// as the last frame of an HTTP stream, as a fault; nil for one that says OK.
func FromStatus(p *statuspb.Status) *Error {
	s := status.FromProto(p)
	if s.Code() == codes.OK {
		return nil
	}
	return fromStatus(s, s.Err())
}

func fromStatus(s *status.Status, err error) *Error {
	if s == nil || s.Code() == codes.OK { // an error that claims success is a defect
		return Internal("INTERNAL", internalMessage).Cause(err)
	}
	e := &Error{kind: kindOf(s.Code()), message: s.Message()}
	for _, detail := range s.Proto().GetDetails() {
		e.read(detail)
	}
	if e.domain == "" {
		e.fromRuntime(err)
	}
	return e
}

// read takes one detail apart; what it does not know is passed on untouched.
func (e *Error) read(detail *anypb.Any) {
	m, err := detail.UnmarshalNew()
	if err != nil {
		e.other = append(e.other, detail)
		return
	}
	switch d := m.(type) {
	case *errdetails.ErrorInfo:
		e.reason, e.domain, e.meta = d.GetReason(), d.GetDomain(), d.GetMetadata()
	case *errdetails.BadRequest:
		e.fields = append(e.fields, d.GetFieldViolations()...)
	case *errdetails.PreconditionFailure:
		e.subjects = append(e.subjects, d.GetViolations()...)
	case *errdetails.RetryInfo:
		e.retry = d.GetRetryDelay().AsDuration()
	default:
		e.other = append(e.other, detail)
	}
}

// fromRuntime completes a status without ErrorInfo. No handler of golive made
// it, so its text may hold addresses and the like: where that is probable it
// becomes the cause, and the message a constant.
func (e *Error) fromRuntime(err error) {
	e.reason, e.domain = e.kind.String(), Domain
	switch e.kind {
	case KindInternal:
		e.message, e.cause = internalMessage, err
	case KindUnavailable:
		e.message, e.cause = unavailableMessage, err
	case KindDeadline:
		e.message, e.cause = deadlineMessage, err
	case KindCancelled:
		e.message, e.cause = cancelledMessage, err
	case KindExhausted:
		// The server's runtime refuses a message by its length, before anybody who could word it.
		if strings.Contains(e.message, "message larger than max") {
			e.reason, e.message, e.cause = "MESSAGE_TOO_LARGE", tooLargeMessage, err
		}
	default: // what is left is said in gRPC's own words
	}
	e.message = clean(e.message)
}

// KindOf returns the kind that From would give err; it must not be nil.
func KindOf(err error) Kind { return From(err).kind }

// ReasonOf returns the reason that From would give err, "" for nil.
func ReasonOf(err error) string {
	if err == nil {
		return ""
	}
	return From(err).reason
}

// Is tells whether err is a fault of that kind. A nil error is of none.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }
