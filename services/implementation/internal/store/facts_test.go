package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// TestPeopleOfTwoCohortsCountInBoth: half of the second cohort is in the first too. Judged alone, a plan knows of the other
// cohort only those who are in its own; judged together, everybody. Both say the same.
func TestPeopleOfTwoCohortsCountInBoth(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		plans := seed(t, s, 3, 4)
		basics := ws + "/trainings/basics"
		other, err := store.Trainings.Create(t.Context(), s.Store, &implementationv1.CreateTrainingRequest{Parent: ws, TrainingId: "other", Training: &implementationv1.Training{}})
		require.NoError(t, err)
		result, err := s.ImportMemberships(t.Context(), &implementationv1.ImportMembershipsRequest{
			Parent: ws + "/cohorts/c000", Csv: []byte("person,start_date\np-001-00000,2026-01-01\np-001-00001,2026-01-01\n"),
		})
		require.NoError(t, err)
		require.Empty(t, result.GetErrors())
		_, err = s.ImportProvisionings(t.Context(), &implementationv1.ImportProvisioningsRequest{
			Parent: ws, Application: ws + "/applications/elsewhere", Csv: []byte("person\np-001-00000\np-000-00000\n"),
		})
		require.NoError(t, err)
		for i, plan := range plans {
			_, err := store.Cohorts.Update(t.Context(), s.Store, &implementationv1.UpdateCohortRequest{
				Cohort: &implementationv1.Cohort{Name: fmt.Sprintf("%s/cohorts/c%03d", ws, i), ChangeCapacity: new(10.0)}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"change_capacity"}},
			})
			require.NoError(t, err)
			_, err = store.CohortPlans.Update(t.Context(), s.Store, &implementationv1.UpdateCohortPlanRequest{
				UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"go_live_time", "impacts", "readiness_policy"}},
				CohortPlan: &implementationv1.CohortPlan{
					Name: plan, GoLiveTime: timestamppb.New(s.Now().Add(240 * time.Hour)), Impacts: []*implementationv1.Impact{{Aspect: implementationv1.Impact_TOOLS, Level: 3}},
					ReadinessPolicy: &implementationv1.ReadinessPolicy{Criteria: []*implementationv1.Criterion{
						{Id: "both", Type: &implementationv1.Criterion_Trained{Trained: &implementationv1.TrainedCriterion{Trainings: []string{basics, other.GetName()}}}},
						{Id: "one", Type: &implementationv1.Criterion_Trained{Trained: &implementationv1.TrainedCriterion{Trainings: []string{basics}}}},
						{Id: "access", Type: &implementationv1.Criterion_Access{Access: &implementationv1.AccessCriterion{Application: ws + "/applications/elsewhere"}}},
						{Id: "load", Type: &implementationv1.Criterion_ChangeLoad{ChangeLoad: &implementationv1.ChangeLoadCriterion{}}},
					}},
				},
			})
			require.NoError(t, err)
		}
		together, err := s.Assess(t.Context(), plans)
		require.NoError(t, err)
		for i, plan := range plans {
			alone, err := s.Assess(t.Context(), []string{plan})
			require.NoError(t, err)
			r := together[plan].Readiness()
			for k, want := range alone[plan].Readiness().GetCriteria() {
				want.AsOf, r.GetCriteria()[k].AsOf = nil, nil
				require.True(t, proto.Equal(want, r.GetCriteria()[k]), "%s\n%v\n%v", plan, want, r.GetCriteria()[k])
			}
			require.EqualValues(t, []int{6, 4, 4}[i], r.GetHeadcount())
			require.Zero(t, r.GetCriteria()[0].GetNumerator())
			require.EqualValues(t, []int{6, 4, 4}[i], r.GetCriteria()[1].GetNumerator())
			require.EqualValues(t, []int{2, 1, 0}[i], r.GetCriteria()[2].GetNumerator())
			require.InDelta(t, []float64{3 + 3*2./6, 3 + 3*2./4, 3}[i], r.GetCriteria()[3].GetValue(), 1e-9)
		}
	})
}
