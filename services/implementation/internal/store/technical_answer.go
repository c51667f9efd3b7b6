package store

import (
	"context"
	"time"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// TechnicalVerdict is what the deployment service last said of a resource over a window, and when it was asked by the clock of this
// service; nil where it never answered. An answer older than its ttl has the state UNKNOWN.
func (s *Store) TechnicalVerdict(_ context.Context, _ string, _ time.Duration) (v *gatev1.Verdict, asked time.Time, err error) {
	return nil, time.Time{}, nil
}
