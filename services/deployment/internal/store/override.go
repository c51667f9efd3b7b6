package store

import (
	"context"
	"time"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Overrides open gates, or set policies aside, for a time.
var Overrides = resource.Define(resource.Spec[*deploymentv1.Override]{
	Table: "overrides",
	Columns: []resource.Column[*deploymentv1.Override]{
		{Field: "subject"}, {Field: "gate"}, {Field: "policy"}, {Field: "person"}, {Field: "expire_time"}, {Field: "revoke_time"},
	},
})

// LiveOverrides returns the overrides of a workspace that hold at a moment, by name.
func LiveOverrides(ctx context.Context, q sqldb.Queryer, workspace string, now time.Time) ([]*deploymentv1.Override, error) {
	return Overrides.Select(ctx, q, `WHERE parent = $1 AND expire_time > $2 AND revoke_time = 0 ORDER BY name`, workspace, now.UnixMicro())
}
