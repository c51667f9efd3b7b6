package implementation_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/pgtest"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// BenchmarkScorecards computes those of 20 implementations with 5 cohort plans each, over 100 cohorts of 20 people, through the service; the
// deployment service answers at once. The control is a call for each.
func BenchmarkScorecards(b *testing.B) {
	const implementations, plans, members = 20, 5, 20
	for _, kind := range pgtest.Databases(b) {
		m := &measured{}
		w := setup(b, kind.URL(b), m.config)
		var names []string
		for i := range implementations {
			names = append(names, w.implementation(fmt.Sprintf("i%02d", i), &implementationv1.ScorecardTargets{Uptime: .999, Adoption: .8}))
			for p := range plans {
				_, err := w.plans.CreateCohortPlan(b.Context(), &implementationv1.CreateCohortPlanRequest{
					Parent: names[i], CohortPlanId: fmt.Sprintf("p%d", p), CohortPlan: &implementationv1.CohortPlan{Cohort: w.cohort(fmt.Sprintf("c%02d-%d", i, p), members)},
				})
				require.NoError(b, err)
			}
		}
		cards := implementationv1.NewScorecardServiceClient(w.dial("users/vera", map[string][]auth.Role{auth.AllWorkspaces: {auth.Viewer}}))
		b.Run(kind.Name+"/together", func(b *testing.B) {
			for b.Loop() {
				all, err := cards.BatchComputeScorecards(b.Context(), &implementationv1.BatchComputeScorecardsRequest{Parent: ws, Names: names})
				require.NoError(b, err)
				require.Len(b, all.GetScorecards(), implementations)
			}
		})
		b.Run(kind.Name+"/control one by one", func(b *testing.B) {
			for b.Loop() {
				for _, name := range names {
					_, err := cards.ComputeScorecard(b.Context(), &implementationv1.ComputeScorecardRequest{Parent: name})
					require.NoError(b, err)
				}
			}
		})
	}
}
