// Package plan computes what follows from a plan: when each task begins and ends,
// how much it may be delayed, what is critical, what is late and why, whether the plan is sound, and what a change would do.
//
//	Input ──New──▶ Network ──forward──▶ early dates ──backward──▶ late dates, floats ──▶ Schedule
//
// It is the critical path method of Kelley and Walker (1959) with the four links of the precedence diagram (Fondahl 1961):
//
//	FINISH_TO_START   start  ≥ end of the predecessor + lag      START_TO_START   start ≥ its start + lag
//	FINISH_TO_FINISH  end    ≥ end of the predecessor + lag      START_TO_FINISH  end   ≥ its start + lag
//
// Time is in whole minutes, and work is done on calendars: a task goes on while everybody assigned to it works,
// lags are on the calendar of the plan. The rules, where there is a choice:
//
//   - A task is not split. Where its end is bound, its start follows from that.
//   - The end of the plan is the end of its last task. A target or a deadline that is earlier makes float negative;
//     one that is later makes none, so that there always is a critical path.
//   - What is done is a fact. What is left of a task in work, and all that has not begun, is not before the
//     status date. What is left waits for what it depends on even where it began too early (retained logic).
//   - A cancelled task is not there, nor is one of a stage that was skipped or cancelled.
//   - Tasks of a stage that has not begun wait for all tasks of the stages that it waits for.
//
// Nothing recurses over tasks, so that a chain may be as long as a plan.
package plan

import (
	"time"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
)

// Input is what a plan is made of.
type Input struct {
	Implementation *implementationv1.Implementation
	Stages         []*implementationv1.Stage
	Tasks          []*implementationv1.Task
	Resources      []*implementationv1.Resource // at least those that are assigned
	Baseline       *implementationv1.Baseline   // the current one; nil for none
	Now            time.Time                    // the status date; zero for a plan without one
}

// Plan is a network that was checked.
type Plan struct {
	in    Input
	net   *Network
	near  int64     // float up to which a task is near-critical
	links [][]Arrow // by predecessor
	dates *dates
}

// nearCritical is five days of the default calendar.
const nearCritical = 5 * 480

// New builds the network, checks it and computes its dates. It answers faults: TASK_CYCLE with its path,
// PREDECESSOR_UNKNOWN, RESOURCE_UNKNOWN, ESTIMATE_ORDER, CALENDAR_IMPOSSIBLE and the like with the task,
// PLAN_TOO_LONG.
func New(in Input) (*Plan, error) {
	net, next, err := network(in)
	if err != nil {
		return nil, err
	}
	p := &Plan{in: in, net: net, near: nearCritical, links: next}
	if p.dates, err = p.schedule(); err != nil {
		return nil, err
	}
	return p, nil
}

// Network is what others compute on: risk and levelling. They do not write to it.
func (p *Plan) Network() *Network { return p.net }

// Near sets the float up to which a task is near-critical, in working minutes.
func (p *Plan) Near(minutes int64) { p.near = minutes }

// begins is when a plan begins: as it says, or when it was created, or now.
func begins(in Input) calendar.Minute {
	switch i := in.Implementation; {
	case i.GetStartTime().IsValid():
		return calendar.MinuteAfter(i.GetStartTime().AsTime())
	case i.GetCreateTime().IsValid():
		return calendar.MinuteAfter(i.GetCreateTime().AsTime())
	case !in.Now.IsZero():
		return calendar.MinuteAfter(in.Now)
	default:
		return 0
	}
}
