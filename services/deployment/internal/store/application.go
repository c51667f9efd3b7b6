package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/signing"
)

// Applications are what is deployed.
var Applications = resource.Define(resource.Spec[*deploymentv1.Application]{
	Table: "applications",
	Columns: []resource.Column[*deploymentv1.Application]{
		{Field: "display_name"}, {Field: "owner"}, {Field: "labels"},
	},
	Hooks: resource.Hooks[*deploymentv1.Application]{
		Validate: func(ctx context.Context, tx *sqldb.Tx, _, a *deploymentv1.Application) error {
			if err := signing.CheckKeys(a); err != nil {
				return err
			}
			if a.GetDefaultPlan() == "" {
				return nil
			}
			if err := SameWorkspace("application.default_plan", a.GetName(), a.GetDefaultPlan()); err != nil {
				return err
			}
			return Referred("application.default_plan", DeploymentPlans.Required(ctx, tx, a.GetDefaultPlan()))
		},
		BeforeDelete: func(ctx context.Context, tx *sqldb.Tx, old *deploymentv1.Application) error {
			return unused(ctx, tx, old.GetName(), `SELECT name FROM releases WHERE parent = $1 LIMIT 1`)
		},
	},
})

// unused returns RESOURCE_IN_USE if the query, asked with the name, finds anything.
func unused(ctx context.Context, q sqldb.Queryer, name, query string) error {
	var user string
	err := q.QueryRowContext(ctx, query, name).Scan(&user)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for users of %s: %w", name, err)
	}
	return fault.Precondition("RESOURCE_IN_USE", "%s is needed by %s; delete that first", name, user).
		Subject("RESOURCE_IN_USE", user, "needs "+name)
}
