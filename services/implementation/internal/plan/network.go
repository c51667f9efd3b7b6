package plan

import (
	"math"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
)

// Network is what a schedule is computed on.
type Network struct {
	Calendar *calendar.Calendar // of the plan
	Begin    calendar.Minute    // nothing that has not begun is before it
	Status   calendar.Minute    // nor before it; noStatus where there is none
	Target   calendar.Minute    // when all should be done; never where there is none
	Order    []int              // indexes of Tasks, each after those that it depends on
	Tasks    []Node
}

// Node is a task that was not cancelled, or the end of a stage that others wait for.
type Node struct {
	Name     string                 // of the task; of the stage for its end
	Stage    string                 // full name
	Task     *implementationv1.Task // nil for the end of a stage, which has no work and nobody assigned
	Calendar *calendar.Calendar     // when all who are assigned work; of the plan where nobody is
	Duration int64                  // how long it takes, in minutes of Calendar
	Left     int64                  // what of that is left; 0 where Done
	Release  calendar.Minute        // it does not begin before; for a task in work, what is left does not go on before
	Deadline calendar.Minute        // it should end by then; never where there is none
	Started  bool                   // Start is then when
	Done     bool                   // Finish is then when
	Start    calendar.Minute
	Finish   calendar.Minute
	Links    []Link // what it depends on
}

// Link is what a node depends on.
type Link struct {
	From int // index of the predecessor in Tasks
	Type implementationv1.Dependency_Type
	Lag  int64 // minutes of the calendar of the plan
}

const (
	noStatus = calendar.Minute(math.MinInt64 / 4)
	never    = calendar.Minute(math.MaxInt64 / 4)
)

// FromFinish says that the link counts from the end of the predecessor.
func (l Link) FromFinish() bool {
	return l.Type != implementationv1.Dependency_START_TO_START && l.Type != implementationv1.Dependency_START_TO_FINISH
}

// ToFinish says that the link binds the end of what depends on it.
func (l Link) ToFinish() bool {
	return l.Type == implementationv1.Dependency_FINISH_TO_FINISH || l.Type == implementationv1.Dependency_START_TO_FINISH
}

// Arrow is a link as its predecessor sees it.
type Arrow struct {
	To   int // index of what depends on it
	Link int // index of the link there
}

// arrows are the links by predecessor.
func arrows(n *Network) [][]Arrow {
	counts := make([]int, len(n.Tasks))
	total := 0
	for i := range n.Tasks {
		for _, l := range n.Tasks[i].Links {
			counts[l.From]++
			total++
		}
	}
	slab, out := make([]Arrow, total), make([][]Arrow, len(n.Tasks))
	for i, c := range counts {
		out[i], slab = slab[:0:c], slab[c:]
	}
	for i := range n.Tasks {
		for k, l := range n.Tasks[i].Links {
			out[l.From] = append(out[l.From], Arrow{To: i, Link: k})
		}
	}
	return out
}
