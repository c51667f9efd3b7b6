package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Standing is what of an application stands on one target, for the gates that ask about it.
type Standing struct {
	Target, Release, Version string
	// Well is true while it answers and nothing is under way there; Since is from when on without a break.
	Well  bool
	Since time.Time
	// Sealed is true once the wave that brought it has been sealed.
	Sealed bool
}

// Standings returns what of an application stands in an environment, by target in their order.
func Standings(ctx context.Context, q sqldb.Queryer, application, environment string) ([]Standing, error) {
	prefix := environment + "/targets/"
	rows, err := q.QueryContext(ctx, `SELECT s.target, s.release, COALESCE(r.version, ''), s.health, s.settled, s.since, s.well_since, COALESCE(i.state, 0)
		FROM slots s LEFT JOIN releases r ON r.name = s.release LEFT JOIN installations i ON i.name = s.installation
		WHERE s.application = $1 AND s.target >= $2 AND s.target < $3 ORDER BY s.target`, application, prefix, prefix+"~")
	return sqldb.Collect(rows, err, func(r *sql.Rows) (s Standing, err error) {
		var health deploymentv1.Installation_Health
		var state deploymentv1.Installation_State
		var settled bool
		var since, well int64
		err = r.Scan(&s.Target, &s.Release, &s.Version, &health, &settled, &since, &well, &state)
		s.Well = settled && health == deploymentv1.Installation_HEALTHY_NOW
		s.Since = time.UnixMicro(max(since, well))
		s.Sealed = state == deploymentv1.Installation_SEALED
		return s, err
	})
}

// WaveTargets returns the targets of a wave that still wait for their installation, with what their hosts report.
func WaveTargets(ctx context.Context, q sqldb.Queryer, wave string) ([]*deploymentv1.Target, error) {
	return Targets.Select(ctx, q, `WHERE name IN (SELECT target FROM installations WHERE wave = $1 AND `+in("state", deploymentv1.Installation_QUEUED)+`) ORDER BY name`, wave)
}

// WaveTargetNames returns the names of all targets of a wave.
func WaveTargetNames(ctx context.Context, q sqldb.Queryer, wave string) ([]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT target FROM installations WHERE wave = $1 ORDER BY target`, wave)
	return sqldb.Collect(rows, err, scanText)
}

// FromReleases returns the releases that the targets of a deployment come from.
func FromReleases(ctx context.Context, q sqldb.Queryer, deployment string) ([]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT DISTINCT from_release FROM installations WHERE parent = $1 AND from_release <> '' AND from_release <> to_release ORDER BY from_release`, deployment)
	return sqldb.Collect(rows, err, scanText)
}

// LoadTest is the measurement of a capacity gate. Result is empty until it has ended.
type LoadTest struct {
	Wave, Gate         string
	Start, End, Leased time.Time
	Result             []byte
}

// LoadLoadTest returns the last load test of a gate, or nil when there was none.
func LoadLoadTest(ctx context.Context, q sqldb.Queryer, wave, gate string) (*LoadTest, error) {
	t := &LoadTest{Wave: wave, Gate: gate}
	var start, end, lease int64
	err := q.QueryRowContext(ctx, `SELECT start_time, end_time, lease_until, result FROM load_tests WHERE wave = $1 AND gate = $2`, wave, gate).Scan(&start, &end, &lease, &t.Result)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // nothing was measured yet, which is no error
	}
	t.Start, t.Leased = time.UnixMicro(start), time.UnixMicro(lease)
	if end != 0 {
		t.End = time.UnixMicro(end)
	}
	return t, err
}

// ClaimLoadTest takes the right to measure for a gate, unless somebody is at it. It reports whether it did.
func ClaimLoadTest(ctx context.Context, tx *sqldb.Tx, now, until time.Time, wave, gate string) (bool, error) {
	done, err := tx.ExecContext(ctx, `INSERT INTO load_tests (wave, gate, lease_until, start_time, end_time, result) VALUES ($1, $2, $3, $4, 0, NULL)
		ON CONFLICT (wave, gate) DO UPDATE SET lease_until = excluded.lease_until, start_time = excluded.start_time, end_time = 0, result = NULL
		WHERE load_tests.lease_until <= $4`, wave, gate, until.UnixMicro(), now.UnixMicro())
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n > 0, err
}

// PutLoadTest keeps the result of a load test by whoever claimed it at start. The lease then says until when it is good.
func PutLoadTest(ctx context.Context, tx *sqldb.Tx, t *LoadTest) error {
	_, err := tx.ExecContext(ctx, `UPDATE load_tests SET end_time = $1, lease_until = $2, result = $3 WHERE wave = $4 AND gate = $5 AND start_time = $6 AND end_time = 0`,
		t.End.UnixMicro(), t.Leased.UnixMicro(), t.Result, t.Wave, t.Gate, t.Start.UnixMicro())
	return err
}
