package store

import (
	"context"

	"github.com/golive-dev/golive/pkg/sqldb"
	"github.com/golive-dev/golive/services/implementation/internal/detect"
)

// DetectorFacts gathers what the rules look at, for one implementation and as of the end of a week.
func (s *Store) DetectorFacts(ctx context.Context, implementation string, week detect.Week) (*detect.Facts, error) {
	f := &detect.Facts{Implementation: implementation, Now: week.End(), Week: week, Missing: map[detect.ID]string{}}
	err := s.DB().Snapshot(ctx, func(ctx context.Context, q sqldb.Queryer) error {
		return Implementations.Required(ctx, q, implementation)
	})
	return f, err
}
