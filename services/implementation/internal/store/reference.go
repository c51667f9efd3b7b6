package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
)

// The reasons of faults about what one resource says of another.
const (
	ReasonReferenceNotFound = "REFERENCE_NOT_FOUND"
	ReasonOtherWorkspace    = "OTHER_WORKSPACE"
	ReasonInUse             = "RESOURCE_IN_USE"
)

// chunk is how many names one statement asks for.
const chunk = 500

// Workspace is the first two segments of a name.
func Workspace(name string) string {
	parts := strings.SplitN(name, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}

// parent is a well-formed name without its collection and id.
func parent(name string) string { return path.Dir(path.Dir(name)) }

// reference holds what the field of a resource says against what there is: a
// well-formed name, of the owner's workspace, of something that exists and will
// until the commit.
func reference[M proto.Message](ctx context.Context, tx *sqldb.Tx, kind *resource.Kind[M], owner, field, name string) error {
	if err := shape(kind, owner, field, name); err != nil {
		return err
	}
	err := kind.Required(ctx, tx, name)
	if fault.Is(err, fault.KindNotFound) {
		return dangling(field, name)
	}
	return err
}

func shape[M proto.Message](kind *resource.Kind[M], owner, field, name string) error {
	if _, err := kind.Parse(name); err != nil {
		return fault.Invalid(resource.ReasonInvalidName, "%s names %s, which cannot be: %v; correct it and send the request again", field, quoted(name), err).
			Field(field, "has another shape")
	}
	if Workspace(name) != Workspace(owner) {
		return fault.Invalid(ReasonOtherWorkspace, "%s names %s, which is of another workspace; name one of %s",
			field, quoted(name), Workspace(owner)).Field(field, "is of another workspace")
	}
	return nil
}

func dangling(field, name string) error {
	return fault.Invalid(ReasonReferenceNotFound, "%s names %s, which does not exist; create it first or correct the name",
		field, quoted(name)).Field(field, "does not exist").Meta("resource", name)
}

// existing answers which of the names a table has, and keeps those until the commit.
func existing(ctx context.Context, tx *sqldb.Tx, table string, names []string) (map[string]bool, error) {
	found := make(map[string]bool, len(names))
	lock := ""
	if tx.Dialect() == sqldb.Postgres {
		lock = " ORDER BY name FOR KEY SHARE"
	}
	for part := range slices.Chunk(names, chunk) {
		rows, err := tx.QueryContext(ctx, "SELECT name FROM "+table+" WHERE name IN ("+sqldb.Marks(1, len(part))+")"+lock, sqldb.Texts(part)...)
		some, err := sqldb.Collect(rows, err, scanText)
		if err != nil {
			return nil, fmt.Errorf("look up %s: %w", table, err)
		}
		for _, name := range some {
			found[name] = true
		}
	}
	return found, nil
}

// unused refuses with RESOURCE_IN_USE when the query finds somebody who needs the resource.
func unused(ctx context.Context, tx *sqldb.Tx, name, query string, args ...any) error {
	var user string
	err := tx.QueryRowContext(ctx, query, args...).Scan(&user)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("who uses %s: %w", name, err)
	}
	return inUse(name, user)
}

func inUse(name, user string) error {
	return fault.Precondition(ReasonInUse, "%s is needed by %s; remove that first", name, user).
		Subject("IN_USE", name, "is needed by "+user)
}

func scanText(rows *sql.Rows) (text string, err error) { return text, rows.Scan(&text) }

// micros is a time as it is stored; 0 where it is not set.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// moment is a field of time as Go has it; zero where it is not set.
func moment(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// quoted keeps what a client sent short in what is sent back.
func quoted(s string) string {
	const most = 200
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return fmt.Sprintf("%q", s)
}

// samePlan holds a name in a part of a plan against that plan: well-formed, and of the same implementation.
func samePlan[M proto.Message](kind *resource.Kind[M], owner, field, name string) error {
	if err := shape(kind, owner, field, name); err != nil {
		return err
	}
	if parent(name) != parent(owner) {
		return fault.Invalid(ReasonOtherPlan, "%s names %s, which is of another implementation; name one of %s", field, quoted(name), parent(owner)).
			Field(field, "is of another implementation")
	}
	return nil
}
