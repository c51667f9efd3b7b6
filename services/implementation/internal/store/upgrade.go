package store

import (
	"context"
	"fmt"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Upgrade makes a DRAFT of each implementation that was made before
// implementations had states. Any number of processes may do it at once, and
// once it is done it costs one look.
func (s *Store) Upgrade(ctx context.Context) error {
	names, err := texts(ctx, s.DB().Read(), fmt.Sprintf("SELECT name FROM implementations WHERE state = %d ORDER BY name",
		implementationv1.Implementation_STATE_UNSPECIFIED))
	if err != nil {
		return fmt.Errorf("look for implementations without a state: %w", err)
	}
	for _, name := range names {
		err := s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			row, err := Implementations.LockRow(ctx, tx, name)
			if fault.Is(err, fault.KindNotFound) {
				return nil // deleted meanwhile
			}
			if err != nil || row.Message.GetState() != implementationv1.Implementation_STATE_UNSPECIFIED {
				return err
			}
			row.Message.State = implementationv1.Implementation_DRAFT
			return Implementations.Save(ctx, tx, s.Store, row.Message, row.Revision, resource.Meta{Verb: "updated"})
		})
		if err != nil {
			return fmt.Errorf("make a draft of %s: %w", name, err)
		}
	}
	return s.fillWaiting(ctx)
}
