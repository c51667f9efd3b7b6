package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/sheet"
)

// ImportMemberships reads memberships of a cohort, or of several, from a file:
// all of them or none. Rows that say what is known already change nothing.
func (s *Store) ImportMemberships(ctx context.Context, req *implementationv1.ImportMembershipsRequest) (*implementationv1.ImportResult, error) {
	workspace, many := strings.CutSuffix(req.GetParent(), "/cohorts/-")
	if !many {
		if _, err := Cohorts.Parse(req.GetParent()); err != nil {
			return nil, err
		}
		workspace = Workspace(req.GetParent())
	} else if _, err := Cohorts.Parse(workspace + "/cohorts/x"); err != nil {
		return nil, err
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.ImportResult, error) {
		if !many { // before the file, so that a cohort that is not there is told as such
			if _, err := Cohorts.Lock(ctx, tx, req.GetParent()); err != nil {
				return nil, err
			}
		}
		rows, file, err := sheet.Memberships(req.GetCsv(), req.GetColumns(), workspace, many)
		if err != nil {
			return nil, err
		}
		i := &memberships{Store: s, tx: tx, workspace: workspace, file: file, byCohort: map[string][]sheet.Membership{}}
		for _, row := range rows {
			cohort := req.GetParent()
			if many {
				cohort = Cohorts.Name(workspace, row.Cohort)
			}
			i.byCohort[cohort] = append(i.byCohort[cohort], row)
		}
		return i.run(ctx, rows, req.GetCreatePeople(), many)
	})
}

// memberships is one import of them.
type memberships struct {
	*Store

	tx        *sqldb.Tx
	workspace string
	file      *sheet.File
	byCohort  map[string][]sheet.Membership
}

// changedRole is a membership that is there, and the row that gives it another role.
type changedRole struct {
	name string
	role implementationv1.Membership_Role
}

func (i *memberships) run(ctx context.Context, rows []sheet.Membership, createPeople, lock bool) (*implementationv1.ImportResult, error) {
	if lock {
		if err := i.lock(ctx); err != nil {
			return nil, err
		}
	}
	ids := make([]member, len(rows))
	for n, row := range rows {
		ids[n] = member{row.Line, row.Person}
	}
	strangers, err := unknownPeople(ctx, i.tx, i.workspace, ids, createPeople, i.file)
	if err != nil {
		return nil, err
	}
	fresh, roles := map[string][]sheet.Membership{}, []changedRole(nil)
	for _, cohort := range i.cohorts() {
		some, changed, err := i.compare(ctx, cohort)
		if err != nil {
			return nil, err
		}
		fresh[cohort], roles = some, append(roles, changed...)
	}
	if i.file.Problems.Any() {
		return rejected(i.file), nil
	}
	if err := i.createPeople(ctx, i.tx, strangers); err != nil {
		return nil, err
	}
	return i.write(ctx, fresh, roles, len(strangers))
}

// cohorts are those of the file in the order of their names, which is the order of locks.
func (i *memberships) cohorts() []string {
	names := make([]string, 0, len(i.byCohort))
	for name := range i.byCohort {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// lock takes the cohorts, as a single membership does; rows of those that are not there are problems.
func (i *memberships) lock(ctx context.Context) error {
	found, err := existing(ctx, i.tx, "cohorts", i.cohorts())
	if err != nil {
		return err
	}
	for _, cohort := range i.cohorts() {
		if found[cohort] {
			if _, err := Cohorts.Lock(ctx, i.tx, cohort); err != nil {
				return err
			}
			continue
		}
		for _, row := range i.byCohort[cohort] {
			i.file.Problems.Add(row.Line, i.file.ColumnOf("cohort"), "COHORT_UNKNOWN", "there is no cohort %s; create it first or correct the id", row.Cohort)
		}
		delete(i.byCohort, cohort)
	}
	return nil
}

// compare sorts out what the rows say anew, and what they say of a role; those that overlap with what is known are problems.
func (i *memberships) compare(ctx context.Context, cohort string) (fresh []sheet.Membership, changed []changedRole, err error) {
	result, err := i.tx.QueryContext(ctx, "SELECT name, person, start_date, end_date, role FROM memberships WHERE parent = $1", cohort)
	known := map[string][]sheet.Membership{}
	_, err = sqldb.Collect(result, err, func(rows *sql.Rows) (none struct{}, err error) {
		var name, person string
		var start, end int64
		var role implementationv1.Membership_Role
		err = rows.Scan(&name, &person, &start, &end, &role)
		id := personID(person)
		known[id] = append(known[id], sheet.Membership{Name: name, Start: fromMicros(start), End: fromMicros(end), Role: role})
		return none, err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read memberships of %s: %w", cohort, err)
	}
	fresh = make([]sheet.Membership, 0, len(i.byCohort[cohort]))
	for _, row := range i.byCohort[cohort] {
		switch relation, other := row.Against(known[row.Person]); relation {
		case sheet.Known:
		case sheet.Changed:
			changed = append(changed, changedRole{other.Name, row.Role})
		case sheet.Overlapping:
			i.file.Problems.Add(row.Line, i.file.Column(0), ReasonOverlaps, "%s is a member in that time already, by %s", row.Person, other.Name)
		default:
			fresh = append(fresh, row)
		}
	}
	return fresh, changed, nil
}

// write stores what is new and tells of it: one event a cohort.
func (i *memberships) write(ctx context.Context, fresh map[string][]sheet.Membership, roles []changedRole, people int) (*implementationv1.ImportResult, error) {
	result := readResult(i.file)
	result.PeopleCreatedCount = count(people)
	for _, cohort := range i.cohorts() {
		some := fresh[cohort]
		result.CreatedCount += count(len(some))
		if len(some) == 0 {
			continue
		}
		if err := Memberships.InsertMany(ctx, i.tx, i.Store.Store, i.made(cohort, some)); err != nil {
			return nil, err
		}
	}
	for _, c := range roles {
		row, err := Memberships.LockRow(ctx, i.tx, c.name)
		if err != nil {
			return nil, err
		}
		row.Message.Role = c.role
		if err := Memberships.Save(ctx, i.tx, i.Store.Store, row.Message, row.Revision, resource.Meta{}); err != nil {
			return nil, err
		}
	}
	result.UpdatedCount = count(len(roles))
	result.UnchangedCount = result.GetRowCount() - result.GetCreatedCount() - result.GetUpdatedCount()
	for _, cohort := range i.cohorts() {
		if len(fresh[cohort]) == 0 {
			continue
		}
		counts := proto.CloneOf(result) // of all cohorts of the file, less what only concerns the file
		counts.Encoding, counts.IgnoredColumns, counts.CreatedCount = "", nil, count(len(fresh[cohort]))
		err := i.tell(ctx, i.tx, feed.Record{
			Resource: cohort + "/memberships", Type: "implementation.membership.imported", After: counts,
		})
		if err != nil {
			return nil, err
		}
	}
	return result, nil
}

// made are the rows as memberships.
func (i *memberships) made(cohort string, rows []sheet.Membership) []*implementationv1.Membership {
	ids := make([]string, len(rows))
	for n := range ids {
		ids[n] = "m" + strings.ToLower(rand.Text()[:15])
	}
	slices.Sort(ids) // what goes into an index in order goes in fast
	made := make([]*implementationv1.Membership, len(rows))
	for n, m := range rows {
		made[n] = &implementationv1.Membership{
			Name:      Memberships.Name(cohort, ids[n]),
			Person:    People.Name(i.workspace, m.Person),
			StartDate: stamp(m.Start),
			EndDate:   stamp(m.End),
			Role:      max(m.Role, implementationv1.Membership_MEMBER),
		}
	}
	return made
}

// member is a line of a file and the person whom it is about.
type member struct {
	line int
	id   string
}

// unknownPeople are those in the file who do not exist, each once: to be
// created, or problems. Creating takes the workspace's ordinals first, so that
// nobody else creates the same people meanwhile.
func unknownPeople(ctx context.Context, tx *sqldb.Tx, workspace string, rows []member, create bool, file *sheet.File) ([]string, error) {
	if create {
		if _, err := takeOrdinals(ctx, tx, workspace, 0); err != nil {
			return nil, err
		}
	}
	names := make([]string, 0, len(rows))
	seen := make(map[string]bool, len(rows))
	for _, row := range rows {
		if !seen[row.id] {
			seen[row.id] = true
			names = append(names, People.Name(workspace, row.id))
		}
	}
	found, err := existing(ctx, tx, "people", names)
	if err != nil {
		return nil, err
	}
	if !create {
		for _, row := range rows {
			if !found[People.Name(workspace, row.id)] {
				file.Problems.Add(row.line, file.Column(0), ReasonPersonUnknown, "%s is not known; import the people first, or set create_people where the import has it", row.id)
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
	gone, err := erased(ctx, tx, strangers)
	for _, row := range rows {
		if gone[People.Name(workspace, row.id)] {
			file.Problems.Add(row.line, file.Column(0), ReasonPersonErased, "%s was erased, and the pseudonym is retired for ever; give another one", row.id)
		}
	}
	return strangers, err
}
