package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

// page is how many resources one call asks for.
const page = 500

// call makes a unary call whose request is filled by fill.
func (c *client) call(ctx context.Context, k *kind.Kind, method protoreflect.MethodDescriptor, fill func(protoreflect.Message)) (protoreflect.Message, error) {
	if method == nil {
		return nil, &complaint{code: exitUsage, what: k.Plural + " cannot be changed in this way", fix: "see golive --help for the commands about them"}
	}
	req, err := newMessage(method.Input())
	if err != nil {
		return nil, err
	}
	resp, err := newMessage(method.Output())
	if err != nil {
		return nil, err
	}
	fill(req)
	conn := c.software
	if k.Implementation() {
		conn = c.people
	}
	return resp, conn.Invoke(ctx, kind.FullMethod(method), req.Interface(), resp.Interface())
}

func newMessage(d protoreflect.MessageDescriptor) (protoreflect.Message, error) {
	t, err := protoregistry.GlobalTypes.FindMessageByName(d.FullName())
	if err != nil {
		return nil, fmt.Errorf("message %s: %w", d.FullName(), err)
	}
	return t.New(), nil
}

// put sets a field, unless the request has none of that name.
func put(m protoreflect.Message, field protoreflect.Name, value any) {
	if f := m.Descriptor().Fields().ByName(field); f != nil {
		m.Set(f, protoreflect.ValueOf(value))
	}
}

func (c *client) fetch(ctx context.Context, k *kind.Kind, name string) (proto.Message, error) {
	m, err := c.call(ctx, k, k.Get, func(req protoreflect.Message) { put(req, "name", name) })
	if err != nil {
		return nil, err
	}
	return m.Interface(), nil
}

// query says which resources of a kind.
type query struct {
	parent, filter, order string
	limit                 int // 0 is no limit
}

// all reads the pages of a list; more tells whether the limit left some out.
func (c *client) all(ctx context.Context, k *kind.Kind, q query) (found []proto.Message, more bool, err error) {
	if k.List == nil {
		return nil, false, &complaint{code: exitUsage, what: k.Plural + " cannot be listed", fix: "golive get " + k.Singular + " NAME shows one"}
	}
	token := ""
	for {
		size := page
		if q.limit > 0 {
			size = min(size, q.limit-len(found))
		}
		resp, err := c.call(ctx, k, k.List, func(req protoreflect.Message) {
			put(req, "parent", q.parent)
			put(req, "filter", q.filter)
			put(req, "order_by", q.order)
			put(req, "page_size", int32(size)) //nolint:gosec // at most a page
			put(req, "page_token", token)
		})
		if err != nil {
			return nil, false, err
		}
		fields := resp.Descriptor().Fields()
		items := resp.Get(fields.ByNumber(1)).List()
		for i := range items.Len() {
			found = append(found, items.Get(i).Message().Interface())
		}
		token = resp.Get(fields.ByName("next_page_token")).String()
		if token == "" || q.limit > 0 && len(found) >= q.limit {
			return found, token != "", nil
		}
	}
}

func (c *client) create(ctx context.Context, k *kind.Kind, name string, m proto.Message, dryRun bool) (proto.Message, error) {
	resp, err := c.call(ctx, k, k.Create, func(req protoreflect.Message) {
		put(req, "parent", k.ParentOf(name))
		put(req, protoreflect.Name(k.Field()+"_id"), kind.ID(name))
		put(req, protoreflect.Name(k.Field()), m.ProtoReflect())
		put(req, "validate_only", dryRun)
	})
	if err != nil {
		return nil, err
	}
	return resp.Interface(), nil
}

func (c *client) update(ctx context.Context, k *kind.Kind, m proto.Message, mask []string, dryRun bool) (proto.Message, error) {
	resp, err := c.call(ctx, k, k.Update, func(req protoreflect.Message) {
		put(req, protoreflect.Name(k.Field()), m.ProtoReflect())
		put(req, "update_mask", (&fieldmaskpb.FieldMask{Paths: mask}).ProtoReflect())
		put(req, "validate_only", dryRun)
	})
	if err != nil {
		return nil, err
	}
	return resp.Interface(), nil
}

// printOne shows one resource.
func (c *client) printOne(k *kind.Kind, m proto.Message) error {
	switch c.format {
	case show.Table, show.Wide:
		return show.List(c.out, k, []proto.Message{m}, c.format == show.Wide, c.style, time.Now())
	case show.Name:
		return c.say("%s", nameOf(m))
	default:
		return show.Encode(c.out, c.format, m)
	}
}

// printAll shows resources of one kind.
func (c *client) printAll(k *kind.Kind, all []proto.Message) error {
	switch c.format {
	case show.Table, show.Wide:
		if len(all) == 0 {
			c.note("no %s", k.Plural)
			return nil
		}
		return show.List(c.out, k, all, c.format == show.Wide, c.style, time.Now())
	case show.Name:
		for _, m := range all {
			if err := c.say("%s", nameOf(m)); err != nil {
				return err
			}
		}
		return nil
	default:
		return show.EncodeList(c.out, c.format, all)
	}
}

func nameOf(m proto.Message) string {
	r := m.ProtoReflect()
	return r.Get(r.Descriptor().Fields().ByName("name")).String()
}

// absent tells whether an error says that a resource does not exist.
func absent(err error) bool { return fault.Is(err, fault.KindNotFound) }

func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read stdin: %w", err)
	}
	return data, nil
}
