package store

import (
	"context"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/sheet"
)

// ImportCompletions is RecordCompletions from a file.
func (s *Store) ImportCompletions(ctx context.Context, req *implementationv1.ImportCompletionsRequest) (*implementationv1.ImportResult, error) {
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.ImportResult, error) {
		training, err := lockOpen(ctx, tx, req.GetTraining())
		if err != nil {
			return nil, err
		}
		workspace := Workspace(training.GetName())
		all, file, err := sheet.Completions(req.GetCsv(), req.GetColumns(), workspace, s.Now())
		if err != nil {
			return nil, err
		}
		rows := make([]member, len(all))
		for i, c := range all {
			rows[i] = member{c.Line, c.Person}
		}
		people, err := people(ctx, tx, workspace, rows, file)
		if err != nil || file.Problems.Any() {
			return rejected(file), err
		}
		counts, err := s.complete(ctx, tx, training, people, all)
		if err != nil {
			return nil, err
		}
		result := readResult(file)
		result.CreatedCount = counts.GetCreatedCount()
		result.UnchangedCount = result.GetRowCount() - result.GetCreatedCount()
		return result, nil
	})
}

// ImportEnrolments assigns people from a file.
func (s *Store) ImportEnrolments(ctx context.Context, req *implementationv1.ImportEnrolmentsRequest) (*implementationv1.ImportResult, error) {
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.ImportResult, error) {
		training, err := lockOpen(ctx, tx, req.GetTraining())
		if err != nil {
			return nil, err
		}
		workspace := Workspace(training.GetName())
		all, file, err := sheet.Assignments(req.GetCsv(), req.GetColumns(), workspace)
		if err != nil {
			return nil, err
		}
		rows := make([]member, len(all))
		for i, a := range all {
			rows[i] = member{a.Line, a.Person}
		}
		people, err := people(ctx, tx, workspace, rows, file)
		if err != nil || file.Problems.Any() {
			return rejected(file), err
		}
		now := s.Now()
		changed, err := s.advance(ctx, tx, training, people, func(e lifecycle.Enrolment, i int) (lifecycle.Enrolment, bool) {
			return e.Assign(now, all[i].Due)
		})
		if err != nil {
			return nil, err
		}
		result := readResult(file)
		result.CreatedCount, result.UnchangedCount = count(changed), count(file.RowCount-changed)
		told := &implementationv1.EnrolPeopleResponse{CreatedCount: result.GetCreatedCount(), UnchangedCount: result.GetUnchangedCount()}
		return result, s.tellBatch(ctx, tx, training, "assigned", changed, told)
	})
}

// people are the names of those in a file, each of whom has to exist; who does not is a problem.
func people(ctx context.Context, tx *sqldb.Tx, workspace string, rows []member, file *sheet.File) ([]string, error) {
	if _, err := unknownPeople(ctx, tx, workspace, rows, false, file); err != nil {
		return nil, err
	}
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = People.Name(workspace, row.id)
	}
	return names, nil
}

// readResult says what was read: the beginning of every answer to a file.
func readResult(file *sheet.File) *implementationv1.ImportResult {
	return &implementationv1.ImportResult{
		RowCount:       count(file.RowCount),
		Errors:         file.Problems.Rows(),
		ErrorCount:     count(file.Problems.Count()),
		Encoding:       file.Encoding,
		IgnoredColumns: file.Ignored,
	}
}

// rejected is the answer to a file that changed nothing.
func rejected(file *sheet.File) *implementationv1.ImportResult { return readResult(file) }
