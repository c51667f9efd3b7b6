package store

import (
	"context"
	"strconv"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/waits"
)

// Deployments take releases to environments. What has ended is never saved again.
var Deployments = resource.Define(resource.Spec[*deploymentv1.Deployment]{
	Table: "deployments",
	Columns: append([]resource.Column[*deploymentv1.Deployment]{
		{Field: "state"},
		{Field: "environment"},
		{Field: "release"},
		{Field: "creator"},
		{Field: "end_time"},
		{Field: "rollback_of"},
		{Field: "kind"},
		{Field: "catch_up_of"},
		{Field: "labels"},
	}, waitingColumns(waits.Deployment)...),
	Parent:   Applications.RequiredLater,
	Terminal: func(d *deploymentv1.Deployment) bool { return rollout.Ended(d.GetState()) },
})

// Waves are the parts of deployments.
var Waves = resource.Define(resource.Spec[*deploymentv1.Wave]{
	Table:    "waves",
	Columns:  append([]resource.Column[*deploymentv1.Wave]{{Field: "state"}, {Field: "ordinal"}}, waitingColumns(listedWave)...),
	Parent:   Deployments.RequiredLater,
	Terminal: func(w *deploymentv1.Wave) bool { return rollout.WaveEnded(w.GetState()) },
})

// GatedWaves returns the waves whose turn it is and whose gates are not all open.
func GatedWaves(ctx context.Context, q sqldb.Queryer) ([]*deploymentv1.Wave, error) {
	return Waves.Select(ctx, q, `WHERE terminal = 0 AND state = `+strconv.Itoa(int(deploymentv1.Wave_GATED)))
}
