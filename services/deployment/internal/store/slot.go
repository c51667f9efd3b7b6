package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Slot is what runs of one application on one target, as far as the server knows.
type Slot struct {
	Target, Application string
	Release             string
	SHA256              string
	ConfigDigest        string
	Installation        string
	Overlay             []byte
	Health              deploymentv1.Installation_Health
	Since               time.Time
	// Settled is false from the moment that work begins on the target until its outcome is
	// heard: what runs there may be the old or the new.
	Settled bool
}

const slotColumns = `target, application, release, sha256, config_digest, installation, overlay, health, since, settled`

func scanSlot(rows *sql.Rows) (*Slot, error) {
	var s Slot
	var micros int64
	err := rows.Scan(&s.Target, &s.Application, &s.Release, &s.SHA256, &s.ConfigDigest, &s.Installation, &s.Overlay, &s.Health, &micros, &s.Settled)
	s.Since = time.UnixMicro(micros)
	return &s, err
}

// SlotsOf returns what runs of an application in an environment, by target.
func SlotsOf(ctx context.Context, q sqldb.Queryer, application, environment string) (map[string]*Slot, error) {
	prefix := environment + "/targets/"
	rows, err := q.QueryContext(ctx, `SELECT `+slotColumns+` FROM slots WHERE application = $1 AND target >= $2 AND target < $3`, application, prefix, prefix+"~")
	all, err := sqldb.Collect(rows, err, scanSlot)
	byTarget := make(map[string]*Slot, len(all))
	for _, s := range all {
		byTarget[s.Target] = s
	}
	return byTarget, err
}

// SlotsOn returns everything that runs on these targets, by target.
func SlotsOn(ctx context.Context, q sqldb.Queryer, targets []string) (map[string][]*Slot, error) {
	out := map[string][]*Slot{}
	if len(targets) == 0 {
		return out, nil
	}
	rows, err := q.QueryContext(ctx, `SELECT `+slotColumns+` FROM slots WHERE target IN (`+sqldb.Marks(1, len(targets))+`) ORDER BY target, application`, sqldb.Texts(targets)...)
	all, err := sqldb.Collect(rows, err, scanSlot)
	for _, s := range all {
		out[s.Target] = append(out[s.Target], s)
	}
	return out, err
}

// PutSlots says what runs now, of each target and application at most once. An empty release says that nothing does.
func PutSlots(ctx context.Context, tx *sqldb.Tx, slots []*Slot) error {
	if err := recordRuns(ctx, tx, slots); err != nil {
		return err
	}
	running := slices.DeleteFunc(slices.Clone(slots), func(s *Slot) bool { return s.Release == "" })
	err := sized(running, func(part []*Slot) error {
		args := make([]any, 0, 10*len(part))
		for _, s := range part {
			args = append(args, s.Target, s.Application, s.Release, s.SHA256, s.ConfigDigest, s.Installation, s.Overlay, int64(s.Health), s.Since.UnixMicro(), flag(s.Settled))
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO slots (`+slotColumns+`) VALUES `+sqldb.Tuples(len(part), 10)+`
			ON CONFLICT (target, application) DO UPDATE SET release = excluded.release, sha256 = excluded.sha256, config_digest = excluded.config_digest,
			installation = excluded.installation, overlay = excluded.overlay, health = excluded.health, since = excluded.since, settled = excluded.settled,
			drift = '', drift_message = '', drift_since = 0`, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("say what runs: %w", err)
	}
	for _, s := range slots {
		if s.Release != "" {
			continue
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM slots WHERE target = $1 AND application = $2`, s.Target, s.Application); err != nil {
			return fmt.Errorf("say that nothing runs: %w", err)
		}
	}
	return nil
}

// SetSlotHealth says whether what an installation brought still answers, and since when without a break.
func SetSlotHealth(ctx context.Context, tx *sqldb.Tx, now time.Time, installation string, health deploymentv1.Installation_Health) error {
	_, err := tx.ExecContext(ctx, `UPDATE slots SET well_since = CASE WHEN health <> $1 THEN $2 ELSE well_since END, health = $1 WHERE installation = $3`,
		int64(health), now.UnixMicro(), installation)
	return err
}

// unsettle says that work has begun on the targets of installations that were just claimed.
func unsettle(ctx context.Context, tx *sqldb.Tx, wave string) error {
	_, err := tx.ExecContext(ctx, `UPDATE slots SET settled = 0 WHERE settled = 1 AND EXISTS (SELECT 1 FROM installations i
		WHERE i.wave = $1 AND i.target = slots.target AND i.application = slots.application AND `+in("i.state", deploymentv1.Installation_CLAIMED)+`)`, wave)
	return err
}

// Overtaken tells whether work has begun on the target of an installation for a later one, so that
// what becomes of the former says nothing of what runs there.
func Overtaken(ctx context.Context, q sqldb.Queryer, i *Installation) (bool, error) {
	var later int
	err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM installations WHERE target = $1 AND application = $2 AND epoch > $3 AND attempt > 0 AND name <> $4`,
		i.GetTarget(), i.Application, i.GetEpoch(), i.GetName()).Scan(&later)
	return later > 0, err
}
