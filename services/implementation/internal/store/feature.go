package store

import (
	"context"
	"errors"
	"regexp"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

var featureID = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$`)

// Features is the kind of features. Their usage is in the metrics database; what is left of a deleted one is purged later.
var Features = resource.Define(resource.Spec[*implementationv1.Feature]{
	Table:   "features",
	Columns: []resource.Column[*implementationv1.Feature]{{Field: "display_name"}, {Field: "kind"}, {Field: "application"}, {Field: "labels"}},
	ID: func(id string) error {
		if !featureID.MatchString(id) {
			return errors.New("the id of a feature has up to 63 lower-case letters, digits, or . - between them")
		}
		return nil
	},
	Hooks: resource.Hooks[*implementationv1.Feature]{BeforeDelete: deleteFeature},
})

// deleteFeature refuses while a cohort plan counts it: its numbers would change without a word.
func deleteFeature(ctx context.Context, tx *sqldb.Tx, old *implementationv1.Feature) error {
	return unused(ctx, tx, old.GetName(), "SELECT plan FROM cohort_plan_features WHERE feature = $1 ORDER BY plan LIMIT 1", old.GetName())
}
