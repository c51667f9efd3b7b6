package implementation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// What a detector suggests holds nobody up; what a person made of it, and called critical, does.
func TestADetectedChallengeHoldsReadinessOnceAPersonOpensIt(t *testing.T) {
	t.Parallel()
	eachWatched(t, func(t *testing.T, w *watchers) {
		ctx := t.Context()
		sales := w.cohort("sales", 20)
		_, err := w.cohorts.UpdateCohort(ctx, &implementationv1.UpdateCohortRequest{Cohort: &implementationv1.Cohort{Name: sales, Blackouts: []*implementationv1.Blackout{
			{StartDate: "2026-06-01", EndDate: "2026-06-05", Reason: "quarter end"},
		}}})
		require.NoError(t, err)
		plan := w.plan("sales", sales, time.Date(2026, 6, 3, 8, 0, 0, 0, time.UTC))
		_, err = w.plans.UpdateCohortPlan(ctx, &implementationv1.UpdateCohortPlanRequest{CohortPlan: &implementationv1.CohortPlan{
			Name: plan, GoLiveTime: timestamppb.New(time.Date(2026, 6, 3, 8, 0, 0, 0, time.UTC)),
			ReadinessPolicy: &implementationv1.ReadinessPolicy{Criteria: []*implementationv1.Criterion{
				{Id: "challenges", Type: &implementationv1.Criterion_Challenges{Challenges: &implementationv1.ChallengesCriterion{}}},
			}},
		}})
		require.NoError(t, err)
		var suggested []string
		for range 2 {
			w.clock.advance(7 * 24 * time.Hour)
			answer, err := w.signals.RunDetectors(ctx, &implementationv1.RunDetectorsRequest{Name: crm})
			require.NoError(t, err)
			suggested = answer.GetSuggested()
		}
		require.Equal(t, []string{crm + "/challenges/p5-sales-2026-w11"}, suggested)
		require.Equal(t, implementationv1.CriterionResult_MET, statuses(w.readiness(plan))["challenges"])

		_, err = w.challenges.OpenChallenge(ctx, &implementationv1.OpenChallengeRequest{Name: suggested[0], Owner: "users/ada"})
		require.NoError(t, err)
		_, err = w.challenges.UpdateChallenge(ctx, &implementationv1.UpdateChallengeRequest{Challenge: &implementationv1.Challenge{Name: suggested[0], Probability: 5, Impact: 5}})
		require.NoError(t, err)
		require.Equal(t, implementationv1.CriterionResult_NOT_MET, statuses(w.readiness(plan))["challenges"])
		require.Contains(t, w.verdict(plan).GetWaitingOn(), suggested[0])
	})
}
