package store

import (
	"context"
	"fmt"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Releases are the immutable versions of applications.
var Releases = resource.Define(resource.Spec[*deploymentv1.Release]{
	Table: "releases",
	Columns: []resource.Column[*deploymentv1.Release]{
		{Field: "version"}, {Field: "state"}, {Field: "labels"},
	},
	Parent:   Applications.Required,
	Terminal: func(r *deploymentv1.Release) bool { return r.GetState() == deploymentv1.Release_ABANDONED },
	Hooks: resource.Hooks[*deploymentv1.Release]{
		Default: func(_ context.Context, _ *sqldb.Tx, r *deploymentv1.Release) error {
			r.State = deploymentv1.Release_ACTIVE
			return onePerPlatform(r)
		},
	},
})

func onePerPlatform(r *deploymentv1.Release) error {
	seen := map[string]int{}
	for i, a := range r.GetArtifacts() {
		platform := a.GetOs() + "/" + a.GetArch()
		if first, ok := seen[platform]; ok {
			text := fmt.Sprintf("artifacts %d and %d are both for %s; a release has one for each platform", first, i, platform)
			return fault.Invalid("DUPLICATE_PLATFORM", "%s", text).Field(fmt.Sprintf("release.artifacts[%d]", i), text)
		}
		seen[platform] = i
	}
	return nil
}
