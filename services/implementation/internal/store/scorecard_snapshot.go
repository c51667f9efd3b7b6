package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// ScorecardSnapshots is the kind of snapshots: one a day, named by it, written once.
var ScorecardSnapshots = resource.Define(resource.Spec[*implementationv1.ScorecardSnapshot]{
	Table:   "scorecard_snapshots",
	Columns: []resource.Column[*implementationv1.ScorecardSnapshot]{{Field: "day"}},
})

// WithoutSnapshot are implementations that are under way and have no snapshot of a day that they have seen, by name: some at a time, after the one named.
func (s *Store) WithoutSnapshot(ctx context.Context, day time.Time, after string, limit int) ([]string, error) {
	rows, err := s.DB().Read().QueryContext(ctx, `SELECT i.name FROM implementations i
		WHERE i.state NOT IN ($1, $2, $3) AND i.create_time < $4 AND i.name > $7
		AND NOT EXISTS (SELECT 1 FROM scorecard_snapshots s WHERE s.parent = i.name AND s.day = $5) ORDER BY i.name LIMIT $6`,
		int64(implementationv1.Implementation_DRAFT), int64(implementationv1.Implementation_CLOSED), int64(implementationv1.Implementation_CANCELLED),
		micros(day.AddDate(0, 0, 1)), day.Format(time.DateOnly), limit, after)
	names, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (name string, err error) { return name, rows.Scan(&name) })
	if err != nil {
		return nil, fmt.Errorf("find implementations without a snapshot of %s: %w", day.Format(time.DateOnly), err)
	}
	return names, nil
}

// KeepScorecard keeps the scorecard of a day. Whoever comes second changes nothing, so any number of replicas may try.
func (s *Store) KeepScorecard(ctx context.Context, day string, card *implementationv1.Scorecard) (kept bool, err error) {
	snapshot := &implementationv1.ScorecardSnapshot{Name: ScorecardSnapshots.Name(card.GetImplementation(), day), Day: day, Scorecard: card}
	err = s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := Implementations.RequiredLater(ctx, tx, card.GetImplementation()); err != nil {
			return err
		}
		return ScorecardSnapshots.Insert(ctx, tx, s.Store, snapshot, resource.Meta{})
	})
	if fault.Is(err, fault.KindAlreadyExists) || fault.Is(err, fault.KindNotFound) { // another was faster, or it was deleted meanwhile
		return false, nil
	}
	return err == nil, err
}
