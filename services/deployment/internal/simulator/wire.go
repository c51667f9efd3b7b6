package simulator

import "time"

// down carries a message from a server to an agent, up one the other way, as well as the
// faults of the seed let them. Neither end learns what became of it.
func (w *world) down(s *session, deliver func()) {
	boot := s.agent.boots
	w.carry(s, func() {
		if !s.agent.cutDown && s.agent.up && s.agent.boots == boot {
			deliver()
		}
	})
}

func (w *world) up(s *session, deliver func()) {
	if s.agent.cutUp {
		return
	}
	w.carry(s, deliver)
}

// carry loses a message together with its stream, as TCP does.
func (w *world) carry(s *session, deliver func()) {
	if w.chance(w.faults.drop) {
		w.in(w.between(0, 5*time.Second), func() { w.cut(s) })
		return
	}
	times := 1
	if w.chance(w.faults.duplicate) {
		times = 2
	}
	for range times {
		delay := w.between(time.Millisecond, 20*time.Millisecond)
		switch {
		case w.chance(w.faults.late):
			delay = w.between(lease, 3*lease)
		case w.chance(w.faults.reorder):
			delay = w.between(0, 3*time.Second)
		}
		w.in(delay, deliver)
	}
}

// cut ends a stream at both ends, each when it notices.
func (w *world) cut(s *session) {
	w.in(w.between(0, time.Second), func() { s.server.end(s) })
	w.in(w.between(0, time.Second), func() { s.agent.lostSession(s) })
}
