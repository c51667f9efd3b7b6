package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Agents are the processes on hosts. Which targets one serves is said by the
// targets alone; Agent.targets is filled when an agent is told to a client.
var Agents = resource.Define(resource.Spec[*deploymentv1.Agent]{
	Table:   "agents",
	Columns: append([]resource.Column[*deploymentv1.Agent]{{Field: "connected"}, {Field: "last_seen_time"}}, waitingColumns(listedAgent)...),
})

// errAgentGone is the fault of a certificate whose agent was deleted or enrolled anew since.
func errAgentGone(agent string) error {
	return fault.Unauthenticated("AGENT_UNKNOWN",
		"%s was deleted, or has enrolled again with another key; enrol this host with a new join token", agent)
}

// EnrolledAgent returns the agent that a certificate of this enrolment stands
// for, or AGENT_UNKNOWN where that agent is gone or was enrolled anew.
func (s *Store) EnrolledAgent(ctx context.Context, agent, enrolment string) (*deploymentv1.Agent, error) {
	var current string
	var data []byte
	err := s.DB.Read().QueryRowContext(ctx, `SELECT COALESCE(e.enrolment, ''), a.message FROM agents a
		LEFT JOIN agent_enrolments e ON e.agent = a.name WHERE a.name = $1`, agent).Scan(&current, &data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errAgentGone(agent)
	}
	if err != nil {
		return nil, fmt.Errorf("look up %s: %w", agent, err)
	}
	found := &deploymentv1.Agent{}
	if err := proto.Unmarshal(data, found); err != nil {
		return nil, fmt.Errorf("decode %s: %w", agent, err)
	}
	switch {
	case current == "" && found.GetRevokeTime() != nil:
		return nil, fault.Unauthenticated("AGENT_REVOKED", "%s was revoked at %s; enrol this host with a new join token if it is to come back",
			agent, found.GetRevokeTime().AsTime().Format(time.RFC3339))
	case current != enrolment:
		return nil, errAgentGone(agent)
	}
	return found, nil
}

// CountAgents tells how many agents there are.
func (s *Store) CountAgents(ctx context.Context) (n int, err error) {
	err = s.DB.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM agents`).Scan(&n)
	return n, err
}

// AgentTargets returns the targets of each agent that has any, in order.
func (s *Store) AgentTargets(ctx context.Context, q sqldb.Queryer, agents ...string) (map[string][]string, error) {
	found := make(map[string][]string, len(agents))
	err := inChunks(agents, func(marks string, args []any) error {
		rows, err := q.QueryContext(ctx, `SELECT agent, name FROM targets WHERE agent IN (`+marks+`) ORDER BY name`, args...)
		return collectPairs(rows, err, func(agent, target string) { found[agent] = append(found[agent], target) })
	})
	if err != nil {
		return nil, fmt.Errorf("look up targets of agents: %w", err)
	}
	return found, nil
}

// InstallationTargets returns the target of each installation that exists.
func (s *Store) InstallationTargets(ctx context.Context, installations []string) (map[string]string, error) {
	found := make(map[string]string, len(installations))
	err := inChunks(installations, func(marks string, args []any) error {
		rows, err := s.DB.Read().QueryContext(ctx, `SELECT name, target FROM installations WHERE name IN (`+marks+`)`, args...)
		return collectPairs(rows, err, func(installation, target string) { found[installation] = target })
	})
	if err != nil {
		return nil, fmt.Errorf("look up targets of installations: %w", err)
	}
	return found, nil
}

// SetTargetAgent hands a target to an agent, or to none when agent is empty.
func (s *Store) SetTargetAgent(ctx context.Context, tx *sqldb.Tx, target, agent string) error {
	return s.changeTarget(ctx, tx, target, agent, "served", func(t *deploymentv1.Target) bool {
		changed := t.GetAgent() != agent
		t.Agent = agent
		return changed
	})
}

// setTargetFacts tells a target what its host is.
func (s *Store) setTargetFacts(ctx context.Context, tx *sqldb.Tx, target, agent string, facts *deploymentv1.HostFacts) error {
	return s.changeTarget(ctx, tx, target, agent, "", func(t *deploymentv1.Target) bool {
		if t.GetAgent() != agent || !FactsDiffer(t.GetFacts(), facts) {
			return false
		}
		t.Facts = facts
		return true
	})
}

func (s *Store) changeTarget(ctx context.Context, tx *sqldb.Tx, target, agent, verb string, change func(*deploymentv1.Target) bool) error {
	row, err := Targets.LockRow(ctx, tx, target)
	if err != nil {
		return err
	}
	if !change(row.Message) {
		return nil
	}
	meta := resource.Meta{Verb: verb}
	if verb == "" {
		meta.Actor = agent
	}
	return Targets.Save(ctx, tx, s.Resources, row.Message, row.Revision, meta)
}

// FactsDiffer tells whether b is news after a. Free disk moves all the time:
// only a change of more than a twentieth is news.
func FactsDiffer(a, b *deploymentv1.HostFacts) bool {
	moved := a.GetDiskFreeBytes() - b.GetDiskFreeBytes()
	if max(moved, -moved) > a.GetDiskFreeBytes()/20 {
		return true
	}
	return a.GetOs() != b.GetOs() || a.GetArch() != b.GetArch() || a.GetOsVersion() != b.GetOsVersion() ||
		a.GetHostname() != b.GetHostname() || a.GetMemoryBytes() != b.GetMemoryBytes() || a.GetCpus() != b.GetCpus() ||
		a.GetAgentVersion() != b.GetAgentVersion()
}

// DescribeAgents fills what a client is told of agents beside what is stored:
// the targets they serve, and when they were heard last.
func (s *Store) DescribeAgents(ctx context.Context, agents ...*deploymentv1.Agent) error {
	names := make([]string, len(agents))
	for i, a := range agents {
		names[i] = a.GetName()
	}
	targets, err := s.AgentTargets(ctx, s.DB.Read(), names...)
	if err != nil {
		return err
	}
	heard, err := s.LastSeen(ctx, names)
	if err != nil {
		return err
	}
	for _, a := range agents {
		a.Targets = targets[a.GetName()]
		if t := heard[a.GetName()]; t.After(a.GetLastSeenTime().AsTime()) {
			a.LastSeenTime = timestamppb.New(t)
		}
	}
	return nil
}

// DeleteAgent removes an agent and all that lets it in; its targets stay, and
// are served by none. The etag is checked unless it is empty.
func (s *Store) DeleteAgent(ctx context.Context, tx *sqldb.Tx, name, etag string) error {
	agent, err := Agents.Lock(ctx, tx, name)
	if err != nil {
		return err
	}
	if etag != "" && etag != agent.GetEtag() {
		return fault.Conflict(resource.ReasonEtagMismatch,
			"%s was changed by somebody else; read it again and repeat the request", name).Meta("etag", agent.GetEtag())
	}
	targets, err := s.AgentTargets(ctx, tx, name)
	if err != nil {
		return err
	}
	for _, target := range targets[name] {
		if err := s.SetTargetAgent(ctx, tx, target, ""); err != nil {
			return err
		}
	}
	if err := lockOut(ctx, tx, name); err != nil {
		return err
	}
	for _, statement := range []string{`DELETE FROM agent_presence WHERE agent = $1`, `DELETE FROM agent_programs WHERE agent = $1`} {
		if _, err := tx.ExecContext(ctx, statement, name); err != nil {
			return fmt.Errorf("delete %s: %w", name, err)
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE target_presence SET connected = 0, changed_at = $2 WHERE agent = $1 AND connected = 1`,
		name, s.Now().UnixMicro()); err != nil {
		return fmt.Errorf("delete %s: %w", name, err)
	}
	return Agents.Remove(ctx, tx, s.Resources, name, resource.Meta{})
}

// lockOut forgets all that lets an agent in: its enrolment, and the join tokens that were not redeemed or might be again.
func lockOut(ctx context.Context, tx *sqldb.Tx, agent string) error {
	for _, statement := range []string{`DELETE FROM agent_enrolments WHERE agent = $1`, `DELETE FROM join_tokens WHERE agent = $1`} {
		if _, err := tx.ExecContext(ctx, statement, agent); err != nil {
			return fmt.Errorf("lock out %s: %w", agent, err)
		}
	}
	return nil
}

// RevokeAgent locks an agent out until it enrols anew; its targets stay its own. Revoking it again changes nothing.
func (s *Store) RevokeAgent(ctx context.Context, tx *sqldb.Tx, agent, reason string) (*deploymentv1.Agent, error) {
	row, err := Agents.LockRow(ctx, tx, agent)
	if err != nil {
		return nil, err
	}
	if err := lockOut(ctx, tx, agent); err != nil || row.Message.GetRevokeTime() != nil {
		return row.Message, err
	}
	row.Message.RevokeTime = timestamppb.New(s.Now())
	return row.Message, Agents.Save(ctx, tx, s.Resources, row.Message, row.Revision, resource.Meta{Verb: "revoked", Cause: reason})
}

// Quarantine marks an agent; an empty reason releases it. It tells whether that changed anything.
func (s *Store) Quarantine(ctx context.Context, tx *sqldb.Tx, agent, reason string, meta resource.Meta) (*deploymentv1.Agent, error) {
	row, err := Agents.LockRow(ctx, tx, agent)
	if err != nil || row.Message.GetQuarantineReason() == reason {
		return row.Message, err
	}
	row.Message.QuarantineReason = reason
	return row.Message, Agents.Save(ctx, tx, s.Resources, row.Message, row.Revision, meta)
}

// AgentRenewed remembers when the certificate of an agent ends now.
func (s *Store) AgentRenewed(ctx context.Context, agent string, expires time.Time) error {
	return s.DB.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		row, err := Agents.LockRow(ctx, tx, agent)
		if err != nil {
			return err
		}
		row.Message.CertificateExpireTime = timestamppb.New(expires)
		return Agents.Save(ctx, tx, s.Resources, row.Message, row.Revision, resource.Meta{Actor: agent, Verb: "renewed"})
	})
}
