package probe

import "time"

// Goal is when an application that was started counts as up.
type Goal struct {
	Started  time.Time
	Deadline time.Duration // from Started until it must be healthy
	Healthy  time.Duration // for how long without a break; 0 is allowed
}

// Decision is where an application stands on its way to the goal.
type Decision int

// The decisions.
const (
	Wait Decision = iota
	Reached
	Missed
)

// Decide compares a status with the goal. When the decision is Wait it also says
// when to decide again, unless the status changes before; it is never now.
func (g Goal) Decide(s Status, now time.Time) (Decision, time.Time) {
	if s.Healthy {
		ripe := s.Since.Add(g.Healthy)
		if !now.Before(ripe) {
			return Reached, time.Time{}
		}
		return Wait, ripe
	}
	end := g.Started.Add(g.Deadline)
	if !now.Before(end) {
		return Missed, time.Time{}
	}
	return Wait, end
}
