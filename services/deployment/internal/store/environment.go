package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Environments are what releases are promoted through.
var Environments = resource.Define(resource.Spec[*deploymentv1.Environment]{
	Table: "environments",
	Columns: []resource.Column[*deploymentv1.Environment]{
		{Field: "display_name"}, {Field: "ordinal"}, {Field: "promoted_from"}, {Field: "labels"},
	},
	Hooks: resource.Hooks[*deploymentv1.Environment]{
		Validate: func(ctx context.Context, tx *sqldb.Tx, _, e *deploymentv1.Environment) error {
			return checkPromotion(ctx, tx, e)
		},
		BeforeDelete: func(ctx context.Context, tx *sqldb.Tx, old *deploymentv1.Environment) error {
			if err := unused(ctx, tx, old.GetName(), `SELECT name FROM targets WHERE parent = $1 LIMIT 1`); err != nil {
				return err
			}
			return unused(ctx, tx, old.GetName(), `SELECT name FROM environments WHERE promoted_from = $1 LIMIT 1`)
		},
	},
})

// checkPromotion follows promoted_from and refuses a way that comes back, by name.
func checkPromotion(ctx context.Context, tx *sqldb.Tx, e *deploymentv1.Environment) error {
	way := []string{e.GetName()}
	for from := e.GetPromotedFrom(); from != ""; {
		if err := SameWorkspace("environment.promoted_from", e.GetName(), from); err != nil {
			return err
		}
		if slices.Contains(way, from) {
			cycle := strings.Join(append(way, from), " ← ")
			return fault.Invalid("ENVIRONMENT_CYCLE", "environments may not be promoted in a circle: %s; clear promoted_from in one of them", cycle).
				Field("environment.promoted_from", "closes the circle "+cycle)
		}
		way = append(way, from)
		before := from
		err := tx.QueryRowContext(ctx, `SELECT promoted_from FROM environments WHERE name = $1`, before).Scan(&from)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.NotFound("RESOURCE_NOT_FOUND", "%s does not exist; create it before something is promoted from it", before).
				Meta("resource", before).Field("environment.promoted_from", "does not exist")
		}
		if err != nil {
			return fmt.Errorf("follow promotion to %s: %w", before, err)
		}
	}
	return nil
}

// SameWorkspace refuses a reference that leaves the workspace of the resource that holds it.
func SameWorkspace(field, from, to string) error {
	if WorkspaceOf(from) == WorkspaceOf(to) {
		return nil
	}
	return fault.Invalid("OTHER_WORKSPACE", "%s names %s, which is of another workspace; name one of %s", field, to, WorkspaceOf(from)).
		Field(field, "must be in "+WorkspaceOf(from))
}

// WorkspaceOf returns the first two segments of a name.
func WorkspaceOf(name string) string {
	parts := strings.SplitN(name, "/", 3)
	if len(parts) < 2 {
		return name
	}
	return parts[0] + "/" + parts[1]
}
