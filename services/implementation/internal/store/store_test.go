package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const ws = "workspaces/default"

func open(tb testing.TB, db *sqldb.DB) *store.Store {
	tb.Helper()
	require.NoError(tb, db.Migrate(tb.Context(), feed.Source(), resource.Source(), store.Source()))
	return store.New(db, feed.New(db, feed.Config{}), nil)
}

// proven is what every kind can prove of itself.
type proven interface {
	CheckTable(ctx context.Context, db *sqldb.DB) error
	Rederive(ctx context.Context, db *sqldb.DB) error
}

func kinds() []proven {
	return []proven{
		store.Implementations, store.Cohorts, store.People, store.Memberships, store.Trainings, store.Sessions, store.CohortPlans,
		store.Resources, store.Stages, store.Tasks, store.Baselines, store.Comments,
		store.Features, store.BudgetLines, store.LedgerEntries, store.Outcomes,
		store.Forecasts, store.Proposals, store.Challenges, store.Signals, store.DetectorPolicies, store.Decisions,
		store.Surveys, store.SurveyWaves,
		store.Stakeholders, store.Communications, store.Erasures,
	}
}

func TestTheTablesAreWhatTheKindsExpect(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		seed(t, s, 3, 7)
		for _, kind := range kinds() {
			require.NoError(t, kind.CheckTable(t.Context(), db))
			require.NoError(t, kind.Rederive(t.Context(), db), "imports derive the columns too")
		}
	})
}

// seed makes cohorts of some people each, with a plan each on one training that
// six of ten people have completed, and returns the names of the plans.
func seed(tb testing.TB, s *store.Store, cohorts, people int) (plans []string) {
	tb.Helper()
	ctx := tb.Context()
	_, err := store.Implementations.Create(ctx, s.Store, &implementationv1.CreateImplementationRequest{
		Parent: ws, ImplementationId: "crm", Implementation: &implementationv1.Implementation{Labels: map[string]string{"a": "b"}},
	})
	require.NoError(tb, err)
	training, err := store.Trainings.Create(ctx, s.Store, &implementationv1.CreateTrainingRequest{Parent: ws, TrainingId: "basics", Training: &implementationv1.Training{}})
	require.NoError(tb, err)
	name := training.GetName()
	_, err = s.MoveTraining(ctx, &implementationv1.PublishTrainingRequest{Name: name}, lifecycle.Published)
	require.NoError(tb, err)
	var completions strings.Builder
	completions.WriteString("person\n")
	for c := range cohorts {
		cohort, err := store.Cohorts.Create(ctx, s.Store, &implementationv1.CreateCohortRequest{Parent: ws, CohortId: fmt.Sprintf("c%03d", c), Cohort: &implementationv1.Cohort{}})
		require.NoError(tb, err)
		var members strings.Builder
		members.WriteString("person,start_date\n")
		for p := range people {
			fmt.Fprintf(&members, "p-%03d-%05d,2026-01-01\n", c, p)
			if p%10 < 6 {
				fmt.Fprintf(&completions, "p-%03d-%05d\n", c, p)
			}
		}
		result, err := s.ImportMemberships(ctx, &implementationv1.ImportMembershipsRequest{Parent: cohort.GetName(), Csv: []byte(members.String()), CreatePeople: true})
		require.NoError(tb, err)
		require.Empty(tb, result.GetErrors())
		plan, err := store.CohortPlans.Create(ctx, s.Store, &implementationv1.CreateCohortPlanRequest{
			Parent: ws + "/implementations/crm", CohortPlanId: fmt.Sprintf("c%03d", c),
			CohortPlan: &implementationv1.CohortPlan{Cohort: cohort.GetName(), ReadinessPolicy: &implementationv1.ReadinessPolicy{Criteria: []*implementationv1.Criterion{{
				Id: "trained", Type: &implementationv1.Criterion_Trained{Trained: &implementationv1.TrainedCriterion{Trainings: []string{name}}},
			}}}},
		})
		require.NoError(tb, err)
		plans = append(plans, plan.GetName())
	}
	result, err := s.ImportCompletions(ctx, &implementationv1.ImportCompletionsRequest{Training: name, Csv: []byte(completions.String())})
	require.NoError(tb, err)
	require.Empty(tb, result.GetErrors())
	return plans
}

func TestManyPlansAreJudgedAsOneIs(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		plans := seed(t, s, 5, 20)
		together, err := s.Assess(t.Context(), append(plans, ws+"/implementations/crm/cohortPlans/none"))
		require.NoError(t, err)
		require.Len(t, together, len(plans))
		for _, plan := range plans {
			alone, err := s.Assess(t.Context(), []string{plan})
			require.NoError(t, err)
			r := alone[plan].Readiness()
			require.EqualValues(t, 12, r.GetCriteria()[0].GetNumerator())
			require.EqualValues(t, 20, r.GetHeadcount())
			require.Equal(t, r.GetCriteria()[0].GetMessage(), together[plan].Readiness().GetCriteria()[0].GetMessage())
		}
	})
}

// TestRacingJudgesAgreeOnOneRevision: sixteen see the same change at the same
// time; the verdict is replaced once.
func TestRacingJudgesAgreeOnOneRevision(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		plans := seed(t, s, 3, 10)
		const judges = 16
		results := make(chan map[string]*gatev1.Verdict, judges)
		failures := make(chan error, judges)
		for range judges {
			go func() {
				verdicts, err := s.Verdicts(t.Context(), plans)
				failures <- err
				results <- verdicts
			}()
		}
		for range judges {
			require.NoError(t, <-failures)
			for _, v := range <-results {
				require.EqualValues(t, 1, v.GetRevision())
			}
		}
		var events int
		err := db.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM events WHERE type = 'implementation.verdict.changed'").Scan(&events)
		require.NoError(t, err)
		require.Equal(t, len(plans), events)
	})
}

func TestWhatAChangeMayTouch(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		plans := seed(t, s, 3, 2)
		for resource, want := range map[string][]string{
			plans[1]:                                       {plans[1]},
			plans[1] + "/verdict":                          {},
			ws + "/cohorts/c000/memberships/m1":            {plans[0]},
			ws + "/cohorts/c002":                           {plans[2]},
			ws + "/trainings/basics/enrolments":            plans,
			ws + "/trainings/basics/enrolments/p-000":      plans,
			ws + "/trainings/other":                        {},
			ws + "/people/p-000":                           {},
			ws + "/implementations/crm":                    plans, // which names the applications that access is about
			ws + "/implementations/crm/cohortPlans/absent": {ws + "/implementations/crm/cohortPlans/absent"},
		} {
			got, err := s.Affected(t.Context(), []string{resource})
			require.NoError(t, err)
			require.Equal(t, want, got, resource)
		}
	})
}

// BenchmarkAssess judges 50 cohorts of 200 people each, and one of them beside it.
func BenchmarkAssess(b *testing.B) {
	for _, kind := range pgtest.Databases(b) {
		db := kind.Open(b)
		s := open(b, db)
		plans := seed(b, s, 50, 200)
		for _, n := range []int{1, 50} {
			b.Run(fmt.Sprintf("%s/%d", kind.Name, n), func(b *testing.B) {
				for b.Loop() {
					_, err := s.Assess(b.Context(), plans[:n])
					require.NoError(b, err)
				}
			})
		}
	}
}

// BenchmarkImport is a file of 100 000 memberships of people who are not known yet.
func BenchmarkImport(b *testing.B) {
	const rows = 100_000
	var file strings.Builder
	file.WriteString("person,start_date\n")
	for i := range rows {
		fmt.Fprintf(&file, "p-%06d,2026-01-01\n", i)
	}
	for _, kind := range pgtest.Databases(b) {
		b.Run(kind.Name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				s := open(b, kind.Open(b))
				cohort, err := store.Cohorts.Create(b.Context(), s.Store, &implementationv1.CreateCohortRequest{Parent: ws, Cohort: &implementationv1.Cohort{}})
				require.NoError(b, err)
				b.StartTimer()
				began := time.Now()
				result, err := s.ImportMemberships(b.Context(), &implementationv1.ImportMembershipsRequest{Parent: cohort.GetName(), Csv: []byte(file.String()), CreatePeople: true})
				require.NoError(b, err)
				require.EqualValues(b, rows, result.GetCreatedCount())
				b.ReportMetric(rows/time.Since(began).Seconds(), "rows/s")
			}
		})
	}
}
