package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Presence is whether one agent is connected to this process.
type Presence struct {
	Agent     string
	Connected bool
	// BootID is of the agent's process.
	BootID string
	// Targets are those it serves; needed when it is connected.
	Targets []string
	// Facts are what it said of its host; nil when it said nothing.
	Facts *deploymentv1.HostFacts
	// Seen is when it was heard last.
	Seen time.Time
	// Version is of the agent's program, and UpdateError why the one that it should run does not.
	Version, UpdateError string
}

// SavePresence writes what changed, all in one transaction. Rows say connected
// only until lease from now; [Store.RenewPresence] moves that on. An agent that
// another process has taken over is not declared disconnected by this one.
func (s *Store) SavePresence(ctx context.Context, replica string, lease time.Duration, changes []Presence) error {
	// In one order everywhere, so that two replicas do not wait for each other in a circle.
	changes = slices.SortedFunc(slices.Values(changes), func(a, b Presence) int {
		return cmp.Compare(a.Agent, b.Agent)
	})
	return s.DB.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now := s.Now()
		for _, p := range changes {
			var err error
			if p.Connected {
				err = s.connected(ctx, tx, replica, now, now.Add(lease), p)
			} else {
				err = s.disconnected(ctx, tx, replica, now, p)
			}
			if err != nil {
				return fmt.Errorf("presence of %s: %w", p.Agent, err)
			}
		}
		return nil
	})
}

func (s *Store) connected(ctx context.Context, tx *sqldb.Tx, replica string, now, until time.Time, p Presence) error {
	row, err := Agents.LockRow(ctx, tx, p.Agent)
	if fault.Is(err, fault.KindNotFound) {
		return nil // deleted meanwhile; its stream is being cut
	}
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO agent_presence (agent, connected, boot_id, replica, changed_at, lease_until)
		VALUES ($1, 1, $2, $3, $4, $5) ON CONFLICT (agent) DO UPDATE SET connected = 1, boot_id = excluded.boot_id,
		replica = excluded.replica, changed_at = excluded.changed_at, lease_until = excluded.lease_until`,
		p.Agent, p.BootID, replica, now.UnixMicro(), until.UnixMicro()); err != nil {
		return err
	}
	for _, target := range p.Targets {
		// changed_at stays where the target was connected all the time, by whatever stream.
		if _, err := tx.ExecContext(ctx, `INSERT INTO target_presence (target, agent, connected, changed_at, last_seen, replica, lease_until)
			VALUES ($1, $2, 1, $3, $4, $5, $6) ON CONFLICT (target) DO UPDATE SET agent = excluded.agent, connected = 1,
			changed_at = CASE WHEN target_presence.connected = 1 AND target_presence.lease_until > excluded.changed_at
				THEN target_presence.changed_at ELSE excluded.changed_at END,
			last_seen = excluded.last_seen, replica = excluded.replica, lease_until = excluded.lease_until`,
			target, p.Agent, now.UnixMicro(), p.Seen.UnixMicro(), replica, until.UnixMicro()); err != nil {
			return err
		}
		if p.Facts != nil {
			if err := s.setTargetFacts(ctx, tx, target, p.Agent, p.Facts); err != nil && !fault.Is(err, fault.KindNotFound) {
				return err
			}
		}
	}
	return s.saveConnected(ctx, tx, row, p)
}

func (s *Store) disconnected(ctx context.Context, tx *sqldb.Tx, replica string, now time.Time, p Presence) error {
	row, err := Agents.LockRow(ctx, tx, p.Agent)
	gone := fault.Is(err, fault.KindNotFound)
	if err != nil && !gone {
		return err
	}
	result, err := tx.ExecContext(ctx, `UPDATE agent_presence SET connected = 0, changed_at = $3
		WHERE agent = $1 AND replica = $2 AND connected = 1`, p.Agent, replica, now.UnixMicro())
	if err != nil {
		return err
	}
	if changed, err := result.RowsAffected(); err != nil || changed == 0 {
		return err // another process has it
	}
	if _, err := tx.ExecContext(ctx, `UPDATE target_presence SET connected = 0, changed_at = $3, last_seen = $4
		WHERE agent = $1 AND replica = $2 AND connected = 1`, p.Agent, replica, now.UnixMicro(), p.Seen.UnixMicro()); err != nil || gone {
		return err
	}
	return s.saveConnected(ctx, tx, row, p)
}

func (s *Store) saveConnected(ctx context.Context, tx *sqldb.Tx, row resource.Row[*deploymentv1.Agent], p Presence) error {
	agent := row.Message
	meta := resource.Meta{Actor: p.Agent}
	news := p.Facts != nil && FactsDiffer(agent.GetFacts(), p.Facts)
	if news {
		agent.Facts = p.Facts
	}
	if p.Connected && (agent.GetVersion() != p.Version || agent.GetUpdateError() != p.UpdateError) {
		agent.Version, agent.UpdateError = p.Version, p.UpdateError
		news = true
	}
	if agent.GetConnected() != p.Connected {
		meta.Verb = map[bool]string{true: "connected", false: "disconnected"}[p.Connected]
		agent.Connected = p.Connected
		news = true
	}
	if !news {
		return nil
	}
	agent.LastSeenTime = timestamppb.New(p.Seen)
	return Agents.Save(ctx, tx, s.Resources, agent, row.Revision, meta)
}

// RenewPresence moves on the leases of all that is connected to this process,
// and returns those agents, so that the caller can find what it lost to another.
func (s *Store) RenewPresence(ctx context.Context, replica string, lease time.Duration) (agents []string, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now := s.Now()
		rows, err := tx.QueryContext(ctx, `UPDATE agent_presence SET lease_until = $2 WHERE replica = $1 AND connected = 1 RETURNING agent`,
			replica, now.Add(lease).UnixMicro())
		agents, err = sqldb.Collect(rows, err, scanText)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE target_presence SET lease_until = $2, last_seen = $3 WHERE replica = $1 AND connected = 1`,
			replica, now.Add(lease).UnixMicro(), now.UnixMicro())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("renew presence: %w", err)
	}
	return agents, nil
}

// ExpirePresence declares disconnected whom a dead process left connected, from
// the moment its lease ended, and returns the targets concerned.
func (s *Store) ExpirePresence(ctx context.Context) (targets []string, err error) {
	now := s.Now().UnixMicro()
	var overdue int
	if err := s.DB.Read().QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM agent_presence WHERE connected = 1 AND lease_until <= $1)
		+ (SELECT COUNT(*) FROM target_presence WHERE connected = 1 AND lease_until <= $1)`, now).Scan(&overdue); err != nil {
		return nil, fmt.Errorf("expire presence: %w", err)
	}
	if overdue == 0 {
		return nil, nil
	}
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.QueryContext(ctx, `UPDATE agent_presence SET connected = 0, changed_at = lease_until
			WHERE connected = 1 AND lease_until <= $1 RETURNING agent`, now)
		agents, err := sqldb.Collect(rows, err, scanText)
		if err != nil {
			return err
		}
		rows, err = tx.QueryContext(ctx, `UPDATE target_presence SET connected = 0, changed_at = lease_until
			WHERE connected = 1 AND lease_until <= $1 RETURNING target`, now)
		if targets, err = sqldb.Collect(rows, err, scanText); err != nil {
			return err
		}
		slices.Sort(agents)
		for _, agent := range agents {
			row, err := Agents.LockRow(ctx, tx, agent)
			if fault.Is(err, fault.KindNotFound) {
				continue
			}
			if err == nil {
				err = s.saveConnected(ctx, tx, row, Presence{Agent: agent, Seen: row.Message.GetLastSeenTime().AsTime()})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("expire presence: %w", err)
	}
	return targets, nil
}

// Holder tells which process holds the stream of an agent, and of which boot;
// empty where none does.
func (s *Store) Holder(ctx context.Context, agent string) (replica, bootID string, err error) {
	err = s.DB.Read().QueryRowContext(ctx, `SELECT replica, boot_id FROM agent_presence
		WHERE agent = $1 AND connected = 1 AND lease_until > $2`, agent, s.Now().UnixMicro()).Scan(&replica, &bootID)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", nil
	}
	return replica, bootID, err
}

func scanText(rows *sql.Rows) (text string, err error) {
	err = rows.Scan(&text)
	return text, err
}
