package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

const (
	// keepLines is how many lines of one try are kept: the last ones.
	keepLines = 5000
	// chunkLines and lineBytes bound what one message of an agent may make us store.
	chunkLines = 1000
	lineBytes  = 4096
)

// AppendLogs stores output in the order given and keeps the last lines of each
// try. It may lose the last second on power loss, as all metrics may.
func (s *Store) AppendLogs(ctx context.Context, chunks []*agentv1.LogChunk) error {
	return s.Metrics.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now := s.Now().UnixMicro()
		for _, chunk := range chunks {
			if err := appendLog(ctx, tx, chunk, now); err != nil {
				return fmt.Errorf("store output of %s: %w", chunk.GetInstallation(), err)
			}
		}
		return nil
	})
}

func appendLog(ctx context.Context, tx *sqldb.Tx, chunk *agentv1.LogChunk, now int64) error {
	lines := chunk.GetLines()
	lines = lines[max(0, len(lines)-chunkLines):]
	if len(lines) == 0 {
		return nil
	}
	for _, line := range lines {
		if len(line.GetText()) > lineBytes {
			line.Text = strings.ToValidUTF8(line.GetText()[:lineBytes], "")
		}
	}
	data, err := proto.Marshal(&deploymentv1.ReadLogsResponse{Lines: lines})
	if err != nil {
		return err
	}
	var last int64
	err = tx.QueryRowContext(ctx, `INSERT INTO log_lines (installation, attempt, last_line, lines, receive_time)
		SELECT $1, $2, COALESCE(MAX(last_line), 0) + $3, $4, $5 FROM log_lines WHERE installation = $1 AND attempt = $2
		RETURNING last_line`,
		chunk.GetInstallation(), chunk.GetAttempt(), len(lines), data, now).Scan(&last)
	if err != nil {
		return err
	}
	if last <= keepLines {
		return nil
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM log_lines WHERE installation = $1 AND attempt = $2 AND last_line <= $3`,
		chunk.GetInstallation(), chunk.GetAttempt(), last-keepLines)
	return err
}

// LastLoggedAttempt is the newest try that wrote anything; 0 when none did.
func (s *Store) LastLoggedAttempt(ctx context.Context, installation string) (attempt int32, err error) {
	err = s.Metrics.Read().QueryRowContext(ctx, `SELECT COALESCE(MAX(attempt), 0) FROM log_lines WHERE installation = $1`,
		installation).Scan(&attempt)
	if err != nil {
		return 0, fmt.Errorf("read output of %s: %w", installation, err)
	}
	return attempt, nil
}

// LogPage is some output; Last is where the next page begins.
type LogPage struct {
	Lines []*deploymentv1.LogLine
	Last  int64
}

// ReadLogs returns what one try wrote after a place, oldest first, about a
// thousand lines at a time. A page without lines is the end so far.
func (s *Store) ReadLogs(ctx context.Context, installation string, attempt int32, after int64) (LogPage, error) {
	page := LogPage{Last: after}
	rows, err := s.Metrics.Read().QueryContext(ctx, `SELECT last_line, lines FROM log_lines
		WHERE installation = $1 AND attempt = $2 AND last_line > $3 ORDER BY last_line LIMIT 200`, installation, attempt, after)
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var last int64
		var data sql.RawBytes
		if err := rows.Scan(&last, &data); err != nil {
			return struct{}{}, err
		}
		if len(page.Lines) >= chunkLines {
			return struct{}{}, errPageFull
		}
		var stored deploymentv1.ReadLogsResponse
		if err := proto.Unmarshal(data, &stored); err != nil {
			return struct{}{}, err
		}
		page.Lines, page.Last = append(page.Lines, stored.GetLines()...), last
		return struct{}{}, nil
	})
	if err != nil && !errors.Is(err, errPageFull) {
		return LogPage{}, fmt.Errorf("read output of %s: %w", installation, err)
	}
	return page, nil
}

var errPageFull = errors.New("page is full")

// PurgeMetrics forgets output, probe summaries and pushed samples that were received before, some
// at a time so that nobody waits for it, and heartbeats of agents that are long gone.
func (s *Store) PurgeMetrics(ctx context.Context, before int64) error {
	const some = 2000
	for _, statement := range []string{
		`DELETE FROM log_lines WHERE (installation, attempt, last_line) IN
			(SELECT installation, attempt, last_line FROM log_lines WHERE receive_time < $1 LIMIT $2)`,
		`DELETE FROM probe_summaries WHERE (installation, start_time) IN
			(SELECT installation, start_time FROM probe_summaries WHERE receive_time < $1 LIMIT $2)`,
		`DELETE FROM samples WHERE (environment, release, counter, start_time, source) IN
			(SELECT environment, release, counter, start_time, source FROM samples WHERE receive_time < $1 LIMIT $2)`,
		`DELETE FROM heartbeats WHERE agent IN (SELECT agent FROM heartbeats WHERE last_seen < $1 LIMIT $2)`,
	} {
		for removed := int64(some); removed == some; {
			err := s.Metrics.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
				result, err := tx.ExecContext(ctx, statement, before, some)
				if err != nil {
					return err
				}
				removed, err = result.RowsAffected()
				return err
			})
			if err != nil {
				return fmt.Errorf("purge metrics: %w", err)
			}
		}
	}
	return nil
}
