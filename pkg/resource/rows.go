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
	return k.list(ctx, s, req, func(ctx context.Context, q sqldb.Queryer, tail string, args ...any) ([]M, error) {
		rows, err := q.QueryContext(ctx, selection+" "+tail, args...)
		items, err := sqldb.Collect(rows, err, scan)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", k.table, err)
		}
		return items, nil
	})
}
