package implementation_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

func codeOf(err error) codes.Code { return status.Code(err) }

// page asks for one page of a file.
type page func(ctx context.Context, size int32, token string) (*implementationv1.ExportResult, error)

// exported is the whole file, put together of pages.
func exported(t *testing.T, size int32, next page) string {
	t.Helper()
	var file bytes.Buffer
	for token := ""; ; {
		p, err := next(t.Context(), size, token)
		require.NoError(t, err)
		file.Write(p.GetCsv())
		if token = p.GetNextPageToken(); token == "" {
			return file.String()
		}
	}
}

func (w *world) exportMemberships(parent string) page {
	return func(ctx context.Context, size int32, token string) (*implementationv1.ExportResult, error) {
		return w.memberships.ExportMemberships(ctx, &implementationv1.ExportMembershipsRequest{Parent: parent, PageSize: size, PageToken: token})
	}
}

func TestManyCohortsComeInOneFileAndGoOutInOne(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.cohort("sales", 0)
		w.cohort("logistics", 0)
		all := ws + "/cohorts/-"
		run := func(csv string, change ...func(*implementationv1.ImportMembershipsRequest)) *implementationv1.ImportResult {
			req := &implementationv1.ImportMembershipsRequest{Parent: all, Csv: []byte(csv), CreatePeople: true}
			for _, f := range change {
				f(req)
			}
			r, err := w.memberships.ImportMemberships(ctx, req)
			require.NoError(t, err)
			return r
		}
		bad := run("cohort,person\nsales,p-1\nfinance,p-2\n")
		require.Equal(t, "COHORT_UNKNOWN", bad.GetErrors()[0].GetReason())
		require.EqualValues(t, 3, bad.GetErrors()[0].GetLine())
		require.Equal(t, "cohort", bad.GetErrors()[0].GetColumn())
		require.Equal(t, "cohort,person,start_date,end_date,role\n", exported(t, 0, w.exportMemberships(all)), "nothing half done")

		const file = "Cohort;Person;Start date;Role;Floor\nsales;p-1;2026-01-01;;2\nsales;p-2;;super user;\nlogistics;p-1;;;\n"
		first := run(file)
		require.Empty(t, first.GetErrors())
		require.EqualValues(t, 3, first.GetCreatedCount())
		require.EqualValues(t, 2, first.GetPeopleCreatedCount())
		require.Equal(t, []string{"Floor"}, first.GetIgnoredColumns())
		require.Equal(t, "UTF-8", first.GetEncoding())
		require.EqualValues(t, 3, run(file).GetUnchangedCount())
		promoted := run("cohort,person,start_date,role\nsales,p-1,2026-01-01,SUPER_USER\nlogistics,p-1,,\n")
		require.EqualValues(t, 1, promoted.GetUpdatedCount())
		require.EqualValues(t, 1, promoted.GetUnchangedCount())

		whole := exported(t, 0, w.exportMemberships(all))
		require.Equal(t, whole, exported(t, 1, w.exportMemberships(all)), "pages put behind each other are the file")
		lines := strings.Split(strings.TrimSpace(whole), "\n")
		require.ElementsMatch(t, []string{"sales,p-1,2026-01-01,,SUPER_USER", "sales,p-2,,,SUPER_USER", "logistics,p-1,,,MEMBER"}, lines[1:])
		require.EqualValues(t, 3, run(whole).GetUnchangedCount(), "what went out says nothing new")
	})
}

func TestSessionsByFile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		training := w.training("basics", 0)
		run := func(csv string) *implementationv1.ImportResult {
			r, err := w.sessions.ImportSessions(ctx, &implementationv1.ImportSessionsRequest{Parent: training, Csv: []byte(csv)})
			require.NoError(t, err)
			return r
		}
		bad := run("session,start_time,end_time,seats\na,2026-04-01T09:00:00Z,2026-04-01T10:00:00Z,4\nb,2026-04-01,2026-04-02,\nc,2026-04-02,2026-04-01,2\n")
		require.EqualValues(t, 2, bad.GetErrorCount())
		require.Equal(t, "REQUIRED_FIELD", bad.GetErrors()[0].GetReason(), "the training has no seats to go by")
		require.Equal(t, "DATE_INVALID", bad.GetErrors()[1].GetReason())
		const file = "session,start_time,end_time,place,seats\na,2026-04-01T09:00:00Z,2026-04-01T10:00:00Z,'=Room 1,4\nb,2026-04-02T09:00:00Z,2026-04-02T10:00:00Z,Aula,8\n"
		require.EqualValues(t, 2, run(file).GetCreatedCount())
		require.EqualValues(t, 2, run(file).GetUnchangedCount())
		changed := run(strings.ReplaceAll(file, "Aula,8", "Aula,9"))
		require.EqualValues(t, 1, changed.GetUpdatedCount())
		whole := exported(t, 1, func(ctx context.Context, size int32, token string) (*implementationv1.ExportResult, error) {
			return w.sessions.ExportSessions(ctx, &implementationv1.ExportSessionsRequest{Parent: training, PageSize: size, PageToken: token})
		})
		require.Equal(t, "training,session,start_time,end_time,place,seats,trainer,state,taken\n"+
			"basics,a,2026-04-01T09:00:00Z,2026-04-01T10:00:00Z,'=Room 1,4,,SCHEDULED,0\nbasics,b,2026-04-02T09:00:00Z,2026-04-02T10:00:00Z,Aula,9,,SCHEDULED,0\n", whole)
		require.EqualValues(t, 2, run(whole).GetUnchangedCount())
		_, err := w.sessions.CancelSession(ctx, &implementationv1.CancelSessionRequest{Name: training + "/sessions/a", Reason: "x"})
		require.NoError(t, err)
		require.EqualValues(t, 2, run(whole).GetUnchangedCount(), "a session that is over and the same stays")
		over := run(strings.ReplaceAll(whole, "Room 1", "Room 2"))
		require.Equal(t, "STATE_FORBIDS", over.GetErrors()[0].GetReason())
	})
}

func TestEnrolmentsAndPeopleByFile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		people := func(csv, id string) *implementationv1.ImportResult {
			r, err := w.people.ImportPeople(ctx, &implementationv1.ImportPeopleRequest{Parent: ws, Csv: []byte(csv), RequestId: id})
			require.NoError(t, err)
			return r
		}
		require.EqualValues(t, 3, people("person\np-1\np-2\np-3\n", "first").GetCreatedCount())
		require.EqualValues(t, 3, people("person\np-1\np-2\np-3\n", "first").GetCreatedCount(), "the answer of the first time")
		require.EqualValues(t, 3, people("person\np-1\np-2\np-3\n", "second").GetUnchangedCount())
		whole := exported(t, 2, func(ctx context.Context, size int32, token string) (*implementationv1.ExportResult, error) {
			return w.people.ExportPeople(ctx, &implementationv1.ExportPeopleRequest{Parent: ws, PageSize: size, PageToken: token})
		})
		require.Equal(t, "person,ordinal\np-1,0\np-2,1\np-3,2\n", whole)

		training := w.training("basics", 0)
		r, err := w.enrolments.ImportEnrolments(ctx, &implementationv1.ImportEnrolmentsRequest{Training: training, Csv: []byte("person,due_time\np-1,2026-04-01\np-2,\np-9,\n")})
		require.NoError(t, err)
		require.Equal(t, "PERSON_UNKNOWN", r.GetErrors()[0].GetReason())
		r, err = w.enrolments.ImportEnrolments(ctx, &implementationv1.ImportEnrolmentsRequest{Training: training, Csv: []byte("person,due_time\np-1,2026-04-01\np-2,\n")})
		require.NoError(t, err)
		require.EqualValues(t, 2, r.GetCreatedCount())
		_, err = w.enrolments.RecordCompletions(ctx, &implementationv1.RecordCompletionsRequest{Training: training, Completions: []*implementationv1.Completion{
			{Person: ws + "/people/p-2", CompleteTime: stampOf(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)), Score: new(0.75)},
		}})
		require.NoError(t, err)
		_, err = w.enrolments.WaiveEnrolment(ctx, &implementationv1.WaiveEnrolmentRequest{Name: training + "/enrolments/p-1", Reason: "=HYPERLINK(\"evil\")"})
		require.NoError(t, err)
		enrolled := exported(t, 1, func(ctx context.Context, size int32, token string) (*implementationv1.ExportResult, error) {
			return w.enrolments.ExportEnrolments(ctx, &implementationv1.ExportEnrolmentsRequest{Parent: training, PageSize: size, PageToken: token})
		})
		require.Equal(t, "training,person,state,due_time,complete_time,score,session,decline_reason,waive_reason\n"+
			"basics,p-1,WAIVED,2026-04-01,,,,,\"'=HYPERLINK(\"\"evil\"\")\"\nbasics,p-2,COMPLETED,,2026-03-01,0.75,,,\n", enrolled)
		again, err := w.enrolments.ImportCompletions(ctx, &implementationv1.ImportCompletionsRequest{Training: training, Csv: []byte(enrolled)})
		require.NoError(t, err)
		require.Empty(t, again.GetErrors())
		require.EqualValues(t, 2, again.GetUnchangedCount(), "what went out completes nobody")
	})
}

// TestAHundredThousandRows comes in and goes out whole, in one transaction.
func TestAHundredThousandRows(t *testing.T) {
	const rows = 100_000
	var file strings.Builder
	file.WriteString("cohort,person,start_date\n")
	for i := range rows {
		fmt.Fprintf(&file, "c%d,p-%06d,2026-01-01\n", i%4, i)
	}
	each(t, func(t *testing.T, w *world) {
		for i := range 4 {
			w.cohort(fmt.Sprintf("c%d", i), 0)
		}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		began := time.Now()
		r, err := w.memberships.ImportMemberships(t.Context(), &implementationv1.ImportMembershipsRequest{Parent: ws + "/cohorts/-", Csv: []byte(file.String()), CreatePeople: true})
		require.NoError(t, err)
		require.EqualValues(t, rows, r.GetCreatedCount())
		took := time.Since(began)
		runtime.ReadMemStats(&after)
		t.Logf("%d rows in %s, heap from %d to %d MiB", rows, took, before.HeapAlloc>>20, after.HeapAlloc>>20)
		began = time.Now()
		whole := exported(t, 20_000, w.exportMemberships(ws+"/cohorts/-"))
		t.Logf("and out in %s", time.Since(began))
		require.Equal(t, rows+1, strings.Count(whole, "\n"))
		c, err := w.cohorts.GetCohort(t.Context(), &implementationv1.GetCohortRequest{Name: ws + "/cohorts/c0"})
		require.NoError(t, err)
		require.EqualValues(t, rows/4, c.GetSize())
	})
}
