package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// Counts returns the installations of a deployment by wave and state, in one query over
// an index, so that a decision costs the same whatever the size of the wave.
func Counts(ctx context.Context, q sqldb.Queryer, now time.Time, deployment string) (map[string]*deploymentv1.InstallationCounts, error) {
	type group struct {
		wave      string
		state     deploymentv1.Installation_State
		health    deploymentv1.Installation_Health
		prestaged bool
		n         int32
	}
	rows, err := q.QueryContext(ctx, `SELECT wave, state, health, prestaged, COUNT(*) FROM installations WHERE parent = $1 GROUP BY wave, state, health, prestaged`, deployment)
	groups, err := sqldb.Collect(rows, err, func(r *sql.Rows) (g group, err error) {
		return g, r.Scan(&g.wave, &g.state, &g.health, &g.prestaged, &g.n)
	})
	if err != nil {
		return nil, err
	}
	out := map[string]*deploymentv1.InstallationCounts{}
	for _, g := range groups {
		c := out[g.wave]
		if c == nil {
			c = &deploymentv1.InstallationCounts{}
			out[g.wave] = c
		}
		rollout.Count(c, g.state, g.health, g.prestaged, g.n)
	}
	return out, unavailable(ctx, q, now, deployment, out)
}

// unavailable adds how many queued targets cannot be worked on.
func unavailable(ctx context.Context, q sqldb.Queryer, now time.Time, deployment string, into map[string]*deploymentv1.InstallationCounts) error {
	queued := false
	for _, c := range into {
		queued = queued || c.GetQueued() > 0
	}
	if !queued {
		return nil
	}
	type group struct {
		wave string
		n    int32
	}
	rows, err := q.QueryContext(ctx, `SELECT i.wave, COUNT(*) FROM installations i WHERE i.parent = $1 AND `+in("i.state", deploymentv1.Installation_QUEUED)+
		` AND NOT (`+available+`) GROUP BY i.wave`, deployment, now.UnixMicro())
	groups, err := sqldb.Collect(rows, err, func(r *sql.Rows) (g group, err error) { return g, r.Scan(&g.wave, &g.n) })
	for _, g := range groups {
		into[g.wave].Unavailable = g.n
	}
	return err
}

// InFlight names the targets on which work of a deployment has begun and not ended.
func InFlight(ctx context.Context, q sqldb.Queryer, deployment string) ([]string, error) {
	states := append(rollout.InProgress(), deploymentv1.Installation_UNKNOWN, deploymentv1.Installation_LOST, deploymentv1.Installation_REVERTING)
	rows, err := q.QueryContext(ctx, `SELECT target FROM installations WHERE parent = $1 AND `+in("state", states...)+` ORDER BY target`, deployment)
	return sqldb.Collect(rows, err, func(r *sql.Rows) (t string, err error) { return t, r.Scan(&t) })
}
