package resource

import (
	"context"
	"errors"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
)

// change is an Update request, read and checked as far as it can be without the stored resource.
type change[M proto.Message] struct {
	name, etag   string
	input        M
	paths        []string
	mask         [][]step
	allowMissing bool
}

// Update answers an Update request: <noun> with its name and etag, update_mask,
// allow_missing, request_id and validate_only. What changes nothing stores
// nothing: no revision, no event.
func (k *Kind[M]) Update(ctx context.Context, s *Store, req proto.Message) (M, error) {
	c, err := k.change(request{req.ProtoReflect()})
	if err != nil {
		var none M
		return none, err
	}
	return Do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (M, error) {
		row, err := k.LockRow(ctx, tx, c.name)
		if c.allowMissing && fault.Is(err, fault.KindNotFound) {
			return k.createMissing(ctx, tx, s, c)
		}
		if err != nil {
			return row.Message, err
		}
		if err := k.checkEtag(c.name, c.etag, row.Message); err != nil {
			return row.Message, err
		}
		return k.update(ctx, tx, s, c, row)
	})
}

func (k *Kind[M]) change(r request) (c change[M], err error) {
	if c.input, err = k.input(r); err != nil {
		return c, err
	}
	c.name = k.nameOf(c.input)
	if _, err := k.Parse(c.name); err != nil {
		return c, err
	}
	c.paths = r.mask()
	if c.mask, err = parseMask(k.desc, c.paths); err != nil {
		return c, err
	}
	c.etag = text(c.input.ProtoReflect(), k.managed.etag)
	c.allowMissing = r.bool("allow_missing")
	k.behavior.clearOutputOnly(c.input.ProtoReflect())
	k.managed.clear(c.input.ProtoReflect())
	return c, nil
}

// createMissing is an Update with allow_missing of what is not there (AIP-134): the mask does not matter.
func (k *Kind[M]) createMissing(ctx context.Context, tx *sqldb.Tx, s *Store, c change[M]) (M, error) {
	m := proto.CloneOf(c.input)
	if c.etag != "" {
		return m, k.staleEtag(c.name, "does not exist any more")
	}
	err := errors.Join(k.checkParent(parentOf(c.name)), k.checkID(c.name[strings.LastIndexByte(c.name, '/')+1:]))
	if err != nil {
		return m, err
	}
	return m, k.create(ctx, tx, s, c.name, m)
}

func (k *Kind[M]) update(ctx context.Context, tx *sqldb.Tx, s *Store, c change[M], row Row[M]) (M, error) {
	old := row.Message
	m, err := k.merge(c, old)
	if err != nil {
		return m, err
	}
	if hook := k.spec.Hooks.Validate; hook != nil {
		if err := hook(ctx, tx, old, m); err != nil {
			return m, err
		}
	}
	if err := k.derivable(m); err != nil {
		return m, err
	}
	if proto.Equal(m, old) {
		return old, nil
	}
	setsChanged := !slices.Equal(k.members(old), k.members(m))
	if err := k.save(ctx, tx, s, m, row.Revision, setsChanged, Meta{}); err != nil {
		return m, err
	}
	if hook := k.spec.Hooks.AfterWrite; hook != nil {
		return m, hook(ctx, tx, old, m)
	}
	return m, nil
}

// merge is what the resource becomes: the old one, with what the client may
// say and said, checked against REQUIRED and IMMUTABLE.
func (k *Kind[M]) merge(c change[M], old M) (M, error) {
	m, input := proto.CloneOf(old), proto.CloneOf(c.input) // what is set by reference below belongs to m alone
	keep := proto.CloneOf(old).ProtoReflect()
	r := m.ProtoReflect()
	applyMask(r, input.ProtoReflect(), c.paths, c.mask)
	k.behavior.restore(r, keep)
	k.behavior.keepImmutable(r, keep, "", func(path string) bool { return slices.Contains(c.paths, path) })
	k.managed.carry(r, keep)
	if fd := k.managed.etag; fd != nil {
		setText(r, fd, text(keep, fd))
	}

	changed := violations{reason: ReasonImmutable, message: "%s cannot be changed after creation; leave it out, or create another " + k.noun}
	k.behavior.checkImmutable(r, keep, k.field+".", &changed)
	missing := violations{reason: ReasonRequired, message: "%s is required; it cannot be removed"}
	k.behavior.checkRequired(r, k.field+".", &missing)
	if err := changed.err(); err != nil {
		return m, err
	}
	return m, missing.err()
}

// checkEtag refuses a change that was made from another state than the stored one. No etag, no check.
func (k *Kind[M]) checkEtag(name, etag string, stored M) error {
	if etag == "" {
		return nil
	}
	current, err := k.etag(stored)
	if err != nil || strings.Trim(etag, `"`) == strings.Trim(current, `"`) {
		return err
	}
	return k.staleEtag(name, "was changed since you read it")
}

func (k *Kind[M]) staleEtag(name, what string) error {
	return fault.Conflict(ReasonEtagMismatch, "%s %s; get it again and repeat the change", name, what).Meta("resource", name)
}
