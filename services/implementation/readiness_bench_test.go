package implementation_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/pgtest"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/cputime"
)

const (
	benchCohorts = 50
	benchMembers = 100
)

// BenchmarkReadiness judges 50 cohorts of 100 people by nine criteria in one call, through
// the whole chain. The control, in the same run, is what one would write first: a call for each cohort.
func BenchmarkReadiness(b *testing.B) {
	for _, kind := range pgtest.Databases(b) {
		w := setup(b, kind.URL(b))
		plans := w.manyCohorts()
		b.Run(kind.Name+"/50-cohorts", func(b *testing.B) {
			defer cputime.Measure(b)()
			for b.Loop() {
				answer, err := w.plans.BatchEvaluateReadiness(b.Context(), &implementationv1.BatchEvaluateReadinessRequest{Parent: rollout})
				require.NoError(b, err)
				require.Len(b, answer.GetReadinesses(), benchCohorts)
			}
		})
		b.Run(kind.Name+"/control-one-by-one", func(b *testing.B) {
			defer cputime.Measure(b)()
			for b.Loop() {
				for _, plan := range plans {
					_, err := w.plans.EvaluateReadiness(b.Context(), &implementationv1.EvaluateReadinessRequest{Name: plan})
					require.NoError(b, err)
				}
			}
		})
	}
}

// manyCohorts fills an implementation.
func (w *world) manyCohorts() (plans []string) {
	w.Helper()
	ctx, training := w.Context(), w.training("basics", 0)
	_, err := w.implementations.CreateImplementation(ctx, &implementationv1.CreateImplementationRequest{
		Parent: ws, ImplementationId: "crm", Implementation: &implementationv1.Implementation{Applications: []string{crmApp}},
	})
	require.NoError(w, err)
	goLive := w.clock.now().Add(10 * 24 * time.Hour)
	for c := range benchCohorts {
		cohort, err := w.cohorts.CreateCohort(ctx, &implementationv1.CreateCohortRequest{
			Parent: ws, CohortId: fmt.Sprintf("cohort-%02d", c), Cohort: &implementationv1.Cohort{ChangeCapacity: new(10.0)},
		})
		require.NoError(w, err)
		csv := "person,role\n"
		record := &implementationv1.RecordCompletionsRequest{Training: training}
		accounts := &implementationv1.RecordProvisioningsRequest{Parent: ws, Application: crmApp}
		for i := range benchMembers {
			name := fmt.Sprintf("%s/people/p-%02d-%03d", ws, c, i)
			csv += name + map[bool]string{true: ",SUPER_USER\n", false: ",MEMBER\n"}[i%10 == 0]
			if i%20 != 0 {
				record.Completions = append(record.Completions, &implementationv1.Completion{Person: name, Score: new(0.9)})
				accounts.Provisionings = append(accounts.Provisionings, &implementationv1.Provisioning{Person: name})
			}
		}
		_, err = w.memberships.ImportMemberships(ctx, &implementationv1.ImportMembershipsRequest{Parent: cohort.GetName(), Csv: []byte(csv), CreatePeople: true})
		require.NoError(w, err)
		_, err = w.enrolments.RecordCompletions(ctx, record)
		require.NoError(w, err)
		_, err = w.accounts.RecordProvisionings(ctx, accounts)
		require.NoError(w, err)
		plans = append(plans, w.fullPlan(fmt.Sprintf("cohort-%02d", c), cohort.GetName(), training, goLive))
	}
	conn := w.dial("users/alice", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}})
	_, err = implementationv1.NewStakeholderServiceClient(conn).CreateStakeholder(ctx, &implementationv1.CreateStakeholderRequest{
		Parent: rollout, Stakeholder: &implementationv1.Stakeholder{Influence: 5, Stance: implementationv1.Stance_CHAMPION, Sponsor: true},
	})
	require.NoError(w, err)
	return plans
}

// fullPlan is a cohort plan with every criterion but those that others must answer.
func (w *world) fullPlan(id, cohort, training string, goLive time.Time) string {
	w.Helper()
	plan := w.plan(id, cohort, goLive)
	_, err := w.plans.UpdateCohortPlan(w.Context(), &implementationv1.UpdateCohortPlanRequest{
		CohortPlan: &implementationv1.CohortPlan{Name: plan, Impacts: []*implementationv1.Impact{{Aspect: implementationv1.Impact_TOOLS, Level: 3}}, ReadinessPolicy: &implementationv1.ReadinessPolicy{Criteria: []*implementationv1.Criterion{
			{Id: "trained", Type: &implementationv1.Criterion_Trained{Trained: &implementationv1.TrainedCriterion{Trainings: []string{training}}}},
			{Id: "proficient", Type: &implementationv1.Criterion_Proficient{Proficient: &implementationv1.ProficientCriterion{Trainings: []string{training}}}},
			{Id: "access", Type: &implementationv1.Criterion_Access{Access: &implementationv1.AccessCriterion{}}},
			{Id: "sponsor", Type: &implementationv1.Criterion_Sponsor{Sponsor: &implementationv1.SponsorCriterion{}}},
			{Id: "stakeholders", Type: &implementationv1.Criterion_Stakeholders{Stakeholders: &implementationv1.StakeholdersCriterion{}}},
			{Id: "support", Type: &implementationv1.Criterion_Support{Support: &implementationv1.SupportCriterion{}}},
			{Id: "messages", Type: &implementationv1.Criterion_Messages{Messages: &implementationv1.MessagesCriterion{}}},
			{Id: "challenges", Type: &implementationv1.Criterion_Challenges{Challenges: &implementationv1.ChallengesCriterion{}}},
			{Id: "change-load", Type: &implementationv1.Criterion_ChangeLoad{ChangeLoad: &implementationv1.ChangeLoadCriterion{}}},
		}}},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"readiness_policy", "impacts"}},
	})
	require.NoError(w, err)
	return plan
}
