package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// WaveCircles returns the waves of a deployment that wait for themselves, by name; those of all deployments when it is empty.
func WaveCircles(ctx context.Context, q sqldb.Queryer, deployment string) (map[string]*rollout.Circle, error) {
	query, args := `SELECT wave, path, since FROM wave_circles`, []any(nil)
	if deployment != "" {
		query, args = query+` WHERE deployment = $1`, []any{deployment}
	}
	out := map[string]*rollout.Circle{}
	rows, err := q.QueryContext(ctx, query, args...)
	_, err = sqldb.Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
		var wave, path string
		var since int64
		err := r.Scan(&wave, &path, &since)
		out[wave] = &rollout.Circle{Path: strings.Split(path, "\n"), Since: time.UnixMicro(since)}
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("read which waves wait for themselves: %w", err)
	}
	return out, nil
}

// PutWaveCircle keeps the circle that a wave is in; no path is that it is in none.
func PutWaveCircle(ctx context.Context, tx *sqldb.Tx, now time.Time, wave string, path []string) (err error) {
	if len(path) == 0 {
		_, err = tx.ExecContext(ctx, `DELETE FROM wave_circles WHERE wave = $1`, wave)
	} else {
		_, err = tx.ExecContext(ctx, `INSERT INTO wave_circles (wave, deployment, path, since) VALUES ($1, $2, $3, $4) ON CONFLICT (wave) DO UPDATE SET path = excluded.path`,
			wave, rollout.DeploymentOf(wave), strings.Join(path, "\n"), now.UnixMicro())
	}
	if err != nil {
		return fmt.Errorf("keep that %s waits for itself: %w", wave, err)
	}
	return nil
}
