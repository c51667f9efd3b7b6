// Package contact keeps where people are reached, in a database of its own.
//
// It is the only package that stores addresses. It shares with the rest of the
// service the pseudonyms and nothing else: no events are written, no answer of
// an import and no error repeats an address, and a backup of the other
// databases holds none.
package contact

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/mail"
)

//go:embed migrations
var migrations embed.FS

// Source is the table of contacts; those of package resource come before it.
func Source() sqldb.Source { return sqldb.NewSource("contact", migrations, "migrations") }

// kind reads names and lists; the rows are written here, without a message and without events.
var kind = resource.Define(resource.Spec[*implementationv1.Contact]{
	Table:   "contacts",
	Columns: []resource.Column[*implementationv1.Contact]{{Field: "language"}, {Field: "mail_opt_out"}},
})

// Known answers which of the people exist, by name.
type Known func(ctx context.Context, people []string) (map[string]bool, error)

// Store keeps contacts.
type Store struct {
	*resource.Store

	known Known
}

// New makes a store over a database of its own, which it migrates.
func New(ctx context.Context, db *sqldb.DB, known Known, now func() time.Time) (*Store, error) {
	if err := db.Migrate(ctx, resource.Source(), Source()); err != nil {
		return nil, err
	}
	if db.Dialect() == sqldb.SQLite {
		// What is erased is overwritten, not only given back to the file.
		if _, err := db.Writer().ExecContext(ctx, "PRAGMA secure_delete = ON"); err != nil {
			return nil, fmt.Errorf("make erasure thorough: %w", err)
		}
	}
	return &Store{Store: resource.NewStore(db, nil, resource.Config{Now: now, Actor: auth.Actor}), known: known}, nil
}

const columns = "name, person, email, language, mail_opt_out, update_time"

func scan(row interface{ Scan(dest ...any) error }) (*implementationv1.Contact, error) {
	c := &implementationv1.Contact{}
	var updated int64
	err := row.Scan(&c.Name, &c.Person, &c.Email, &c.Language, &c.MailOptOut, &updated)
	c.UpdateTime = timestamppb.New(time.UnixMicro(updated))
	c.Etag = strconv.FormatInt(updated, 36)
	return c, err
}

// person is whom a contact is of.
func person(name string) (string, error) {
	ids, err := kind.Parse(name)
	if err != nil {
		return "", err
	}
	return "workspaces/" + ids[0] + "/people/" + ids[1], nil
}

// name is the contact of a person.
func name(person string) string { return strings.Replace(person, "/people/", "/contacts/", 1) }

// Get reads one, or answers RESOURCE_NOT_FOUND.
func (s *Store) Get(ctx context.Context, name string) (*implementationv1.Contact, error) {
	if _, err := kind.Parse(name); err != nil {
		return nil, err
	}
	return load(ctx, s.DB().Read(), name)
}

func load(ctx context.Context, q sqldb.Queryer, name string) (*implementationv1.Contact, error) {
	c, err := scan(q.QueryRowContext(ctx, "SELECT "+columns+" FROM contacts WHERE name = $1 AND erased = 0", name))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fault.NotFound(resource.ReasonNotFound, "contact %s does not exist; set it first, or check the name", name).Meta("resource", name)
	}
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", name, err)
	}
	return c, nil
}

// List pages through them.
func (s *Store) List(ctx context.Context, req *implementationv1.ListContactsRequest) ([]*implementationv1.Contact, string, error) {
	const selection = "SELECT " + columns + " FROM (SELECT parent, " + columns + " FROM contacts WHERE erased = 0) AS contacts"
	return kind.ListRows(ctx, s.Store, req, selection, func(rows *sql.Rows) (*implementationv1.Contact, error) { return scan(rows) })
}

// Reached are those of the people who can be written to, by name, and those who want no mail.
type Reached struct {
	mail.Recipient

	OptedOut bool
}

// Lookup finds where people are reached; those who are not in the answer, nobody has an address of.
func (s *Store) Lookup(ctx context.Context, people []string) (map[string]Reached, error) {
	found := make(map[string]Reached, len(people))
	const chunk = 500
	for part := range slices.Chunk(people, chunk) {
		names := make([]any, len(part))
		for i, p := range part {
			names[i] = name(p)
		}
		rows, err := s.DB().Read().QueryContext(ctx, "SELECT person, email, language, mail_opt_out FROM contacts WHERE erased = 0 AND name IN ("+
			sqldb.Marks(1, len(part))+")", names...)
		_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
			var person string
			var r Reached
			err = rows.Scan(&person, &r.Email, &r.Language, &r.OptedOut)
			found[person] = r
			return none, err
		})
		if err != nil {
			return nil, fmt.Errorf("look up contacts: %w", err)
		}
	}
	return found, nil
}
