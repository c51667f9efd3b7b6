package resource

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/sqldb"
)

// The verbs of the standard events.
const (
	verbCreated = "created"
	verbUpdated = "updated"
	verbDeleted = "deleted"
)

// Meta is what the event of a change says beside the change.
type Meta struct {
	// Actor is the principal; when empty, the one of the context.
	Actor string
	// Cause says why, where there is a reason.
	Cause string
	// Verb ends the event's type, a past participle; created, updated or deleted when empty.
	Verb string
}

// Insert stores a new resource under the name it has and appends the event. It
// fills uid, etag, the times and the revision. It checks the name's shape and
// nothing else: hooks and field rules are for what comes from a client.
func (k *Kind[M]) Insert(ctx context.Context, tx *sqldb.Tx, s *Store, m M, meta Meta) error {
	name, now := k.nameOf(m), s.Now()
	args, err := k.insertArgs(make([]any, 0, len(insertColumns)+1+len(k.columns)), m, now)
	if err != nil {
		return err
	}
	taken := func(err error) error { return k.taken(name, err) }
	if err := tx.Queue(ctx, taken, k.sql.insert, args...); err != nil {
		return err
	}
	if err := k.insertSets(ctx, tx, name, m); err != nil {
		return err
	}
	return k.append(ctx, tx, s, feed.Record{Resource: name, Revision: 1, After: m, Time: now}, meta, verbCreated)
}

// insertArgs makes m the first revision of its resource and appends its row.
func (k *Kind[M]) insertArgs(args []any, m M, now time.Time) ([]any, error) {
	name := k.nameOf(m)
	if _, err := k.Parse(name); err != nil {
		return nil, err
	}
	uid := uuid.NewString()
	setText(m.ProtoReflect(), k.managed.uid, uid)
	setTime(m.ProtoReflect(), k.managed.createTime, now)
	etag, data, err := k.seal(m, 1, now)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(data)
	args = append(args, name, parentOf(name), uid, int64(1), etag, now.UnixMicro(), now.UnixMicro(), digest[:], data)
	return k.derive(args, m), nil
}

// Save stores the next revision and appends the event, if the stored revision
// is still expect: REVISION_MISMATCH when somebody was faster, TERMINAL_STATE
// when what is stored is final, RESOURCE_NOT_FOUND when it is gone.
func (k *Kind[M]) Save(ctx context.Context, tx *sqldb.Tx, s *Store, m M, expect int64, meta Meta) error {
	return k.save(ctx, tx, s, m, expect, true, meta)
}

func (k *Kind[M]) save(ctx context.Context, tx *sqldb.Tx, s *Store, m M, expect int64, setsToo bool, meta Meta) error {
	name, now := k.nameOf(m), s.Now()
	etag, data, err := k.seal(m, expect+1, now)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(data)
	args := append(make([]any, 0, 8+len(k.columns)),
		name, expect, expect+1, etag, now.UnixMicro(), digest[:], data)
	var before []byte
	err = tx.QueryRowContext(ctx, k.sql.update, k.derive(args, m)...).Scan(&before)
	if errors.Is(err, sql.ErrNoRows) {
		return k.whyNot(ctx, tx, name, expect)
	}
	if err != nil {
		return k.taken(name, err)
	}
	if setsToo && len(k.sets) > 0 {
		if err := k.removeSets(ctx, tx, name); err != nil {
			return err
		}
		if err := k.insertSets(ctx, tx, name, m); err != nil {
			return err
		}
	}
	record := feed.Record{Resource: name, Revision: expect + 1, After: m, Before: before, Time: now}
	return k.append(ctx, tx, s, record, meta, verbUpdated)
}

// Remove deletes a resource and appends the event, whose revision is the one
// that comes next, so that no watcher takes it for one it has seen.
func (k *Kind[M]) Remove(ctx context.Context, tx *sqldb.Tx, s *Store, name string, meta Meta) error {
	record := feed.Record{Resource: name, Time: s.Now()}
	err := tx.QueryRowContext(ctx, k.sql.remove, name).Scan(&record.Revision, &record.Before)
	if errors.Is(err, sql.ErrNoRows) {
		return k.NotFound(name)
	}
	if err != nil {
		return fmt.Errorf("delete %s: %w", name, err)
	}
	record.Revision++
	if len(k.sets) > 0 {
		if err := k.removeSets(ctx, tx, name); err != nil {
			return err
		}
	}
	return k.append(ctx, tx, s, record, meta, verbDeleted)
}

func (k *Kind[M]) append(ctx context.Context, tx *sqldb.Tx, s *Store, r feed.Record, meta Meta, verb string) error {
	if meta.Verb != "" {
		verb = meta.Verb
	}
	r.Type = k.service + "." + k.noun + "." + verb
	r.Cause = meta.Cause
	if r.Actor = meta.Actor; r.Actor == "" {
		r.Actor = s.actor(ctx)
	}
	return s.log.Append(ctx, tx, r)
}

// whyNot finds out what kept a Save from finding its row.
func (k *Kind[M]) whyNot(ctx context.Context, tx *sqldb.Tx, name string, expect int64) error {
	var revision int64
	err := tx.QueryRowContext(ctx, k.sql.state, name).Scan(&revision)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return k.NotFound(name)
	case err != nil:
		return fmt.Errorf("save %s: %w", name, err)
	case revision == expect:
		return fault.Precondition(ReasonTerminal, "%s is in a final state; nothing changes it any more", name).
			Subject("STATE", name, "is final")
	default:
		return fault.Conflict(ReasonRevisionMismatch,
			"%s has revision %d, not %d; read it again and repeat the change", name, revision, expect)
	}
}

// taken turns a unique violation into ALREADY_EXISTS, naming the columns that
// must be unique where the constraint or index is named after them.
func (k *Kind[M]) taken(name string, err error) error {
	if !sqldb.IsUnique(err) {
		return fmt.Errorf("store %s: %w", name, err)
	}
	unique := strings.FieldsFunc(sqldb.UniqueName(err), func(r rune) bool { return r == '.' || r == ',' || r == ' ' })
	constraint := "_" + strings.TrimPrefix(strings.Join(unique, "_"), k.table+"_") + "_"
	var same []string
	for _, c := range k.columns {
		if strings.Contains(constraint, "_"+c.name+"_") {
			same = append(same, c.path)
		}
	}
	if len(same) == 0 {
		return fault.AlreadyExists(ReasonAlreadyExists, "%s %q exists already; get it, or choose another id", k.noun, name).
			Meta("resource", name).Cause(err)
	}
	what := strings.Join(same, " and ")
	f := fault.AlreadyExists(ReasonAlreadyExists, "another %s has the same %s; choose another", k.noun, what).
		Meta("resource", name).Cause(err)
	for _, path := range same {
		f = f.Field(k.field+"."+path, "is taken")
	}
	return f
}
