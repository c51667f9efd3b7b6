package implementation_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// refused checks how a call was refused.
func refused(t *testing.T, err error, code codes.Code, reason string) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, code, status.Code(err), "%v", err)
	require.Equal(t, reason, fault.From(err).Reason(), "%v", err)
}

func TestPeopleHaveDenseOrdinals(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.cohort("sales", 5) // p-000 … p-004 by import
		create := func(id, requestID string, validateOnly bool) (*implementationv1.Person, error) {
			return w.people.CreatePerson(ctx, &implementationv1.CreatePersonRequest{
				Parent: ws, PersonId: id, Person: &implementationv1.Person{Ordinal: 99}, RequestId: requestID, ValidateOnly: validateOnly,
			})
		}
		_, err := create("Tried.Only~1", "", true)
		require.NoError(t, err)
		_, err = create("p-000", "", false)
		refused(t, err, codes.AlreadyExists, "ALREADY_EXISTS")
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() { _, _ = create(fmt.Sprintf("q-%d", i), fmt.Sprint(i), false) })
		}
		wg.Wait()
		again, err := create("q-0", "0", false)
		require.NoError(t, err)
		all, err := w.people.ListPeople(ctx, &implementationv1.ListPeopleRequest{Parent: ws, OrderBy: "ordinal"})
		require.NoError(t, err)
		require.Len(t, all.GetPeople(), 13)
		for i, p := range all.GetPeople() {
			require.EqualValues(t, i, p.GetOrdinal(), "what failed took no number")
			if p.GetName() == again.GetName() {
				require.Equal(t, p.GetOrdinal(), again.GetOrdinal(), "a replay takes none")
			}
		}
	})
}

func TestWhatIsNeededIsNotDeleted(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		cohort, training := w.cohort("sales", 2), w.training("basics", 0)
		plan := w.plan("sales", cohort, time.Time{}, training)
		w.complete(training, 0, 1)
		remove := func(name string) error {
			var err error
			switch {
			case strings.Contains(name, "/people/"):
				_, err = w.people.DeletePerson(ctx, &implementationv1.DeletePersonRequest{Name: name})
			case strings.Contains(name, "/trainings/"):
				_, err = w.trainings.DeleteTraining(ctx, &implementationv1.DeleteTrainingRequest{Name: name})
			case strings.Contains(name, "/cohortPlans/"):
				_, err = w.plans.DeleteCohortPlan(ctx, &implementationv1.DeleteCohortPlanRequest{Name: name})
			case strings.Contains(name, "/cohorts/"):
				_, err = w.cohorts.DeleteCohort(ctx, &implementationv1.DeleteCohortRequest{Name: name})
			default:
				_, err = w.implementations.DeleteImplementation(ctx, &implementationv1.DeleteImplementationRequest{Name: name})
			}
			return err
		}
		inUse := func(name string) { refused(t, remove(name), codes.FailedPrecondition, "RESOURCE_IN_USE") }
		inUse(person(0))
		inUse(person(1))
		inUse(cohort)
		inUse(ws + "/implementations/crm")
		refused(t, remove(training), codes.FailedPrecondition, "STATE_FORBIDS")
		draft, err := w.trainings.CreateTraining(ctx, &implementationv1.CreateTrainingRequest{Parent: ws, TrainingId: "draft", Training: &implementationv1.Training{}})
		require.NoError(t, err)
		other := w.plan("other", cohort, time.Time{}, draft.GetName())
		inUse(draft.GetName())

		require.NoError(t, remove(other))
		require.NoError(t, remove(draft.GetName()))
		require.NoError(t, remove(plan))
		require.NoError(t, remove(ws+"/implementations/crm"))
		require.NoError(t, remove(cohort))
		inUse(person(0)) // was trained
		require.NoError(t, remove(person(1)), "memberships went with the cohort")
	})
}

func TestReferencesExistAndAreOfTheWorkspace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		cohort := w.cohort("sales", 1)
		w.training("basics", 0)
		w.plan("sales", cohort, time.Time{})
		membership := func(person string) error {
			_, err := w.memberships.CreateMembership(ctx, &implementationv1.CreateMembershipRequest{
				Parent: cohort, Membership: &implementationv1.Membership{Person: person},
			})
			return err
		}
		refused(t, membership(""), codes.InvalidArgument, "REQUIRED_FIELD")
		refused(t, membership("p-000"), codes.InvalidArgument, "INVALID_NAME")
		refused(t, membership(ws+"/people/nobody"), codes.InvalidArgument, "REFERENCE_NOT_FOUND")
		refused(t, membership("workspaces/other/people/p-000"), codes.InvalidArgument, "OTHER_WORKSPACE")
		refused(t, membership(person(0)), codes.FailedPrecondition, "MEMBERSHIP_OVERLAPS")

		plan := func(cohort string, criteria ...*implementationv1.Criterion) error {
			_, err := w.plans.CreateCohortPlan(ctx, &implementationv1.CreateCohortPlanRequest{
				Parent:     ws + "/implementations/crm",
				CohortPlan: &implementationv1.CohortPlan{Cohort: cohort, ReadinessPolicy: &implementationv1.ReadinessPolicy{Criteria: criteria}},
			})
			return err
		}
		trained := func(id string, trainings ...string) *implementationv1.Criterion {
			return &implementationv1.Criterion{Id: id, Type: &implementationv1.Criterion_Trained{Trained: &implementationv1.TrainedCriterion{Trainings: trainings}}}
		}
		refused(t, plan(ws+"/cohorts/nobody"), codes.InvalidArgument, "REFERENCE_NOT_FOUND")
		refused(t, plan("workspaces/other/cohorts/sales"), codes.InvalidArgument, "OTHER_WORKSPACE")
		refused(t, plan(cohort, trained("a", ws+"/trainings/none")), codes.InvalidArgument, "REFERENCE_NOT_FOUND")
		refused(t, plan(cohort, trained("a", "workspaces/other/trainings/basics")), codes.InvalidArgument, "OTHER_WORKSPACE")
		refused(t, plan(cohort, trained("a", ws+"/trainings/basics"), trained("a", ws+"/trainings/basics")), codes.InvalidArgument, "CRITERION_DUPLICATE")
		refused(t, plan(cohort, trained("a")), codes.InvalidArgument, "INVALID_FIELD")
		refused(t, plan(cohort, &implementationv1.Criterion{Id: "a"}), codes.InvalidArgument, "INVALID_FIELD")
		require.NoError(t, plan(cohort, trained("a", ws+"/trainings/basics")))
	})
}

func TestRacingMembershipsDoNotOverlap(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		cohort := w.cohort("sales", 0)
		_, err := w.people.CreatePerson(ctx, &implementationv1.CreatePersonRequest{Parent: ws, PersonId: "p-000", Person: &implementationv1.Person{}})
		require.NoError(t, err)
		var mu sync.Mutex
		reasons := map[string]int{}
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				// Each of them overlaps with each other one.
				start := time.Date(2026, 1, 1+i, 0, 0, 0, 0, time.UTC)
				var err error
				if i%4 == 0 {
					var result *implementationv1.ImportResult
					result, err = w.memberships.ImportMemberships(ctx, &implementationv1.ImportMembershipsRequest{
						Parent: cohort, Csv: []byte("person,start_date\np-000," + start.Format(time.DateOnly) + "\n"),
					})
					if err == nil && result.GetErrorCount() > 0 {
						err = fault.Precondition(result.GetErrors()[0].GetReason(), "row error")
					}
				} else {
					_, err = w.memberships.CreateMembership(ctx, &implementationv1.CreateMembershipRequest{
						Parent: cohort, Membership: &implementationv1.Membership{Person: person(0), StartDate: timestamppb.New(start)},
					})
				}
				reason := "created"
				if err != nil {
					reason = fault.From(err).Reason()
				}
				mu.Lock()
				reasons[reason]++
				mu.Unlock()
			})
		}
		wg.Wait()
		require.Equal(t, map[string]int{"created": 1, "MEMBERSHIP_OVERLAPS": 15}, reasons)
		c, err := w.cohorts.GetCohort(ctx, &implementationv1.GetCohortRequest{Name: cohort})
		require.NoError(t, err)
		require.EqualValues(t, 1, c.GetSize())
	})
}

func TestAMembershipIsMovedOnlyToWhereNoOtherIs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		cohort := w.cohort("sales", 1)
		all, err := w.memberships.ListMemberships(ctx, &implementationv1.ListMembershipsRequest{Parent: cohort})
		require.NoError(t, err)
		m := all.GetMemberships()[0]
		may := timestamppb.New(time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC))
		m.EndDate = may
		m, err = w.memberships.UpdateMembership(ctx, &implementationv1.UpdateMembershipRequest{Membership: m})
		require.NoError(t, err)
		_, err = w.memberships.CreateMembership(ctx, &implementationv1.CreateMembershipRequest{
			Parent: cohort, Membership: &implementationv1.Membership{Person: person(0), StartDate: may},
		})
		require.NoError(t, err, "the end is excluded")
		m.EndDate = nil
		_, err = w.memberships.UpdateMembership(ctx, &implementationv1.UpdateMembershipRequest{
			Membership: m, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"end_date"}},
		})
		refused(t, err, codes.FailedPrecondition, "MEMBERSHIP_OVERLAPS")
		m.StartDate, m.EndDate = may, timestamppb.New(may.AsTime().Add(-time.Hour))
		_, err = w.memberships.UpdateMembership(ctx, &implementationv1.UpdateMembershipRequest{Membership: m})
		refused(t, err, codes.InvalidArgument, "DATE_INVALID")
		m.Person = person(1)
		_, err = w.memberships.UpdateMembership(ctx, &implementationv1.UpdateMembershipRequest{Membership: m})
		refused(t, err, codes.InvalidArgument, "IMMUTABLE_FIELD")
	})
}

func TestEnrolments(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		cohort, training := w.cohort("sales", 6), w.training("basics", 48*time.Hour)
		enrol := func() *implementationv1.EnrolPeopleResponse {
			r, err := w.enrolments.EnrolPeople(ctx, &implementationv1.EnrolPeopleRequest{Training: training, Cohort: cohort, People: []string{person(0)}})
			require.NoError(t, err)
			return r
		}
		require.EqualValues(t, 6, enrol().GetCreatedCount(), "who is named twice is enrolled once")
		require.EqualValues(t, 6, enrol().GetUnchangedCount())
		require.EqualValues(t, 3, w.complete(training, 0, 3).GetCreatedCount())
		w.clock.advance(24 * time.Hour)
		require.EqualValues(t, 3, w.complete(training, 0, 3).GetUnchangedCount(), "recording again changes nothing, later too")
		w.complete(training, 3, 4)
		_, err := w.enrolments.WaiveEnrolment(ctx, &implementationv1.WaiveEnrolmentRequest{Name: training + "/enrolments/p-005", Reason: "on leave"})
		require.NoError(t, err)
		_, err = w.enrolments.WaiveEnrolment(ctx, &implementationv1.WaiveEnrolmentRequest{Name: training + "/enrolments/p-003", Reason: "on leave"})
		refused(t, err, codes.FailedPrecondition, "STATE_FORBIDS")
		_, err = w.enrolments.WaiveEnrolment(ctx, &implementationv1.WaiveEnrolmentRequest{Name: training + "/enrolments/p-999", Reason: "on leave"})
		refused(t, err, codes.NotFound, "RESOURCE_NOT_FOUND")
		w.clock.advance(24 * time.Hour)

		list := func(filter string) (ids []string) {
			token := ""
			for {
				page, err := w.enrolments.ListEnrolments(ctx, &implementationv1.ListEnrolmentsRequest{
					Parent: training, Filter: filter, PageSize: 2, PageToken: token, OrderBy: "person desc",
				})
				require.NoError(t, err)
				for _, e := range page.GetEnrolments() {
					ids = append(ids, e.GetName()[strings.LastIndex(e.GetName(), "/")+1:])
				}
				if token = page.GetNextPageToken(); token == "" {
					return ids
				}
			}
		}
		require.Equal(t, []string{"p-005", "p-004", "p-003", "p-002", "p-001", "p-000"}, list(""))
		require.Equal(t, []string{"p-002", "p-001", "p-000"}, list("state = EXPIRED"))
		require.Equal(t, []string{"p-003"}, list("state = COMPLETED"))
		require.Equal(t, []string{"p-005", "p-004"}, list("state = ASSIGNED OR state = WAIVED"))
		require.Equal(t, []string{"p-001"}, list(`state != ASSIGNED AND person = "`+person(1)+`"`))
		_, err = w.enrolments.ListEnrolments(ctx, &implementationv1.ListEnrolmentsRequest{Parent: training, Filter: "score > 1"})
		refused(t, err, codes.InvalidArgument, "INVALID_FILTER")
		across, err := w.enrolments.ListEnrolments(ctx, &implementationv1.ListEnrolmentsRequest{Parent: ws + "/trainings/-"})
		require.NoError(t, err)
		require.Len(t, across.GetEnrolments(), 6)

		e, err := w.enrolments.GetEnrolment(ctx, &implementationv1.GetEnrolmentRequest{Name: training + "/enrolments/p-000"})
		require.NoError(t, err)
		require.Equal(t, implementationv1.Enrolment_EXPIRED, e.GetState())
		require.EqualValues(t, 2, e.GetRevision())
		require.Equal(t, 48*time.Hour, e.GetExpireTime().AsTime().Sub(e.GetCompleteTime().AsTime()))
	})
}

func TestRacingCompletionsAreRecordedOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.cohort("sales", 50)
		training := w.training("basics", 0)
		req := &implementationv1.RecordCompletionsRequest{Training: training}
		for i := range 50 {
			req.Completions = append(req.Completions, &implementationv1.Completion{Person: person(i), CompleteTime: timestamppb.New(w.clock.now())})
		}
		created := make(chan int32, 8)
		for range cap(created) {
			go func() {
				result, err := w.enrolments.RecordCompletions(t.Context(), req)
				if err != nil {
					created <- -1
					return
				}
				created <- result.GetCreatedCount()
			}()
		}
		var sum int32
		for range cap(created) {
			sum += <-created
		}
		require.EqualValues(t, 50, sum, "one of them did it all, the others changed nothing")
	})
}

func TestTheFeedHoldsCountsAndNoPeopleOfImports(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		cohort, training := w.cohort("sales", 3), w.training("basics", 0)
		plan := w.plan("sales", cohort, time.Time{}, training)
		w.complete(training, 0, 3)
		w.complete(training, 0, 3)
		w.verdict(plan)
		_, err := w.enrolments.ImportCompletions(ctx, &implementationv1.ImportCompletionsRequest{
			Training: training, Csv: []byte("person,score\np-000,0.5\n"), ValidateOnly: true,
		})
		require.NoError(t, err)
		log, err := w.events.ListEvents(ctx, &eventv1.ListEventsRequest{Parent: ws, OldestFirst: true, PageSize: 1000})
		require.NoError(t, err)
		count := map[string]int{}
		for _, e := range log.GetEvents() {
			count[e.GetType()]++
			require.NotContains(t, e.GetResource()+string(e.GetAfter().GetValue()), "p-000", e.GetType())
			if e.GetType() != "implementation.verdict.changed" {
				require.Equal(t, "users/alice", e.GetActor())
			}
		}
		delete(count, "implementation.verdict.changed") // as many as were seen in passing
		require.Equal(t, map[string]int{
			"implementation.cohort.created": 1, "implementation.membership.imported": 1,
			"implementation.training.created": 1, "implementation.training.published": 1,
			"implementation.implementation.created": 1, "implementation.cohortPlan.created": 1,
			"implementation.enrolment.recorded": 1,
		}, count)
		under, err := w.events.ListEvents(ctx, &eventv1.ListEventsRequest{Parent: training, Types: []string{"implementation.enrolment."}})
		require.NoError(t, err)
		result := &implementationv1.ImportResult{}
		require.NoError(t, under.GetEvents()[0].GetAfter().UnmarshalTo(result))
		require.EqualValues(t, 3, result.GetCreatedCount())
	})
}

func TestWhoMayDoWhat(t *testing.T) {
	w := setup(t, "sqlite:"+t.TempDir()+"/a.db")
	ctx := t.Context()
	cohort, training := w.cohort("sales", 2), w.training("basics", 0)
	plan := w.plan("sales", cohort, time.Time{}, training)
	_, err := w.enrolments.EnrolPeople(ctx, &implementationv1.EnrolPeopleRequest{Training: training, Cohort: cohort})
	require.NoError(t, err)

	w.as("users/victor", auth.Viewer)
	require.NotNil(t, w.verdict(plan))
	require.NotNil(t, w.readiness(plan))
	_, err = w.enrolments.ListEnrolments(ctx, &implementationv1.ListEnrolmentsRequest{Parent: training})
	refused(t, err, codes.PermissionDenied, "PERMISSION_DENIED")
	w.as("services/deployment", auth.Service)
	require.NotNil(t, w.verdict(plan))
	_, err = w.enrolments.GetEnrolment(ctx, &implementationv1.GetEnrolmentRequest{Name: training + "/enrolments/p-000"})
	refused(t, err, codes.PermissionDenied, "PERMISSION_DENIED")
	w.as("users/olga", auth.Operator)
	w.complete(training, 0, 1)
	_, err = w.enrolments.WaiveEnrolment(ctx, &implementationv1.WaiveEnrolmentRequest{Name: training + "/enrolments/p-001", Reason: "because"})
	refused(t, err, codes.PermissionDenied, "PERMISSION_DENIED")
	w.as("users/paul", auth.Approver)
	_, err = w.enrolments.WaiveEnrolment(ctx, &implementationv1.WaiveEnrolmentRequest{Name: training + "/enrolments/p-001", Reason: "because"})
	require.NoError(t, err)
	w.connect(w.dial("users/eve", map[string][]auth.Role{"other": {auth.Admin}}))
	_, err = w.cohorts.GetCohort(ctx, &implementationv1.GetCohortRequest{Name: cohort})
	refused(t, err, codes.PermissionDenied, "PERMISSION_DENIED")
}
