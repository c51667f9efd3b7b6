package implementation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

func TestAnImportChangesAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		cohort := w.cohort("sales", 2)
		run := func(csv string, change func(*implementationv1.ImportMembershipsRequest)) *implementationv1.ImportResult {
			req := &implementationv1.ImportMembershipsRequest{Parent: cohort, Csv: []byte(csv)}
			if change != nil {
				change(req)
			}
			result, err := w.memberships.ImportMemberships(ctx, req)
			require.NoError(t, err)
			return result
		}
		size := func() int64 {
			c, err := w.cohorts.GetCohort(ctx, &implementationv1.GetCohortRequest{Name: cohort})
			require.NoError(t, err)
			return c.GetSize()
		}
		people := func() int {
			all, err := w.people.ListPeople(ctx, &implementationv1.ListPeopleRequest{Parent: ws})
			require.NoError(t, err)
			return len(all.GetPeople())
		}
		create := func(r *implementationv1.ImportMembershipsRequest) { r.CreatePeople = true }

		bad := run("person,start_date\np-000,\np-000,2026-01-01\nq-1,\nq-2,oops\n", create)
		require.EqualValues(t, 4, bad.GetRowCount())
		require.EqualValues(t, 2, bad.GetErrorCount())
		require.Equal(t, "MEMBERSHIP_OVERLAPS", bad.GetErrors()[0].GetReason())
		require.EqualValues(t, 3, bad.GetErrors()[0].GetLine())
		require.Equal(t, "start_date", bad.GetErrors()[1].GetColumn())
		require.Zero(t, bad.GetCreatedCount())

		unknown := run("person\nq-1\np-001\n", nil)
		require.Equal(t, "PERSON_UNKNOWN", unknown.GetErrors()[0].GetReason())
		known := run("person,start_date\np-001,2026-01-01\n", nil)
		require.Equal(t, "MEMBERSHIP_OVERLAPS", known.GetErrors()[0].GetReason())
		require.Equal(t, "person", known.GetErrors()[0].GetColumn())
		require.EqualValues(t, 2, size())
		require.Equal(t, 2, people())

		const good = "Who;From\np-000;\nq-1;2026-01-01\nq-2;2030-01-01\n"
		mapped := func(r *implementationv1.ImportMembershipsRequest) {
			r.CreatePeople, r.Columns = true, map[string]string{"person": "who", "start_date": "from"}
		}
		dry := run(good, func(r *implementationv1.ImportMembershipsRequest) { mapped(r); r.ValidateOnly = true })
		require.Equal(t, 2, people(), "validate_only changes nothing")
		done := run(good, mapped)
		require.Equal(t, dry.String(), done.String(), "and says what would happen")
		require.EqualValues(t, 2, done.GetCreatedCount())
		require.EqualValues(t, 1, done.GetUnchangedCount())
		require.EqualValues(t, 2, done.GetPeopleCreatedCount())
		require.EqualValues(t, 3, size(), "one begins in 2030")
		again := run(good, mapped)
		require.EqualValues(t, 3, again.GetUnchangedCount())
		require.Zero(t, again.GetPeopleCreatedCount())
	})
}

func TestACompletionImportIsReplayedByItsRequestID(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.cohort("sales", 3)
		training := w.training("basics", 0)
		run := func(csv, id string) (*implementationv1.ImportResult, error) {
			return w.enrolments.ImportCompletions(ctx, &implementationv1.ImportCompletionsRequest{Training: training, Csv: []byte(csv), RequestId: id})
		}
		const file = "person,complete_time,score\np-000,2026-03-01,0.8\np-001,,\n"
		first, err := run(file, "r1")
		require.NoError(t, err)
		require.EqualValues(t, 2, first.GetCreatedCount())
		replayed, err := run(file, "r1")
		require.NoError(t, err)
		require.EqualValues(t, 2, replayed.GetCreatedCount(), "the answer of the first time")
		fresh, err := run(file, "r2")
		require.NoError(t, err)
		require.EqualValues(t, 2, fresh.GetUnchangedCount())
		_, err = run("person\np-002\n", "r1")
		refused(t, err, codes.Aborted, "REQUEST_ID_REUSED")

		bad, err := run("person,complete_time\np-002,\nx-1,\np-001,2027-01-01\n", "")
		require.NoError(t, err)
		require.EqualValues(t, 2, bad.GetErrorCount())
		require.Equal(t, "PERSON_UNKNOWN", bad.GetErrors()[0].GetReason())
		require.Equal(t, "TIME_IN_FUTURE", bad.GetErrors()[1].GetReason())
		_, err = w.enrolments.GetEnrolment(ctx, &implementationv1.GetEnrolmentRequest{Name: training + "/enrolments/p-002"})
		refused(t, err, codes.NotFound, "RESOURCE_NOT_FOUND")
		e, err := w.enrolments.GetEnrolment(ctx, &implementationv1.GetEnrolmentRequest{Name: training + "/enrolments/p-000"})
		require.NoError(t, err)
		require.InDelta(t, 0.8, e.GetScore(), 0)
		require.Equal(t, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), e.GetCompleteTime().AsTime())
		require.EqualValues(t, 1, e.GetRevision())
	})
}

func TestTenThousandCompletionsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const n = 10_000
		cohort := w.cohort("all", n)
		training := w.training("basics", 0)
		began := time.Now()
		require.EqualValues(t, n, w.complete(training, 0, n).GetCreatedCount())
		t.Logf("%d completions in %s", n, time.Since(began))
		began = time.Now()
		require.EqualValues(t, n, w.complete(training, 0, n).GetUnchangedCount())
		t.Logf("%d known ones in %s", n, time.Since(began))
		r, err := w.enrolments.EnrolPeople(t.Context(), &implementationv1.EnrolPeopleRequest{Training: training, Cohort: cohort})
		require.NoError(t, err)
		require.EqualValues(t, n, r.GetUnchangedCount())
	})
}
