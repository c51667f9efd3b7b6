package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/mail"
)

// mailKind reads names and lists; the rows are written here, without a message
// and without events: the log would fill with who was written to.
var mailKind = resource.Define(resource.Spec[*implementationv1.Mail]{
	Table: "outbox",
	Columns: []resource.Column[*implementationv1.Mail]{
		{Field: "person"}, {Field: "kind"}, {Field: "about"}, {Field: "state"}, {Field: "create_time"}, {Field: "finish_time"},
	},
})

// QueueMail queues messages in the caller's transaction: they are sent if it
// commits. People may have no address; that is found out when they are sent.
func (s *Store) QueueMail(ctx context.Context, tx *sqldb.Tx, all []mail.Outgoing) error {
	if len(all) == 0 {
		return nil
	}
	const columns = 14
	now, ids := s.Now().UnixMicro(), make([]string, len(all))
	for i := range ids {
		ids[i] = "m" + strings.ToLower(rand.Text()[:20])
	}
	slices.Sort(ids) // what goes into an index in order goes in fast
	for _, size := range []int{20, 1} {
		text := `INSERT INTO outbox (name, parent, person, kind, about, subject, body, state, attempts, due_time,
			reply_code, reason, create_time, finish_time) VALUES ` + sqldb.Tuples(size, columns)
		for ; len(all) >= size; all, ids = all[size:], ids[size:] {
			args := make([]any, 0, size*columns)
			for i, m := range all[:size] {
				workspace := Workspace(m.Person)
				args = append(args, mailKind.Name(workspace, ids[i]), workspace, m.Person, int64(m.Kind), m.About, mail.Line(m.Subject), m.Text,
					int64(implementationv1.Mail_QUEUED), 0, now, 0, "", now, 0)
			}
			if _, err := tx.ExecContext(ctx, text, args...); err != nil {
				return fmt.Errorf("queue messages: %w", err)
			}
		}
	}
	tx.AfterCommit(s.mailWaits)
	return nil
}

// mailWaits is a hint for who sends; a sweep stands behind it.
func (s *Store) mailWaits() {
	select {
	case s.mailHint <- struct{}{}:
	default:
	}
}

// MailHint has a value when messages were queued.
func (s *Store) MailHint() <-chan struct{} { return s.mailHint }

// Letter is a message that somebody has claimed to send.
type Letter struct {
	mail.Outgoing

	// Name is the message's, and makes its Message-ID: the same for every attempt.
	Name string
	// Attempt counts the claims, from 1. Who claimed it last may say what became of it.
	Attempt int
	// Queued is when it was queued.
	Queued time.Time
}

// ClaimMail takes up to n messages that are due. Nobody else gets them before the lease has ended.
func (s *Store) ClaimMail(ctx context.Context, n int, lease time.Duration) (letters []Letter, err error) {
	lock := ""
	if s.DB().Dialect() == sqldb.Postgres {
		lock = " FOR UPDATE SKIP LOCKED"
	}
	query := fmt.Sprintf(`UPDATE outbox SET attempts = attempts + 1, due_time = $1 WHERE name IN (
			SELECT name FROM outbox WHERE state = %d AND due_time <= $2 ORDER BY due_time LIMIT $3%s)
		RETURNING name, person, kind, subject, body, about, attempts, create_time`, implementationv1.Mail_QUEUED, lock)
	err = s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now := s.Now()
		rows, err := tx.QueryContext(ctx, query, now.Add(lease).UnixMicro(), now.UnixMicro(), n)
		letters, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (l Letter, err error) {
			var queued int64
			err = rows.Scan(&l.Name, &l.Person, &l.Kind, &l.Subject, &l.Text, &l.About, &l.Attempt, &queued)
			l.Queued = fromMicros(queued)
			return l, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim messages: %w", err)
	}
	return letters, words(ctx, s.DB().Read(), letters)
}

// words fills in those of communications, which are kept once and not with each message.
func words(ctx context.Context, q sqldb.Queryer, letters []Letter) error {
	var names []string
	for _, l := range letters {
		if l.Kind == implementationv1.Mail_COMMUNICATION && l.Text == "" {
			names = append(names, l.About)
		}
	}
	slices.Sort(names)
	communications, err := Communications.LoadMany(ctx, q, slices.Compact(names))
	if err != nil {
		return fmt.Errorf("read what messages say: %w", err)
	}
	for i, l := range letters {
		if c := communications[l.About]; l.Kind == implementationv1.Mail_COMMUNICATION && l.Text == "" {
			letters[i].Subject, letters[i].Text = c.GetSubject(), c.GetBody()
		}
	}
	return nil
}

// MailWaiting says whether a message is due.
func (s *Store) MailWaiting(ctx context.Context) (bool, error) {
	var name string
	err := s.DB().Read().QueryRowContext(ctx, fmt.Sprintf("SELECT name FROM outbox WHERE state = %d AND due_time <= $1 LIMIT 1",
		implementationv1.Mail_QUEUED), s.Now().UnixMicro()).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Posted is what became of an attempt.
type Posted struct {
	Letter

	// State is QUEUED where it is tried again, after Retry.
	State implementationv1.Mail_State
	Retry time.Duration
	// Code is what the server answered, 0 where it did not. Its words are not kept: they repeat the address.
	Code   int
	Reason string
}

// FinishMail stores what became of attempts. What somebody else claimed since, or
// somebody gave up, is left as it is.
func (s *Store) FinishMail(ctx context.Context, all []Posted) error {
	err := s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now := s.Now()
		for _, p := range all {
			if p.State == implementationv1.Mail_QUEUED {
				_, err := tx.ExecContext(ctx, fmt.Sprintf(`UPDATE outbox SET due_time = $1, reply_code = $2, reason = $3
					WHERE name = $4 AND attempts = $5 AND state = %d`, implementationv1.Mail_QUEUED),
					now.Add(p.Retry).UnixMicro(), p.Code, p.Reason, p.Name, p.Attempt)
				if err != nil {
					return err
				}
				continue
			}
			_, err := tx.ExecContext(ctx, fmt.Sprintf(`UPDATE outbox SET state = $1, finish_time = $2, reply_code = $3, reason = $4, subject = '', body = ''
				WHERE name = $5 AND attempts = $6 AND state = %d`, implementationv1.Mail_QUEUED),
				int64(p.State), now.UnixMicro(), p.Code, p.Reason, p.Name, p.Attempt)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store what became of messages: %w", err)
	}
	return nil
}

// dropMail gives up what waits about a resource, or for a person.
func (s *Store) dropMail(ctx context.Context, tx *sqldb.Tx, column, value, reason string) (int64, error) {
	result, err := tx.ExecContext(ctx, fmt.Sprintf(`UPDATE outbox SET state = %d, finish_time = $1, reason = $2, subject = '', body = ''
		WHERE %s = $3 AND state = %d`, implementationv1.Mail_DROPPED, column, implementationv1.Mail_QUEUED), s.Now().UnixMicro(), reason, value)
	if err != nil {
		return 0, fmt.Errorf("give up messages of %s: %w", value, err)
	}
	return result.RowsAffected()
}

const mailColumns = "name, person, kind, about, state, attempts, due_time, reply_code, reason, create_time, finish_time"

func scanMail(row interface{ Scan(dest ...any) error }) (*implementationv1.Mail, error) {
	m := &implementationv1.Mail{}
	var due, created, finished int64
	err := row.Scan(&m.Name, &m.Person, &m.Kind, &m.About, &m.State, &m.AttemptCount, &due, &m.ReplyCode, &m.Reason, &created, &finished)
	m.CreateTime, m.FinishTime = stamp(fromMicros(created)), stamp(fromMicros(finished))
	if m.GetState() == implementationv1.Mail_QUEUED {
		m.NextAttemptTime = stamp(fromMicros(due))
	}
	return m, err
}

// Mail reads one message, without its words, or answers RESOURCE_NOT_FOUND.
func (s *Store) Mail(ctx context.Context, name string) (*implementationv1.Mail, error) {
	if _, err := mailKind.Parse(name); err != nil {
		return nil, err
	}
	return loadMail(ctx, s.DB().Read(), name)
}

func loadMail(ctx context.Context, q sqldb.Queryer, name string) (*implementationv1.Mail, error) {
	m, err := scanMail(q.QueryRowContext(ctx, "SELECT "+mailColumns+" FROM outbox WHERE name = $1", name))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, mailKind.NotFound(name)
	}
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", name, err)
	}
	return m, nil
}

// ListMail pages through messages, without their words.
func (s *Store) ListMail(ctx context.Context, req *implementationv1.ListMailsRequest) ([]*implementationv1.Mail, string, error) {
	return mailKind.ListRows(ctx, s.Store, req, "SELECT "+mailColumns+" FROM outbox", func(rows *sql.Rows) (*implementationv1.Mail, error) {
		return scanMail(rows)
	})
}
