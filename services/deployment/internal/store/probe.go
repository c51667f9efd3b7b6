package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	"github.com/golive-dev/golive/services/deployment/internal/canary"
)

// batch is how many rows one INSERT has where there are many; two texts in all, so that both stay prepared.
const batch = 50

// AppendProbes stores summaries. One that is there already stays as it is.
func (s *Store) AppendProbes(ctx context.Context, summaries []*agentv1.ProbeSummary) error {
	now := s.Now().UnixMicro()
	rows := make([][]any, len(summaries))
	for i, p := range summaries {
		rows[i] = []any{
			p.GetInstallation(), p.GetStartTime().AsTime().UnixMicro(), p.GetEndTime().AsTime().UnixMicro(),
			p.GetSucceeded(), p.GetFailed(), p.GetLatencySumUs(), p.GetLatencyMaxUs(), now,
		}
		rows[i] = append(rows[i], classes(p.GetLatencyCounts())...)
	}
	err := s.Metrics.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return insertRows(ctx, tx, `INSERT INTO probe_summaries (installation, start_time, end_time, succeeded, failed,
			latency_sum_us, latency_max_us, receive_time, `+strings.Join(within(), ", ")+`) VALUES `, ` ON CONFLICT DO NOTHING`, rows)
	})
	if err != nil {
		return fmt.Errorf("store probe summaries: %w", err)
	}
	return nil
}

// classes are the counts as columns. They are cumulative, so bounds that an agent does not know hold what the one below holds.
func classes(counts []int64) []any {
	columns := make([]any, len(canary.LatencyBounds()))
	last := int64(0)
	for i := range columns {
		if i < len(counts) {
			last = counts[i]
		}
		columns[i] = last
	}
	return columns
}

// ReadProbes returns the summaries of an installation that begin in [from, to), oldest first.
func (s *Store) ReadProbes(ctx context.Context, installation string, from, to time.Time) ([]*agentv1.ProbeSummary, error) {
	rows, err := s.Metrics.Read().QueryContext(ctx, `SELECT start_time, end_time, succeeded, failed, latency_sum_us, latency_max_us, `+strings.Join(within(), ", ")+`
		FROM probe_summaries WHERE installation = $1 AND start_time >= $2 AND start_time < $3 ORDER BY start_time`,
		installation, from.UnixMicro(), to.UnixMicro())
	found, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (*agentv1.ProbeSummary, error) {
		p := &agentv1.ProbeSummary{Installation: installation, LatencyCounts: make([]int64, len(canary.LatencyBounds()))}
		var start, end int64
		into := []any{&start, &end, &p.Succeeded, &p.Failed, &p.LatencySumUs, &p.LatencyMaxUs}
		for i := range p.GetLatencyCounts() {
			into = append(into, &p.LatencyCounts[i])
		}
		err := rows.Scan(into...)
		p.StartTime, p.EndTime = timestamppb.New(time.UnixMicro(start)), timestamppb.New(time.UnixMicro(end))
		if slices.Max(p.GetLatencyCounts()) == 0 {
			p.LatencyCounts = nil // its agent sends none, or none succeeded
		}
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("read probe summaries of %s: %w", installation, err)
	}
	return found, nil
}

// SaveHeartbeats stores when agents were heard.
func (s *Store) SaveHeartbeats(ctx context.Context, heard map[string]time.Time) error {
	rows := make([][]any, 0, len(heard))
	for agent, at := range heard {
		rows = append(rows, []any{agent, at.UnixMicro()})
	}
	sortRows(rows)
	err := s.Metrics.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return insertRows(ctx, tx, `INSERT INTO heartbeats (agent, last_seen) VALUES `,
			` ON CONFLICT (agent) DO UPDATE SET last_seen = excluded.last_seen WHERE heartbeats.last_seen < excluded.last_seen`, rows)
	})
	if err != nil {
		return fmt.Errorf("store heartbeats: %w", err)
	}
	return nil
}

// LastSeen returns when each agent was heard last, where it ever was.
func (s *Store) LastSeen(ctx context.Context, agents []string) (map[string]time.Time, error) {
	heard := make(map[string]time.Time, len(agents))
	err := inChunks(agents, func(marks string, args []any) error {
		rows, err := s.Metrics.Read().QueryContext(ctx, `SELECT agent, last_seen FROM heartbeats WHERE agent IN (`+marks+`)`, args...)
		_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
			var agent string
			var at int64
			err := rows.Scan(&agent, &at)
			heard[agent] = time.UnixMicro(at)
			return struct{}{}, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read heartbeats: %w", err)
	}
	return heard, nil
}
