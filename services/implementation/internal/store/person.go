package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/sheet"
)

// People is the kind of people. Their ids are pseudonyms.
var People = resource.Define(resource.Spec[*implementationv1.Person]{
	Table:   "people",
	Columns: []resource.Column[*implementationv1.Person]{{Field: "ordinal"}},
	ID: func(id string) error {
		if !sheet.IsPersonID(id) {
			return errors.New("a pseudonym has up to 63 letters, digits, or . _ ~ - and is no address")
		}
		return nil
	},
	Hooks: resource.Hooks[*implementationv1.Person]{
		Default: func(ctx context.Context, tx *sqldb.Tx, m *implementationv1.Person) (err error) {
			if err := notErased(ctx, tx, m.GetName()); err != nil {
				return err
			}
			m.Ordinal, err = takeOrdinals(ctx, tx, Workspace(m.GetName()), 1)
			return err
		},
		BeforeDelete: func(ctx context.Context, tx *sqldb.Tx, old *implementationv1.Person) error {
			err := unused(ctx, tx, old.GetName(), "SELECT name FROM memberships WHERE person = $1 ORDER BY name LIMIT 1", old.GetName())
			if err != nil {
				return err
			}
			err = unused(ctx, tx, old.GetName(), "SELECT name FROM enrolments WHERE person = $1 ORDER BY parent LIMIT 1", old.GetName())
			if err != nil {
				return err
			}
			// Nobody can list accounts, so nobody could remove them first.
			if _, err := tx.ExecContext(ctx, "DELETE FROM provisionings WHERE person = $1", old.GetName()); err != nil {
				return fmt.Errorf("delete accounts of %s: %w", old.GetName(), err)
			}
			return raiseUsageVersion(ctx, tx, Workspace(old.GetName())) // nobody goes on remembering the ordinal
		},
	},
})

// takeOrdinals gives out the next n numbers of a workspace and returns the
// first. Whoever takes some keeps others from it until the commit, so that
// none is lost to a transaction that fails; 0 only keeps others away.
func takeOrdinals(ctx context.Context, tx *sqldb.Tx, workspace string, n int) (first int64, err error) {
	err = tx.QueryRowContext(ctx, `INSERT INTO person_ordinals (workspace, next) VALUES ($1, $2)
		ON CONFLICT (workspace) DO UPDATE SET next = person_ordinals.next + excluded.next RETURNING next`, workspace, n).Scan(&first)
	if err != nil {
		return 0, fmt.Errorf("take ordinals of %s: %w", workspace, err)
	}
	return first - int64(n), nil
}

// createPeople stores new people in the order given.
func (s *Store) createPeople(ctx context.Context, tx *sqldb.Tx, names []string) error {
	if len(names) == 0 {
		return nil
	}
	first, err := takeOrdinals(ctx, tx, Workspace(names[0]), len(names))
	if err != nil {
		return err
	}
	people := make([]*implementationv1.Person, len(names))
	for i, name := range names {
		people[i] = &implementationv1.Person{Name: name, Ordinal: first + int64(i)}
	}
	return People.InsertMany(ctx, tx, s.Store, people)
}

// personID is the last segment of a person's name.
func personID(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
