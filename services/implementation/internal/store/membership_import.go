package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/sheet"
)

// ImportMemberships reads memberships of a cohort from a file: all of them or
// none. Rows that say what is known already change nothing.
func (s *Store) ImportMemberships(ctx context.Context, req *implementationv1.ImportMembershipsRequest) (*implementationv1.ImportResult, error) {
	cohort := req.GetParent()
	if _, err := Cohorts.Parse(cohort); err != nil {
		return nil, err
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.ImportResult, error) {
		if _, err := Cohorts.Lock(ctx, tx, cohort); err != nil { // as a single membership does
			return nil, err
		}
		rows, file, err := sheet.Memberships(req.GetCsv(), req.GetColumns(), Workspace(cohort))
		if err != nil {
			return nil, err
		}
		strangers, err := unknownPeople(ctx, tx, cohort, rows, req.GetCreatePeople(), file)
		if err != nil {
			return nil, err
		}
		fresh, err := fresh(ctx, tx, cohort, rows, file)
		if err != nil {
			return nil, err
		}
		if file.Problems.Any() {
			return rejected(file), nil
		}
		return s.addMemberships(ctx, tx, cohort, fresh, strangers, file)
	})
}

func (s *Store) addMemberships(ctx context.Context, tx *sqldb.Tx, cohort string, fresh []sheet.Membership, strangers []string, file *sheet.File) (*implementationv1.ImportResult, error) {
	if err := s.createPeople(ctx, tx, strangers); err != nil {
		return nil, err
	}
	ids := make([]string, len(fresh))
	for i := range ids {
		ids[i] = "m" + strings.ToLower(rand.Text()[:15])
	}
	slices.Sort(ids) // what goes into an index in order goes in fast
	memberships := make([]*implementationv1.Membership, len(fresh))
	for i, m := range fresh {
		memberships[i] = &implementationv1.Membership{
			Name:      Memberships.Name(cohort, ids[i]),
			Person:    People.Name(Workspace(cohort), m.Person),
			StartDate: stamp(m.Start),
			EndDate:   stamp(m.End),
		}
	}
	if err := Memberships.InsertMany(ctx, tx, s.Store, memberships); err != nil {
		return nil, err
	}
	result := &implementationv1.ImportResult{
		RowCount:           count(file.RowCount),
		CreatedCount:       count(len(fresh)),
		UnchangedCount:     count(file.RowCount - len(fresh)),
		PeopleCreatedCount: count(len(strangers)),
	}
	if len(fresh) == 0 {
		return result, nil
	}
	return result, s.tell(ctx, tx, feed.Record{
		Resource: cohort + "/memberships", Type: "implementation.membership.imported", After: result,
	})
}

// unknownPeople are those in the file who do not exist, each once: to be
// created, or problems. Creating takes the workspace's ordinals first, so that
// nobody else creates the same people meanwhile.
func unknownPeople(ctx context.Context, tx *sqldb.Tx, cohort string, rows []sheet.Membership, create bool, file *sheet.File) ([]string, error) {
	workspace := Workspace(cohort)
	if create {
		if _, err := takeOrdinals(ctx, tx, workspace, 0); err != nil {
			return nil, err
		}
	}
	names := make([]string, 0, len(rows))
	seen := make(map[string]bool, len(rows))
	for _, row := range rows {
		if !seen[row.Person] {
			seen[row.Person] = true
			names = append(names, People.Name(workspace, row.Person))
		}
	}
	found, err := existing(ctx, tx, "people", names)
	if err != nil {
		return nil, err
	}
	if !create {
		for _, row := range rows {
			if !found[People.Name(workspace, row.Person)] {
				file.Problems.Add(row.Line, file.Column(0), ReasonPersonUnknown, "%s is not known; set create_people to create people on the way", row.Person)
			}
		}
		return nil, nil
	}
	var strangers []string
	for _, name := range names {
		if !found[name] {
			strangers = append(strangers, name)
		}
	}
	return strangers, nil
}

// fresh are the rows that say something new; those that overlap with what is known are problems.
func fresh(ctx context.Context, tx *sqldb.Tx, cohort string, rows []sheet.Membership, file *sheet.File) ([]sheet.Membership, error) {
	result, err := tx.QueryContext(ctx, "SELECT person, start_date, end_date FROM memberships WHERE parent = $1", cohort)
	known := map[string][]sheet.Membership{}
	_, err = sqldb.Collect(result, err, func(rows *sql.Rows) (none struct{}, err error) {
		var person string
		var start, end int64
		err = rows.Scan(&person, &start, &end)
		id := personID(person)
		known[id] = append(known[id], sheet.Membership{Start: fromMicros(start), End: fromMicros(end)})
		return none, err
	})
	if err != nil {
		return nil, fmt.Errorf("read memberships of %s: %w", cohort, err)
	}
	all := make([]sheet.Membership, 0, len(rows))
	for _, row := range rows {
		switch row.Against(known[row.Person]) {
		case sheet.Known:
		case sheet.Overlapping:
			file.Problems.Add(row.Line, file.Column(0), ReasonOverlaps, "%s is a member in that time already", row.Person)
		default:
			all = append(all, row)
		}
	}
	return all, nil
}
