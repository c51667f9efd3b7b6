package store

import (
	"context"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Implementations is the kind of implementations.
var Implementations = resource.Define(resource.Spec[*implementationv1.Implementation]{
	Table: "implementations",
	Columns: []resource.Column[*implementationv1.Implementation]{
		{Field: "display_name"}, {Field: "owner"}, {Field: "target_date"}, {Field: "labels"},
	},
	Hooks: resource.Hooks[*implementationv1.Implementation]{
		BeforeDelete: func(ctx context.Context, tx *sqldb.Tx, old *implementationv1.Implementation) error {
			return unused(ctx, tx, old.GetName(),
				"SELECT name FROM cohort_plans WHERE parent = $1 ORDER BY name LIMIT 1", old.GetName())
		},
	},
})
