package fleet

import (
	"context"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
)

// The events that concern open streams.
const (
	agentDeleted      = "deployment.agent.deleted"
	agentEnrolled     = "deployment.agent.enrolled"
	agentQuarantined  = "deployment.agent.quarantined"
	agentRevoked      = "deployment.agent.revoked"
	agentUpgraded     = "deployment.agent.upgraded"
	ofTargets         = "deployment.target."
	ofInstallations   = "deployment.installation."
	byAgents          = "/agents/"
	targetDeletedVerb = "deleted"
)

// watch follows the event log and ends the streams that must not go on, also
// those whose agent was deleted through another server. Whenever it begins anew it looks at every stream.
func (h *Hub) watch(ctx context.Context) error {
	// Where there may be other servers, their commands for our agents show as events.
	shared := h.cfg.Store.DB.Dialect() == sqldb.Postgres
	match := func(e *eventv1.Event) bool {
		switch e.GetType() {
		case agentDeleted, agentEnrolled, agentQuarantined, agentRevoked, agentUpgraded:
			return true
		}
		return strings.HasPrefix(e.GetType(), ofTargets) ||
			shared && strings.HasPrefix(e.GetType(), ofInstallations) && !strings.Contains(e.GetActor(), byAgents)
	}
	for ctx.Err() == nil {
		watcher, err := h.cfg.Store.Log.Watch(ctx, "", match)
		if err == nil {
			err = h.checkAll(ctx, h.all())
			for err == nil {
				event, open := <-watcher.C
				if !open {
					err = watcher.Err()
					break
				}
				err = h.observe(ctx, event)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryEvery):
			h.logger.Warn("following the event log anew", zap.Error(err))
		}
	}
	return nil
}

func (h *Hub) observe(ctx context.Context, e *eventv1.Event) error {
	switch {
	case strings.HasPrefix(e.GetType(), ofTargets):
		return h.targetChanged(ctx, e)
	case strings.HasPrefix(e.GetType(), ofInstallations):
		var installation deploymentv1.Installation
		if err := e.GetAfter().UnmarshalTo(&installation); err != nil {
			return err
		}
		h.Hint([]string{installation.GetTarget()})
		return nil
	}
	if s := h.session(e.GetResource()); s != nil {
		return h.checkAll(ctx, []*session{s})
	}
	return nil
}

// targetChanged looks at the agents that may have gained or lost a target; they
// come back and are told what they serve now.
func (h *Hub) targetChanged(ctx context.Context, e *eventv1.Event) error {
	agent := ""
	if !strings.HasSuffix(e.GetType(), "."+targetDeletedVerb) {
		var target deploymentv1.Target
		if err := e.GetAfter().UnmarshalTo(&target); err != nil {
			return err
		}
		agent = target.GetAgent()
	}
	h.mu.Lock()
	before, now := h.byTarget[e.GetResource()], h.sessions[agent]
	h.mu.Unlock()
	var concerned []*session
	if before != nil && before.agent != agent {
		concerned = append(concerned, before)
	}
	if now != nil && !now.serves(e.GetResource()) {
		concerned = append(concerned, now)
	}
	return h.checkAll(ctx, concerned)
}

// checkAll ends the sessions whose agent is gone, enrolled anew, in quarantine,
// or serves other targets by now.
func (h *Hub) checkAll(ctx context.Context, sessions []*session) error {
	if len(sessions) == 0 {
		return nil
	}
	names := make([]string, len(sessions))
	for i, s := range sessions {
		names[i] = s.agent
	}
	targets, err := h.cfg.Store.AgentTargets(ctx, h.cfg.Store.DB.Read(), names...)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		agent, err := h.cfg.Store.EnrolledAgent(ctx, s.agent, s.enrolment)
		switch {
		case fault.Is(err, fault.KindUnauthenticated):
			s.end(err)
		case err != nil:
			return err
		case agent.GetQuarantineReason() != "":
			s.end(quarantined(s.agent, agent.GetQuarantineReason()))
		case !slices.Equal(targets[s.agent], s.targets):
			s.end(changed(s.agent))
		default:
			news, err := h.assign(ctx, s, agent)
			if err != nil {
				return err
			}
			if news {
				s.tell(h.greeting(s))
			}
		}
	}
	return nil
}
