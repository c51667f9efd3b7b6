package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Desired is what should run of an application on a target.
type Desired struct {
	Target, Application string
	Release             string
	ConfigDigest        string
	Overlay             []byte
	// Deployment is the one that was sealed there.
	Deployment string
	Since      time.Time
	// Straggler is true where it has not been installed: the target was away when its wave was sealed.
	Straggler bool
}

// causeStraggler marks installations that ended because their wave was sealed without them.
const causeStraggler = "STRAGGLER"

const desiredColumns = `target, application, release, config_digest, overlay, deployment, since, straggler`

func scanDesired(rows *sql.Rows) (*Desired, error) {
	var d Desired
	var micros int64
	err := rows.Scan(&d.Target, &d.Application, &d.Release, &d.ConfigDigest, &d.Overlay, &d.Deployment, &micros, &d.Straggler)
	d.Since = time.UnixMicro(micros)
	return &d, err
}

// desire says of the members of a wave that is sealed, or was in part, that what they were given is
// what should run there; also of those that were away. Where a deployment took an application away,
// nothing should.
func desire(ctx context.Context, tx *sqldb.Tx, now time.Time, wave string) error {
	whose := `i.wave = $1 AND (` + in("i.state", deploymentv1.Installation_SEALED, deploymentv1.Installation_SKIPPED) + ` OR i.cause = '` + causeStraggler + `')`
	_, err := tx.ExecContext(ctx, `INSERT INTO desired_releases (`+desiredColumns+`)
		SELECT i.target, i.application, i.to_release, i.config_digest, i.overlay, i.parent, CAST($2 AS BIGINT), CASE WHEN i.cause = '`+causeStraggler+`' THEN 1 ELSE 0 END
		FROM installations i WHERE `+whose+` AND i.to_release <> '' ORDER BY i.target
		ON CONFLICT (target, application) DO UPDATE SET
			since = CASE WHEN desired_releases.deployment = excluded.deployment AND desired_releases.straggler = excluded.straggler THEN desired_releases.since ELSE excluded.since END,
			release = excluded.release, config_digest = excluded.config_digest, overlay = excluded.overlay, deployment = excluded.deployment, straggler = excluded.straggler`,
		wave, now.UnixMicro())
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM desired_releases WHERE EXISTS (SELECT 1 FROM installations i
		WHERE i.target = desired_releases.target AND i.application = desired_releases.application AND i.to_release = '' AND `+whose+`)`, wave)
	return err
}

// ForgetStragglers lets what runs be what should run again, on those targets of some waves that a deployment
// which is taken back never reached.
func ForgetStragglers(ctx context.Context, tx *sqldb.Tx, now time.Time, deployment string, waves []string) error {
	return inChunks(waves, func(marks string, args []any) error {
		// Numbered behind the waves.
		at, of := sqldb.Marks(len(args)+1, 1), sqldb.Marks(len(args)+2, 1)
		left := `desired_releases.straggler = 1 AND EXISTS (SELECT 1 FROM installations i WHERE i.target = desired_releases.target
			AND i.application = desired_releases.application AND i.parent = desired_releases.deployment AND i.wave IN (` + marks + `)) AND desired_releases.deployment = ` + of
		const runs = `FROM slots s WHERE s.target = desired_releases.target AND s.application = desired_releases.application`
		args = append(args, now.UnixMicro(), deployment)
		if _, err := tx.ExecContext(ctx, `UPDATE desired_releases SET straggler = 0, since = `+at+`,
			release = (SELECT s.release `+runs+`), config_digest = (SELECT s.config_digest `+runs+`), overlay = (SELECT s.overlay `+runs+`),
			deployment = COALESCE((SELECT h.parent FROM installations h JOIN slots s ON s.installation = h.name WHERE s.target = desired_releases.target AND s.application = desired_releases.application), '')
			WHERE `+left+` AND EXISTS (SELECT 1 `+runs+`)`, args...); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM desired_releases WHERE `+left+` AND CAST(`+at+` AS BIGINT) > 0`, args...) // what is left of them runs nothing
		return err
	})
}

// DesiredOn returns what should run on these targets, by target.
func DesiredOn(ctx context.Context, q sqldb.Queryer, targets []string) (map[string][]*Desired, error) {
	out := map[string][]*Desired{}
	err := inChunks(targets, func(marks string, args []any) error {
		rows, err := q.QueryContext(ctx, `SELECT `+desiredColumns+` FROM desired_releases WHERE target IN (`+marks+`) ORDER BY target, application`, args...)
		all, err := sqldb.Collect(rows, err, scanDesired)
		for _, d := range all {
			out[d.Target] = append(out[d.Target], d)
		}
		return err
	})
	return out, err
}

// Stragglers returns the targets that a deployment left behind and that have not caught up, in the order of their names.
func Stragglers(ctx context.Context, q sqldb.Queryer, deployment string) ([]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT target FROM desired_releases WHERE deployment = $1 AND straggler = 1 ORDER BY target`, deployment)
	return sqldb.Collect(rows, err, scanText)
}

// LeftBehind returns the installations of a wave that it was sealed without.
func LeftBehind(ctx context.Context, q sqldb.Queryer, wave string) ([]*Installation, error) {
	return SelectInstallations(ctx, q, `wave = $1 AND cause = '`+causeStraggler+`' AND `+in("state", deploymentv1.Installation_CANCELLED)+` ORDER BY target`, wave)
}
