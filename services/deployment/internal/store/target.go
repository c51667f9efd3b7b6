package store

import (
	"context"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Targets are where applications run.
var Targets = resource.Define(resource.Spec[*deploymentv1.Target]{
	Table: "targets",
	Columns: []resource.Column[*deploymentv1.Target]{
		{Field: "display_name"}, {Field: "kind"}, {Field: "agent"}, {Field: "maintenance"}, {Field: "labels"}, {Field: "cohorts"},
	},
	Parent: Environments.RequiredLater,
	Hooks: resource.Hooks[*deploymentv1.Target]{
		Default: func(_ context.Context, _ *sqldb.Tx, t *deploymentv1.Target) error {
			if t.GetKind() == deploymentv1.Target_KIND_UNSPECIFIED {
				t.Kind = deploymentv1.Target_SERVER
			}
			return nil
		},
		BeforeDelete: func(ctx context.Context, tx *sqldb.Tx, old *deploymentv1.Target) error {
			return unused(ctx, tx, old.GetName(), `SELECT name FROM installations WHERE target = $1 AND active = 1 LIMIT 1`)
		},
	},
})
