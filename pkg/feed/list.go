package feed

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/sqldb"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
)

const (
	defaultLimit = 50
	maxLimit     = 1000
)

// Query selects events for [Log.List].
type Query struct {
	// Prefix is a resource name: its events and those of everything under it; all when empty.
	Prefix string
	// Types are event types, or prefixes of types that end in "."; all when empty.
	Types []string
	// Actor is a principal; all when empty.
	Actor string
	// After is the next token of the page before.
	After string
	// Limit is the size of a page: 50 when 0, at most 1000.
	Limit int
	// OldestFirst reads forward.
	OldestFirst bool
}

// List returns one page and the token of the next, empty on the last one.
func (l *Log) List(ctx context.Context, q Query) (events []*eventv1.Event, next string, err error) {
	epoch, err := l.currentEpoch(ctx)
	if err != nil {
		return nil, "", err
	}
	limit := min(q.Limit, maxLimit)
	if limit <= 0 {
		limit = defaultLimit
	}
	text, args, err := l.selection(ctx, q)
	if err != nil {
		return nil, "", err
	}
	found, err := l.read(ctx, text+fmt.Sprintf(" LIMIT $%d", len(args)+1), append(args, limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("list events: %w", err)
	}
	if len(found) > limit {
		found = found[:limit]
		// Something may still commit below an event above the horizon: a page that
		// goes on must end where nothing can come in between.
		for q.OldestFirst && len(found) > 1 && !found[len(found)-1].settled {
			found = found[:len(found)-1]
		}
		next = q.pageToken(found[len(found)-1].at, epoch)
	}
	for _, one := range found {
		events = append(events, one.event)
	}
	return events, next, nil
}

// selection writes the query less its limit. The first two arguments are the place.
func (l *Log) selection(ctx context.Context, q Query) (text string, args []any, err error) {
	place, where, order := position{}, l.sql.after, l.sql.oldest // without a token everything is after (0, 0)
	if q.After != "" {
		if place, err = l.page(ctx, q); err != nil {
			return "", nil, err
		}
	}
	if !q.OldestFirst {
		order = l.sql.newest
		if q.After != "" {
			where = l.sql.before
		}
	}
	args = []any{place.xid, place.seq}
	argument := func(value string) string {
		args = append(args, value)
		return fmt.Sprintf("$%d", len(args))
	}
	if q.Prefix != "" {
		where += " AND " + under(q.Prefix, argument)
	}
	if len(q.Types) > 0 {
		var kinds []string
		for _, kind := range q.Types {
			if strings.HasSuffix(kind, ".") {
				kinds = append(kinds, "(type >= "+argument(kind)+" AND type < "+argument(successor(kind))+")")
			} else {
				kinds = append(kinds, "type = "+argument(kind))
			}
		}
		where += " AND (" + strings.Join(kinds, " OR ") + ")"
	}
	if q.Actor != "" {
		where += " AND actor = " + argument(q.Actor)
	}
	return "SELECT " + l.sql.columns + " FROM events WHERE " + where + " ORDER BY " + order, args, nil
}

// under selects a resource and everything below it by ranges that an index
// serves. A whole workspace has an index in the order of the log.
func under(prefix string, argument func(string) string) string {
	if workspaceOf(prefix) == prefix {
		return "workspace = " + argument(prefix)
	}
	below := prefix + "/"
	return "(resource = " + argument(prefix) +
		" OR (resource >= " + argument(below) + " AND resource < " + argument(successor(below)) + "))"
}

// successor is the first string, byte by byte, after everything that begins with s; s ends in '.' or '/'.
func successor(s string) string { return s[:len(s)-1] + string(s[len(s)-1]+1) }

// placed is an event with its place; settled says that nothing can commit before it any more.
type placed struct {
	at      position
	settled bool
	event   *eventv1.Event
}

func (l *Log) read(ctx context.Context, text string, args ...any) ([]placed, error) {
	epoch, err := l.currentEpoch(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := l.db.Read().QueryContext(ctx, text, args...)
	return sqldb.Collect(rows, err, func(rows *sql.Rows) (placed, error) { return scan(rows, epoch) })
}

func scan(rows *sql.Rows, epoch string) (placed, error) {
	var one placed
	var at int64
	var after []byte
	event := &eventv1.Event{}
	err := rows.Scan(&one.at.xid, &one.at.seq, &one.settled, &event.Resource, &event.Type, &event.Revision,
		&event.Actor, &event.Cause, &at, &after, &event.BeforeDigest)
	if err != nil {
		return placed{}, err
	}
	if after != nil {
		event.After = &anypb.Any{}
		if err := proto.Unmarshal(after, event.GetAfter()); err != nil {
			return placed{}, fmt.Errorf("event %d:%d: %w", one.at.xid, one.at.seq, err)
		}
	}
	event.Time = timestamppb.New(time.UnixMicro(at))
	event.Token = one.at.token(epoch)
	one.event = event
	return one, nil
}
