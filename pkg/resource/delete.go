package resource

import (
	"context"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
)

// Delete answers a Delete request: name, etag, allow_missing, request_id and validate_only.
func (k *Kind[M]) Delete(ctx context.Context, s *Store, req proto.Message) (*emptypb.Empty, error) {
	r := request{req.ProtoReflect()}
	name := r.text("name")
	if _, err := k.Parse(name); err != nil {
		return nil, err
	}
	return Do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*emptypb.Empty, error) {
		done := &emptypb.Empty{}
		lock := ""
		if tx.Dialect() == sqldb.Postgres {
			lock = " FOR UPDATE" // waits for those who create children under it
		}
		row, err := k.loadRow(ctx, tx, name, lock)
		if r.bool("allow_missing") && fault.Is(err, fault.KindNotFound) {
			return done, nil
		}
		if err != nil {
			return nil, err
		}
		if err := k.checkEtag(name, r.text("etag"), row.Message); err != nil {
			return nil, err
		}
		if hook := k.spec.Hooks.BeforeDelete; hook != nil {
			if err := hook(ctx, tx, row.Message); err != nil {
				return nil, err
			}
		}
		return done, k.Remove(ctx, tx, s, name, Meta{})
	})
}
