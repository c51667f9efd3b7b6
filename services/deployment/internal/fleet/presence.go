package fleet

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/services/deployment/internal/store"
)

const (
	flushHeartbeats = 2 * time.Second
	presenceBatch   = 200
	retryEvery      = 250 * time.Millisecond
)

// presence collects whose presence is to be written. It remembers agents, not
// comings and goings: what is written is what is so at that moment.
type presence struct {
	wake chan struct{}
	mu   sync.Mutex
	last map[string]*session // by agent, the session that changed last
}

func newPresence() *presence {
	return &presence{wake: make(chan struct{}, 1), last: map[string]*session{}}
}

func (p *presence) changed(s *session) {
	p.mu.Lock()
	if _, known := p.last[s.agent]; !known || !s.over() {
		p.last[s.agent] = s
	}
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// take returns some of those that changed.
func (p *presence) take() []*session {
	p.mu.Lock()
	defer p.mu.Unlock()
	some := make([]*session, 0, min(len(p.last), presenceBatch))
	for agent, s := range p.last {
		if len(some) == presenceBatch {
			break
		}
		some = append(some, s)
		delete(p.last, agent)
	}
	return some
}

// keepPresence writes who is connected: at once when it changes, in batches, and
// again and again for the lease.
func (h *Hub) keepPresence(ctx context.Context) error {
	renew := time.NewTicker(h.cfg.Lease / 3)
	defer renew.Stop()
	flush := time.NewTicker(flushHeartbeats)
	defer flush.Stop()
	retry := time.NewTicker(retryEvery)
	defer retry.Stop()
	h.renew(ctx)
	failed := false
	for {
		var trigger <-chan struct{}
		if !failed { // else the ticker says when
			trigger = h.presence.wake
		}
		select {
		case <-ctx.Done():
			return nil
		case <-renew.C:
			h.renew(ctx)
		case <-flush.C:
			h.saveHeartbeats(ctx)
		case <-retry.C:
			if failed {
				failed = !h.writePresence(ctx)
			}
		case <-trigger:
			failed = !h.writePresence(ctx)
		}
	}
}

// writePresence writes all that changed; false when the database did not take it.
func (h *Hub) writePresence(ctx context.Context) bool {
	for {
		some := h.presence.take()
		if len(some) == 0 {
			return true
		}
		changes := make([]store.Presence, len(some))
		for i, s := range some {
			if current := h.session(s.agent); current != nil {
				some[i] = current
				changes[i] = store.Presence{
					Agent: s.agent, Connected: true, BootID: current.boot, Targets: current.targets,
					Facts: current.facts.Load(), Seen: current.seen(), Version: current.version, UpdateError: current.updateError,
				}
				continue
			}
			changes[i] = store.Presence{Agent: s.agent, Seen: s.seen()}
		}
		if err := h.cfg.Store.SavePresence(ctx, h.replica, h.cfg.Lease, changes); err != nil {
			if ctx.Err() == nil {
				h.logger.Error("presence of agents not written; trying again", zap.Int("agents", len(some)), zap.Error(err))
			}
			for _, s := range some {
				h.presence.changed(s)
			}
			return false
		}
		h.wrote(ctx, some, changes)
	}
}

// wrote lets the sessions go on that waited for their presence, and hints to
// the engine. Only this goroutine closes present.
func (h *Hub) wrote(ctx context.Context, some []*session, changes []store.Presence) {
	var came, went []string
	for i, s := range some {
		switch {
		case !changes[i].Connected:
			went = append(went, s.targets...)
		case !isClosed(s.present): // else it was connected already, and its facts changed
			close(s.present)
			came = append(came, s.targets...)
		}
	}
	if len(came) > 0 {
		h.cfg.Work.Presence(ctx, came, true)
	}
	if len(went) > 0 {
		h.cfg.Work.Presence(ctx, went, false)
	}
}

// renew moves the leases on, ends what another server has taken over, and finds
// what a dead server left behind.
func (h *Hub) renew(ctx context.Context) {
	before := h.all()
	held, err := h.cfg.Store.RenewPresence(ctx, h.replica, h.cfg.Lease)
	if err == nil {
		ours := make(map[string]struct{}, len(held))
		for _, agent := range held {
			ours[agent] = struct{}{}
		}
		for _, s := range before {
			if _, found := ours[s.agent]; !found && isClosed(s.present) && h.session(s.agent) == s {
				s.end(superseded())
			}
		}
		var lost []string
		if lost, err = h.cfg.Store.ExpirePresence(ctx); err == nil && len(lost) > 0 {
			h.cfg.Work.Presence(ctx, lost, false)
		}
	}
	if err == nil {
		var n int
		if n, err = h.cfg.Store.CountAgents(ctx); err == nil {
			h.mu.Lock()
			h.agents = n
			h.mu.Unlock()
		}
	}
	if err != nil && ctx.Err() == nil {
		h.logger.Error("leases of agents not renewed; trying again", zap.Error(err))
	}
}

// saveHeartbeats writes when agents were heard; losing some is harmless.
func (h *Hub) saveHeartbeats(ctx context.Context) {
	since := time.Now().Add(-flushHeartbeats)
	heard := map[string]time.Time{}
	for _, s := range h.all() {
		if at := s.seen(); at.After(since) {
			heard[s.agent] = at
		}
	}
	if len(heard) == 0 {
		return
	}
	if err := h.cfg.Store.SaveHeartbeats(ctx, heard); err != nil && ctx.Err() == nil {
		h.logger.Warn("heartbeats not written", zap.Error(err))
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
