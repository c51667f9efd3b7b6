package plan

import (
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
)

// Network is what a schedule is computed on.
//
// Moments in it are offsets: working minutes of the calendar of the plan since Origin, negative before it.
type Network struct {
	Calendar *calendar.Calendar // of the plan: lags and offsets are its minutes
	Origin   calendar.Minute    // when the plan begins
	Status   int64              // offset of the status date; 0 where there is none
	Order    []int              // indexes of Tasks, each after those that it depends on
	Tasks    []Node
}

// Node is a task that was not cancelled, or the end of a stage that others wait for.
type Node struct {
	Name     string                 // of the task; of the stage for its end
	Stage    string                 // full name
	Task     *implementationv1.Task // nil for the end of a stage
	Boundary bool                   // the end of a stage: no work, no assignments
	Calendar *calendar.Calendar     // when all who are assigned work
	Duration int64                  // what is left of it, in working minutes of Calendar; 0 when Done
	Span     int64                  // the minutes of the calendar of the plan that it lies across on its early dates, absences of its people included
	Release  int64                  // offset before which nothing of it can be done: plan start, status date, earliest start
	Deadline int64                  // offset; math.MaxInt64 for none
	Started  bool                   // Start is then when
	Done     bool                   // Finish is then when
	Start    int64                  // offset of its actual start
	Finish   int64                  // offset of its actual end
	Links    []Link                 // what it depends on
}

// Link is what a node depends on.
type Link struct {
	From int // index of the predecessor in Tasks
	Type implementationv1.Dependency_Type
	Lag  int64 // working minutes of the calendar of the plan
}
