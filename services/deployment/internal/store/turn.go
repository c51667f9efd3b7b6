package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// A deployment that waits for its turn has its installations, but does not hold its targets: their
// rows are not active until TakeTargets.

// Unended returns the deployments of an application to an environment that have not ended, oldest first.
func Unended(ctx context.Context, q sqldb.Queryer, application, environment string) ([]*deploymentv1.Deployment, error) {
	return Deployments.Select(ctx, q, `WHERE environment = $1 AND terminal = 0 AND parent = $2 ORDER BY create_time, name`, environment, application)
}

// AheadOf returns what has to end before the turn of a deployment comes: those of the application to the
// environment that were there before or are on already, and whoever holds one of its targets. It is empty for
// a deployment that does not wait for a turn.
func AheadOf(ctx context.Context, q sqldb.Queryer, d *deploymentv1.Deployment, application string) ([]rollout.Ahead, error) {
	rows, err := q.QueryContext(ctx, `SELECT o.name, o.state FROM deployments o WHERE o.environment = $1 AND o.terminal = 0 AND o.parent = $2 AND o.name <> $3
		AND EXISTS (SELECT 1 FROM installations m WHERE m.parent = $3 AND m.active = 0 AND `+in("m.state", deploymentv1.Installation_QUEUED)+`)
		AND (o.kind <> `+number(deploymentv1.Deployment_CATCH_UP)+` AND (o.state <> `+number(deploymentv1.Deployment_PENDING)+` OR (o.create_time, o.name) < ($4, $3))
			OR EXISTS (SELECT 1 FROM installations h JOIN installations m ON m.target = h.target AND m.application = h.application WHERE h.parent = o.name AND h.active = 1 AND m.parent = $3))
		ORDER BY o.create_time, o.name`, d.GetEnvironment(), application, d.GetName(), d.GetCreateTime().AsTime().UnixMicro())
	return sqldb.Collect(rows, err, func(r *sql.Rows) (a rollout.Ahead, err error) { return a, r.Scan(&a.Name, &a.State) })
}

// NextInLine returns the deployments that may be waiting for others of the same application and environment, oldest first.
func NextInLine(ctx context.Context, q sqldb.Queryer, application, environment string) ([]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT name FROM deployments WHERE environment = $1 AND terminal = 0 AND parent = $2 AND state = `+number(deploymentv1.Deployment_PENDING)+
		` ORDER BY create_time, name`, environment, application)
	return sqldb.Collect(rows, err, scanText)
}

// TakeTargets lets a deployment whose turn has come hold its targets. What they run now, not what they ran
// when it was created, is what it would bring back; where a failed release was left in place, the one before that.
// Targets that are gone by now end. It does nothing for a deployment that holds its targets already. A target
// that another one holds is a unique violation of installations_active.
func TakeTargets(ctx context.Context, tx *sqldb.Tx, now time.Time, deployment string) ([]*Installation, error) {
	const waits = `parent = $2 AND active = 0 AND state = `
	gone, err := change(ctx, tx, now, set("state", deploymentv1.Installation_CANCELLED)+`, cause = 'TARGET_GONE', message = 'the target was deleted before its turn came'`,
		waits+number(deploymentv1.Installation_QUEUED)+` AND NOT EXISTS (SELECT 1 FROM targets t WHERE t.name = installations.target)`, deployment)
	if err != nil {
		return nil, err
	}
	ran := func(column, otherwise string) string {
		return `from_` + column + ` = COALESCE((SELECT CASE WHEN s.settled = 0 AND s.health = ` + number(deploymentv1.Installation_UNHEALTHY) + `
			THEN (SELECT h.from_` + column + ` FROM installations h WHERE h.name = s.installation) ELSE s.` + column + ` END
			FROM slots s WHERE s.target = installations.target AND s.application = installations.application), ` + otherwise + `)`
	}
	_, err = tx.ExecContext(ctx, `UPDATE installations SET active = 1, `+ran("release", `''`)+`, `+ran("overlay", `NULL`)+`, `+ran("config_digest", `''`)+`
		WHERE parent = $1 AND active = 0 AND `+in("state", deploymentv1.Installation_QUEUED), deployment)
	return gone, err
}

// Away names the targets of each wave that wait and cannot be worked on, a bounded number of them.
func Away(ctx context.Context, q sqldb.Queryer, now time.Time, deployment string) (map[string][]string, error) {
	out := map[string][]string{}
	rows, err := q.QueryContext(ctx, `SELECT i.wave, i.target FROM installations i WHERE i.parent = $1 AND `+in("i.state", deploymentv1.Installation_QUEUED)+
		` AND NOT (`+available+`) ORDER BY i.wave, i.target LIMIT 1000`, deployment, now.UnixMicro())
	return out, collectPairs(rows, err, func(wave, target string) { out[wave] = append(out[wave], target) })
}

// Members returns what the installations of a deployment bring to which targets, for the digest of its snapshot.
func Members(ctx context.Context, q sqldb.Queryer, deployment string) ([]rollout.Member, error) {
	rows, err := q.QueryContext(ctx, `SELECT target, wave, to_release, config_digest FROM installations WHERE parent = $1`, deployment)
	return sqldb.Collect(rows, err, func(r *sql.Rows) (m rollout.Member, err error) {
		return m, r.Scan(&m.Target, &m.Wave, &m.Release, &m.ConfigDigest)
	})
}

// PlanDigest returns the digest of the plan that a deployment was given; it is empty for one of before.
func PlanDigest(ctx context.Context, q sqldb.Queryer, deployment string) (digest string, err error) {
	return digest, q.QueryRowContext(ctx, `SELECT plan_digest FROM deployments WHERE name = $1`, deployment).Scan(&digest)
}

// SetPlanDigest keeps the digest of the plan that a deployment was given.
func SetPlanDigest(ctx context.Context, tx *sqldb.Tx, deployment, digest string) error {
	kept := func(err error) error { return fmt.Errorf("keep the digest of the plan of %s: %w", deployment, err) }
	return tx.Queue(ctx, kept, `UPDATE deployments SET plan_digest = $1 WHERE name = $2`, digest, deployment)
}

// stampOf is a time as rows keep it; not set where they say 0.
func stampOf(micros int64) *timestamppb.Timestamp {
	if micros == 0 {
		return nil
	}
	return timestamppb.New(time.UnixMicro(micros))
}
