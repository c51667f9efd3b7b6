package feed

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// Record is an event to be written.
type Record struct {
	// Resource is the full name of what changed, workspaces/{workspace}/….
	Resource string
	// Type is <service>.<noun>.<past participle>.
	Type string
	// Revision is the resource's after the change.
	Revision int64
	// Actor is the principal that caused the change, Cause the reason where one was given.
	Actor, Cause string
	// After is the resource after the change; nil when it was deleted.
	After proto.Message
	// Before is the SHA-256 of the bytes that were stored before; nil for a creation.
	Before []byte
	// Time is when it happened; now when zero.
	Time time.Time
}

// batches are the sizes of one INSERT: few, so that each stays a prepared statement.
func batches() []int { return []int{100, 10, 1} }

// Append writes records in the order given, in the caller's transaction.
func (l *Log) Append(ctx context.Context, tx *sqldb.Tx, records ...Record) error {
	if len(records) == 0 {
		return nil
	}
	for _, size := range batches() {
		for len(records) >= size {
			if err := insert(ctx, tx, records[:size]); err != nil {
				return err
			}
			records = records[size:]
		}
	}
	tx.AfterCommit(func() {
		hint(l.hinted)
		hint(l.dirty)
	})
	return nil
}

func insert(ctx context.Context, tx *sqldb.Tx, records []Record) error {
	const perRow = 9
	args := make([]any, 0, perRow*len(records))
	for _, record := range records {
		after, err := packed(record.After)
		if err != nil {
			return refused(fmt.Errorf("%s: %w", record.Resource, err))
		}
		at := record.Time
		if at.IsZero() {
			at = time.Now()
		}
		args = append(args, workspaceOf(record.Resource), record.Resource, record.Type, record.Revision,
			record.Actor, record.Cause, at.UnixMicro(), after, record.Before)
	}
	return tx.Queue(ctx, refused, "INSERT INTO events (workspace, resource, type, revision, actor, cause, at, after, before_digest) VALUES "+
		sqldb.Tuples(len(records), perRow), args...)
}

func refused(err error) error { return fmt.Errorf("append to the event log: %w", err) }

// packed is the bytes of an Any that holds the message; nil for none.
func packed(message proto.Message) ([]byte, error) {
	if message == nil {
		return nil, nil
	}
	options := proto.MarshalOptions{Deterministic: true}
	var value anypb.Any
	if err := anypb.MarshalFrom(&value, message, options); err != nil {
		return nil, err
	}
	return options.Marshal(&value)
}

// workspaceOf is the first two segments of a resource name.
func workspaceOf(resource string) string {
	first, rest, found := strings.Cut(resource, "/")
	if !found {
		return resource
	}
	second, _, _ := strings.Cut(rest, "/")
	return first + "/" + second
}
