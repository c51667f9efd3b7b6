package store

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
)

// command is a request for a custom verb on one resource.
type command interface {
	proto.Message
	GetName() string
}

// tagged is a command that may carry the etag that the client has seen.
type tagged interface{ GetEtag() string }

// move carries a custom verb out: the row is locked, its etag checked where the
// client sent one, changed by fn, and saved with an event whose verb is the past participle given.
func move[M interface {
	proto.Message
	GetEtag() string
}](ctx context.Context, s *Store, kind *resource.Kind[M], req command, verb string, fn func(ctx context.Context, tx *sqldb.Tx, m M) error) (M, error) {
	var zero M
	if _, err := kind.Parse(req.GetName()); err != nil {
		return zero, err
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (M, error) {
		row, err := kind.LockRow(ctx, tx, req.GetName())
		if err != nil {
			return zero, err
		}
		if t, ok := req.(tagged); ok && t.GetEtag() != "" && t.GetEtag() != row.Message.GetEtag() {
			return zero, staleEtag(req.GetName(), row.Message.GetEtag())
		}
		if err := fn(ctx, tx, row.Message); err != nil {
			return zero, err
		}
		return row.Message, kind.Save(ctx, tx, s.Store, row.Message, row.Revision, resource.Meta{Verb: verb})
	})
}

func staleEtag(name, etag string) error {
	return fault.Conflict(resource.ReasonEtagMismatch, "%s has changed since you read it; read it again and repeat", name).Meta("etag", etag)
}
