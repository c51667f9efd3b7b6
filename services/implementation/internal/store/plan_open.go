package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

// openPlan keeps others from linking tasks of the plan, and refuses a plan that has ended.
func openPlan(ctx context.Context, tx *sqldb.Tx, plan string) (resource.Row[*implementationv1.Implementation], error) {
	row, err := Implementations.LockRow(ctx, tx, plan)
	if err != nil {
		return row, err
	}
	return row, goesOn(row.Message)
}

// openPlanOf refuses to change something of a plan that has ended. It locks nothing, so that people who work on one plan
// do not wait for each other; a plan that does not exist is for others to refuse.
func openPlanOf(ctx context.Context, tx *sqldb.Tx, name string) error {
	i := &implementationv1.Implementation{Name: parent(name)}
	err := tx.QueryRowContext(ctx, "SELECT state FROM implementations WHERE name = $1", i.GetName()).Scan(&i.State)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("read the state of %s: %w", i.GetName(), err)
	default:
		return goesOn(i)
	}
}

func goesOn(i *implementationv1.Implementation) error {
	if !lifecycle.ImplementationEnded(i) {
		return nil
	}
	return fault.Precondition(lifecycle.ReasonStateForbids, "implementation %s is %s; its plan is a record now, and is not changed any more", i.GetName(), i.GetState()).
		Subject("STATE", i.GetName(), "is "+i.GetState().String())
}
