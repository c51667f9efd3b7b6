package lifecycle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
)

// transition is a row of a state machine: where an event may come from, and where it leads.
type transition[S comparable] struct {
	from []S
	to   S
}

// subject is what a state machine moves, as a refusal names it.
type subject struct{ noun, name string }

// allow refuses with STATE_FORBIDS unless the event may come from the state; the refusal says from where it may.
func allow[S interface {
	comparable
	fmt.Stringer
}](what subject, state S, event string, t transition[S]) error {
	if slices.Contains(t.from, state) {
		return nil
	}
	wanted := make([]string, len(t.from))
	for i, from := range t.from {
		wanted[i] = from.String()
	}
	return fault.Precondition(ReasonStateForbids, "%s %s is %s; it can be %s only from %s",
		what.noun, what.name, state, event, strings.Join(wanted, " or ")).
		Subject("STATE", what.name, "is "+state.String())
}
