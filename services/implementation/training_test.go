package implementation_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// session makes a session of an hour that begins after the given time.
func (w *world) session(training, id string, in time.Duration, seats int32) string {
	w.Helper()
	start := w.clock.now().Add(in)
	s, err := w.sessions.CreateSession(w.Context(), &implementationv1.CreateSessionRequest{
		Parent: training, SessionId: id,
		Session: &implementationv1.Session{StartTime: stampOf(start), EndTime: stampOf(start.Add(time.Hour)), Seats: seats},
	})
	require.NoError(w, err)
	require.Equal(w, implementationv1.Session_SCHEDULED, s.GetState())
	return s.GetName()
}

func (w *world) enrol(training, cohort string) {
	w.Helper()
	_, err := w.enrolments.EnrolPeople(w.Context(), &implementationv1.EnrolPeopleRequest{Training: training, Cohort: cohort})
	require.NoError(w, err)
}

func enrolmentOf(training string, i int) string {
	return fmt.Sprintf("%s/enrolments/p-%03d", training, i)
}

func (w *world) book(training, session string, i int) error {
	_, err := w.enrolments.BookEnrolment(w.Context(), &implementationv1.BookEnrolmentRequest{Name: enrolmentOf(training, i), Session: session})
	return err
}

func (w *world) enrolmentState(training string, i int) implementationv1.Enrolment_State {
	w.Helper()
	e, err := w.enrolments.GetEnrolment(w.Context(), &implementationv1.GetEnrolmentRequest{Name: enrolmentOf(training, i)})
	require.NoError(w, err)
	return e.GetState()
}

func (w *world) taken(session string) int32 {
	w.Helper()
	s, err := w.sessions.GetSession(w.Context(), &implementationv1.GetSessionRequest{Name: session})
	require.NoError(w, err)
	return s.GetTakenCount()
}

func TestFromASeatToACompletion(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		cohort, training := w.cohort("sales", 5), w.training("basics", 30*24*time.Hour)
		monday := w.session(training, "monday", time.Hour, 4)
		w.enrol(training, cohort)
		for i := range 4 {
			require.NoError(t, w.book(training, monday, i))
		}
		require.NoError(t, w.book(training, monday, 0), "again is no other seat")
		refused(t, w.book(training, monday, 4), codes.FailedPrecondition, "SEATS_FULL")
		_, err := w.enrolments.DeclineEnrolment(ctx, &implementationv1.DeclineEnrolmentRequest{Name: enrolmentOf(training, 3), Reason: implementationv1.Enrolment_CONFLICT})
		require.NoError(t, err)
		require.NoError(t, w.book(training, monday, 4), "a seat that was declined is free")
		require.EqualValues(t, 4, w.taken(monday))

		attend := func(people ...int) (*implementationv1.RecordAttendanceResponse, error) {
			req := &implementationv1.RecordAttendanceRequest{Name: monday}
			for _, i := range people {
				req.Present = append(req.Present, person(i))
			}
			return w.sessions.RecordAttendance(ctx, req)
		}
		_, err = attend(0)
		refused(t, err, codes.FailedPrecondition, "SESSION_TO_COME")
		w.clock.advance(2 * time.Hour)
		_, err = attend(0, 3)
		refused(t, err, codes.FailedPrecondition, "NOT_BOOKED")
		came, err := attend(0, 1, 2)
		require.NoError(t, err)
		require.EqualValues(t, 3, came.GetAttendedCount())
		require.EqualValues(t, 1, came.GetNoShowCount())
		require.Equal(t, implementationv1.Enrolment_NO_SHOW, w.enrolmentState(training, 4))
		corrected, err := attend(0, 1, 4)
		require.NoError(t, err)
		require.EqualValues(t, 2, corrected.GetChangedCount(), "one had come after all, one had not")
		require.Equal(t, implementationv1.Enrolment_NO_SHOW, w.enrolmentState(training, 2))

		assess := func(scores map[int]float64) (*implementationv1.RecordAssessmentsResponse, error) {
			req := &implementationv1.RecordAssessmentsRequest{Training: training}
			for i, score := range scores {
				req.Assessments = append(req.Assessments, &implementationv1.Assessment{Person: person(i), Score: score})
			}
			return w.enrolments.RecordAssessments(ctx, req)
		}
		_, err = assess(map[int]float64{0: 0.9, 2: 0.9})
		refused(t, err, codes.FailedPrecondition, "STATE_FORBIDS")
		require.Equal(t, implementationv1.Enrolment_ATTENDED, w.enrolmentState(training, 0), "all or none")
		scored, err := assess(map[int]float64{0: 0.8, 1: 0.79})
		require.NoError(t, err)
		require.EqualValues(t, 1, scored.GetPassedCount())
		require.EqualValues(t, 1, scored.GetFailedCount())
		again, err := assess(map[int]float64{0: 0.8, 1: 0.79})
		require.NoError(t, err)
		require.EqualValues(t, 2, again.GetUnchangedCount())

		counts, err := w.enrolments.CountEnrolments(ctx, &implementationv1.CountEnrolmentsRequest{Training: training, Cohort: cohort})
		require.NoError(t, err)
		require.EqualValues(t, 5, counts.GetMemberCount())
		require.EqualValues(t, 5, counts.GetEnrolledCount())
		require.EqualValues(t, 1, counts.GetPassedCount())
		states := map[string]int64{}
		for _, c := range counts.GetCounts() {
			states[c.GetState().String()] = c.GetCount()
		}
		require.Equal(t, map[string]int64{"ASSIGNED": 1, "COMPLETED": 1, "FAILED": 1, "NO_SHOW": 1, "ATTENDED": 1}, states)

		due := w.clock.now().Add(time.Hour)
		for _, i := range []int{1, 2} {
			e, err := w.enrolments.ReassignEnrolment(ctx, &implementationv1.ReassignEnrolmentRequest{Name: enrolmentOf(training, i), DueTime: stampOf(due)})
			require.NoError(t, err)
			require.Equal(t, implementationv1.Enrolment_ASSIGNED, e.GetState())
			require.False(t, e.GetOverdue())
		}
		w.clock.advance(31 * 24 * time.Hour)
		late, err := w.enrolments.CountEnrolments(ctx, &implementationv1.CountEnrolmentsRequest{Training: training})
		require.NoError(t, err)
		require.EqualValues(t, 2, late.GetOverdueCount())
		require.Zero(t, late.GetPassedCount(), "the validity is over")
		require.Equal(t, implementationv1.Enrolment_EXPIRED, w.enrolmentState(training, 0))
		page, err := w.enrolments.ListEnrolments(ctx, &implementationv1.ListEnrolmentsRequest{Parent: training, Filter: `session = "` + monday + `"`})
		require.NoError(t, err)
		require.Len(t, page.GetEnrolments(), 2)
	})
}

// TestSeatsAreGivenOutExactly: thirty people ask for ten seats of two sessions at the same time, and some change their mind.
func TestSeatsAreGivenOutExactly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const people, seats = 30, 5
		cohort, training := w.cohort("sales", people), w.training("basics", 0)
		sessions := []string{w.session(training, "monday", time.Hour, seats), w.session(training, "tuesday", 25*time.Hour, seats)}
		w.enrol(training, cohort)
		var (
			group sync.WaitGroup
			mu    sync.Mutex
			given = map[int]bool{}
		)
		for i := range people {
			group.Go(func() {
				err := w.book(training, sessions[i%2], i)
				if err == nil && i%7 == 0 {
					err = w.book(training, sessions[(i+1)%2], i)
				}
				mu.Lock()
				defer mu.Unlock()
				given[i] = err == nil || i%7 == 0
				if err != nil && fault.From(err).Reason() != "SEATS_FULL" {
					given[-1] = true
				}
			})
		}
		group.Wait()
		require.False(t, given[-1], "nobody is refused but for want of a seat")
		require.EqualValues(t, seats, w.taken(sessions[0]))
		require.EqualValues(t, seats, w.taken(sessions[1]))
	})
}

func TestASessionThatIsCalledOff(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		cohort, training := w.cohort("sales", 3), w.training("basics", 0)
		monday := w.session(training, "monday", time.Hour, 3)
		w.enrol(training, cohort)
		for i := range 3 {
			require.NoError(t, w.book(training, monday, i))
		}
		update := func(seats int32) error {
			_, err := w.sessions.UpdateSession(ctx, &implementationv1.UpdateSessionRequest{
				Session: &implementationv1.Session{Name: monday, Seats: seats}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"seats"}},
			})
			return err
		}
		refused(t, update(2), codes.FailedPrecondition, "SEATS_TAKEN")
		require.NoError(t, update(3))
		_, err := w.sessions.DeleteSession(ctx, &implementationv1.DeleteSessionRequest{Name: monday})
		refused(t, err, codes.FailedPrecondition, "RESOURCE_IN_USE")
		_, err = w.sessions.CancelSession(ctx, &implementationv1.CancelSessionRequest{Name: monday, Reason: "the trainer is ill", ValidateOnly: true})
		require.NoError(t, err)
		require.EqualValues(t, 3, w.taken(monday), "validate_only changes nothing")
		s, err := w.sessions.CancelSession(ctx, &implementationv1.CancelSessionRequest{Name: monday, Reason: "the trainer is ill"})
		require.NoError(t, err)
		require.Equal(t, "the trainer is ill", s.GetCancelReason())
		require.Zero(t, s.GetTakenCount())
		require.Equal(t, implementationv1.Enrolment_ASSIGNED, w.enrolmentState(training, 0))
		refused(t, w.book(training, monday, 0), codes.FailedPrecondition, "STATE_FORBIDS")
		refused(t, update(9), codes.FailedPrecondition, "STATE_FORBIDS")
	})
}

func TestAccountsAreCountedAndNeverListed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		const crm = ws + "/applications/crm"
		cohort := w.cohort("sales", 4)
		count := func(cohort string) string {
			c, err := w.accounts.CountProvisionings(ctx, &implementationv1.CountProvisioningsRequest{Parent: ws, Application: crm, Cohort: cohort})
			require.NoError(t, err)
			return fmt.Sprintf("%d of %d", c.GetProvisionedCount(), c.GetPeopleCount())
		}
		record := func(people ...int) *implementationv1.ImportResult {
			req := &implementationv1.RecordProvisioningsRequest{Parent: ws, Application: crm}
			for _, i := range people {
				req.Provisionings = append(req.Provisionings, &implementationv1.Provisioning{Person: person(i)})
			}
			r, err := w.accounts.RecordProvisionings(ctx, req)
			require.NoError(t, err)
			return r
		}
		require.EqualValues(t, 3, record(0, 1, 2).GetCreatedCount())
		require.EqualValues(t, 1, record(2, 3).GetUnchangedCount())
		require.Equal(t, "4 of 4", count(cohort))
		w.clock.advance(time.Hour)
		removed, err := w.accounts.RemoveProvisionings(ctx, &implementationv1.RemoveProvisioningsRequest{Parent: ws, Application: crm, People: []string{person(0), person(1)}})
		require.NoError(t, err)
		require.EqualValues(t, 2, removed.GetUpdatedCount())
		require.Equal(t, "2 of 4", count(""))
		w.clock.advance(time.Hour)
		file := "person,application,provision_time,revoke_time\np-000,crm,2026-03-02,\np-001,crm,,\np-002,crm,2026-03-01,2026-03-02\np-003,erp,,\n"
		imported, err := w.accounts.ImportProvisionings(ctx, &implementationv1.ImportProvisioningsRequest{Parent: ws, Csv: []byte(file)})
		require.NoError(t, err)
		require.Empty(t, imported.GetErrors())
		require.EqualValues(t, 3, imported.GetUpdatedCount())
		require.EqualValues(t, 1, imported.GetCreatedCount())
		require.Equal(t, "3 of 4", count(cohort), "two have one again, one has lost it, one kept it")
		again, err := w.accounts.ImportProvisionings(ctx, &implementationv1.ImportProvisioningsRequest{Parent: ws, Csv: []byte(file)})
		require.NoError(t, err)
		require.EqualValues(t, 4, again.GetUnchangedCount())
		_, err = w.people.DeletePerson(ctx, &implementationv1.DeletePersonRequest{Name: person(0)})
		refused(t, err, codes.FailedPrecondition, "RESOURCE_IN_USE")

		w.as("users/victor", auth.Viewer)
		_, err = w.accounts.CountProvisionings(ctx, &implementationv1.CountProvisioningsRequest{Parent: ws, Application: crm})
		require.Equal(t, codes.PermissionDenied, codeOf(err))
		_, err = w.enrolments.ExportEnrolments(ctx, &implementationv1.ExportEnrolmentsRequest{Parent: ws + "/trainings/-"})
		require.Equal(t, codes.PermissionDenied, codeOf(err))
	})
}

func TestACohortKnowsWhenNotToGoLive(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		create := func(c *implementationv1.Cohort) error {
			_, err := w.cohorts.CreateCohort(ctx, &implementationv1.CreateCohortRequest{Parent: ws, Cohort: c})
			return err
		}
		closing := &implementationv1.Blackout{StartDate: "2026-12-20", EndDate: "2027-01-06", Reason: "year-end closing"}
		require.NoError(t, create(&implementationv1.Cohort{TimeZone: "Europe/Berlin", ChangeCapacity: new(6.5), Blackouts: []*implementationv1.Blackout{closing}}))
		refused(t, create(&implementationv1.Cohort{TimeZone: "Europe/Bärlin"}), codes.InvalidArgument, "TIME_ZONE_UNKNOWN")
		refused(t, create(&implementationv1.Cohort{TimeZone: "Local"}), codes.InvalidArgument, "TIME_ZONE_UNKNOWN")
		refused(t, create(&implementationv1.Cohort{ChangeCapacity: new(0.0)}), codes.InvalidArgument, "INVALID_FIELD")
		for _, days := range [][2]string{{"2026-02-30", "2026-03-01"}, {"2026-03-02", "2026-03-01"}} {
			b := &implementationv1.Blackout{StartDate: days[0], EndDate: days[1], Reason: "x"}
			refused(t, create(&implementationv1.Cohort{Blackouts: []*implementationv1.Blackout{closing, b}}), codes.InvalidArgument, "DATE_INVALID")
		}
	})
}
