package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/mail"
)

const (
	// mostHandedOver is how many messages one call hands over, and mostBytes about how much.
	mostHandedOver = 10_000
	mostBytes      = 8 << 20
)

// HandOverMail answers messages that wait as a file, and leaves them to whoever asked.
func (s *Store) HandOverMail(ctx context.Context, req *implementationv1.HandOverMailsRequest) (*implementationv1.HandOverMailsResponse, error) {
	if err := storable("about", req.GetAbout()); err != nil {
		return nil, err
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.HandOverMailsResponse, error) {
		limit := int(req.GetLimit())
		if limit == 0 {
			limit = mostHandedOver
		}
		letters, err := waitingLetters(ctx, tx, req.GetParent(), req.GetAbout(), limit)
		if err != nil {
			return nil, err
		}
		if err := words(ctx, tx, letters); err != nil {
			return nil, err
		}
		file, n, err := written(letters)
		if err != nil {
			return nil, err
		}
		answer := &implementationv1.HandOverMailsResponse{Csv: file, Count: count(n)}
		if req.GetValidateOnly() {
			answer.Csv = nil // the words are for those who take the messages
			return answer, nil
		}
		names := make([]string, n)
		for i, l := range letters[:n] {
			names[i] = l.Name
		}
		for part := range slices.Chunk(names, chunk) {
			_, err := tx.ExecContext(ctx, fmt.Sprintf(`UPDATE outbox SET state = %d, finish_time = $1, subject = '', body = '' WHERE name IN (%s)`,
				implementationv1.Mail_HANDED_OVER, sqldb.Marks(2, len(part))), append([]any{s.Now().UnixMicro()}, sqldb.Texts(part)...)...)
			if err != nil {
				return nil, fmt.Errorf("hand messages over: %w", err)
			}
		}
		tx.AfterCommit(s.mailWaits) // communications may have nothing left to send
		return answer, nil
	})
}

// waitingLetters are the messages that wait, the oldest first, kept from others until the commit.
func waitingLetters(ctx context.Context, tx *sqldb.Tx, workspace, about string, limit int) ([]Letter, error) {
	query := fmt.Sprintf("SELECT name, person, kind, subject, body, about FROM outbox WHERE parent = $1 AND state = %d", implementationv1.Mail_QUEUED)
	args := []any{workspace, limit}
	if about != "" {
		query += " AND about = $3"
		args = append(args, about)
	}
	query += " ORDER BY create_time, name LIMIT $2"
	if tx.Dialect() == sqldb.Postgres {
		query += " FOR UPDATE SKIP LOCKED"
	}
	rows, err := tx.QueryContext(ctx, query, args...)
	letters, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (l Letter, err error) {
		return l, rows.Scan(&l.Name, &l.Person, &l.Kind, &l.Subject, &l.Text, &l.About)
	})
	if err != nil {
		return nil, fmt.Errorf("read messages that wait: %w", err)
	}
	return letters, nil
}

// written is a file of as many of the letters as fit, and how many those are.
func written(letters []Letter) (file []byte, n int, err error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.Write([]string{"mail", "person", "kind", "about", "subject", "text"}); err != nil {
		return nil, 0, err
	}
	for _, l := range letters {
		if b.Len() > mostBytes {
			break
		}
		if err := w.Write([]string{l.Name, personID(l.Person), l.Kind.String(), l.About, inert(mail.Line(l.Subject)), inert(l.Text)}); err != nil {
			return nil, 0, err
		}
		w.Flush()
		n++
	}
	w.Flush()
	return b.Bytes(), n, w.Error()
}

// inert keeps a spreadsheet from taking a text for a formula.
func inert(text string) string {
	if strings.HasPrefix(strings.TrimLeft(text, " "), "=") || strings.IndexAny(text, "+-@\t\r") == 0 {
		return "'" + text
	}
	return text
}

// RecordBounce notes that a message came back after the server had taken it.
func (s *Store) RecordBounce(ctx context.Context, req *implementationv1.RecordBounceRequest) (*implementationv1.Mail, error) {
	if _, err := mailKind.Parse(req.GetName()); err != nil {
		return nil, err
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.Mail, error) {
		result, err := tx.ExecContext(ctx, fmt.Sprintf("UPDATE outbox SET state = %d, reason = $1, reply_code = $2 WHERE name = $3 AND state = %d",
			implementationv1.Mail_BOUNCED, implementationv1.Mail_SENT), mail.Returned, req.GetReplyCode(), req.GetName())
		if err != nil {
			return nil, fmt.Errorf("record that %s came back: %w", req.GetName(), err)
		}
		changed, err := result.RowsAffected()
		if err != nil {
			return nil, err
		}
		m, err := loadMail(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		if changed == 0 {
			return nil, fault.Precondition(lifecycle.ReasonStateForbids, "mail %s is %s; only what was SENT can come back", m.GetName(), m.GetState()).
				Subject("STATE", m.GetName(), "is "+m.GetState().String())
		}
		if m.GetKind() != implementationv1.Mail_COMMUNICATION {
			return m, nil
		}
		row, err := Communications.LockRow(ctx, tx, m.GetAbout())
		if err != nil {
			return nil, err
		}
		return m, s.recount(ctx, tx, row, proto.CloneOf(row.Message))
	})
}

// MailQueue is how many messages of a workspace wait, and since when the oldest does; zero where none does.
func (s *Store) MailQueue(ctx context.Context, workspace string) (n int64, oldest time.Time, err error) {
	var since int64
	err = s.DB().Read().QueryRowContext(ctx, fmt.Sprintf("SELECT COUNT(*), COALESCE(MIN(create_time), 0) FROM outbox WHERE parent = $1 AND state = %d",
		implementationv1.Mail_QUEUED), workspace).Scan(&n, &since)
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("count messages that wait: %w", err)
	}
	return n, fromMicros(since), nil
}
