package detect

import (
	"time"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// How many windows running it takes.
const (
	toEnter = 2
	toLeave = 2
)

// Standing is where a rule stands with a subject. The zero value is one that was never judged.
//
//	        holds        holds again
//	quiet ────────▶ seen ───────────▶ active ──does not hold, twice──▶ quiet
type Standing struct {
	Window         string    // the last one that was decided
	End            time.Time // of that window
	Holding, Clear int       // windows running in which it held, or did not
	Active         bool      // from the window it entered until that in which it leaves
}

// Decided says that the window, or a later one, was decided already.
func (s Standing) Decided(w Window) bool { return !s.End.IsZero() && !w.End.After(s.End) }

// Next is the standing after a window, and what happened: PHASE_UNSPECIFIED
// where nothing is worth a signal. After a window that nobody could judge the
// count begins anew, for what was then is not known.
func (s Standing) Next(w Window, held bool) (Standing, implementationv1.Signal_Phase) {
	if s.Window != w.Before {
		s.Holding, s.Clear = 0, 0
	}
	s.Window, s.End = w.Name, w.End
	if held {
		s.Holding, s.Clear = s.Holding+1, 0
		switch {
		case s.Active:
			return s, implementationv1.Signal_CONTINUED
		case s.Holding >= toEnter:
			s.Active = true
			return s, implementationv1.Signal_ENTERED
		default:
			return s, implementationv1.Signal_SEEN
		}
	}
	s.Holding, s.Clear = 0, s.Clear+1
	if s.Active && s.Clear >= toLeave {
		s.Active = false
		return s, implementationv1.Signal_LEFT
	}
	return s, implementationv1.Signal_PHASE_UNSPECIFIED
}

// worsened is how much worse a dismissed finding must be before it is said again.
const worsened = 1.2

// Worse says that a measure is worse than one that a person dismissed, by a fifth at least.
func Worse(measure, dismissed float64) bool {
	return atLeast(measure, worsened*dismissed) && above(measure, dismissed)
}
