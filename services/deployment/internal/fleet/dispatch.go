package fleet

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"go.uber.org/zap"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
)

const (
	// askTargets is for how many targets Work is asked at once.
	askTargets = 500
	// askAnyway is when Work is asked without a hint: hints may be lost.
	askAnyway = 15 * time.Second
	// askFailures is how many questions of one batch may fail before the rest waits.
	askFailures = 12
)

// hintSet is the sessions for which there may be commands. A hint for one that
// is in already is the same hint.
type hintSet struct {
	seed maphash.Seed
	wake chan struct{}
	mu   sync.Mutex
	in   map[*session]struct{}
}

func newHintSet() *hintSet {
	return &hintSet{seed: maphash.MakeSeed(), wake: make(chan struct{}, 1), in: map[*session]struct{}{}}
}

func (h *hintSet) add(s *session) {
	h.mu.Lock()
	h.in[s] = struct{}{}
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// take returns some sessions, with askTargets targets or little more.
func (h *hintSet) take() (some []*session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	targets := 0
	for s := range h.in {
		if len(some) > 0 && targets+len(s.targets) > askTargets {
			break
		}
		delete(h.in, s)
		if s.over() || len(s.targets) == 0 {
			continue
		}
		some = append(some, s)
		targets += len(s.targets)
	}
	return some
}

// dispatch asks Work what is pending and hands it to the streams.
func (h *Hub) dispatch(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-h.dirty.wake:
		}
		for ctx.Err() == nil {
			some := h.dirty.take()
			if len(some) == 0 {
				break
			}
			failures := askFailures
			h.ask(ctx, some, &failures)
		}
	}
}

// ask asks for all sessions at once; where that fails it asks for each half, so
// that one target that cannot be answered keeps nobody else waiting. Who got no answer
// is asked for again by the sweep.
func (h *Hub) ask(ctx context.Context, sessions []*session, failures *int) {
	var targets []string
	owner := map[string]*session{}
	now := time.Now()
	for _, s := range sessions {
		s.asked.Store(now.UnixMicro())
		targets = append(targets, s.targets...)
		for _, target := range s.targets {
			owner[target] = s
		}
	}
	bounded, cancel := context.WithTimeout(ctx, h.cfg.ApplyTimeout)
	commands, err := h.cfg.Work.Pending(bounded, targets)
	cancel()
	if err != nil {
		*failures--
		if len(sessions) > 1 && *failures > 0 && ctx.Err() == nil {
			h.ask(ctx, sessions[:len(sessions)/2], failures)
			h.ask(ctx, sessions[len(sessions)/2:], failures)
			return
		}
		if ctx.Err() == nil {
			h.logger.Error("pending commands not known; asking again", zap.String("agent", sessions[0].agent), zap.Int("agents", len(sessions)), zap.Error(err))
		}
		for _, s := range sessions {
			s.asked.Store(0)
		}
		return
	}
	pending := make(map[*session][]*agentv1.Command, len(sessions))
	for _, c := range commands {
		s := owner[c.GetTarget()]
		if s == nil {
			h.logger.Error("command for a target that was not asked for; dropped", zap.String("installation", c.GetInstallation()), zap.String("target", c.GetTarget()))
			continue
		}
		pending[s] = append(pending[s], c)
	}
	for _, s := range sessions {
		s.offer(h.dirty.seed, pending[s], now)
	}
}

// sweep ends what is silent or out of date, and asks where hints may have been lost.
func (h *Hub) sweep(ctx context.Context) error {
	tick := time.NewTicker(min(time.Second, h.cfg.Heartbeat))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := time.Now()
		for _, s := range h.all() {
			switch since := now.Sub(s.seen()); {
			case since > missed*s.beats():
				s.end(silent(s.agent, since))
			case now.After(s.expires):
				s.end(certificateExpired(s.agent))
			case now.Sub(time.UnixMicro(s.asked.Load())) > askAnyway:
				h.dirty.add(s)
			default:
				h.pace(s)
			}
		}
	}
}
