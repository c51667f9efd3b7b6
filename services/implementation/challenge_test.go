package implementation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// watchers is a world with clients for challenges and what finds them.
type watchers struct {
	*planner

	challenges implementationv1.ChallengeServiceClient
	signals    implementationv1.SignalServiceClient
	support    implementationv1.SupportServiceClient
}

func eachWatched(t *testing.T, test func(t *testing.T, w *watchers)) {
	t.Helper()
	eachPlan(t, func(t *testing.T, p *planner) {
		w := &watchers{planner: p}
		w.be("users/alice", auth.Admin)
		test(t, w)
	})
}

// be makes the clients speak for a principal.
func (w *watchers) be(name string, role auth.Role) {
	w.Helper()
	conn := w.dial(name, map[string][]auth.Role{auth.AllWorkspaces: {role}})
	w.challenges = implementationv1.NewChallengeServiceClient(conn)
	w.signals = implementationv1.NewSignalServiceClient(conn)
	w.support = implementationv1.NewSupportServiceClient(conn)
}

// finds is what each rule says now of its first subject: the status and the arithmetic.
func (w *watchers) finds() map[string]string {
	w.Helper()
	answer, err := w.signals.RunDetectors(w.Context(), &implementationv1.RunDetectorsRequest{Name: crm, ValidateOnly: true})
	require.NoError(w, err)
	said := map[string]string{}
	for _, rule := range answer.GetRules() {
		for _, o := range rule.GetOutcomes() {
			if _, first := said[rule.GetRule()]; !first {
				said[rule.GetRule()] = o.GetStatus().String() + ": " + o.GetArithmetic()
			}
		}
	}
	return said
}

func (w *watchers) raise(id string, c *implementationv1.Challenge) (*implementationv1.Challenge, error) {
	if c.GetClass() == 0 {
		c.Class = implementationv1.Challenge_OTHER
	}
	return w.challenges.CreateChallenge(w.Context(), &implementationv1.CreateChallengeRequest{Parent: crm, ChallengeId: id, Challenge: c})
}

func TestAChallengeFromRaisedToClosed(t *testing.T) {
	t.Parallel()
	eachWatched(t, func(t *testing.T, w *watchers) {
		ctx := t.Context()
		w.be("users/olga", auth.Operator)
		c, err := w.raise("council", &implementationv1.Challenge{DisplayName: "the works council has not agreed", Class: implementationv1.Challenge_PRIORITIES, Impact: 5})
		require.NoError(t, err)
		require.Equal(t, implementationv1.Challenge_OPEN, c.GetState())
		require.EqualValues(t, 15, c.GetSeverity(), "3 where nobody says")
		require.True(t, c.GetCritical())
		require.Equal(t, "users/olga", c.GetCreator())

		_, err = w.challenges.MitigateChallenge(ctx, &implementationv1.MitigateChallengeRequest{Name: c.GetName()})
		require.Equal(t, "MITIGATION_MISSING", fault.ReasonOf(err))
		_, err = w.challenges.AcceptChallenge(ctx, &implementationv1.AcceptChallengeRequest{Name: c.GetName(), Reason: "x", Owner: "users/olga", ReviewDate: "2026-12-24"})
		require.Equal(t, fault.KindDenied, fault.From(err).Kind(), "who works on it does not wave it through")
		w.be("users/paul", auth.Approver)
		_, err = w.challenges.AcceptChallenge(ctx, &implementationv1.AcceptChallengeRequest{Name: c.GetName(), Reason: "x", ReviewDate: "2026-12-24"})
		require.Equal(t, "OWNER_MISSING", fault.ReasonOf(err))
		_, err = w.challenges.AcceptChallenge(ctx, &implementationv1.AcceptChallengeRequest{Name: c.GetName(), Reason: "x", Owner: "users/olga", ReviewDate: "2026-03-02"})
		require.Equal(t, fault.KindInvalid, fault.From(err).Kind(), "today is no later look")
		accepted, err := w.challenges.AcceptChallenge(ctx, &implementationv1.AcceptChallengeRequest{Name: c.GetName(), Reason: "x", Owner: "users/olga", ReviewDate: "2026-12-24"})
		require.NoError(t, err)
		require.Equal(t, "2026-12-24", accepted.GetReviewDate())

		w.be("users/vic", auth.Viewer)
		_, err = w.challenges.ReopenChallenge(ctx, &implementationv1.ReopenChallengeRequest{Name: c.GetName(), Reason: "y"})
		require.Equal(t, fault.KindDenied, fault.From(err).Kind())
		w.be("users/olga", auth.Operator)
		_, err = w.challenges.ReopenChallenge(ctx, &implementationv1.ReopenChallengeRequest{Name: c.GetName(), Reason: "y", Etag: "old"})
		require.Equal(t, "ETAG_MISMATCH", fault.ReasonOf(err))
		_, err = w.challenges.ReopenChallenge(ctx, &implementationv1.ReopenChallengeRequest{Name: c.GetName(), Reason: "they ask again"})
		require.NoError(t, err)
		_, err = w.challenges.MitigateChallenge(ctx, &implementationv1.MitigateChallengeRequest{Name: c.GetName(), Mitigation: "invite them"})
		require.NoError(t, err)
		_, err = w.challenges.ResolveChallenge(ctx, &implementationv1.ResolveChallengeRequest{Name: c.GetName(), Reason: "agreed"})
		require.NoError(t, err)
		closed, err := w.challenges.CloseChallenge(ctx, &implementationv1.CloseChallengeRequest{Name: c.GetName(), RequestId: "r"})
		require.NoError(t, err)
		require.Equal(t, "agreed", closed.GetReason())
		again, err := w.challenges.CloseChallenge(ctx, &implementationv1.CloseChallengeRequest{Name: c.GetName(), RequestId: "r"})
		require.NoError(t, err)
		require.Equal(t, closed.GetUpdateTime().AsTime(), again.GetUpdateTime().AsTime(), "a retry answers the same")
		c.Impact = 1
		_, err = w.challenges.UpdateChallenge(ctx, &implementationv1.UpdateChallengeRequest{Challenge: &implementationv1.Challenge{Name: c.GetName(), Impact: 1}})
		require.Equal(t, "TERMINAL_STATE", fault.ReasonOf(err))
		_, err = w.challenges.DeleteChallenge(ctx, &implementationv1.DeleteChallengeRequest{Name: c.GetName()})
		require.Equal(t, "STATE_FORBIDS", fault.ReasonOf(err))
	})
}

func TestWhatAChallengeIsAbout(t *testing.T) {
	t.Parallel()
	eachWatched(t, func(t *testing.T, w *watchers) {
		plan := w.plan("sales", w.cohort("sales", 0), time.Time{})
		c, err := w.raise("a", &implementationv1.Challenge{DisplayName: "a", Subject: plan})
		require.NoError(t, err)
		require.Equal(t, ws+"/cohorts/sales", c.GetCohort())
		for reason, subject := range map[string]string{
			"OTHER_WORKSPACE": "workspaces/other/cohorts/sales", "REFERENCE_NOT_FOUND": ws + "/cohorts/ghost", "INVALID_NAME": ws + "/people/p-000",
		} {
			_, err := w.raise("b", &implementationv1.Challenge{DisplayName: "b", Subject: subject})
			require.Equal(t, reason, fault.ReasonOf(err), subject)
		}
		_, err = w.raise("b", &implementationv1.Challenge{DisplayName: "b", Cohort: ws + "/cohorts/ghost"})
		require.Equal(t, "REFERENCE_NOT_FOUND", fault.ReasonOf(err))
		_, err = w.challenges.DeleteChallenge(t.Context(), &implementationv1.DeleteChallengeRequest{Name: c.GetName()})
		require.NoError(t, err, "raised by mistake")
	})
}

func TestTicketsAreSetAndNotAdded(t *testing.T) {
	t.Parallel()
	eachWatched(t, func(t *testing.T, w *watchers) {
		sales := w.cohort("sales", 12)
		record := func(week string, tickets, users int64, cohorts ...string) (*implementationv1.RecordTicketsResponse, error) {
			req := &implementationv1.RecordTicketsRequest{Name: crm}
			for _, cohort := range cohorts {
				req.Counts = append(req.Counts, &implementationv1.TicketCount{Cohort: cohort, Week: week, Tickets: tickets, ActiveUsers: users})
			}
			return w.support.RecordTickets(t.Context(), req)
		}
		answer, err := record("2026-W09", 5, 0, sales)
		require.NoError(t, err)
		require.EqualValues(t, 1, answer.GetCreatedCount())
		answer, err = record("2026-W09", 5, 0, sales)
		require.NoError(t, err)
		require.Zero(t, answer.GetCreatedCount()+answer.GetUpdatedCount())
		answer, err = record("2026-W09", 6, 0, sales)
		require.NoError(t, err)
		require.EqualValues(t, 1, answer.GetUpdatedCount())
		for reason, call := range map[string]func() (*implementationv1.RecordTicketsResponse, error){
			"WEEK_INVALID": func() (*implementationv1.RecordTicketsResponse, error) { return record("2026-W60", 1, 0, sales) },
			"REFERENCE_NOT_FOUND": func() (*implementationv1.RecordTicketsResponse, error) {
				return record("2026-W08", 1, 0, sales, ws+"/cohorts/ghost")
			},
			"DUPLICATE": func() (*implementationv1.RecordTicketsResponse, error) { return record("2026-W08", 1, 0, sales, sales) },
			"OTHER_WORKSPACE": func() (*implementationv1.RecordTicketsResponse, error) {
				return record("2026-W08", 1, 0, "workspaces/x/cohorts/y")
			},
		} {
			_, err := call()
			require.Equal(t, reason, fault.ReasonOf(err))
		}
		_, err = record("2026-W11", 1, 0, sales)
		require.Equal(t, "WEEK_INVALID", fault.ReasonOf(err), "the future has no tickets")
		all, err := w.support.QueryTickets(t.Context(), &implementationv1.QueryTicketsRequest{Name: crm})
		require.NoError(t, err)
		require.Len(t, all.GetCounts(), 1, "nothing half done")
		require.EqualValues(t, 6, all.GetCounts()[0].GetTickets())
	})
}

func TestSupportAndStakeholdersAreJudged(t *testing.T) {
	t.Parallel()
	eachWatched(t, func(t *testing.T, w *watchers) {
		sales := w.cohort("sales", 40)
		live := w.clock.now().AddDate(0, 0, -21) // a Monday: the week before the tests' is the third
		w.plan("sales", sales, live)
		for week, tickets := range map[string]int64{"2026-W02": 4, "2026-W03": 5, "2026-W04": 3, "2026-W05": 4, "2026-W06": 4, "2026-W07": 60, "2026-W08": 40, "2026-W09": 30} {
			_, err := w.support.RecordTickets(t.Context(), &implementationv1.RecordTicketsRequest{Name: crm, Counts: []*implementationv1.TicketCount{{Cohort: sales, Week: week, Tickets: tickets, ActiveUsers: 40}}})
			require.NoError(t, err)
		}
		require.Equal(t, "HOLDS: week 3: 30 tickets in 40 active user-weeks = 0.75, baseline 20 in 200 = 0.1: > 2 × baseline, ratio at least 4.12 > 1", w.finds()["R8"])

		stakeholders := implementationv1.NewStakeholderServiceClient(w.dial("users/alice", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}}))
		require.Contains(t, w.finds()["R9"], "TOO_SMALL")
		made, err := stakeholders.CreateStakeholder(t.Context(), &implementationv1.CreateStakeholderRequest{Parent: crm, StakeholderId: "head", Stakeholder: &implementationv1.Stakeholder{
			DisplayName: "the head of sales", Influence: 5, Stance: implementationv1.Stance_SUPPORTIVE, Sponsor: true,
		}})
		require.NoError(t, err)
		require.Contains(t, w.finds()["R9"], "CLEAR: 0 of 1")
		w.clock.advance(10 * 24 * time.Hour)
		_, err = stakeholders.RecordStance(t.Context(), &implementationv1.RecordStanceRequest{Name: made.GetName(), Stance: implementationv1.Stance_SCEPTICAL})
		require.NoError(t, err)
		w.clock.advance(14 * 24 * time.Hour)
		said := w.finds()["R9"]
		require.Equal(t, "HOLDS: 1 of 1 of influence 4 or 5 stand at NEUTRAL or below; 1 went down within four weeks; the sponsor has been silent for 20 days < 21", said)
		require.NotContains(t, said, "head", "it names nobody")
	})
}

func TestTrainingIsJudged(t *testing.T) {
	t.Parallel()
	eachWatched(t, func(t *testing.T, w *watchers) {
		ctx := t.Context()
		sales, basics := w.cohort("sales", 20), w.training("basics", 0)
		w.plan("sales", sales, w.clock.now().AddDate(0, 0, 40), basics)
		sessions := implementationv1.NewSessionServiceClient(w.dial("users/alice", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}}))
		session := func(id string, in int, seats int32) string {
			start := w.clock.now().AddDate(0, 0, in)
			made, err := sessions.CreateSession(ctx, &implementationv1.CreateSessionRequest{Parent: basics, SessionId: id, Session: &implementationv1.Session{
				StartTime: timestamppb.New(start), EndTime: timestamppb.New(start.Add(2 * time.Hour)), Seats: seats,
			}})
			require.NoError(t, err)
			return made.GetName()
		}
		first := session("first", 1, 10)
		session("late", 30, 3)
		session("after", 60, 100)
		_, err := w.enrolments.EnrolPeople(ctx, &implementationv1.EnrolPeopleRequest{Training: basics, Cohort: sales, DueTime: timestamppb.New(w.clock.now().AddDate(0, 0, 4))})
		require.NoError(t, err)
		for i := range 6 {
			_, err := w.enrolments.BookEnrolment(ctx, &implementationv1.BookEnrolmentRequest{Name: basics + "/enrolments/" + person(i)[len(ws+"/people/"):], Session: first})
			require.NoError(t, err)
		}
		for i := 10; i < 15; i++ {
			_, err := w.enrolments.DeclineEnrolment(ctx, &implementationv1.DeclineEnrolmentRequest{Name: basics + "/enrolments/" + person(i)[len(ws+"/people/"):], Reason: implementationv1.Enrolment_CONFLICT})
			require.NoError(t, err)
		}
		w.clock.advance(2 * 24 * time.Hour)
		_, err = sessions.RecordAttendance(ctx, &implementationv1.RecordAttendanceRequest{Name: first, Present: []string{person(0)}})
		require.NoError(t, err)
		w.complete(basics, 15, 20)
		w.clock.advance(6 * 24 * time.Hour)
		said := w.finds()
		require.Equal(t, "HOLDS: 5 no-shows + 9 overdue of 20 invited = 70 % ≥ 30 %; there is no other cohort to compare with", said["R7"])
		require.Equal(t, "HOLDS: 5 of 20 invitations declined for a conflict = 25 % ≥ 25 %", said["P7"])
		require.Equal(t, "HOLDS: 3 free seats in 1 sessions before 2026-04-11 < 14 people still to train", said["L6"])
	})
}

func TestUseIsJudged(t *testing.T) {
	t.Parallel()
	eachWatched(t, func(t *testing.T, w *watchers) {
		a := adopting(w.world)
		sales, basics := a.cohort("sales", 30), a.training("basics", 0)
		plan := a.plan("sales", sales, a.clock.now().AddDate(0, 0, -30), basics)
		_, err := a.plans.UpdateCohortPlan(t.Context(), &implementationv1.UpdateCohortPlanRequest{CohortPlan: &implementationv1.CohortPlan{Name: plan, Adoption: &implementationv1.AdoptionPlan{
			Target: 0.8, TargetDay: 20, PlannedCurve: &implementationv1.PlannedCurve{Curve: &implementationv1.PlannedCurve_Logistic{Logistic: &implementationv1.LogisticCurve{MidpointDay: 10, RiseDays: 10}}},
		}}})
		require.NoError(t, err)
		req := &implementationv1.RecordCompletionsRequest{Training: basics}
		for i := range 18 {
			req.Completions = append(req.Completions, &implementationv1.Completion{Person: person(i), CompleteTime: timestamppb.New(a.clock.now().AddDate(0, 0, -40))})
		}
		_, err = a.enrolments.RecordCompletions(t.Context(), req)
		require.NoError(t, err)
		for _, d := range []int{-25, -24, -23} {
			a.used("quotes", a.day(d), upTo(14)...)
		}
		a.used("quotes", a.day(-5), upTo(8)...)
		a.used("old-crm", a.day(-4), between(4, 12)...)
		said := w.finds()
		require.Equal(t, "HOLDS: 10 of 18 trained have 0 active days in 14 = 55.6 % ≥ 25 %", said["R2"])
		require.Equal(t, "HOLDS: 8 of 30 are active in the old system on day 29 = 26.7 % ≥ 20 %; 4 of 14 went back = 28.6 % ≥ 10 %", said["R3"])

		// Attack: a completion is recorded for one more person, long ago, and the difference is whether that one uses it.
		_, err = a.enrolments.RecordCompletions(t.Context(), &implementationv1.RecordCompletionsRequest{Training: basics, Completions: []*implementationv1.Completion{
			{Person: person(18), CompleteTime: timestamppb.New(a.clock.now().AddDate(0, 0, -40))},
		}})
		require.NoError(t, err)
		require.Contains(t, w.finds()["R2"], "10 of 18 trained", "the same people as before, until ten have changed")
		require.Contains(t, said["R1"], "14 of 30 eligible are active = 46.7 %", said["R1"])
	})
}

func TestWorkIsJudged(t *testing.T) {
	t.Parallel()
	eachWatched(t, func(t *testing.T, w *watchers) {
		require.Equal(t, "UNKNOWN: the plan has no task that is not done; there is nothing to level", w.finds()["L3"])
		ada := w.resource("ada", &implementationv1.Resource{Kind: implementationv1.Resource_PERSON, DisplayName: "Ada"})
		w.stage("build")
		two := func(id string) {
			task := work("build")
			task.Estimate, task.Assignments = days(5), []*implementationv1.Assignment{{Resource: ada}}
			w.task(id, task)
		}
		two("one")
		two("two")
		last := work("build", "one", "two")
		last.Estimate = days(3)
		w.task("unstaffed", last)
		w.clock.advance(7 * 24 * time.Hour)
		said := w.finds()
		require.Contains(t, said["L1"], "HOLDS: allocated above capacity on 5 of 5 days in the next 6 weeks ≥ 3")
		require.Contains(t, said["L2"], "CLEAR")
		require.Contains(t, said["L3"], "HOLDS: lack of Ada costs 5 working days: 13 instead of 8 = 62.5 % ≥ 10 %")
		require.Contains(t, said["L4"], "UNKNOWN: "+crm+" has no baseline to compare with; capture one: golive plan baseline ")
		require.Contains(t, said["L7"], "HOLDS: holds 80 of 104 weighted hours left, in 2 tasks = 76.9 % > 40 %")

		answer, err := w.signals.RunDetectors(t.Context(), &implementationv1.RunDetectorsRequest{Name: crm})
		require.NoError(t, err)
		var critical []string
		for _, rule := range answer.GetRules() {
			for _, o := range rule.GetOutcomes() {
				if rule.GetRule() == "L2" && o.GetStatus() == implementationv1.RuleOutcome_HOLDS {
					critical = append(critical, o.GetSubject())
					require.NotEmpty(t, o.GetSignal())
				}
			}
		}
		require.Equal(t, []string{taskName("unstaffed")}, critical)
	})
}

func TestOnePersonInSeveralPlansIsJudged(t *testing.T) {
	t.Parallel()
	eachWatched(t, func(t *testing.T, w *watchers) {
		ctx := t.Context()
		ada := w.resource("ada", &implementationv1.Resource{Kind: implementationv1.Resource_PERSON})
		w.stage("build")
		task := work("build")
		task.Estimate, task.Assignments = days(4), []*implementationv1.Assignment{{Resource: ada}}
		w.task("cut-over", task)
		for _, id := range []string{"erp", "hr", "web"} {
			other := ws + "/implementations/" + id
			_, err := w.implementations.CreateImplementation(ctx, &implementationv1.CreateImplementationRequest{Parent: ws, ImplementationId: id, Implementation: &implementationv1.Implementation{Priority: 100}})
			require.NoError(t, err)
			_, err = w.stages.CreateStage(ctx, &implementationv1.CreateStageRequest{Parent: other, StageId: "build", Stage: &implementationv1.Stage{}})
			require.NoError(t, err)
			for _, task := range []string{"next", "small"} {
				_, err = w.tasks.CreateTask(ctx, &implementationv1.CreateTaskRequest{Parent: other, TaskId: task, Task: &implementationv1.Task{
					Stage: other + "/stages/build", Estimate: days(2), Assignments: []*implementationv1.Assignment{{Resource: ada, Units: 0.5}},
				}})
				require.NoError(t, err)
			}
		}
		w.clock.advance(7 * 24 * time.Hour)
		said := w.finds()
		require.Equal(t, "HOLDS: week 2026-W11: 32 + 16 + 16 + 16 hours for 4 implementations of 40 hours = 200 % > 100 %", said["P2"])
		require.Equal(t, "HOLDS: week 2026-W11: active tasks in 4 plans ≥ 4", said["P3"])
		require.Contains(t, said["P4"], "CLEAR: float 0 days ≤ 5; no progress for 7 days ≥ 5; meanwhile its assignee finished 0 tasks")
		_, err := w.tasks.CompleteTask(ctx, &implementationv1.CompleteTaskRequest{Name: ws + "/implementations/erp/tasks/small"})
		require.NoError(t, err)
		require.Contains(t, w.finds()["P4"], "HOLDS: float 0 days ≤ 5; no progress for 7 days ≥ 5; meanwhile its assignee finished 1 tasks of lower priority elsewhere")
	})
}

func TestEarnedValueIsJudged(t *testing.T) {
	t.Parallel()
	eachWatched(t, func(t *testing.T, w *watchers) {
		ctx := t.Context()
		ada := w.resource("ada", &implementationv1.Resource{Kind: implementationv1.Resource_PERSON, HourlyRateMinor: 100_00})
		w.stage("build")
		for _, id := range []string{"one", "two"} {
			task := work("build")
			if id == "two" {
				task = work("build", "one")
			}
			task.Estimate, task.Assignments = days(10), []*implementationv1.Assignment{{Resource: ada}}
			w.task(id, task)
		}
		_, err := w.baselines.CaptureBaseline(ctx, &implementationv1.CaptureBaselineRequest{Parent: crm, BaselineId: "first"})
		require.NoError(t, err)
		begun := w.clock.now()
		w.clock.advance(14 * 24 * time.Hour)
		report := func(effort int32) {
			_, err := w.tasks.StartTask(ctx, &implementationv1.StartTaskRequest{Name: taskName("one"), StartTime: timestamppb.New(begun)})
			if err != nil {
				requireReason(t, err, codes.FailedPrecondition, "STATE_FORBIDS")
			}
			_, err = w.tasks.ReportTask(ctx, &implementationv1.ReportTaskRequest{Name: taskName("one"), ProgressPercent: new(int32(30)), ActualEffortMinutes: &effort})
			require.NoError(t, err)
		}
		report(3 * 480)
		said := w.finds()
		require.Contains(t, said["L4"], "HOLDS: SPI(t) 0.3", said["L4"])
		require.Contains(t, said["L5"], "CLEAR", said["L5"])
		report(10 * 480)
		said = w.finds()
		require.Contains(t, said["L4"], "CLEAR", "it costs too much as well: that is not starvation")
		require.Contains(t, said["L5"], "HOLDS", said["L5"])
	})
}

func TestChangeAheadIsJudged(t *testing.T) {
	t.Parallel()
	eachWatched(t, func(t *testing.T, w *watchers) {
		sales := w.cohort("sales", 20)
		_, err := w.cohorts.UpdateCohort(t.Context(), &implementationv1.UpdateCohortRequest{Cohort: &implementationv1.Cohort{Name: sales, ChangeCapacity: new(4.0)}})
		require.NoError(t, err)
		plan := w.plan("sales", sales, w.clock.now().AddDate(0, 0, 15))
		change := func(level int32) string {
			_, err := w.plans.UpdateCohortPlan(t.Context(), &implementationv1.UpdateCohortPlanRequest{CohortPlan: &implementationv1.CohortPlan{
				Name: plan, Impacts: []*implementationv1.Impact{{Aspect: implementationv1.Impact_TOOLS, Level: level}},
			}})
			require.NoError(t, err)
			return w.finds()["P1"]
		}
		require.Contains(t, change(4), "CLEAR")
		require.Equal(t, "HOLDS: week 2026-W12: 5 × 100 % = 5 points of change > capacity 4", change(5))
	})
}

func TestAdoptionIsJudgedByItsForecast(t *testing.T) {
	t.Parallel()
	eachWatched(t, func(t *testing.T, w *watchers) {
		a := adopting(w.world)
		plan := a.plan("sales", a.cohort("sales", 60), a.clock.now().AddDate(0, 0, -41))
		_, err := a.plans.UpdateCohortPlan(t.Context(), &implementationv1.UpdateCohortPlanRequest{CohortPlan: &implementationv1.CohortPlan{
			Name: plan, Adoption: &implementationv1.AdoptionPlan{
				Target: .9, TargetDay: 70, ActiveDays: 1, PlannedCurve: &implementationv1.PlannedCurve{Curve: &implementationv1.PlannedCurve_Points{
					Points: &implementationv1.PlannedPoints{Points: []*implementationv1.PlannedPoint{{Day: 35, Share: .85}, {Day: 70, Share: .9}}},
				}},
			},
		}})
		require.NoError(t, err)
		begun := 0
		for week, n := range []int{2, 3, 5, 8, 9, 7} {
			a.used("quotes", a.day(-41+7*week), between(begun, begun+n)...)
			begun += n
		}
		a.clock.advance(7 * 24 * time.Hour)
		require.Equal(t, "HOLDS: 24 of 60 eligible are active = 40 %, planned 86.7 %: 46.7 points below > 10 points; "+
			"the forecast does not reach the target of 2026-03-31 at all (P80)", w.finds()["R1"])
	})
}
