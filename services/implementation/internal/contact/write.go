package contact

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/mail"
	"github.com/golive-dev/golive/services/implementation/internal/sheet"
)

// The reasons of faults about contacts.
const (
	ReasonAddressInvalid  = "ADDRESS_INVALID"
	ReasonLanguageInvalid = "LANGUAGE_INVALID"
	ReasonPersonUnknown   = "PERSON_UNKNOWN"
	ReasonPersonErased    = "PERSON_ERASED"
)

// Set says where a person is reached. Whether they want mail stays as it was.
func (s *Store) Set(ctx context.Context, req *implementationv1.SetContactRequest) (*implementationv1.Contact, error) {
	of, err := person(req.GetName())
	if err != nil {
		return nil, err
	}
	email, ok := mail.Address(req.GetEmail())
	if !ok {
		return nil, fault.Invalid(ReasonAddressInvalid, "email is no address that mail can be sent to; write one like ada@example.com, without a name").
			Field("email", "is no address")
	}
	language, ok := sheet.Language(req.GetLanguage())
	if !ok {
		return nil, fault.Invalid(ReasonLanguageInvalid, "language is no language tag; write one like de or pt-BR").
			Field("language", "is no BCP 47 tag")
	}
	known, err := s.known(ctx, []string{of})
	if err != nil {
		return nil, err
	}
	if !known[of] {
		return nil, fault.Invalid(ReasonPersonUnknown, "%s is not known; create the person first or correct the name", of).Field("name", "is of nobody")
	}
	return resource.Do(ctx, s.Store, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.Contact, error) {
		if req.GetEtag() != "" {
			if _, err := locked(ctx, tx, req.GetName(), req.GetEtag()); err != nil {
				return nil, err
			}
		}
		rows := []sheet.Contact{{Person: of, Email: email, Language: language}}
		written, err := s.put(ctx, tx, rows)
		if err != nil {
			return nil, err
		}
		if written == 0 {
			return nil, fault.Precondition(ReasonPersonErased, "%s was erased; an address of theirs is not kept again", of).
				Subject("ERASED", of, "was erased")
		}
		return load(ctx, tx, req.GetName())
	})
}

// put writes rows, whose Person is a full name, and says how many it could: of who was erased nothing is kept.
func (s *Store) put(ctx context.Context, tx *sqldb.Tx, rows []sheet.Contact) (written int64, err error) {
	const width = 8
	now := s.Now().UnixMicro()
	for _, size := range []int{50, 1} {
		text := "INSERT INTO contacts (name, parent, person, email, language, mail_opt_out, erased, update_time) VALUES " + sqldb.Tuples(size, width) +
			` ON CONFLICT (name) DO UPDATE SET email = excluded.email, language = excluded.language, update_time = excluded.update_time
			WHERE contacts.erased = 0`
		for ; len(rows) >= size; rows = rows[size:] {
			args := make([]any, 0, size*width)
			for _, c := range rows[:size] {
				args = append(args, name(c.Person), workspace(c.Person), c.Person, c.Email, c.Language, 0, 0, now)
			}
			result, err := tx.ExecContext(ctx, text, args...)
			if err != nil {
				return 0, fmt.Errorf("store contacts: %w", err)
			}
			n, err := result.RowsAffected()
			if err != nil {
				return 0, err
			}
			written += n
		}
	}
	return written, nil
}

// locked reads a contact that the transaction is about to change, and checks its etag where there is one.
func locked(ctx context.Context, tx *sqldb.Tx, name, etag string) (*implementationv1.Contact, error) {
	if tx.Dialect() == sqldb.Postgres {
		if _, err := tx.ExecContext(ctx, "SELECT 1 FROM contacts WHERE name = $1 FOR UPDATE", name); err != nil {
			return nil, fmt.Errorf("lock %s: %w", name, err)
		}
	}
	c, err := load(ctx, tx, name)
	if err != nil {
		return nil, err
	}
	if etag != "" && etag != c.GetEtag() {
		return nil, fault.Conflict(resource.ReasonEtagMismatch, "%s has changed since you read it; read it again and repeat", name).Meta("etag", c.GetEtag())
	}
	return c, nil
}

// command is a request about one contact.
type command interface {
	proto.Message
	GetName() string
	GetEtag() string
}

// OptOut ends mail to a person, or allows it again.
func (s *Store) OptOut(ctx context.Context, req command, out bool) (*implementationv1.Contact, error) {
	if _, err := kind.Parse(req.GetName()); err != nil {
		return nil, err
	}
	return resource.Do(ctx, s.Store, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.Contact, error) {
		c, err := locked(ctx, tx, req.GetName(), req.GetEtag())
		if err != nil || c.GetMailOptOut() == out {
			return c, err
		}
		flag := 0
		if out {
			flag = 1
		}
		_, err = tx.ExecContext(ctx, "UPDATE contacts SET mail_opt_out = $1, update_time = $2 WHERE name = $3", flag, s.Now().UnixMicro(), req.GetName())
		if err != nil {
			return nil, fmt.Errorf("note the wish of %s: %w", req.GetName(), err)
		}
		return load(ctx, tx, req.GetName())
	})
}

// Delete forgets where a person is reached. The address may be set again.
func (s *Store) Delete(ctx context.Context, req *implementationv1.DeleteContactRequest) (*emptypb.Empty, error) {
	if _, err := kind.Parse(req.GetName()); err != nil {
		return nil, err
	}
	return resource.Do(ctx, s.Store, req, func(ctx context.Context, tx *sqldb.Tx) (*emptypb.Empty, error) {
		if _, err := locked(ctx, tx, req.GetName(), req.GetEtag()); err != nil {
			return nil, err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM contacts WHERE name = $1", req.GetName()); err != nil {
			return nil, fmt.Errorf("forget %s: %w", req.GetName(), err)
		}
		return &emptypb.Empty{}, forgetAnswers(ctx, tx, workspace(req.GetName()))
	})
}

// forgetAnswers removes what was answered under request ids of a workspace: answers hold addresses.
// To set an address again is harmless, so a repetition loses nothing.
func forgetAnswers(ctx context.Context, tx *sqldb.Tx, workspace string) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM request_ids WHERE workspace = $1", workspace); err != nil {
		return fmt.Errorf("forget answers: %w", err)
	}
	return nil
}

// Forget removes a person for good: of who was erased nothing is kept again. It says how many contacts there were, and may be repeated.
func (s *Store) Forget(ctx context.Context, of string) (removed int64, err error) {
	err = s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		result, err := tx.ExecContext(ctx, "DELETE FROM contacts WHERE name = $1 AND erased = 0", name(of))
		if err != nil {
			return err
		}
		if removed, err = result.RowsAffected(); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO contacts (name, parent, person, email, language, mail_opt_out, erased, update_time)
			VALUES ($1, $2, $3, '', '', 1, 1, $4) ON CONFLICT (name) DO NOTHING`, name(of), workspace(of), of, s.Now().UnixMicro())
		if err != nil {
			return err
		}
		return forgetAnswers(ctx, tx, workspace(of))
	})
	if err != nil {
		return 0, fmt.Errorf("forget the contact of %s: %w", of, err)
	}
	if s.DB().Dialect() == sqldb.SQLite {
		// Old pages live on in the log until it is written back.
		if _, err := s.DB().Writer().ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
			return removed, fmt.Errorf("write the erasure back: %w", err)
		}
	}
	return removed, nil
}

// Import reads contacts from a file: all of them or none.
func (s *Store) Import(ctx context.Context, req *implementationv1.ImportContactsRequest) (*implementationv1.ImportResult, error) {
	rows, file, err := sheet.Contacts(req.GetCsv(), req.GetColumns(), req.GetParent())
	if err != nil {
		return nil, err
	}
	people := make([]string, len(rows))
	for i := range rows {
		rows[i].Person = req.GetParent() + "/people/" + rows[i].Person
		people[i] = rows[i].Person
	}
	known, err := s.known(ctx, people)
	if err != nil {
		return nil, err
	}
	for _, c := range rows {
		if !known[c.Person] {
			file.Problems.Add(c.Line, file.Column(0), ReasonPersonUnknown, "%s is not known; import the memberships first", c.Person)
		}
	}
	if file.Problems.Any() {
		return result(file, 0), nil
	}
	slices.SortFunc(rows, func(a, b sheet.Contact) int { return cmp.Compare(a.Person, b.Person) })
	return resource.Do(ctx, s.Store, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.ImportResult, error) {
		fresh, err := changed(ctx, tx, rows)
		if err != nil {
			return nil, err
		}
		written, err := s.put(ctx, tx, fresh)
		return result(file, written), err
	})
}
