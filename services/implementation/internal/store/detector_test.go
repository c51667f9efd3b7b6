package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// bureau is a store whose clock a test moves, with one implementation and a cohort plan in it.
type bureau struct {
	*store.Store
	testing.TB

	now time.Time
}

const (
	crm   = ws + "/implementations/crm"
	sales = crm + "/cohortPlans/sales"
)

func newBureau(tb testing.TB, db *sqldb.DB) *bureau {
	tb.Helper()
	require.NoError(tb, db.Migrate(tb.Context(), feed.Source(), resource.Source(), store.Source()))
	b := &bureau{TB: tb, now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)} // a Monday
	b.Store = store.New(db, feed.New(db, feed.Config{}), func() time.Time { return b.now })
	ctx := tb.Context()
	_, err := store.Implementations.Create(ctx, b.Store.Store, &implementationv1.CreateImplementationRequest{Parent: ws, ImplementationId: "crm", Implementation: &implementationv1.Implementation{}})
	require.NoError(tb, err)
	_, err = store.Cohorts.Create(ctx, b.Store.Store, &implementationv1.CreateCohortRequest{Parent: ws, CohortId: "sales", Cohort: &implementationv1.Cohort{
		Blackouts: []*implementationv1.Blackout{{StartDate: "2026-06-01", EndDate: "2026-06-05", Reason: "quarter end"}},
	}})
	require.NoError(tb, err)
	_, err = store.CohortPlans.Create(ctx, b.Store.Store, &implementationv1.CreateCohortPlanRequest{Parent: crm, CohortPlanId: "sales", CohortPlan: &implementationv1.CohortPlan{
		Cohort: ws + "/cohorts/sales", GoLiveTime: timestamppb.New(time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)),
	}})
	require.NoError(tb, err)
	return b
}

// goLive moves the date of the cohort plan.
func (b *bureau) goLive(year int, month time.Month, day int) {
	b.Helper()
	b.now = b.now.Add(time.Hour)
	_, err := store.CohortPlans.Update(b.Context(), b.Store.Store, &implementationv1.UpdateCohortPlanRequest{CohortPlan: &implementationv1.CohortPlan{
		Name: sales, GoLiveTime: timestamppb.New(time.Date(year, month, day, 8, 0, 0, 0, time.UTC)),
	}})
	require.NoError(b, err)
}

// nextWeek lets a week pass and runs the detectors.
func (b *bureau) nextWeek() *implementationv1.RunDetectorsResponse {
	b.Helper()
	b.now = b.now.AddDate(0, 0, 7)
	return b.run(&implementationv1.RunDetectorsRequest{Name: crm})
}

func (b *bureau) run(req *implementationv1.RunDetectorsRequest) *implementationv1.RunDetectorsResponse {
	b.Helper()
	answer, err := b.RunDetectors(b.Context(), req)
	require.NoError(b, err)
	return answer
}

func (b *bureau) challenge(name string) *implementationv1.Challenge {
	b.Helper()
	c, err := store.Challenges.Get(b.Context(), b.Store.Store, &implementationv1.GetChallengeRequest{Name: name})
	require.NoError(b, err)
	return c
}

func (b *bureau) signals() []*implementationv1.Signal {
	b.Helper()
	all, _, err := store.Signals.List(b.Context(), b.Store.Store, &implementationv1.ListSignalsRequest{Parent: crm, OrderBy: "create_time"})
	require.NoError(b, err)
	return all
}

func eachBureau(t *testing.T, test func(t *testing.T, b *bureau)) {
	t.Helper()
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) { test(t, newBureau(t, db)) })
}

func TestASignalEntersAfterTwoWeeksAndSuggestsAChallenge(t *testing.T) {
	eachBureau(t, func(t *testing.T, b *bureau) {
		b.goLive(2026, 6, 3) // into the blackout
		require.Empty(t, b.nextWeek().GetSuggested(), "one week is none")
		require.Len(t, b.signals(), 2, "P5, and P6 for the slip")
		require.Equal(t, implementationv1.Signal_SEEN, b.signals()[0].GetPhase())

		second := b.nextWeek()
		require.Equal(t, "2026-W11", second.GetWeek())
		require.Equal(t, []string{crm + "/challenges/p5-sales-2026-w11", crm + "/challenges/p6-sales-2026-w11"}, second.GetSuggested())
		c := b.challenge(crm + "/challenges/p5-sales-2026-w11")
		require.Equal(t, implementationv1.Challenge_SUGGESTED, c.GetState())
		require.Equal(t, implementationv1.Challenge_PRIORITIES, c.GetClass())
		require.Equal(t, "go-live 2026-06-03 to 2026-06-10 meets 1 of 1 spans: blackout quarter end (2026-06-01 to 2026-06-06)", c.GetArithmetic())
		require.Equal(t, ws+"/cohorts/sales", c.GetCohort())
		require.Equal(t, "services/implementation", c.GetCreator())
		require.Len(t, c.GetEvidence(), 1)

		again := b.run(&implementationv1.RunDetectorsRequest{Name: crm})
		require.Empty(t, again.GetSuggested())
		require.Len(t, b.signals(), 4, "a week is decided once")

		require.Empty(t, b.nextWeek().GetSuggested())
		require.Len(t, b.challenge(c.GetName()).GetEvidence(), 2, "more evidence of the same rule and subject belongs to the same challenge")
	})
}

func TestAnEndIsProposedAndAPersonCloses(t *testing.T) {
	eachBureau(t, func(t *testing.T, b *bureau) {
		b.goLive(2026, 6, 3)
		b.nextWeek()
		name := b.nextWeek().GetSuggested()[0]
		ctx := t.Context()
		_, err := b.OpenChallenge(ctx, &implementationv1.OpenChallengeRequest{Name: name, Owner: "users/ada"})
		require.NoError(t, err)
		_, err = b.MitigateChallenge(ctx, &implementationv1.MitigateChallengeRequest{Name: name})
		require.NoError(t, err, "the remedy of the rule says what is done")
		b.goLive(2026, 5, 2)
		require.Empty(t, b.nextWeek().GetProposed())
		require.Contains(t, b.nextWeek().GetProposed(), name)
		c := b.challenge(name)
		require.Equal(t, implementationv1.Challenge_MITIGATING, c.GetState(), "only a person resolves")
		require.Equal(t, "go-live 2026-05-02 to 2026-05-09 meets 0 of 1 spans", c.GetProposal().GetMessage())
		_, err = b.ResolveChallenge(ctx, &implementationv1.ResolveChallengeRequest{Name: name, Reason: "moved"})
		require.NoError(t, err)
		_, err = b.CloseChallenge(ctx, &implementationv1.CloseChallengeRequest{Name: name})
		require.NoError(t, err)
		_, err = b.ReopenChallenge(ctx, &implementationv1.ReopenChallengeRequest{Name: name, Reason: "again"})
		require.Equal(t, "STATE_FORBIDS", fault.ReasonOf(err))

		b.goLive(2026, 6, 4)
		require.Empty(t, b.nextWeek().GetSuggested())
		require.Contains(t, b.nextWeek().GetSuggested(), crm+"/challenges/p5-sales-2026-w15", "what was closed and comes back is new")
	})
}

func TestADismissedChallengeIsMutedUntilItIsWorse(t *testing.T) {
	eachBureau(t, func(t *testing.T, b *bureau) {
		b.goLive(2026, 6, 3)
		b.nextWeek()
		name := b.nextWeek().GetSuggested()[0]
		_, err := b.DismissChallenge(t.Context(), &implementationv1.DismissChallengeRequest{Name: name, Reason: "sales works in that week"})
		require.NoError(t, err)
		require.Empty(t, b.nextWeek().GetSuggested())
		require.Empty(t, b.nextWeek().GetSuggested())
		require.Len(t, b.challenge(name).GetEvidence(), 1, "what was dismissed stays as it was judged")

		_, err = store.Cohorts.Update(t.Context(), b.Store.Store, &implementationv1.UpdateCohortRequest{Cohort: &implementationv1.Cohort{
			Name: ws + "/cohorts/sales", Blackouts: []*implementationv1.Blackout{
				{StartDate: "2026-06-01", EndDate: "2026-06-05", Reason: "quarter end"}, {StartDate: "2026-06-04", EndDate: "2026-06-04", Reason: "fair"},
			},
		}})
		require.NoError(t, err)
		require.Equal(t, []string{crm + "/challenges/p5-sales-2026-w14"}, b.nextWeek().GetSuggested(), "two spans are worse than one")
	})
}

func TestWhatIsNoLongerThereLeaves(t *testing.T) {
	eachBureau(t, func(t *testing.T, b *bureau) {
		b.goLive(2026, 6, 3)
		b.nextWeek()
		names := b.nextWeek().GetSuggested()
		_, err := store.CohortPlans.Delete(t.Context(), b.Store.Store, &implementationv1.DeleteCohortPlanRequest{Name: sales})
		require.NoError(t, err)
		require.Empty(t, b.nextWeek().GetProposed())
		require.ElementsMatch(t, names, b.nextWeek().GetProposed())
		require.Equal(t, "there is nothing of it left to look at", b.challenge(names[0]).GetProposal().GetMessage())
	})
}

func TestRunsAreTriedOutAndRepeated(t *testing.T) {
	eachBureau(t, func(t *testing.T, b *bureau) {
		b.goLive(2026, 6, 3)
		b.now = b.now.AddDate(0, 0, 14)
		try := b.run(&implementationv1.RunDetectorsRequest{Name: crm, ValidateOnly: true})
		require.Len(t, try.GetRules(), 23)
		require.Empty(t, b.signals(), "validate_only writes nothing")
		// Past weeks one after the other, as somebody who begins late does.
		b.run(&implementationv1.RunDetectorsRequest{Name: crm, Week: "2026-W10"})
		answer := b.run(&implementationv1.RunDetectorsRequest{Name: crm, Week: "2026-W11", RequestId: "r1"})
		require.Len(t, answer.GetSuggested(), 2)
		require.Equal(t, answer.GetSuggested(), b.run(&implementationv1.RunDetectorsRequest{Name: crm, Week: "2026-W11", RequestId: "r1"}).GetSuggested(), "the same request answers the same")
		_, err := b.RunDetectors(t.Context(), &implementationv1.RunDetectorsRequest{Name: crm, Week: "2026-W12"})
		require.Equal(t, "WEEK_NOT_OVER", fault.ReasonOf(err))
		_, err = b.RunDetectors(t.Context(), &implementationv1.RunDetectorsRequest{Name: crm, Week: "2026-W54"})
		require.Equal(t, "WEEK_INVALID", fault.ReasonOf(err))
	})
}

func TestAPolicyOfTheImplementationWins(t *testing.T) {
	eachBureau(t, func(t *testing.T, b *bureau) {
		b.goLive(2026, 6, 3)
		ctx := t.Context()
		create := func(id, implementation string, disabled bool) error {
			_, err := store.DetectorPolicies.Create(ctx, b.Store.Store, &implementationv1.CreateDetectorPolicyRequest{Parent: ws, DetectorPolicyId: id, DetectorPolicy: &implementationv1.DetectorPolicy{
				Implementation: implementation, Rules: []*implementationv1.RuleSetting{{Rule: "P5", Disabled: disabled}},
			}})
			return err
		}
		p5 := func() *implementationv1.RuleReport {
			for _, rule := range b.run(&implementationv1.RunDetectorsRequest{Name: crm, ValidateOnly: true}).GetRules() {
				if rule.GetRule() == "P5" {
					return rule
				}
			}
			return nil
		}
		b.now = b.now.AddDate(0, 0, 7)
		require.Len(t, p5().GetOutcomes(), 1)
		require.NoError(t, create("all", "", true))
		require.True(t, p5().GetDisabled())
		require.Empty(t, p5().GetOutcomes())
		require.NoError(t, create("crm", crm, false))
		require.Len(t, p5().GetOutcomes(), 1)
		require.Equal(t, fault.KindAlreadyExists, fault.From(create("other", crm, true)).Kind(), "one policy each")
		require.Equal(t, "REFERENCE_NOT_FOUND", fault.ReasonOf(create("ghost", ws+"/implementations/ghost", true)))
	})
}

func TestEveryImplementationIsJudgedOnceADay(t *testing.T) {
	eachBureau(t, func(t *testing.T, b *bureau) {
		ctx := t.Context()
		for i := range 3 {
			_, err := store.Implementations.Create(ctx, b.Store.Store, &implementationv1.CreateImplementationRequest{Parent: ws, ImplementationId: fmt.Sprintf("i%d", i), Implementation: &implementationv1.Implementation{}})
			require.NoError(t, err)
		}
		round := func() (judged int) {
			for {
				done, err := b.DetectNext(ctx)
				require.NoError(t, err)
				if !done {
					return judged
				}
				judged++
			}
		}
		require.Equal(t, 4, round())
		require.Zero(t, round(), "nothing is due")
		b.now = b.now.Add(24*time.Hour - time.Second)
		require.Zero(t, round())
		b.now = b.now.Add(time.Second)
		require.Equal(t, 4, round())
	})
}

func TestRunsAtTheSameTimeDecideOnce(t *testing.T) {
	eachBureau(t, func(t *testing.T, b *bureau) {
		b.goLive(2026, 6, 3)
		b.nextWeek()
		b.now = b.now.AddDate(0, 0, 7)
		var all sync.WaitGroup
		suggested := make(chan string, 100)
		failed := make(chan error, 100)
		for range 6 {
			all.Go(func() {
				answer, err := b.RunDetectors(t.Context(), &implementationv1.RunDetectorsRequest{Name: crm})
				failed <- err
				for _, name := range answer.GetSuggested() {
					suggested <- name
				}
			})
		}
		all.Wait()
		close(failed)
		close(suggested)
		for err := range failed {
			require.NoError(t, err)
		}
		var names []string
		for name := range suggested {
			names = append(names, name)
		}
		require.ElementsMatch(t, []string{crm + "/challenges/p5-sales-2026-w11", crm + "/challenges/p6-sales-2026-w11"}, names)
		require.Len(t, b.signals(), 4)
	})
}

func TestTheRegisterGoesWithItsImplementation(t *testing.T) {
	eachBureau(t, func(t *testing.T, b *bureau) {
		b.goLive(2026, 6, 3)
		b.nextWeek()
		require.NotEmpty(t, b.nextWeek().GetSuggested())
		ctx := t.Context()
		_, err := store.CohortPlans.Delete(ctx, b.Store.Store, &implementationv1.DeleteCohortPlanRequest{Name: sales})
		require.NoError(t, err)
		_, err = store.Implementations.Delete(ctx, b.Store.Store, &implementationv1.DeleteImplementationRequest{Name: crm})
		require.NoError(t, err)
		for _, table := range []string{"challenges", "signals", "detector_states", "detector_runs", "cohort_plan_dates"} {
			var left int
			require.NoError(t, b.DB().Read().QueryRowContext(ctx, "SELECT COUNT(*) FROM "+table).Scan(&left))
			require.Zero(t, left, table)
		}
	})
}

func TestTheTablesOfChallenges(t *testing.T) {
	eachBureau(t, func(t *testing.T, b *bureau) {
		b.goLive(2026, 6, 3)
		b.nextWeek()
		b.nextWeek()
		_, err := store.DetectorPolicies.Create(t.Context(), b.Store.Store, &implementationv1.CreateDetectorPolicyRequest{Parent: ws, DetectorPolicy: &implementationv1.DetectorPolicy{Implementation: crm}})
		require.NoError(t, err)
		for _, kind := range []proven{store.Challenges, store.Signals, store.DetectorPolicies} {
			require.NoError(t, kind.CheckTable(t.Context(), b.DB()))
			require.NoError(t, kind.Rederive(t.Context(), b.DB()))
		}
	})
}
