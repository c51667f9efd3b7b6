package store

import (
	"context"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/detect"
)

// DetectorPolicies is the kind of detector policies: one a workspace, and one an implementation of it.
var DetectorPolicies = resource.Define(resource.Spec[*implementationv1.DetectorPolicy]{
	Table:   "detector_policies",
	Columns: []resource.Column[*implementationv1.DetectorPolicy]{{Field: "implementation"}},
	Hooks: resource.Hooks[*implementationv1.DetectorPolicy]{
		Validate: func(ctx context.Context, tx *sqldb.Tx, old, p *implementationv1.DetectorPolicy) error {
			if err := detect.Check(p); err != nil || old != nil || p.GetImplementation() == "" {
				return err
			}
			return reference(ctx, tx, Implementations, p.GetName(), "detector_policy.implementation", p.GetImplementation())
		},
	},
})

// DetectorPolicy is what holds for an implementation: the defaults, less what its workspace says, less what is said for itself.
func (s *Store) DetectorPolicy(ctx context.Context, q sqldb.Queryer, implementation string) (detect.Policy, error) {
	all, err := DetectorPolicies.Select(ctx, q, "WHERE parent = $1 AND implementation IN ('', $2) ORDER BY implementation", Workspace(implementation), implementation)
	if err != nil {
		return detect.Policy{}, err
	}
	return detect.Merge(all...), nil
}
