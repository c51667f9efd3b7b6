package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Run is a stretch of time in which one release of an application ran on one target.
type Run struct {
	Target, Application, Release, Installation string
	From, To                                   time.Time // To is zero while it runs.
}

// recordRuns keeps the history in step with the slots: what ran so far has ended where
// something else runs now, or nothing does.
func recordRuns(ctx context.Context, tx *sqldb.Tx, slots []*Slot) error {
	err := sized(slots, func(part []*Slot) error {
		args := make([]any, 0, 5*len(part))
		for _, s := range part {
			args = append(args, s.Target, s.Application, s.Release, s.Installation, s.Since.UnixMicro())
		}
		now := `WITH now (target, application, release, installation, since) AS (VALUES ` + typedTuples(len(part), "TEXT", "TEXT", "TEXT", "TEXT", "BIGINT") + `) `
		_, err := tx.ExecContext(ctx, now+`UPDATE runs SET to_time = now.since FROM now WHERE runs.target = now.target AND runs.application = now.application
			AND runs.to_time = 0 AND (runs.release <> now.release OR runs.installation <> now.installation)`, args...)
		if err != nil {
			return err
		}
		// Two changes within a microsecond are still two rows.
		_, err = tx.ExecContext(ctx, now+`INSERT INTO runs (target, application, from_time, to_time, release, installation)
			SELECT now.target, now.application, CASE WHEN EXISTS (SELECT 1 FROM runs r WHERE r.target = now.target AND r.application = now.application AND r.from_time = now.since)
				THEN now.since + 1 ELSE now.since END, 0, now.release, now.installation
			FROM now WHERE now.release <> '' AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.target = now.target AND r.application = now.application AND r.to_time = 0)`, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("record what ran: %w", err)
	}
	return nil
}

// RunQuery selects runs; empty fields select all.
type RunQuery struct {
	Environment, Application, Target, Release string
	// Start and End select what ran at any time in [Start, End); both zero for all time.
	Start, End time.Time
	// Before is where the page before ended: only runs that are older, in the order of the answer.
	Before *Run
	Limit  int
}

// Runs returns what ran, newest first.
func Runs(ctx context.Context, q sqldb.Queryer, by RunQuery) ([]Run, error) {
	prefix := by.Environment + "/targets/"
	where, args := `target >= $1 AND target < $2`, []any{prefix, prefix + "~"}
	add := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", fmt.Sprint("$", len(args)), 1)
		}
		where += ` AND ` + condition
	}
	if by.Target != "" {
		add(`target = ?`, by.Target)
	}
	if by.Application != "" {
		add(`application = ?`, by.Application)
	}
	if by.Release != "" {
		add(`release = ?`, by.Release)
	}
	if !by.End.IsZero() {
		add(`from_time < ?`, by.End.UnixMicro())
		add(`(to_time = 0 OR to_time > ?)`, by.Start.UnixMicro())
	}
	if b := by.Before; b != nil {
		at := b.From.UnixMicro()
		add(`(from_time < ? OR from_time = ? AND (target > ? OR target = ? AND application > ?))`, at, at, b.Target, b.Target, b.Application)
	}
	args = append(args, by.Limit)
	rows, err := q.QueryContext(ctx, `SELECT target, application, release, installation, from_time, to_time FROM runs WHERE `+where+
		` ORDER BY from_time DESC, target, application LIMIT $`+fmt.Sprint(len(args)), args...)
	found, err := sqldb.Collect(rows, err, scanRun)
	if err != nil {
		return nil, fmt.Errorf("read what ran in %s: %w", by.Environment, err)
	}
	return found, nil
}

func scanRun(rows *sql.Rows) (Run, error) {
	var r Run
	var from, to int64
	err := rows.Scan(&r.Target, &r.Application, &r.Release, &r.Installation, &from, &to)
	r.From = time.UnixMicro(from).UTC()
	if to != 0 {
		r.To = time.UnixMicro(to).UTC()
	}
	return r, err
}

// Message is the run as clients see it.
func (r Run) Message() *deploymentv1.Run {
	m := &deploymentv1.Run{
		Target: r.Target, Application: r.Application, Release: r.Release, Installation: r.Installation, StartTime: timestamppb.New(r.From),
	}
	if !r.To.IsZero() {
		m.EndTime = timestamppb.New(r.To)
	}
	return m
}
