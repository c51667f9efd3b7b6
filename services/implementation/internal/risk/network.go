package risk

import (
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
)

// network is a plan as it is played: what is left of each task, and what it waits for.
type network struct {
	calendar *calendar.Calendar // of the plan: lags and spreads are counted on it
	start    calendar.Minute    // of the plan
	order    []int              // predecessors first
	tasks    []task
	// uniform says that every task has the calendar of the plan. Times are then
	// working minutes since the start, and no calendar is asked while playing.
	uniform bool
}

// task is one of them.
type task struct {
	name, stage string
	left        Estimate
	calendar    *calendar.Calendar
	links       []link
	notBefore   int64 // on the axis of the network
	fixed       bool  // begins at notBefore whatever the links say: it has begun
	done        int64 // on the axis, when it ended; left is 0 then
	isDone      bool
	milestone   bool
	certain     bool // takes left.Likely always
}

// link is a dependency on a task before.
type link struct {
	from int
	kind implementationv1.Dependency_Type
	lag  int64
}

func (l link) ofEnd() bool {
	return l.kind != implementationv1.Dependency_START_TO_START && l.kind != implementationv1.Dependency_START_TO_FINISH
}

func (l link) toEnd() bool {
	return l.kind == implementationv1.Dependency_FINISH_TO_FINISH || l.kind == implementationv1.Dependency_START_TO_FINISH
}

// onAxis takes a moment to the axis, by what was worked before it.
func (n *network) onAxis(m calendar.Minute) int64 {
	if n.uniform {
		return n.calendar.Count(n.start, m)
	}
	return int64(m)
}

// moment is when work ends that ends there.
func (n *network) moment(at int64) calendar.Minute {
	if n.uniform {
		return n.calendar.Shift(n.start, at)
	}
	return calendar.Minute(at)
}

// worked is a place of the axis in working minutes of the plan since its start.
func (n *network) worked(at int64) int64 {
	if n.uniform {
		return at
	}
	return n.calendar.Count(n.start, calendar.Minute(at))
}

// later is a place of the axis a lag later.
func (n *network) later(at, lag int64) int64 {
	if n.uniform || lag == 0 {
		return at + lag
	}
	return int64(n.calendar.Shift(calendar.Minute(at), lag))
}

// worksUntil is when a task ends that begins there, and begunFor when it must begin to end there.
func (n *network) worksUntil(t *task, at, minutes int64) int64 {
	if n.uniform || minutes == 0 {
		return at + minutes
	}
	return int64(t.calendar.Shift(calendar.Minute(at), minutes))
}

func (n *network) begunFor(t *task, at, minutes int64) int64 { return n.worksUntil(t, at, -minutes) }
