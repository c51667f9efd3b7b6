package resource

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
)

// Row is a resource with what is kept beside its message.
type Row[M proto.Message] struct {
	Message M
	// Revision counts the changes, from 1; [Kind.Save] compares it.
	Revision int64
	// Digest is the SHA-256 of the stored bytes.
	Digest []byte
}

// texts are the statements of a kind, written once.
type texts struct {
	exists, load, insert, update, remove, state string
}

// The fixed columns of an insert, before [terminal] and the declared ones.
var insertColumns = []string{"name", "parent", "uid", "revision", "etag", "create_time", "update_time", "digest", "message"}

func (k *Kind[M]) texts() texts {
	derived := make([]string, 0, len(k.columns)+1)
	guard := ""
	if k.spec.Terminal != nil {
		derived = append(derived, "terminal")
		guard = " AND terminal = 0"
	}
	for _, c := range k.columns {
		derived = append(derived, c.name)
	}
	inserted := append(slices.Clone(insertColumns), derived...)
	assign := []string{
		"revision = $3", "etag = $4", "update_time = $5", "before_digest = digest", "digest = $6", "message = $7",
	}
	for i, name := range derived {
		assign = append(assign, fmt.Sprintf("%s = $%d", name, i+8))
	}
	return texts{
		exists: "SELECT 1 FROM " + k.table + " WHERE name = $1",
		load:   "SELECT message, revision, digest FROM " + k.table + " WHERE name = $1",
		state:  "SELECT revision FROM " + k.table + " WHERE name = $1",
		insert: "INSERT INTO " + k.table + " (" + strings.Join(inserted, ", ") + ") VALUES " + sqldb.Tuples(1, len(inserted)),
		// What was the digest becomes before_digest in the same statement, which
		// answers it: the event needs it, and reading it first would cost a round trip.
		update: "UPDATE " + k.table + " SET " + strings.Join(assign, ", ") +
			" WHERE name = $1 AND revision = $2" + guard + " RETURNING before_digest",
		remove: "DELETE FROM " + k.table + " WHERE name = $1 RETURNING revision, digest",
	}
}

// derivable refuses texts that PostgreSQL cannot keep in a column. In the
// message they would do no harm, but a column must hold what the message says.
func (k *Kind[M]) derivable(m M) error {
	refused := violations{reason: ReasonInvalidField, message: "%s has a zero byte; remove it"}
	for _, c := range k.columns {
		if s, ok := c.value(m).(string); ok && strings.IndexByte(s, 0) >= 0 {
			refused.add(k.field+"."+c.path, "has a zero byte")
		}
	}
	for _, one := range k.members(m) {
		if strings.IndexByte(one.key+one.value, 0) >= 0 {
			refused.add(k.field+"."+one.field, "has a zero byte")
		}
	}
	return refused.err()
}

// derive appends what the declared columns say about m.
func (k *Kind[M]) derive(args []any, m M) []any {
	if k.spec.Terminal != nil {
		args = append(args, boolInt(k.spec.Terminal(m)))
	}
	for _, c := range k.columns {
		args = append(args, c.value(m))
	}
	return args
}

// encode is the one way to bytes. Map keys are sorted, so that equal messages
// have equal bytes within one build; across builds only the stored digest counts.
func encode(m proto.Message) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}

func (k *Kind[M]) decode(data []byte) (M, error) {
	m := k.newMessage()
	if err := proto.Unmarshal(data, m); err != nil {
		return m, fmt.Errorf("decode %s: %w", k.noun, err)
	}
	return m, nil
}

// etag is strong over what a client may set, and never the same for two
// resources that had one name after each other. What the server writes does not
// change it: an engine at work must not make every edit of a person stale.
func (k *Kind[M]) etag(m M) (string, error) {
	data, err := encode(k.settable(m))
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	sum.Write([]byte(text(m.ProtoReflect(), k.managed.uid)))
	sum.Write(data)
	return `"` + base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:15]) + `"`, nil
}

// seal sets what changes with every revision and returns the bytes to store.
func (k *Kind[M]) seal(m M, revision int64, now time.Time) (etag string, data []byte, err error) {
	r := m.ProtoReflect()
	setTime(r, k.managed.updateTime, now)
	if k.managed.revision != nil {
		r.Set(k.managed.revision, protoreflect.ValueOfInt64(revision))
	}
	if etag, err = k.etag(m); err != nil {
		return "", nil, fmt.Errorf("encode %s: %w", k.noun, err)
	}
	setText(r, k.managed.etag, etag)
	if data, err = encode(m); err != nil {
		return "", nil, fmt.Errorf("encode %s: %w", k.noun, err)
	}
	return etag, data, nil
}

// Load reads one resource, or answers RESOURCE_NOT_FOUND.
func (k *Kind[M]) Load(ctx context.Context, q sqldb.Queryer, name string) (M, error) {
	row, err := k.LoadRow(ctx, q, name)
	return row.Message, err
}

// LoadRow is [Kind.Load] with the revision that [Kind.Save] wants back.
func (k *Kind[M]) LoadRow(ctx context.Context, q sqldb.Queryer, name string) (Row[M], error) {
	return k.loadRow(ctx, q, name, "")
}

// LockRow is [Kind.LoadRow] and keeps others from changing the row until the
// commit, so that a Save of its revision cannot fail. SQLite's write transaction does so anyway.
func (k *Kind[M]) LockRow(ctx context.Context, tx *sqldb.Tx, name string) (Row[M], error) {
	lock := ""
	if tx.Dialect() == sqldb.Postgres {
		lock = " FOR NO KEY UPDATE" // lets children be created under it meanwhile
	}
	return k.loadRow(ctx, tx, name, lock)
}

// Lock is [Kind.LockRow] without the revision.
func (k *Kind[M]) Lock(ctx context.Context, tx *sqldb.Tx, name string) (M, error) {
	row, err := k.LockRow(ctx, tx, name)
	return row.Message, err
}

func (k *Kind[M]) loadRow(ctx context.Context, q sqldb.Queryer, name, lock string) (row Row[M], err error) {
	var data []byte
	err = q.QueryRowContext(ctx, k.sql.load+lock, name).Scan(&data, &row.Revision, &row.Digest)
	if errors.Is(err, sql.ErrNoRows) {
		return Row[M]{}, k.NotFound(name)
	}
	if err != nil {
		return Row[M]{}, fmt.Errorf("load %s: %w", name, err)
	}
	row.Message, err = k.decode(data)
	return row, err
}

// LoadMany reads those of the names that exist, by name.
func (k *Kind[M]) LoadMany(ctx context.Context, q sqldb.Queryer, names []string) (map[string]M, error) {
	const most = 500 // placeholders in one statement
	found := make(map[string]M, len(names))
	for chunk := range slices.Chunk(names, most) {
		all, err := k.Select(ctx, q, "WHERE name IN ("+sqldb.Marks(1, len(chunk))+")", sqldb.Texts(chunk)...)
		if err != nil {
			return nil, err
		}
		for _, m := range all {
			found[k.nameOf(m)] = m
		}
	}
	return found, nil
}

// Select reads what the rest of the statement says: "WHERE parent = $1 AND
// state = $2 ORDER BY name LIMIT 10". It is a text of the program's own, over
// the kind's columns; what a client says goes into args only.
func (k *Kind[M]) Select(ctx context.Context, q sqldb.Queryer, rest string, args ...any) ([]M, error) {
	rows, err := q.QueryContext(ctx, "SELECT message FROM "+k.table+" "+rest, args...)
	all, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (M, error) {
		var data sql.RawBytes
		if err := rows.Scan(&data); err != nil {
			var none M
			return none, err
		}
		return k.decode(data)
	})
	if err != nil {
		return nil, fmt.Errorf("select %s: %w", k.table, err)
	}
	return all, nil
}

// SelectRows is [Kind.Select] with revisions.
func (k *Kind[M]) SelectRows(ctx context.Context, q sqldb.Queryer, rest string, args ...any) ([]Row[M], error) {
	rows, err := q.QueryContext(ctx, "SELECT message, revision, digest FROM "+k.table+" "+rest, args...)
	all, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (row Row[M], err error) {
		var data sql.RawBytes
		if err := rows.Scan(&data, &row.Revision, &row.Digest); err != nil {
			return row, err
		}
		row.Message, err = k.decode(data)
		return row, err
	})
	if err != nil {
		return nil, fmt.Errorf("select %s: %w", k.table, err)
	}
	return all, nil
}

// NotFound is the answer about a name that nothing has. The standard methods give it
// by themselves; rows that keep no message need it.
func (k *Kind[M]) NotFound(name string) error {
	return fault.NotFound(ReasonNotFound, "%s %q does not exist; list what there is and check the name", k.noun, clip(name)).
		Meta("resource", clip(name))
}
