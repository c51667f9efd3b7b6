package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// The moves that the engine makes on many installations at once. Each is one statement
// that names the states it starts from and returns what it changed.

// nextEpoch fences every command against all earlier ones on the same target and application.
const nextEpoch = `(SELECT COALESCE(MAX(h.epoch), 0) + 1 FROM (SELECT i.epoch FROM installations i WHERE i.target = installations.target AND i.application = installations.application
	UNION ALL SELECT f.epoch FROM epoch_floors f WHERE f.target = installations.target AND f.application = installations.application) h)`

// available says that the target of a row may be worked on at the time $2.
const available = `EXISTS (SELECT 1 FROM target_presence p WHERE p.target = i.target AND p.connected = 1 AND p.lease_until > $2)
	AND NOT EXISTS (SELECT 1 FROM targets t WHERE t.name = i.target AND t.maintenance = 1)`

// change runs UPDATE installations SET set WHERE where; $1 is the time of the change and the
// arguments begin at $2.
func change(ctx context.Context, tx *sqldb.Tx, now time.Time, set, where string, args ...any) ([]*Installation, error) {
	rows, err := tx.QueryContext(ctx, `UPDATE installations SET `+set+`, revision = revision + 1, update_time = $1 WHERE `+where+
		` RETURNING `+installationColumns, append([]any{now.UnixMicro()}, args...)...)
	return sqldb.Collect(rows, err, scanInstallation)
}

// Claim lets up to limit installations of a wave begin whose targets are there. Those
// whose target runs the very same release and configuration already are skipped instead.
func Claim(ctx context.Context, tx *sqldb.Tx, now time.Time, wave string, limit int32) (claimed, skipped []*Installation, err error) {
	skipped, err = change(ctx, tx, now, set("state", deploymentv1.Installation_SKIPPED)+`, action = 0, message = 'the target runs this release already'`,
		`wave = $2 AND `+in("state", deploymentv1.Installation_QUEUED)+` AND EXISTS (SELECT 1 FROM slots s WHERE s.target = installations.target
			AND s.application = installations.application AND s.settled = 1 AND s.release = installations.to_release AND s.config_digest = installations.config_digest
			AND s.health <> `+number(deploymentv1.Installation_UNHEALTHY)+` AND s.drift = '')`, wave)
	if err != nil {
		return nil, nil, fmt.Errorf("skip what is there already: %w", err)
	}
	claimed, err = change(ctx, tx, now, set("state", deploymentv1.Installation_CLAIMED)+`, `+set("action", agentv1.Command_INSTALL)+`, attempt = attempt + 1, epoch = `+nextEpoch,
		`name IN (SELECT i.name FROM installations i WHERE i.wave = $3 AND `+in("i.state", deploymentv1.Installation_QUEUED)+` AND `+available+` ORDER BY i.name LIMIT $4)`,
		now.UnixMicro(), wave, limit)
	if err != nil {
		return nil, nil, fmt.Errorf("claim installations of %s: %w", wave, err)
	}
	if err := outdate(ctx, tx, wave); err != nil {
		return nil, nil, err
	}
	return claimed, skipped, unsettle(ctx, tx, wave)
}

// outdate withdraws what agents were still to do for earlier deployments on the targets of
// installations that were just claimed: the newer epoch fences it off, so nobody would ever answer.
func outdate(ctx context.Context, tx *sqldb.Tx, wave string) error {
	_, err := tx.ExecContext(ctx, `UPDATE installations SET action = 0 WHERE action <> 0 AND wave <> $1 AND EXISTS (SELECT 1 FROM installations i
		WHERE i.wave = $1 AND i.target = installations.target AND i.application = installations.application AND i.epoch > installations.epoch
		AND `+in("i.state", deploymentv1.Installation_CLAIMED)+`)`, wave)
	return err
}

// Prestage lets agents put the files of a wave in place that has not begun. It waits for what they
// are still to do on the target: its newer epoch would have them refuse that for ever.
func Prestage(ctx context.Context, tx *sqldb.Tx, now time.Time, wave string) ([]*Installation, error) {
	return change(ctx, tx, now, set("action", agentv1.Command_PRESTAGE)+`, epoch = `+nextEpoch,
		`name IN (SELECT i.name FROM installations i WHERE i.wave = $3 AND `+in("i.state", deploymentv1.Installation_QUEUED)+` AND i.prestaged = 0 AND i.action = 0 AND i.to_release <> '' AND `+available+`
			AND NOT EXISTS (SELECT 1 FROM installations o WHERE o.target = i.target AND o.application = i.application AND o.action <> 0))`,
		now.UnixMicro(), wave)
}

// SealReached seals what is healthy; it is what should run there from now on.
func SealReached(ctx context.Context, tx *sqldb.Tx, now time.Time, wave string) ([]*Installation, error) {
	sealed, err := change(ctx, tx, now, set("state", deploymentv1.Installation_SEALED)+`, `+set("action", agentv1.Command_SEAL)+`, epoch = `+nextEpoch,
		`wave = $2 AND `+in("state", deploymentv1.Installation_HEALTHY), wave)
	if err != nil {
		return nil, err
	}
	return sealed, desire(ctx, tx, now, wave)
}

// SealWave seals what is healthy and lets go of the stragglers, for which another deployment may come at once.
func SealWave(ctx context.Context, tx *sqldb.Tx, now time.Time, wave string) ([]*Installation, error) {
	left, err := change(ctx, tx, now, set("state", deploymentv1.Installation_CANCELLED)+`, action = 0, active = 0, cause = '`+causeStraggler+`', message = 'the wave was sealed without it'`,
		`wave = $2 AND `+in("state", deploymentv1.Installation_QUEUED), wave)
	if err != nil {
		return nil, err
	}
	sealed, err := SealReached(ctx, tx, now, wave)
	return append(sealed, left...), err
}

// RevertWave takes back whatever may run something else than before.
func RevertWave(ctx context.Context, tx *sqldb.Tx, now time.Time, wave string) ([]*Installation, error) {
	return change(ctx, tx, now, set("state", deploymentv1.Installation_REVERTING)+`, `+set("action", agentv1.Command_REVERT)+`, epoch = `+nextEpoch,
		`wave = $2 AND `+in("state", rollout.Touched()...), wave)
}

// DropQueued ends what has not begun.
func DropQueued(ctx context.Context, tx *sqldb.Tx, now time.Time, deployment string) ([]*Installation, error) {
	return change(ctx, tx, now, set("state", deploymentv1.Installation_CANCELLED)+`, action = 0`,
		`parent = $2 AND `+in("state", deploymentv1.Installation_QUEUED), deployment)
}

// callable lists the states in which an agent has begun something, or may have.
func callable() []deploymentv1.Installation_State {
	return append(rollout.InProgress(), deploymentv1.Installation_UNKNOWN, deploymentv1.Installation_LOST)
}

// toCallBack says that an agent is to be told to stop. One that is taking something back
// already goes on with that, also where it has fallen silent.
func toCallBack() string {
	return in("state", callable()...) + ` AND NOT ` + in("action", agentv1.Command_CANCEL, agentv1.Command_REVERT)
}

// CallBack tells agents to bring what has begun to a safe end, also those that are lost: they may return.
func CallBack(ctx context.Context, tx *sqldb.Tx, now time.Time, deployment string) ([]*Installation, error) {
	return change(ctx, tx, now, set("action", agentv1.Command_CANCEL)+`, epoch = `+nextEpoch,
		`parent = $2 AND `+toCallBack(), deployment)
}

// Free lets other deployments have the targets.
func Free(ctx context.Context, tx *sqldb.Tx, deployment string) error {
	_, err := tx.ExecContext(ctx, `UPDATE installations SET active = 0 WHERE parent = $1 AND active = 1`, deployment)
	return err
}

// MarkLost moves to LOST what has been UNKNOWN for so long.
func MarkLost(ctx context.Context, tx *sqldb.Tx, now time.Time, deployment string, lost time.Duration) ([]*Installation, error) {
	return change(ctx, tx, now, set("state", deploymentv1.Installation_LOST)+`, cause = 'AGENT_SILENT', message = 'its agent was silent for too long'`,
		`parent = $2 AND `+in("state", deploymentv1.Installation_UNKNOWN)+` AND update_time <= $3`, deployment, now.Add(-lost).UnixMicro())
}

// MarkSilent moves to UNKNOWN what was in progress on targets whose agent is gone, or that has not
// moved for stall. A download may take as long as it moves: only its agent sees whether it does.
func MarkSilent(ctx context.Context, tx *sqldb.Tx, now time.Time, deployment string, stall time.Duration) ([]*Installation, error) {
	working := append(rollout.InProgress(), deploymentv1.Installation_REVERTING)
	return change(ctx, tx, now, set("state", deploymentv1.Installation_UNKNOWN),
		`parent = $2 AND `+in("state", working...)+` AND (update_time <= $3 AND NOT `+in("state", deploymentv1.Installation_FETCHING)+`
			OR NOT EXISTS (SELECT 1 FROM target_presence p WHERE p.target = installations.target AND p.lease_until > $4))`,
		deployment, now.Add(-stall).UnixMicro(), now.UnixMicro())
}

// Retry puts one installation back in the queue, where its state allows it.
func Retry(ctx context.Context, tx *sqldb.Tx, now time.Time, name string) ([]*Installation, error) {
	return change(ctx, tx, now, set("state", deploymentv1.Installation_QUEUED)+`, health = 0, cause = '', message = '', action = 0`,
		`name = $2 AND active = 1 AND `+in("state", deploymentv1.Installation_FAILED, deploymentv1.Installation_REVERTED, deploymentv1.Installation_LOST), name)
}

// enum is a state or an action.
type enum interface{ ~int32 }

func number[E enum](e E) string { return strconv.Itoa(int(e)) }

func set[E enum](column string, e E) string { return column + ` = ` + number(e) }

func in[E enum](column string, all ...E) string {
	numbers := make([]string, 0, len(all))
	for _, e := range slices.Compact(slices.Sorted(slices.Values(all))) {
		numbers = append(numbers, number(e))
	}
	return column + ` IN (` + strings.Join(numbers, ",") + `)`
}
