package resource

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
)

// Get answers a Get request: name.
func (k *Kind[M]) Get(ctx context.Context, s *Store, req proto.Message) (M, error) {
	name := request{req.ProtoReflect()}.text("name")
	if _, err := k.Parse(name); err != nil {
		var none M
		return none, err
	}
	return k.Load(ctx, s.db.Read(), name)
}

// List answers a List request: parent, page_size, page_token, filter and
// order_by. A parent may end in wildcards: workspaces/w/shelves/- reads all
// shelves. Pages are keyset pages: what was there from the first page to the
// last is answered exactly once, whatever else comes and goes.
func (k *Kind[M]) List(ctx context.Context, s *Store, req proto.Message) (items []M, next string, err error) {
	return k.list(ctx, s, req, k.Select)
}

// list answers a page of what read finds, given a statement from its WHERE on.
func (k *Kind[M]) list(ctx context.Context, s *Store, req proto.Message, read func(ctx context.Context, q sqldb.Queryer, tail string, args ...any) ([]M, error)) (items []M, next string, err error) {
	r := request{req.ProtoReflect()}
	size, err := pageSize(r.int("page_size"), s.cfg)
	if err != nil {
		return nil, "", err
	}
	q, err := k.query(r)
	if err != nil {
		return nil, "", err
	}
	items, err = read(ctx, s.db.Read(), q.tail(size+1), q.args...)
	if err != nil {
		return nil, "", err
	}
	if len(items) > size {
		items = items[:size]
		next = k.pageToken(q, items[size-1])
	}
	return items, next, nil
}

// pageSize is a soft limit (AIP-158): too much is cut, only nonsense is refused.
func pageSize(asked int, cfg Config) (int, error) {
	switch {
	case asked < 0:
		return 0, fault.Invalid(ReasonInvalidPageSize, "page_size is %d, which is negative; leave it out or ask for at least one", asked).
			Field("page_size", "must not be negative")
	case asked == 0:
		return cfg.PageSize, nil
	default:
		return min(asked, cfg.MaxPageSize), nil
	}
}

// query is a List made into SQL: conditions over the kind's columns with
// placeholders, and the arguments for them.
type query struct {
	arguments
	where []string
	order []term
	sum   string // of all that a page token is bound to
}

// arguments numbers placeholders.
type arguments struct{ args []any }

// mark adds a value and answers its placeholder.
func (a *arguments) mark(value any) string {
	a.args = append(a.args, value)
	return fmt.Sprintf("$%d", len(a.args))
}

func (k *Kind[M]) query(r request) (*query, error) {
	parent, filter, orderBy := r.text("parent"), r.text("filter"), r.text("order_by")
	below, err := k.below(parent)
	if err != nil {
		return nil, err
	}
	q := &query{sum: checksum(k.table, parent, filter, orderBy)}
	// Names begin with their parent, so the primary key serves the list and its
	// order. The parent is said too, for tables that are clustered by it.
	q.where = append(q.where, q.prefix("name", below))
	if below == k.Name(parent, "") {
		q.where = append(q.where, "parent = "+q.mark(parent))
	}
	condition, err := k.filter(&q.arguments, filter)
	if err != nil {
		return nil, err
	}
	if condition != "" {
		q.where = append(q.where, condition)
	}
	if q.order, err = k.orderBy(orderBy); err != nil {
		return nil, err
	}
	return q, k.resume(q, r.text("page_token"))
}

// prefix is true for texts that begin with s: a range, because LIKE ignores
// case on SQLite and an index cannot serve it.
func (a *arguments) prefix(column, s string) string {
	condition := column + " >= " + a.mark(s)
	if end := after(s); end != "" {
		condition += " AND " + column + " < " + a.mark(end)
	}
	return "(" + condition + ")"
}

// after is the least text above all that begin with s; empty when there is none.
// Both databases compare bytes, and the order of UTF-8 bytes is that of code points.
func after(s string) string {
	runes := []rune(s)
	for i, last := range slices.Backward(runes) {
		if r := nextRune(last); r != 0 {
			return string(runes[:i]) + string(r)
		}
	}
	return ""
}

func nextRune(r rune) rune {
	switch r {
	case '\U0010FFFF':
		return 0
	case 0xD7FF: // surrogates are no text
		return 0xE000
	default:
		return r + 1
	}
}

// tail is the statement from WHERE on.
func (q *query) tail(limit int) string {
	terms := make([]string, len(q.order))
	for i, t := range q.order {
		terms[i] = t.column
		if t.desc {
			terms[i] += " DESC"
		}
	}
	return "WHERE " + strings.Join(q.where, " AND ") + " ORDER BY " + strings.Join(terms, ", ") + " LIMIT " + q.mark(limit)
}
