package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/technical"
)

// EnvironmentStanding says how an environment is now, in two statements.
func EnvironmentStanding(ctx context.Context, q sqldb.Queryer, environment string) (technical.Standing, error) {
	var s technical.Standing
	err := q.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN s.health = `+number(deploymentv1.Installation_HEALTHY_NOW)+` THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN s.health = `+number(deploymentv1.Installation_UNHEALTHY)+` THEN 1 ELSE 0 END), 0)
		FROM slots s JOIN targets t ON t.name = s.target WHERE t.parent = $1 AND s.release <> ''`, environment).
		Scan(&s.Running, &s.Healthy, &s.Unhealthy)
	if err != nil {
		return s, fmt.Errorf("count what runs in %s: %w", environment, err)
	}
	rows, err := q.QueryContext(ctx, `SELECT name FROM deployments WHERE environment = $1 AND terminal = 0 ORDER BY name LIMIT 100`, environment)
	s.Moving, err = sqldb.Collect(rows, err, func(r *sql.Rows) (name string, err error) { return name, r.Scan(&name) })
	if err != nil {
		return s, fmt.Errorf("find what moves in %s: %w", environment, err)
	}
	return s, nil
}
