package store

import (
	"context"
	"database/sql"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// Way is how some targets of a deployment would go back.
type Way struct {
	// From is what they ran before, To what the deployment brings; empty for nothing.
	From, To string
	// Retained says that From is on the hosts still: it runs there, or was the one before what runs.
	Retained bool
	// Targets is how many go that way, and Example one of them.
	Targets int32
	Example string
}

// ways groups the installations of a deployment by their way back, so that ten thousand targets are a few rows.
const ways = `SELECT from_release, to_release, CASE WHEN s.installation = name OR s.release = from_release AND s.config_digest = from_config_digest THEN 1 ELSE 0 END,
	COUNT(*), MIN(installations.target) FROM installations LEFT JOIN slots s ON s.target = installations.target AND s.application = installations.application WHERE `

// WaysBack returns the ways back of all targets of a deployment.
func WaysBack(ctx context.Context, q sqldb.Queryer, deployment string) ([]Way, error) {
	return selectWays(ctx, q, `parent = $1`, deployment)
}

// WaysBackNow returns those of the targets that a rollback would take back now.
func WaysBackNow(ctx context.Context, q sqldb.Queryer, deployment string, ended bool) ([]Way, error) {
	return selectWays(ctx, q, toRollBack(ended), deployment)
}

func selectWays(ctx context.Context, q sqldb.Queryer, where, deployment string) ([]Way, error) {
	rows, err := q.QueryContext(ctx, ways+where+` GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`, deployment)
	return sqldb.Collect(rows, err, func(r *sql.Rows) (w Way, err error) {
		return w, r.Scan(&w.From, &w.To, &w.Retained, &w.Targets, &w.Example)
	})
}
