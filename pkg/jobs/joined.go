package jobs

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/golive-dev/golive/pkg/sqldb"
)

var errJoined = errors.New("the transaction belongs to database/sql: it cannot be begun, committed or rolled back here")

// conn is pgx's connection by a name that leaves its own to the method below.
type conn = pgx.Conn

// joinedTx shows the connection below a database/sql transaction as a
// transaction of pgx, so that River writes in the transaction of the state
// change. Its end belongs to the one who began it.
type joinedTx struct{ *conn }

var _ pgx.Tx = joinedTx{}

func join(ctx context.Context, tx *sqldb.Tx) (pgx.Tx, error) {
	conn, err := tx.Conn(ctx)
	return joinedTx{conn}, err
}

// Begin is refused: River inserts without a savepoint.
func (joinedTx) Begin(context.Context) (pgx.Tx, error) { return nil, errJoined }

// Commit is refused.
func (joinedTx) Commit(context.Context) error { return errJoined }

// Rollback is refused.
func (joinedTx) Rollback(context.Context) error { return errJoined }

// LargeObjects are not available in a joined transaction.
func (joinedTx) LargeObjects() pgx.LargeObjects { return pgx.LargeObjects{} }

// Conn is the connection of the transaction.
func (j joinedTx) Conn() *pgx.Conn { return j.conn }
