package store

import (
	"context"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Analyses are the metrics of waves, measured against their baselines.
var Analyses = resource.Define(resource.Spec[*deploymentv1.Analysis]{
	Table:   "analyses",
	Columns: []resource.Column[*deploymentv1.Analysis]{{Field: "state"}},
	Parent:  Waves.RequiredLater,
})

// AnalysesOf returns the rows of a wave's metrics, in the order of their names.
func AnalysesOf(ctx context.Context, q sqldb.Queryer, wave string) ([]resource.Row[*deploymentv1.Analysis], error) {
	return Analyses.SelectRows(ctx, q, `WHERE parent = $1 ORDER BY name`, wave)
}
