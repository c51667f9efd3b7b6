package store

import (
	"context"
	"fmt"
	"regexp"

	"github.com/golive-dev/golive/pkg/fault"
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
		Validate: func(_ context.Context, _ *sqldb.Tx, _, i *implementationv1.Implementation) error {
			return ownApplications(i)
		},
		BeforeDelete: func(ctx context.Context, tx *sqldb.Tx, old *implementationv1.Implementation) error {
			return unused(ctx, tx, old.GetName(),
				"SELECT name FROM cohort_plans WHERE parent = $1 ORDER BY name LIMIT 1", old.GetName())
		},
	},
})

// ownApplications checks names that the other service keeps: their shape and
// their workspace. Whether they exist is not known here.
func ownApplications(i *implementationv1.Implementation) error {
	for n, name := range i.GetApplications() {
		field := fmt.Sprintf("implementation.applications[%d]", n)
		if !regexp.MustCompile(`^workspaces/[^/]+/applications/[^/]+$`).MatchString(name) {
			return fault.Invalid(resource.ReasonInvalidName, "%s is %s, which names no application; write workspaces/{workspace}/applications/{application}", field, quoted(name)).
				Field(field, "must match workspaces/{workspace}/applications/{application}")
		}
		if Workspace(name) != Workspace(i.GetName()) {
			return fault.Invalid(ReasonOtherWorkspace, "%s names %s, which is of another workspace; name one of %s", field, quoted(name), Workspace(i.GetName())).
				Field(field, "is of another workspace")
		}
	}
	return nil
}
