package fleet

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
)

// settle is for how long after a challenge what is heard does not count: it may
// have been on its way when the other process died.
const settle = 250 * time.Millisecond

// missed is how many heartbeats an agent may miss.
const missed = 3

const (
	// maxMeeting is how many agents are met at once, and maxArriving how many may wait for that.
	maxMeeting  = 64
	maxArriving = 4096
)

// admit makes s the one session of its agent, or says why not.
func (h *Hub) admit(ctx context.Context, s *session, hello *agentv1.Hello) error {
	if v := hello.GetProtocolVersion(); v < oldestProtocol {
		return fault.Unsupported("PROTOCOL_UNSUPPORTED",
			"the agent speaks version %d of the agent protocol and this server speaks versions %d to %d; update the agent", v, oldestProtocol, newestProtocol)
	}
	if err := h.meet(ctx, s, hello); err != nil {
		return err
	}
	if err := h.claimFromOthers(ctx, s); err != nil {
		return err
	}
	for {
		other := h.enter(s)
		if other == nil {
			break
		}
		if err := h.displace(ctx, s, other); err != nil {
			return err
		}
	}
	h.presence.changed(s)
	select {
	case <-s.present:
		// What happened before the watch could see this session was not seen.
		if err := h.checkAll(ctx, []*session{s}); err != nil || s.over() {
			h.gone(ctx, s)
			return cmp.Or(s.why(), err)
		}
		h.logger.Debug("agent connected", zap.String("agent", s.agent), zap.String("boot_id", s.boot), zap.String("peer", s.peer))
		return nil
	case <-s.ended:
		h.gone(ctx, s)
		return s.why()
	case <-ctx.Done():
		h.gone(ctx, s)
		return ctx.Err()
	}
}

// meet learns who an agent is and what it serves. Only so many are met at once: when a fleet comes back
// at once, who must wait too long is told when to come again, in place of all being too slow.
func (h *Hub) meet(ctx context.Context, s *session, hello *agentv1.Hello) error {
	if h.arriving.Add(1) > maxArriving {
		h.arriving.Add(-1)
		return busy()
	}
	defer h.arriving.Add(-1)
	select {
	case h.meeting <- struct{}{}:
		defer func() { <-h.meeting }()
	case <-ctx.Done():
		return ctx.Err()
	}
	agent, err := h.cfg.Store.EnrolledAgent(ctx, s.agent, s.enrolment)
	if err != nil {
		return err
	}
	if why := agent.GetQuarantineReason(); why != "" {
		return quarantined(s.agent, why)
	}
	targets, err := h.cfg.Store.AgentTargets(ctx, h.cfg.Store.DB.Read(), s.agent)
	if err != nil {
		return err
	}
	s.boot, s.targets, s.version, s.updateError = hello.GetBootId(), targets[s.agent], hello.GetAgentVersion(), hello.GetUpdateError()
	s.protocol = hello.GetProtocolVersion()
	s.interval.Store(int64(h.heartbeat()))
	if facts := hello.GetFacts(); facts != nil {
		if facts.GetAgentVersion() == "" {
			facts.AgentVersion = hello.GetAgentVersion()
		}
		s.facts.Store(facts)
	}
	if _, err := h.assign(ctx, s, agent); err != nil {
		return err
	}
	inventory := slices.DeleteFunc(slices.Clone(hello.GetInventory()), func(i *agentv1.Inventory) bool { return !s.serves(i.GetTarget()) })
	if len(inventory) == 0 {
		return nil
	}
	return h.cfg.Work.Inventory(ctx, inventory)
}

// displace ends the session that stands in the way of s, if it may. The same
// process connecting again supersedes itself. Another process is only believed
// once the one before has been silent: if both are alive, both are quarantined.
func (h *Hub) displace(ctx context.Context, s, other *session) error {
	if other.boot == s.boot {
		other.end(superseded())
		h.leave(other)
		return nil
	}
	claim := newContest(time.Now())
	if !other.rival.CompareAndSwap(nil, claim) {
		claim = other.rival.Load()
	}
	silence := time.NewTimer(h.silence(other))
	defer silence.Stop()
	select {
	case <-other.ended:
	case <-silence.C:
		other.end(superseded())
	case <-claim.alive:
		why := quarantine(s.agent, other.boot, other.peer, s.boot, s.peer)
		other.end(quarantined(s.agent, why))
		h.leave(other)
		return h.quarantine(ctx, s.agent, why)
	case <-ctx.Done():
		return ctx.Err()
	}
	h.leave(other)
	return nil
}

// silence is how long from now on a session may say nothing and still be taken for alive.
func (h *Hub) silence(s *session) time.Duration { return s.beats()*3/2 + settle }

// claimFromOthers waits until no other server holds another process of the
// same agent. That is heard by the heartbeats that the other server writes down.
func (h *Hub) claimFromOthers(ctx context.Context, s *session) error {
	if h.cfg.Store.DB.Dialect() == sqldb.SQLite {
		return nil // there is no other server; what a row says is of a process before us
	}
	tick := time.NewTicker(flushHeartbeats / 2)
	defer tick.Stop()
	deadline := time.Now().Add(h.silence(s) + 2*flushHeartbeats)
	var beats []time.Time // different times at which it was heard
	for {
		replica, boot, err := h.cfg.Store.Holder(ctx, s.agent)
		if err != nil {
			return err
		}
		if replica == "" || replica == h.replica || boot == s.boot || time.Now().After(deadline) {
			return nil
		}
		seen, err := h.cfg.Store.LastSeen(ctx, []string{s.agent})
		if err != nil {
			return err
		}
		if at := seen[s.agent]; !slices.Contains(beats, at) {
			beats = append(beats, at)
		}
		if len(beats) > 2 { // the first was there before, the second may have been on its way
			return h.quarantine(ctx, s.agent, quarantine(s.agent, boot, "another server", s.boot, s.peer))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func quarantine(agent, boot, peer, otherBoot, otherPeer string) string {
	return fmt.Sprintf("two processes claim this identity: boot %s from %s and boot %s from %s; stop one of them, then `golive agent release %s`",
		boot, peer, otherBoot, otherPeer, agent)
}

// quarantine writes it down, so that it holds on every server until a person
// releases it, and returns the fault that says so.
func (h *Hub) quarantine(ctx context.Context, agent, why string) error {
	err := h.cfg.Store.DB.Tx(context.WithoutCancel(ctx), func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := h.cfg.Store.Quarantine(ctx, tx, agent, why, resource.Meta{Actor: agent, Cause: why, Verb: "quarantined"})
		return err
	})
	if err != nil {
		return err
	}
	h.metrics.quarantines.Inc()
	h.logger.Warn("agent quarantined", zap.String("agent", agent), zap.String("why", why))
	return quarantined(agent, why)
}

// contest is a challenge to a session to show that it is alive.
type contest struct {
	after time.Time
	once  sync.Once
	alive chan struct{}
}

func newContest(now time.Time) *contest {
	return &contest{after: now.Add(settle), alive: make(chan struct{})}
}

func (c *contest) heard(now time.Time) {
	if now.After(c.after) {
		c.once.Do(func() { close(c.alive) })
	}
}
