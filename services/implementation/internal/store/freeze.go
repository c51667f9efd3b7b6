package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/detect"
)

const (
	// freezeEvery is how often freezes are asked for where nothing is heard of a change.
	freezeEvery = time.Hour
	// freezeRetry is when somebody else tries what was not answered.
	freezeRetry = time.Minute
)

// ClaimFreezes takes an implementation whose freezes are to be asked for, until a time; nil when
// there is none. Whoever moves its due time asks, so any number of processes may call this. One that was
// changed meanwhile is due at once: it may be about another application.
func (s *Store) ClaimFreezes(ctx context.Context) (i *implementationv1.Implementation, until time.Time, err error) {
	now := s.Now()
	until = now.Add(freezeRetry)
	err = s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var name string
		err := tx.QueryRowContext(ctx, `SELECT i.name FROM implementations i LEFT JOIN freeze_asks a ON a.implementation = i.name
			WHERE (COALESCE(a.due_time, 0) <= $1 OR a.revision <> i.revision) AND COALESCE(i.state, 0) NOT IN ($2, $3) ORDER BY COALESCE(a.due_time, 0), i.name LIMIT 1`,
			now.UnixMicro(), implementationv1.Implementation_CLOSED, implementationv1.Implementation_CANCELLED).Scan(&name)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		row, err := Implementations.LockRow(ctx, tx, name)
		if err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `INSERT INTO freeze_asks (implementation, due_time, revision) VALUES ($1, $2, $3)
			ON CONFLICT (implementation) DO UPDATE SET due_time = excluded.due_time, revision = excluded.revision
			WHERE freeze_asks.due_time <= $4 OR freeze_asks.revision <> excluded.revision`, name, until.UnixMicro(), row.Revision, now.UnixMicro())
		if err != nil {
			return err
		}
		if taken, err := result.RowsAffected(); err != nil || taken == 0 {
			return err // somebody else was faster
		}
		i = row.Message
		return nil
	})
	if err != nil && !gone(err) {
		return nil, until, fmt.Errorf("find an implementation to ask freezes for: %w", err)
	}
	return i, until, nil
}

// RecordFreezes replaces what is known of the freezes of an implementation that was claimed until a time. Where it is due
// at another time by now nothing is written: its freezes changed while they were asked for, somebody else asks, or it is gone.
func (s *Store) RecordFreezes(ctx context.Context, implementation string, claimed time.Time, freezes []*deploymentv1.Freeze) error {
	return s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		explain := func(err error) error { return fmt.Errorf("store the freezes of %s: %w", implementation, err) }
		result, err := tx.ExecContext(ctx, "UPDATE freeze_asks SET due_time = $1 WHERE implementation = $2 AND due_time = $3",
			s.Now().Add(freezeEvery).UnixMicro(), implementation, claimed.UnixMicro())
		if err != nil {
			return explain(err)
		}
		if held, err := result.RowsAffected(); err != nil || held == 0 {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM freezes WHERE implementation = $1", implementation); err != nil {
			return explain(err)
		}
		for n, f := range freezes {
			err := tx.Queue(ctx, explain, "INSERT INTO freezes (implementation, ordinal, policy, start_time, end_time, reason) VALUES ($1, $2, $3, $4, $5, $6)",
				implementation, n, f.GetPolicy(), micros(moment(f.GetStartTime())), micros(moment(f.GetEndTime())), f.GetReason())
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// freezesChanged makes the freezes of a workspace due to be asked about at once.
func freezesChanged(ctx context.Context, tx *sqldb.Tx, workspace string) error {
	_, err := tx.ExecContext(ctx, "UPDATE freeze_asks SET due_time = 0 WHERE implementation IN (SELECT name FROM implementations WHERE parent = $1)", workspace)
	return err
}

// removeFreezes takes along what is known of the freezes of an implementation, and of its calendar.
func removeFreezes(ctx context.Context, tx *sqldb.Tx, implementation string) error {
	for _, table := range []string{"freezes", "freeze_asks", "calendar_entries"} {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE implementation = $1", implementation); err != nil {
			return fmt.Errorf("delete the freezes of %s: %w", implementation, err)
		}
	}
	return nil
}

// Freeze is a time in which deployments are refused, as the deployment service said last.
type Freeze struct {
	Policy, Reason string
	Start, End     time.Time
}

// freezesOf are those of an implementation that end after a time, by their begin.
func freezesOf(ctx context.Context, q sqldb.Queryer, implementation string, after time.Time) ([]Freeze, error) {
	rows, err := q.QueryContext(ctx, "SELECT policy, start_time, end_time, reason FROM freezes WHERE implementation = $1 AND end_time > $2 ORDER BY ordinal", implementation, micros(after))
	all, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (f Freeze, err error) {
		var start, end int64
		err = rows.Scan(&f.Policy, &start, &end, &f.Reason)
		f.Start, f.End = fromMicros(start), fromMicros(end)
		return f, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the freezes of %s: %w", implementation, err)
	}
	return all, nil
}

// longFreeze is how long a freeze must be to matter wherever in a go-live it is.
const longFreeze = 72 * time.Hour

// stops says that a freeze is in the way of a go-live: it is long, or takes the
// whole first day. Nights and weekends in which a policy never lets anything be deployed are no collision.
func (f Freeze) stops(goLive time.Time) bool {
	return f.End.Sub(f.Start) >= longFreeze || !f.Start.After(goLive) && !f.End.Before(goLive.Add(day24))
}

// frozen adds the freezes of deployments to what go-lives may collide with (P5).
func (g *gathering) frozen(ctx context.Context, q sqldb.Queryer) error {
	freezes, err := freezesOf(ctx, q, g.f.Implementation, g.f.Now)
	if err != nil {
		return err
	}
	for i := range g.f.GoLives {
		for _, f := range freezes {
			if !f.stops(g.f.GoLives[i].Start) {
				continue
			}
			g.f.GoLives[i].Others = append(g.f.GoLives[i].Others, detect.Span{What: "deployment freeze", Name: f.Policy, Start: f.Start, End: f.End})
		}
	}
	return nil
}
