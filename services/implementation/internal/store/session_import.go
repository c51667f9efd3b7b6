package store

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/sheet"
)

// ImportSessions makes the sessions of a training what a file says: all rows or
// none. Sessions that the file does not name are left as they are.
func (s *Store) ImportSessions(ctx context.Context, req *implementationv1.ImportSessionsRequest) (*implementationv1.ImportResult, error) {
	if _, err := Trainings.Parse(req.GetParent()); err != nil {
		return nil, err
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.ImportResult, error) {
		training, err := Trainings.Lock(ctx, tx, req.GetParent())
		if err != nil {
			return nil, err
		}
		if training.GetState() == implementationv1.Training_RETIRED {
			return nil, lifecycle.Open(training)
		}
		all, file, err := sheet.Sessions(req.GetCsv(), req.GetColumns(), req.GetParent(), Workspace(req.GetParent()))
		if err != nil {
			return nil, err
		}
		changes, err := planSessions(ctx, tx, req.GetParent(), all, file)
		if err != nil || file.Problems.Any() {
			return rejected(file), err
		}
		result := readResult(file)
		for _, c := range changes {
			if c.old.Message == nil {
				result.CreatedCount++
				err = Sessions.Insert(ctx, tx, s.Store, c.now, resource.Meta{})
			} else {
				result.UpdatedCount++
				err = Sessions.Save(ctx, tx, s.Store, c.now, c.old.Revision, resource.Meta{})
			}
			if err != nil {
				return nil, err
			}
		}
		result.UnchangedCount = result.GetRowCount() - count(len(changes))
		return result, nil
	})
}

// sessionChange is a session before and after a file.
type sessionChange struct {
	old resource.Row[*implementationv1.Session]
	now *implementationv1.Session
}

// planSessions says what the rows change. What a single write would refuse is a problem of its row.
func planSessions(ctx context.Context, tx *sqldb.Tx, training string, rows []sheet.Session, file *sheet.File) ([]sessionChange, error) {
	known, err := Sessions.SelectRows(ctx, tx, "WHERE parent = $1", training)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]resource.Row[*implementationv1.Session], len(known))
	for _, row := range known {
		byName[row.Message.GetName()] = row
	}
	var changes []sessionChange
	for _, row := range rows {
		name := Sessions.Name(training, row.ID)
		c := sessionChange{old: byName[name], now: &implementationv1.Session{Name: name, State: implementationv1.Session_SCHEDULED}}
		if c.old.Message != nil {
			c.now = proto.CloneOf(c.old.Message)
		}
		apply(c.now, row)
		if c.old.Message != nil && proto.Equal(c.now, c.old.Message) {
			continue
		}
		err := validateSession(ctx, tx, c.old.Message, c.now)
		if refused := fault.From(err); err != nil && refused.Kind() != fault.KindInternal {
			file.Problems.Add(row.Line, "", refused.Reason(), "%s", refused.Message())
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", row.Line, err)
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// apply writes what a row says over a session; seats that it does not say stay.
func apply(m *implementationv1.Session, row sheet.Session) {
	m.StartTime, m.EndTime, m.Place, m.Trainer = stamp(row.Start), stamp(row.End), row.Place, ""
	if row.Seats > 0 {
		m.Seats = row.Seats
	}
	if row.Trainer != "" {
		m.Trainer = Resources.Name(Workspace(m.GetName()), row.Trainer)
	}
}
