package implementation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation"
)

func TestAWaveWaitsAtSixtyPercentAndGoesOnAtNinety(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		cohort, training := w.cohort("sales", 20), w.training("basics", 0)
		plan := w.plan("sales", cohort, time.Time{}, training)
		w.complete(training, 0, 12)

		wait := w.verdict(plan)
		require.Equal(t, gatev1.Verdict_WAIT, wait.GetState())
		require.EqualValues(t, 20, wait.GetHeadcount())
		require.Equal(t, []string{training}, wait.GetWaitingOn())
		require.Equal(t, 5*time.Minute, wait.GetTtl().AsDuration())
		require.Len(t, wait.GetReasons(), 1)
		reason := wait.GetReasons()[0]
		require.Equal(t, gatev1.BlockedBy_CRITERION, reason.GetKind())
		require.Equal(t, training, reason.GetResource())
		require.Equal(t, "12 of 20 trained (60.0 %)", reason.GetCurrent())
		require.Equal(t, "at least 90.0 % trained", reason.GetRequired())
		require.Equal(t, "users/carol", reason.GetOwner())
		require.Equal(t, "golive train record "+training+" PERSON…", reason.GetCommand())
		require.NotNil(t, reason.GetSince())

		stream, err := w.gates.WatchGates(t.Context(), &gatev1.WatchGatesRequest{Parent: ws, Resources: []string{plan}, Purpose: gatev1.Purpose_PURPOSE_READINESS})
		require.NoError(t, err)
		first, err := stream.Recv()
		require.NoError(t, err)
		require.Equal(t, gatev1.Verdict_WAIT, first.GetVerdict().GetState())
		require.Equal(t, wait.GetRevision(), first.GetVerdict().GetRevision())

		w.complete(training, 12, 18)
		next, err := stream.Recv()
		require.NoError(t, err)
		require.Equal(t, gatev1.Verdict_PASS, next.GetVerdict().GetState())
		require.Greater(t, next.GetVerdict().GetRevision(), wait.GetRevision())
		require.Empty(t, next.GetVerdict().GetReasons())

		pass := w.verdict(plan)
		require.Equal(t, gatev1.Verdict_PASS, pass.GetState())
		require.Equal(t, next.GetVerdict().GetRevision(), pass.GetRevision(), "asking again changes nothing")
	})
}

func TestWatchersHearOfEveryPlanAndOfItsEnd(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		cohort, training := w.cohort("sales", 2), w.training("basics", 0)
		one, two := w.plan("one", cohort, time.Time{}, training), w.plan("two", cohort, w.clock.now().Add(time.Hour), training)
		stream, err := w.gates.WatchGates(t.Context(), &gatev1.WatchGatesRequest{Parent: ws, Resources: []string{one, two, one}})
		require.NoError(t, err)
		states := map[string]gatev1.Verdict_State{}
		receive := func() *gatev1.Verdict {
			frame, err := stream.Recv()
			require.NoError(t, err)
			states[frame.GetVerdict().GetResource()] = frame.GetVerdict().GetState()
			return frame.GetVerdict()
		}
		receive()
		receive()
		require.Equal(t, map[string]gatev1.Verdict_State{one: gatev1.Verdict_WAIT, two: gatev1.Verdict_WAIT}, states)

		w.clock.advance(2 * time.Hour) // the sweep sees what no event tells
		receive()
		require.Equal(t, gatev1.Verdict_FAIL, states[two])

		w.complete(training, 0, 2)
		receive()
		receive()
		require.Equal(t, map[string]gatev1.Verdict_State{one: gatev1.Verdict_PASS, two: gatev1.Verdict_PASS}, states)

		_, err = w.plans.DeleteCohortPlan(t.Context(), &implementationv1.DeleteCohortPlanRequest{Name: two})
		require.NoError(t, err)
		gone := receive()
		require.Equal(t, gatev1.Verdict_UNKNOWN, states[two])
		require.Equal(t, "the cohort plan was deleted", gone.GetReasons()[0].GetCurrent())

		again := w.plan("two", cohort, time.Time{}, training)
		require.Equal(t, two, again)
		require.Equal(t, gatev1.Verdict_PASS, receive().GetState(), "revisions go on under the same name")
	}, func(cfg *implementation.Config) { cfg.Sweep = 20 * time.Millisecond })
}

func TestReadinessCountsWhoGoesLive(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		cohort := w.cohort("sales", 10)
		day, training := 24*time.Hour, w.training("basics", 30*24*time.Hour)
		goLive := w.clock.now().Add(20 * day)
		plan := w.plan("sales", cohort, goLive, training)

		w.complete(training, 0, 9)
		require.Equal(t, gatev1.Verdict_PASS, w.readiness(plan).GetState())

		w.clock.advance(5 * day)
		later := w.plan("later", cohort, w.clock.now().Add(27*day), training)
		r := w.readiness(later)
		require.Equal(t, gatev1.Verdict_WAIT, r.GetState(), "a completion that ends before the go-live does not count at it")
		require.EqualValues(t, 9, r.GetCriteria()[0].GetExpired())
		require.Equal(t, "0 of 10 trained (0.0 %), at least 9 needed; 9 expired", r.GetCriteria()[0].GetMessage())

		_, err := w.enrolments.EnrolPeople(ctx, &implementationv1.EnrolPeopleRequest{Training: training, Cohort: cohort})
		require.NoError(t, err)
		_, err = w.enrolments.WaiveEnrolment(ctx, &implementationv1.WaiveEnrolmentRequest{Name: training + "/enrolments/p-009", Reason: "on leave"})
		require.NoError(t, err)
		c := w.readiness(plan).GetCriteria()[0]
		require.Equal(t, "9 of 9 trained (100.0 %), at least 9 needed; 1 waived, not counted", c.GetMessage())
		require.EqualValues(t, 1, c.GetWaived())
		require.InDelta(t, 1, c.GetValue(), 0)

		members, err := w.memberships.ListMemberships(ctx, &implementationv1.ListMembershipsRequest{Parent: cohort, Filter: `person = "` + person(0) + `"`})
		require.NoError(t, err)
		require.Len(t, members.GetMemberships(), 1)
		leaver := members.GetMemberships()[0]
		leaver.EndDate = stampOf(goLive)
		_, err = w.memberships.UpdateMembership(ctx, &implementationv1.UpdateMembershipRequest{Membership: leaver})
		require.NoError(t, err)
		r = w.readiness(plan)
		require.EqualValues(t, 9, r.GetHeadcount(), "the end of a membership is excluded")
		require.EqualValues(t, 8, r.GetCriteria()[0].GetNumerator())

		empty := w.plan("empty", w.cohort("empty", 0), time.Time{}, training)
		v := w.verdict(empty)
		require.Equal(t, gatev1.Verdict_UNKNOWN, v.GetState())
		require.Equal(t, "the cohort has no members at the go-live", v.GetReasons()[0].GetCurrent())
		require.Zero(t, v.GetEvidence()[0].GetDenominator())
		none := w.plan("none", cohort, time.Time{})
		require.Equal(t, "the readiness policy has no criteria", w.verdict(none).GetReasons()[0].GetCurrent())
	})
}

func TestSeveralTrainings(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		cohort, a, b := w.cohort("sales", 4), w.training("a", 0), w.training("b", 0)
		plan := w.plan("sales", cohort, time.Time{}, a, b)
		w.complete(a, 0, 4)
		w.complete(b, 0, 1)
		require.EqualValues(t, 1, w.readiness(plan).GetCriteria()[0].GetNumerator(), "both are needed")

		_, err := w.enrolments.EnrolPeople(ctx, &implementationv1.EnrolPeopleRequest{Training: b, People: []string{person(1)}})
		require.NoError(t, err)
		_, err = w.enrolments.WaiveEnrolment(ctx, &implementationv1.WaiveEnrolmentRequest{Name: b + "/enrolments/p-001", Reason: "knows it"})
		require.NoError(t, err)
		c := w.readiness(plan).GetCriteria()[0]
		require.EqualValues(t, 2, c.GetNumerator(), "who is waived from one training still needs the other")
		require.EqualValues(t, 4, c.GetDenominator())
		require.Zero(t, c.GetWaived())
		reason := w.verdict(plan).GetReasons()[0]
		require.Equal(t, plan, reason.GetResource())
		require.Equal(t, "golive readiness "+plan, reason.GetCommand())
		require.Equal(t, []string{a, b}, w.verdict(plan).GetWaitingOn())

		_, err = w.trainings.RetireTraining(ctx, &implementationv1.RetireTrainingRequest{Name: b})
		require.NoError(t, err)
		v := w.verdict(plan)
		require.Equal(t, gatev1.Verdict_FAIL, v.GetState())
		require.Equal(t, "2 of 4 trained (50.0 %); at most 2 can be, because a training is retired", v.GetReasons()[0].GetCurrent())
	})
}
