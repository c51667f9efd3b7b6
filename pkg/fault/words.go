package fault

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Words is an error as a person at a terminal reads it. Why and Do may be empty.
type Words struct{ What, Why, Do string }

// named is how many of the things that are wrong are told; who needs all reads the details.
const named = 3

// Tell words any error: a fault by its parts, anything else as it is.
func Tell(err error) Words {
	st, isStatus := status.FromError(err)
	if _, ok := errors.AsType[*Error](err); !ok && !isStatus {
		return Words{What: err.Error()}
	}
	f := From(err)
	if isStatus && st.Code() == codes.Unavailable && len(st.Details()) == 0 {
		// No server said this: the connection itself did, and its reason is for the one who runs it.
		return Words{What: "the server does not answer", Why: transport(st.Message())}
	}
	what, do, _ := strings.Cut(f.message, "; ")
	w := Words{What: what, Why: f.reason, Do: do}
	var details []string
	for _, v := range f.fields {
		details = append(details, strings.TrimSpace(v.GetField()+" "+v.GetDescription()))
	}
	for _, v := range f.subjects {
		details = append(details, strings.TrimSpace(v.GetSubject()+": "+v.GetDescription()))
	}
	if more := len(details) - named; more > 0 {
		details = append(details[:named], fmt.Sprintf("and %d more", more))
	}
	if len(details) > 0 {
		w.Why = strings.Join(details, "; ") + " (" + f.reason + ")"
	}
	if id := f.meta["request_id"]; id != "" && f.kind == KindInternal {
		w.Why += ", request id " + id
	}
	return w
}

// String is the words on a line, for logs.
func (w Words) String() string {
	parts := slices.DeleteFunc([]string{w.What, w.Why, w.Do}, func(part string) bool { return part == "" })
	return strings.Join(parts, "; ")
}

// transport is what gRPC says of a connection, without its packaging.
func transport(message string) string {
	if i := strings.LastIndex(message, "desc = "); i >= 0 {
		message = strings.Trim(message[i+len("desc = "):], `"`)
	}
	return message
}
