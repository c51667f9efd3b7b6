package resource

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// Create answers a Create request: parent, <noun>, <noun>_id, request_id and validate_only.
func (k *Kind[M]) Create(ctx context.Context, s *Store, req proto.Message) (M, error) {
	var none M
	r := request{req.ProtoReflect()}
	input, err := k.input(r)
	if err != nil {
		return none, err
	}
	parent := r.text("parent")
	if err := k.checkParent(parent); err != nil {
		return none, err
	}
	id := r.text(k.field + "_id")
	if id == "" {
		id = k.newID()
	} else if err := k.checkID(id); err != nil {
		return none, err
	}
	return Do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (M, error) {
		m := proto.CloneOf(input) // again for every run
		return m, k.create(ctx, tx, s, k.Name(parent, id), m)
	})
}

// create takes what a client sent through all checks into the table.
func (k *Kind[M]) create(ctx context.Context, tx *sqldb.Tx, s *Store, name string, m M) error {
	var none M
	r := m.ProtoReflect()
	k.behavior.clearOutputOnly(r)
	k.managed.clear(r)
	setText(r, k.managed.name, name)
	if k.spec.Parent != nil {
		if err := k.spec.Parent(ctx, tx, parentOf(name)); err != nil {
			return err
		}
	}
	if hook := k.spec.Hooks.Default; hook != nil {
		if err := hook(ctx, tx, m); err != nil {
			return err
		}
	}
	missing := violations{reason: ReasonRequired, message: "%s is required; set it and send the request again"}
	k.behavior.checkRequired(r, k.field+".", &missing)
	if err := missing.err(); err != nil {
		return err
	}
	if hook := k.spec.Hooks.Validate; hook != nil {
		if err := hook(ctx, tx, none, m); err != nil {
			return err
		}
	}
	if err := k.derivable(m); err != nil {
		return err
	}
	if err := k.Insert(ctx, tx, s, m, Meta{}); err != nil {
		return err
	}
	if hook := k.spec.Hooks.AfterWrite; hook != nil {
		return hook(ctx, tx, none, m)
	}
	return nil
}
