package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// ErrEventPositionMoved says that somebody else has followed the log meanwhile; nothing was written.
var ErrEventPositionMoved = errors.New("the position in the log was moved by another replica")

// EventPosition is how far a consumer has followed a log; false where it has not begun.
func (s *Store) EventPosition(ctx context.Context, consumer, source string) (token string, begun bool, err error) {
	err = s.DB().Read().QueryRowContext(ctx, "SELECT token FROM event_positions WHERE consumer = $1 AND source = $2", consumer, source).Scan(&token)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("read the position of %s in %s: %w", consumer, source, err)
	}
	return token, true, nil
}

// BeginEvents notes where a consumer begins, with what it makes of what came just before, or answers [ErrEventPositionMoved].
func (s *Store) BeginEvents(ctx context.Context, consumer, source, at string, handle func(ctx context.Context, tx *sqldb.Tx) error) error {
	return s.followed(ctx, handle, "INSERT INTO event_positions (consumer, source, token) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", consumer, source, at)
}

// FollowEvents moves a consumer from one position to another, together with what it makes of the events
// between them, or answers [ErrEventPositionMoved].
func (s *Store) FollowEvents(ctx context.Context, consumer, source, from, to string, handle func(ctx context.Context, tx *sqldb.Tx) error) error {
	return s.followed(ctx, handle, "UPDATE event_positions SET token = $3 WHERE consumer = $1 AND source = $2 AND token = $4", consumer, source, to, from)
}

// Subscriber is the consumer that fills the deliveries of subscriptions, and DeploymentsHearer the one that keeps what
// implementations know of deployments.
const (
	Subscriber        = "subscriptions"
	DeploymentsHearer = "deployments"
)

// unfollow forgets how far a consumer has followed a workspace once the last row of a table that wants to hear of it goes: whoever
// wants to hear of it again begins with what happens from then on.
func unfollow(ctx context.Context, tx *sqldb.Tx, consumer, table, last string) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM event_positions WHERE consumer = $1 AND source = $2 AND NOT EXISTS (SELECT 1 FROM "+table+" WHERE parent = $2 AND name <> $3)",
		consumer, Workspace(last), last)
	if err != nil {
		return fmt.Errorf("forget how far %s was followed: %w", Workspace(last), err)
	}
	return nil
}

// ForgetEventPosition lets a consumer begin anew, unless somebody has moved it.
func (s *Store) ForgetEventPosition(ctx context.Context, consumer, source, token string) error {
	return s.followed(ctx, func(context.Context, *sqldb.Tx) error { return nil },
		"DELETE FROM event_positions WHERE consumer = $1 AND source = $2 AND token = $3", consumer, source, token)
}

// followed moves the position first: a second replica waits for the row and then finds it changed, before it did any work.
func (s *Store) followed(ctx context.Context, handle func(ctx context.Context, tx *sqldb.Tx) error, query string, args ...any) error {
	return s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		result, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return fmt.Errorf("move the position in a log: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrEventPositionMoved, err)
		}
		return handle(ctx, tx)
	})
}

// EventWorkspaces are those in which something is implemented: whoever wants to know what happens to machines there follows them.
func (s *Store) EventWorkspaces(ctx context.Context) ([]string, error) {
	return workspacesOf(ctx, s.DB().Read(), "SELECT DISTINCT parent FROM implementations ORDER BY parent")
}

func workspacesOf(ctx context.Context, q sqldb.Queryer, query string) ([]string, error) {
	rows, err := q.QueryContext(ctx, query)
	all, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (name string, err error) { return name, rows.Scan(&name) })
	if err != nil {
		return nil, fmt.Errorf("list workspaces: %w", err)
	}
	return all, nil
}
