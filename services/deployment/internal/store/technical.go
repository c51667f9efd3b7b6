package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/technical"
)

// EnvironmentStanding says how an environment is now, in three statements.
func EnvironmentStanding(ctx context.Context, q sqldb.Queryer, environment *deploymentv1.Environment) (technical.Standing, error) {
	s := technical.Standing{Created: environment.GetCreateTime().AsTime()}
	const since = `CASE WHEN s.well_since > s.since THEN s.well_since ELSE s.since END` // health changed, or something else began to run
	var unwell, changed, moved int64
	err := q.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN s.health = `+number(deploymentv1.Installation_HEALTHY_NOW)+` THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN s.health = `+number(deploymentv1.Installation_UNHEALTHY)+` THEN 1 ELSE 0 END), 0),
		COALESCE(MIN(CASE WHEN s.health <> `+number(deploymentv1.Installation_HEALTHY_NOW)+` THEN `+since+` END), 0), COALESCE(MAX(`+since+`), 0)
		FROM slots s JOIN targets t ON t.name = s.target WHERE t.parent = $1 AND s.release <> ''`, environment.GetName()).
		Scan(&s.Running, &s.Healthy, &s.Unhealthy, &unwell, &changed)
	if err != nil {
		return s, fmt.Errorf("count what runs in %s: %w", environment.GetName(), err)
	}
	rows, err := q.QueryContext(ctx, `SELECT name, create_time FROM deployments WHERE environment = $1 AND terminal = 0 ORDER BY name LIMIT 100`, environment.GetName())
	s.Moving, err = sqldb.Collect(rows, err, func(r *sql.Rows) (m technical.Moving, err error) {
		var created int64
		err = r.Scan(&m.Name, &created)
		m.Since = time.UnixMicro(created)
		return m, err
	})
	if err != nil {
		return s, fmt.Errorf("find what moves in %s: %w", environment.GetName(), err)
	}
	err = q.QueryRowContext(ctx, `SELECT COALESCE(MAX(update_time), 0) FROM deployments WHERE environment = $1`, environment.GetName()).Scan(&moved)
	if err != nil {
		return s, fmt.Errorf("find what moved last in %s: %w", environment.GetName(), err)
	}
	s.UnwellSince = time.UnixMicro(unwell)
	s.Changed = time.UnixMicro(max(changed, moved, s.Created.UnixMicro()))
	return s, nil
}

// ErrorTally sums requests, and those with an error, of an environment with an end in (from, to]: what was pushed under counters whose
// name ends in "errors". An empty release counts all of them.
func (s *Store) ErrorTally(ctx context.Context, environment, release string, from, to time.Time) (t Tally, err error) {
	where, args := ``, []any{environment, from.UnixMicro(), to.UnixMicro()}
	if release != "" {
		where, args = ` AND release = $4`, append(args, release)
	}
	err = s.Metrics.Read().QueryRowContext(ctx, `SELECT COALESCE(SUM(total), 0), COALESCE(SUM(bad), 0) FROM samples
		WHERE environment = $1 AND end_time > $2 AND end_time <= $3 AND counter LIKE '%errors'`+where, args...).Scan(&t.Total, &t.Bad)
	if err != nil {
		return t, fmt.Errorf("sum errors of %s: %w", environment, err)
	}
	return t, nil
}
