package policy

import (
	"fmt"
	"time"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// maxJoins bounds how many occurrences that touch or overlap are followed to the end of
// the stretch they make.
const maxJoins = 16

// Windows are windows of time of which each one opens.
type Windows []*Window

// NewWindows makes windows ready, or says which field of which one is wrong.
func NewWindows(specs []*deploymentv1.Window, path string) (Windows, error) {
	out := make(Windows, 0, len(specs))
	for i, spec := range specs {
		w, err := NewWindow(spec, fmt.Sprintf("%s[%d]", path, i))
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

// At reports whether any window contains t, and when that ends or begins next. Zero means
// that time alone never changes it. A stretch without end, such as every whole day, is followed for
// a while only: next then is a moment up to which nothing changes.
func (ws Windows) At(t time.Time) (open bool, next time.Time) {
	open, next, _ = ws.at(t)
	return open, next
}

// at also returns the window that is open, or that opens next.
func (ws Windows) at(t time.Time) (open bool, next time.Time, which *Window) {
	for _, w := range ws {
		isOpen, edge := w.edge(t)
		switch {
		case isOpen && !open:
			open, next, which = true, edge, w
		case isOpen:
			next = later(next, edge)
		case !open && !edge.IsZero() && (next.IsZero() || edge.Before(next)):
			next, which = edge, w
		}
	}
	for range maxJoins {
		joined := open
		if joined {
			joined = false
			for _, w := range ws {
				if more, edge := w.edge(next); more {
					joined, next = true, later(next, edge)
				}
			}
		}
		if !joined {
			break
		}
	}
	return open, next, which
}

// EvaluateWindows is At for windows that were not made ready before, such as those of a
// gate. Windows that were stored have been checked: an error is one that was not.
func EvaluateWindows(specs []*deploymentv1.Window, now time.Time) (open bool, next time.Time, err error) {
	windows, err := NewWindows(specs, "windows")
	if err != nil {
		return false, time.Time{}, err
	}
	open, next = windows.At(now)
	return open, next, nil
}
