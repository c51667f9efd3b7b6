package store

import (
	"context"
	"slices"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// WithAssigned adds the resources to a plan that a change would assign and nobody is assigned to yet. Those that there are not
// are left out: the plan refuses them.
func (s *Store) WithAssigned(ctx context.Context, in plan.Input, changes []*implementationv1.TaskChange) (plan.Input, error) {
	known := map[string]bool{}
	for _, r := range in.Resources {
		known[r.GetName()] = true
	}
	var names []string
	for _, c := range changes {
		for _, a := range c.GetTask().GetAssignments() {
			name := a.GetResource()
			if !known[name] && Workspace(name) == Workspace(in.Implementation.GetName()) {
				known[name] = true
				names = append(names, name)
			}
		}
	}
	resources := slices.Clone(in.Resources)
	for chunk := range slices.Chunk(names, 500) {
		more, err := Resources.Select(ctx, s.DB().Read(), "WHERE name IN ("+sqldb.Marks(1, len(chunk))+") ORDER BY name", sqldb.Texts(chunk)...)
		if err != nil {
			return in, err
		}
		resources = append(resources, more...)
	}
	in.Resources = resources
	return in, nil
}
