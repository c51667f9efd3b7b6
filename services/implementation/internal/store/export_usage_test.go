package store

import (
	"context"
	"database/sql"
	"path"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/sqldb"
	"github.com/golive-dev/golive/services/implementation/internal/adoption"
)

// StoredBits counts the bits that are stored, of all workspaces.
func (s *Store) StoredBits(ctx context.Context, t *testing.T) (n int64) {
	t.Helper()
	rows, err := s.metrics.Read().QueryContext(ctx, "SELECT feature, day, bits FROM usage_days")
	all, err := sqldb.Collect(rows, err, scanUsage)
	require.NoError(t, err)
	for _, one := range all {
		n += int64(one.set.GetCardinality())
	}
	return n
}

// Months are the counts that are left of what was purged, by feature and month.
func (s *Store) Months(ctx context.Context, t *testing.T) map[string]int64 {
	t.Helper()
	months := map[string]int64{}
	rows, err := s.metrics.Read().QueryContext(ctx, "SELECT feature, month, people FROM usage_months")
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var feature, month string
		var people int64
		err = rows.Scan(&feature, &month, &people)
		months[path.Base(feature)+" "+month] = people
		return none, err
	})
	require.NoError(t, err)
	return months
}

// FillUsage writes whole days, which is not how usage comes in.
func (s *Store) FillUsage(ctx context.Context, feature string, days map[adoption.Day]*roaring.Bitmap) error {
	sets := make(map[usageDay]*roaring.Bitmap, len(days))
	for day, set := range days {
		sets[usageDay{feature, day}] = set
	}
	return s.metrics.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return merge(ctx, tx, sets) })
}

// Unlearn makes the store forget what it remembers between requests.
func (s *Store) Unlearn() {
	s.usage.mu.Lock()
	defer s.usage.mu.Unlock()
	s.usage.people, s.usage.keys, s.usage.out, s.usage.members = nil, nil, nil, nil
}
