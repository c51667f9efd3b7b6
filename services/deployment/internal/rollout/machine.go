package rollout

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/golive-dev/golive/pkg/fault"
)

// ReasonStateForbids is the reason of every refused move.
const ReasonStateForbids = "STATE_FORBIDS"

// state is an enum that names the states of one machine.
type state interface {
	comparable
	fmt.Stringer
	Descriptor() protoreflect.EnumDescriptor
	Number() protoreflect.EnumNumber
}

// table is a state machine: for every state the states that may follow it. A state
// without an entry, or with none in it, is terminal.
type table[S state] map[S][]S

// allows reports whether a move is legal.
func (t table[S]) allows(from, to S) bool { return slices.Contains(t[from], to) }

// terminal reports whether nothing follows.
func (t table[S]) terminal(s S) bool { return len(t[s]) == 0 }

// check returns a fault that names the states that may follow, if the move is not legal.
func (t table[S]) check(what string, from, to S) error {
	if t.allows(from, to) {
		return nil
	}
	if t.terminal(from) {
		return fault.Precondition(ReasonStateForbids, "%s is %s, which is final; start a new deployment instead", what, from)
	}
	return fault.Precondition(ReasonStateForbids, "%s is %s, which cannot become %s; possible now: %v", what, from, to, t[from])
}
