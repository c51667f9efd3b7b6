package lifecycle

import (
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// ReasonSessionToCome is the reason of an attendance before the beginning.
const ReasonSessionToCome = "SESSION_TO_COME"

// SessionEvent is what can happen to a session. Its value is the past
// participle that the event log says.
type SessionEvent string

// The events of a session.
//
//	SCHEDULED ──held──▶ HELD ──held──▶ HELD (a corrected list)
//	SCHEDULED ──cancelled──▶ CANCELLED
const (
	SessionHeld      SessionEvent = "held"
	SessionCancelled SessionEvent = "cancelled"
)

func sessionRules() map[SessionEvent]transition[implementationv1.Session_State] {
	return map[SessionEvent]transition[implementationv1.Session_State]{
		SessionHeld:      {from: []implementationv1.Session_State{implementationv1.Session_SCHEDULED, implementationv1.Session_HELD}, to: implementationv1.Session_HELD},
		SessionCancelled: {from: []implementationv1.Session_State{implementationv1.Session_SCHEDULED}, to: implementationv1.Session_CANCELLED},
	}
}

// Apply moves the session, or refuses with STATE_FORBIDS.
func (e SessionEvent) Apply(s *implementationv1.Session) error {
	t := sessionRules()[e]
	if err := allow(subject{"session", s.GetName()}, s.GetState(), string(e), t); err != nil {
		return err
	}
	s.State = t.to
	return nil
}

// Bookable refuses unless seats of the session can be given out.
func Bookable(s *implementationv1.Session, now time.Time) error {
	if s.GetState() != implementationv1.Session_SCHEDULED {
		return fault.Precondition(ReasonStateForbids, "session %s is %s; book another one", s.GetName(), s.GetState()).
			Subject("STATE", s.GetName(), "is "+s.GetState().String())
	}
	if begin := s.GetStartTime().AsTime(); !begin.After(now) {
		return fault.Precondition(ReasonStateForbids, "session %s began %s; book another one", s.GetName(), begin.Format(time.RFC3339)).
			Subject("STATE", s.GetName(), "has begun")
	}
	return nil
}

// Begun refuses with SESSION_TO_COME while nobody can have come yet.
func Begun(s *implementationv1.Session, now time.Time) error {
	if begin := s.GetStartTime().AsTime(); begin.After(now) {
		return fault.Precondition(ReasonSessionToCome, "session %s begins %s; record who came when it has begun", s.GetName(), begin.Format(time.RFC3339)).
			Subject("STATE", s.GetName(), "has not begun")
	}
	return nil
}

// Changeable refuses with STATE_FORBIDS to change a session that is over.
func Changeable(s *implementationv1.Session) error {
	if s.GetState() != implementationv1.Session_SCHEDULED {
		return fault.Precondition(ReasonStateForbids, "session %s is %s; only a SCHEDULED one can be changed", s.GetName(), s.GetState()).
			Subject("STATE", s.GetName(), "is "+s.GetState().String())
	}
	return nil
}
