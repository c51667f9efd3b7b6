package store

import (
	"context"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
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
		people := make([]string, len(all))
		for i, c := range all {
			people[i] = People.Name(workspace, c.Person)
		}
		found, err := existing(ctx, tx, "people", people)
		if err != nil {
			return nil, err
		}
		for i, c := range all {
			if !found[people[i]] {
				file.Problems.Add(c.Line, file.Column(0), ReasonPersonUnknown, "%s is not known; import the memberships first", c.Person)
			}
		}
		if file.Problems.Any() {
			return rejected(file), nil
		}
		return s.complete(ctx, tx, training, people, all)
	})
}

// rejected is the answer to a file that changed nothing.
func rejected(file *sheet.File) *implementationv1.ImportResult {
	return &implementationv1.ImportResult{
		RowCount:   count(file.RowCount),
		Errors:     file.Problems.Rows(),
		ErrorCount: count(file.Problems.Count()),
	}
}
