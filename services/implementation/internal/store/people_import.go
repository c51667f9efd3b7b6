package store

import (
	"context"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/sheet"
)

// ImportPeople reads pseudonyms from a file: all of them or none.
func (s *Store) ImportPeople(ctx context.Context, req *implementationv1.ImportPeopleRequest) (*implementationv1.ImportResult, error) {
	workspace := req.GetParent()
	if _, err := People.Parse(People.Name(workspace, "x")); err != nil {
		return nil, err
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.ImportResult, error) {
		all, file, err := sheet.People(req.GetCsv(), req.GetColumns(), workspace)
		if err != nil {
			return nil, err
		}
		if file.Problems.Any() {
			return rejected(file), nil
		}
		rows := make([]member, len(all))
		for i, p := range all {
			rows[i] = member{p.Line, p.ID}
		}
		strangers, err := unknownPeople(ctx, tx, workspace, rows, true, file)
		if err != nil {
			return nil, err
		}
		if err := s.createPeople(ctx, tx, strangers); err != nil {
			return nil, err
		}
		result := readResult(file)
		result.CreatedCount, result.PeopleCreatedCount = count(len(strangers)), count(len(strangers))
		result.UnchangedCount = count(file.RowCount - len(strangers))
		if len(strangers) == 0 {
			return result, nil
		}
		told := &implementationv1.ImportResult{RowCount: result.GetRowCount(), CreatedCount: result.GetCreatedCount(), UnchangedCount: result.GetUnchangedCount()}
		return result, s.tell(ctx, tx, feed.Record{Resource: workspace + "/people", Type: "implementation.person.imported", After: told})
	})
}
