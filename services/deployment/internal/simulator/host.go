package simulator

import (
	"slices"
	"time"
)

// host is what outlives an agent: processes, and the content that was fetched.
type host struct {
	*world
	name  string
	procs map[int]*process
	// content holds the archives that are there, by digest.
	content map[string]bool
	// activated counts how often the work of an installation's attempt was brought up.
	activated map[try]int
	// slow makes everything that reads or writes take this much longer.
	slow int
}

// try is one attempt of one installation.
type try struct {
	installation string
	attempt      int32
}

// process is the instance of a number, running or not.
type process struct {
	release string
	running bool
	healthy bool
	started time.Time
	// deaf processes ignore their stop signal and are killed after the grace.
	deaf     bool
	restarts int32
}

// behaviour is how a release does on a host. It is drawn once, so that a retry finds the same.
type behaviour struct {
	crashes, neverHealthy, deaf, unkillable bool
	healthyAfter                            time.Duration
	illAfter                                time.Duration // 0: never
	recovers                                bool
	wrongDigest, noArtifact, hookCut        bool
	truncated                               int
}

// running tells which releases have a process.
func (h *host) running() []string {
	var all []string
	for _, p := range h.procs {
		if p.running {
			all = append(all, p.release)
		}
	}
	slices.Sort(all)
	return all
}

// spawn starts the process of an instance, unless it runs. told hears when its health changes.
func (h *host) spawn(n int, i instance, b behaviour, told func()) *process {
	p := h.procs[n]
	if p == nil {
		p = &process{release: i.release, deaf: b.deaf}
		h.procs[n] = p
	}
	if p.running {
		return p
	}
	p.running, p.healthy, p.started = true, false, h.now
	began := h.now
	same := func() bool { return p.running && p.started.Equal(began) }
	if !b.neverHealthy && !b.crashes {
		h.in(b.healthyAfter, func() {
			if same() {
				p.healthy = true
				told()
			}
		})
	}
	if b.illAfter > 0 {
		h.in(b.healthyAfter+b.illAfter, func() {
			if same() && h.faulty {
				h.note("%s: %s falls ill", h.name, short(i.release))
				p.healthy = false
				p.restarts++
				told()
			}
		})
		if b.recovers {
			h.in(b.healthyAfter+b.illAfter+20*time.Second, func() {
				if same() {
					p.healthy = true
					told()
				}
			})
		}
	}
	return p
}

// stop ends a process; it returns how long that takes, and whether it was possible.
func (h *host) stop(n int, b behaviour) (took time.Duration, stopped bool) {
	p := h.procs[n]
	if p == nil || !p.running {
		return time.Millisecond, true
	}
	if b.unkillable && h.faulty {
		return 10 * time.Second, false
	}
	p.running, p.healthy = false, false
	if p.deaf {
		return 10 * time.Second, true // its grace, then it is killed
	}
	return h.between(10*time.Millisecond, 500*time.Millisecond), true
}
