package resource

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
)

const (
	// replayFor is how long an answer is kept.
	replayFor = 24 * time.Hour
	// maxRequestID has room for any kind of unique id.
	maxRequestID = 128
)

// errRaced says that the same request id is stored already.
var errRaced = errors.New("request id is stored already")

// replayKey is a request id in its scope, and what came with it.
type replayKey struct {
	workspace, method, principal, id string
	digest                           [sha256.Size]byte
}

func (s *Store) replayKey(ctx context.Context, r request, id string) (replayKey, error) {
	if len(id) > maxRequestID || strings.IndexByte(id, 0) >= 0 {
		return replayKey{}, fault.Invalid(ReasonInvalidRequestID,
			"request_id is not up to %d bytes of text; use a UUID", maxRequestID).
			Field("request_id", "must be a text of at most 128 bytes")
	}
	data, err := encode(r.Interface())
	if err != nil {
		return replayKey{}, fmt.Errorf("encode request: %w", err)
	}
	return replayKey{
		workspace: workspaceOf(r.subject()),
		method:    string(r.Descriptor().FullName()),
		principal: s.actor(ctx),
		id:        id,
		digest:    sha256.Sum256(data),
	}, nil
}

// replay returns what was answered under this key before. It reads outside of
// any transaction, so that SQLite's one writer does not wait for it.
func replay[R proto.Message](ctx context.Context, s *Store, key replayKey) (answer R, ok bool, err error) {
	var digest, data []byte
	err = s.db.Read().QueryRowContext(ctx,
		`SELECT digest, answer FROM request_ids
		WHERE workspace = $1 AND method = $2 AND principal = $3 AND request_id = $4 AND expire_time > $5`,
		key.workspace, key.method, key.principal, key.id, s.Now().UnixMicro()).Scan(&digest, &data)
	var none R
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return none, false, nil
	case err != nil:
		return none, false, fmt.Errorf("look up request id: %w", err)
	case !bytes.Equal(digest, key.digest[:]):
		return none, false, fault.Conflict(ReasonRequestIDReused,
			"request_id %q was used for another request in the last 24 hours; send a new id with a new request", clip(key.id)).
			Field("request_id", "was used for another request")
	}
	answer, _ = none.ProtoReflect().Type().New().Interface().(R)
	if err := proto.Unmarshal(data, answer); err != nil {
		return none, false, fmt.Errorf("decode stored answer: %w", err)
	}
	return answer, true, nil
}

// remember stores the answer last, in the transaction that made it: whoever
// stored the same id before or meanwhile has done the work, and this one is
// undone with errRaced.
func (s *Store) remember(ctx context.Context, tx *sqldb.Tx, key replayKey, answer proto.Message) error {
	if key.id == "" {
		return nil
	}
	data, err := encode(answer)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	refused := func(err error) error {
		if sqldb.IsUnique(err) {
			return errRaced
		}
		return fmt.Errorf("store request id: %w", err)
	}
	return tx.Queue(ctx, refused,
		`INSERT INTO request_ids (workspace, method, principal, request_id, digest, answer, expire_time)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		key.workspace, key.method, key.principal, key.id, key.digest[:], data, s.Now().Add(replayFor).UnixMicro())
}

// forget removes the answer under this key if its time is over.
func (s *Store) forget(ctx context.Context, key replayKey) error {
	err := s.db.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.ExecContext(ctx,
			`DELETE FROM request_ids
			WHERE workspace = $1 AND method = $2 AND principal = $3 AND request_id = $4 AND expire_time <= $5`,
			key.workspace, key.method, key.principal, key.id, s.Now().UnixMicro())
		return err
	})
	if err != nil {
		return fmt.Errorf("forget request id: %w", err)
	}
	return nil
}

// PurgeRequests forgets the answers whose time is over. It walks the key, a
// thousand entries in a transaction. Call it now and then; replay does not depend on it.
func (s *Store) PurgeRequests(ctx context.Context) (purged int64, err error) {
	from, more := replayKey{}, true
	for more && err == nil {
		var to replayKey
		if to, more, err = s.thousandth(ctx, from); err != nil {
			return purged, err
		}
		var some int64
		err = s.db.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			text := `DELETE FROM request_ids WHERE expire_time <= $1 AND (workspace, method, principal, request_id) > ($2, $3, $4, $5)`
			args := []any{s.Now().UnixMicro(), from.workspace, from.method, from.principal, from.id}
			if more {
				text += ` AND (workspace, method, principal, request_id) <= ($6, $7, $8, $9)`
				args = append(args, to.workspace, to.method, to.principal, to.id)
			}
			result, err := tx.ExecContext(ctx, text, args...)
			if err != nil {
				return fmt.Errorf("purge request ids: %w", err)
			}
			some, err = result.RowsAffected()
			return err
		})
		purged += some
		from = to
	}
	return purged, err
}

// thousandth is the key a thousand entries on; more is false when there are fewer.
func (s *Store) thousandth(ctx context.Context, from replayKey) (to replayKey, more bool, err error) {
	err = s.db.Read().QueryRowContext(ctx,
		`SELECT workspace, method, principal, request_id FROM request_ids
		WHERE (workspace, method, principal, request_id) > ($1, $2, $3, $4)
		ORDER BY workspace, method, principal, request_id LIMIT 1 OFFSET 999`,
		from.workspace, from.method, from.principal, from.id).Scan(&to.workspace, &to.method, &to.principal, &to.id)
	if errors.Is(err, sql.ErrNoRows) {
		return replayKey{}, false, nil
	}
	if err != nil {
		return replayKey{}, false, fmt.Errorf("purge request ids: %w", err)
	}
	return to, true, nil
}
