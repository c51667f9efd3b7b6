package fault

import "google.golang.org/grpc/codes"

// Kind is what sort of thing went wrong. Each kind is one gRPC code.
type Kind int

// The kinds. The zero value is KindInternal: an error that nobody classified is our mistake.
const (
	KindInternal        Kind = iota // INTERNAL: a defect, or something that should not happen.
	KindInvalid                     // INVALID_ARGUMENT: the request can never succeed as it stands.
	KindNotFound                    // NOT_FOUND: the named thing does not exist.
	KindAlreadyExists               // ALREADY_EXISTS: the name or a unique value is taken.
	KindConflict                    // ABORTED: somebody else was first; read again and repeat.
	KindPrecondition                // FAILED_PRECONDITION: the system's state forbids it now.
	KindUnauthenticated             // UNAUTHENTICATED: no valid credential.
	KindDenied                      // PERMISSION_DENIED: a valid credential that does not suffice.
	KindExhausted                   // RESOURCE_EXHAUSTED: a rate or a size is used up.
	KindUnavailable                 // UNAVAILABLE: something needed does not answer; repeat later.
	KindDeadline                    // DEADLINE_EXCEEDED: the time of the caller ran out.
	KindCancelled                   // CANCELLED: the caller went away.
	KindUnsupported                 // UNIMPLEMENTED: this server cannot do that.
)

// Kinds is how many kinds there are; they are 0 … Kinds-1.
const Kinds = int(KindUnsupported) + 1

// Code returns the gRPC code of the kind.
func (k Kind) Code() codes.Code {
	switch k {
	case KindInvalid:
		return codes.InvalidArgument
	case KindNotFound:
		return codes.NotFound
	case KindAlreadyExists:
		return codes.AlreadyExists
	case KindConflict:
		return codes.Aborted
	case KindPrecondition:
		return codes.FailedPrecondition
	case KindUnauthenticated:
		return codes.Unauthenticated
	case KindDenied:
		return codes.PermissionDenied
	case KindExhausted:
		return codes.ResourceExhausted
	case KindUnavailable:
		return codes.Unavailable
	case KindDeadline:
		return codes.DeadlineExceeded
	case KindCancelled:
		return codes.Canceled
	case KindUnsupported:
		return codes.Unimplemented
	default:
		return codes.Internal
	}
}

// String returns the canonical name of the kind's code, such as NOT_FOUND.
func (k Kind) String() string {
	switch k {
	case KindInvalid:
		return "INVALID_ARGUMENT"
	case KindNotFound:
		return "NOT_FOUND"
	case KindAlreadyExists:
		return "ALREADY_EXISTS"
	case KindConflict:
		return "ABORTED"
	case KindPrecondition:
		return "FAILED_PRECONDITION"
	case KindUnauthenticated:
		return "UNAUTHENTICATED"
	case KindDenied:
		return "PERMISSION_DENIED"
	case KindExhausted:
		return "RESOURCE_EXHAUSTED"
	case KindUnavailable:
		return "UNAVAILABLE"
	case KindDeadline:
		return "DEADLINE_EXCEEDED"
	case KindCancelled:
		return "CANCELLED"
	case KindUnsupported:
		return "UNIMPLEMENTED"
	default:
		return "INTERNAL"
	}
}

// kindOf is the inverse of Code; the codes that golive never sends fall to the nearest kind.
func kindOf(code codes.Code) Kind {
	for k := range Kind(Kinds) {
		if k.Code() == code {
			return k
		}
	}
	if code == codes.OutOfRange {
		return KindInvalid
	}
	return KindInternal
}
