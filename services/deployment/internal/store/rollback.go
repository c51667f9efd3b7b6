package store

import (
	"context"
	"strconv"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// RollbackSet returns what a rollback of a deployment has to take back, by wave. Once it has
// ended only that counts which still runs, or may: another deployment may have replaced the rest.
func RollbackSet(ctx context.Context, tx *sqldb.Tx, deployment string, ended bool) (map[string][]*Installation, error) {
	all, err := SelectInstallations(ctx, tx, toRollBack(ended)+` ORDER BY name`, deployment)
	byWave := map[string][]*Installation{}
	for _, i := range all {
		byWave[i.GetWave()] = append(byWave[i.GetWave()], i)
	}
	return byWave, err
}

// toRollBack finds what a rollback of the deployment $1 has to take back.
func toRollBack(ended bool) string {
	if ended {
		return `parent = $1 AND (` + stillRuns() + ` OR ` +
			in("state", append(unsettled(), deploymentv1.Installation_FAILED)...) + ` AND ` + latest + `)`
	}
	return `parent = $1 AND ` + in("state", append(rollout.Touched(), deploymentv1.Installation_SEALED, deploymentv1.Installation_REVERTING, deploymentv1.Installation_REVERT_FAILED)...)
}

// stillRuns finds what runs by a row. What came later and was reverted brought back what the row had brought.
func stillRuns() string {
	const reverted = deploymentv1.Installation_REVERTED
	return `EXISTS (SELECT 1 FROM slots o JOIN installations c ON c.name = o.installation
		WHERE o.target = installations.target AND o.application = installations.application AND o.release = installations.to_release AND NOT ` + in("installations.state", reverted) + `
		AND (c.name = installations.name OR ` + in("c.state", reverted) + ` AND ` + in("installations.state", deploymentv1.Installation_SEALED) + ` AND NOT EXISTS (SELECT 1 FROM installations h
			WHERE h.target = installations.target AND h.application = installations.application AND h.epoch > installations.epoch
			AND NOT ` + in("h.state", reverted, deploymentv1.Installation_CANCELLED, deploymentv1.Installation_SKIPPED) + `)))`
}

// unsettled lists the states in which nobody knows what will run in the end.
func unsettled() []deploymentv1.Installation_State {
	return append(callable(), deploymentv1.Installation_REVERTING, deploymentv1.Installation_REVERT_FAILED)
}

// latest says that nobody has begun anything on the target of a row since.
const latest = `NOT EXISTS (SELECT 1 FROM installations h WHERE h.target = installations.target AND h.application = installations.application AND h.epoch > installations.epoch)`

// Retract lets go of what a deployment was doing when another one, by, takes targets over. On those
// targets its commands are withdrawn and what was on its way has ended here: the newer epochs of by
// fence off what agents may still be doing. On all others agents are told to stop.
func Retract(ctx context.Context, tx *sqldb.Tx, now time.Time, deployment, by string) (over, left []*Installation, err error) {
	const taken = ` EXISTS (SELECT 1 FROM installations b WHERE b.parent = $3 AND b.target = installations.target)`
	if _, err := tx.ExecContext(ctx, `UPDATE installations SET action = 0 WHERE parent = $1 AND action <> 0 AND EXISTS
		(SELECT 1 FROM installations b WHERE b.parent = $2 AND b.target = installations.target)`, deployment, by); err != nil {
		return nil, nil, err
	}
	over, err = change(ctx, tx, now, set("state", deploymentv1.Installation_CANCELLED)+`, cause = 'TAKEN_OVER', message = 'taken over by ' || $3`,
		`parent = $2 AND `+in("state", append(callable(), deploymentv1.Installation_REVERTING, deploymentv1.Installation_HEALTHY)...)+` AND`+taken, deployment, by)
	if err != nil {
		return nil, nil, err
	}
	left, err = change(ctx, tx, now, set("action", agentv1.Command_CANCEL)+`, epoch = `+nextEpoch,
		`parent = $2 AND `+toCallBack()+` AND NOT`+taken, deployment, by)
	return over, left, err
}

// DropWave ends what has not begun of a wave that is left out.
func DropWave(ctx context.Context, tx *sqldb.Tx, now time.Time, wave string) ([]*Installation, error) {
	return change(ctx, tx, now, set("state", deploymentv1.Installation_CANCELLED)+`, action = 0, cause = 'WAVE_SKIPPED', message = 'its wave was left out'`,
		`wave = $2 AND `+in("state", deploymentv1.Installation_QUEUED), wave)
}

// HeldBy returns the active installations of an application on these targets.
func HeldBy(ctx context.Context, q sqldb.Queryer, application string, targets []string) ([]*Installation, error) {
	var all []*Installation
	err := inChunks(targets, func(marks string, args []any) error {
		some, err := SelectInstallations(ctx, q, `target IN (`+marks+`) AND active = 1 AND application = $`+strconv.Itoa(len(args)+1)+` ORDER BY target`, append(args, application)...)
		all = append(all, some...)
		return err
	})
	return all, err
}

// Unsealed returns the installations of a deployment that were not sealed, nor had anything to do.
func Unsealed(ctx context.Context, q sqldb.Queryer, deployment string) ([]*Installation, error) {
	return SelectInstallations(ctx, q, `parent = $1 AND NOT `+in("state", deploymentv1.Installation_SEALED, deploymentv1.Installation_SKIPPED)+` ORDER BY name`, deployment)
}
