package resource

import (
	"context"
	"database/sql"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// ListRows is [Kind.List] over rows that keep no message, of what is hot or
// counted: the same pages, filter and order. The selection is a text of the
// program's own, up to its WHERE, and names its table, or a derived one, as the
// kind does; it has the columns name, parent and those that filter and order_by
// know. The message that scan makes of a row has the values of those columns.
func (k *Kind[M]) ListRows(ctx context.Context, s *Store, req proto.Message, selection string, scan func(*sql.Rows) (M, error)) (items []M, next string, err error) {
	r := request{req.ProtoReflect()}
	size, err := pageSize(r.int("page_size"), s.cfg)
	if err != nil {
		return nil, "", err
	}
	q, err := k.query(r)
	if err != nil {
		return nil, "", err
	}
	rows, err := s.db.Read().QueryContext(ctx, selection+" "+q.tail(size+1), q.args...)
	items, err = sqldb.Collect(rows, err, scan)
	if err != nil {
		return nil, "", fmt.Errorf("list %s: %w", k.table, err)
	}
	if len(items) > size {
		items = items[:size]
		next = k.pageToken(q, items[size-1])
	}
	return items, next, nil
}
