package store

import (
	"context"
	"path"
	"strconv"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/sheet"
)

// The rows of a page of a file.
const (
	exportRows = 10_000
	exportMost = 20_000
	listRows   = 1000 // what one List answers at most
)

// paged is a request for a page of a file.
type paged interface {
	GetParent() string
	GetPageSize() int32
	GetPageToken() string
}

// export writes a page of a file. Next answers the pages of a list, and write
// one item of it; as with a List, what is there all the while is in the file once.
func export[M any](req paged, header []string, next func(size int32, token string) ([]M, string, error), write func(*sheet.Writer, M)) (*implementationv1.ExportResult, error) {
	want := int(req.GetPageSize())
	if want == 0 {
		want = exportRows
	}
	want = min(want, exportMost)
	if req.GetPageToken() != "" {
		header = nil
	}
	w, token := sheet.NewWriter(header...), req.GetPageToken()
	for {
		items, after, err := next(int32(min(want-w.Rows(), listRows)), token) //nolint:gosec // at most a thousand
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			write(w, item)
		}
		if token = after; token == "" || w.Rows() >= want {
			return &implementationv1.ExportResult{Csv: w.Bytes(), RowCount: count(w.Rows()), NextPageToken: token}, nil
		}
	}
}

// ExportPeople writes a page of the people of a workspace.
func (s *Store) ExportPeople(ctx context.Context, req *implementationv1.ExportPeopleRequest) (*implementationv1.ExportResult, error) {
	next := func(size int32, token string) ([]*implementationv1.Person, string, error) {
		return People.List(ctx, s.Store, &implementationv1.ListPeopleRequest{Parent: req.GetParent(), PageSize: size, PageToken: token})
	}
	return export(req, []string{"person", "ordinal"}, next, func(w *sheet.Writer, p *implementationv1.Person) {
		w.Row(path.Base(p.GetName()), strconv.FormatInt(p.GetOrdinal(), 10))
	})
}

// ExportMemberships writes a page of the memberships of a cohort, or of all.
func (s *Store) ExportMemberships(ctx context.Context, req *implementationv1.ExportMembershipsRequest) (*implementationv1.ExportResult, error) {
	next := func(size int32, token string) ([]*implementationv1.Membership, string, error) {
		return Memberships.List(ctx, s.Store, &implementationv1.ListMembershipsRequest{Parent: req.GetParent(), PageSize: size, PageToken: token})
	}
	return export(req, []string{"cohort", "person", "start_date", "end_date", "role"}, next, func(w *sheet.Writer, m *implementationv1.Membership) {
		role := max(m.GetRole(), implementationv1.Membership_MEMBER)
		w.Row(path.Base(parent(m.GetName())), path.Base(m.GetPerson()), sheet.Time(moment(m.GetStartDate())), sheet.Time(moment(m.GetEndDate())), role.String())
	})
}

// ExportSessions writes a page of the sessions of a training, or of all.
func (s *Store) ExportSessions(ctx context.Context, req *implementationv1.ExportSessionsRequest) (*implementationv1.ExportResult, error) {
	next := func(size int32, token string) ([]*implementationv1.Session, string, error) {
		all, after, err := Sessions.List(ctx, s.Store, &implementationv1.ListSessionsRequest{Parent: req.GetParent(), PageSize: size, PageToken: token})
		if err == nil {
			err = s.CountSeats(ctx, all...)
		}
		return all, after, err
	}
	header := []string{"training", "session", "start_time", "end_time", "place", "seats", "trainer", "state", "taken"}
	return export(req, header, next, func(w *sheet.Writer, m *implementationv1.Session) {
		trainer := ""
		if m.GetTrainer() != "" {
			trainer = path.Base(m.GetTrainer())
		}
		w.Row(path.Base(parent(m.GetName())), path.Base(m.GetName()), sheet.Time(moment(m.GetStartTime())), sheet.Time(moment(m.GetEndTime())),
			m.GetPlace(), strconv.Itoa(int(m.GetSeats())), trainer, m.GetState().String(), strconv.Itoa(int(m.GetTakenCount())))
	})
}

// ExportEnrolments writes a page of the enrolments of a training, or of all.
func (s *Store) ExportEnrolments(ctx context.Context, req *implementationv1.ExportEnrolmentsRequest) (*implementationv1.ExportResult, error) {
	next := func(size int32, token string) ([]*implementationv1.Enrolment, string, error) {
		return s.ListEnrolments(ctx, &implementationv1.ListEnrolmentsRequest{Parent: req.GetParent(), PageSize: size, PageToken: token})
	}
	header := []string{"training", "person", "state", "due_time", "complete_time", "score", "session", "decline_reason", "waive_reason"}
	return export(req, header, next, func(w *sheet.Writer, e *implementationv1.Enrolment) {
		var score, session, declined string
		if e.Score != nil {
			score = strconv.FormatFloat(e.GetScore(), 'g', -1, 64)
		}
		if e.GetSession() != "" {
			session = path.Base(e.GetSession())
		}
		if e.GetDeclineReason() != 0 {
			declined = e.GetDeclineReason().String()
		}
		w.Row(path.Base(parent(e.GetName())), path.Base(e.GetPerson()), e.GetState().String(), sheet.Time(moment(e.GetDueTime())),
			sheet.Time(moment(e.GetCompleteTime())), score, session, declined, e.GetWaiveReason())
	})
}
