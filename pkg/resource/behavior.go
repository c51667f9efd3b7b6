package resource

import (
	"slices"
	"strconv"

	"go.einride.tech/aip/fieldbehavior"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/golive-dev/golive/pkg/fault"
)

// behavior is what google.api.field_behavior says about the fields of one
// message and of the messages in it, found once when a kind is defined.
// Branches without any annotation are pruned, so that walking costs only where there is something to do.
type behavior struct {
	outputOnly []protoreflect.FieldDescriptor
	immutable  []protoreflect.FieldDescriptor
	required   []protoreflect.FieldDescriptor
	nested     []nested
}

type nested struct {
	field protoreflect.FieldDescriptor
	*behavior
}

// behaviorOf builds the tree of md; seen ends the recursion of messages that contain themselves.
func behaviorOf(md protoreflect.MessageDescriptor, seen map[protoreflect.FullName]*behavior) *behavior {
	if known, ok := seen[md.FullName()]; ok {
		return known
	}
	b := &behavior{}
	seen[md.FullName()] = b
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		all := fieldbehavior.Get(fd)
		if slices.Contains(all, annotations.FieldBehavior_OUTPUT_ONLY) {
			b.outputOnly = append(b.outputOnly, fd)
			continue // what is below is the server's as well
		}
		if slices.Contains(all, annotations.FieldBehavior_IMMUTABLE) {
			b.immutable = append(b.immutable, fd)
		}
		if slices.Contains(all, annotations.FieldBehavior_REQUIRED) {
			b.required = append(b.required, fd)
		}
		if child := messageOf(fd); child != nil {
			if below := behaviorOf(child, seen); below == b || !below.empty() {
				b.nested = append(b.nested, nested{field: fd, behavior: below})
			}
		}
	}
	return b
}

func (b *behavior) empty() bool {
	return len(b.outputOnly)+len(b.immutable)+len(b.required)+len(b.nested) == 0
}

// messageOf is the message type that a field, a list or a map holds; nil when it holds scalars.
func messageOf(fd protoreflect.FieldDescriptor) protoreflect.MessageDescriptor {
	if fd.IsMap() {
		return fd.MapValue().Message()
	}
	return fd.Message()
}

// single says that a field holds exactly one message.
func single(fd protoreflect.FieldDescriptor) bool {
	return fd.Message() != nil && !fd.IsList() && !fd.IsMap()
}

// each calls fn for every message that the field of m holds now.
func each(m protoreflect.Message, fd protoreflect.FieldDescriptor, fn func(key string, child protoreflect.Message)) {
	if !m.Has(fd) {
		return
	}
	switch value := m.Get(fd); {
	case fd.IsMap():
		value.Map().Range(func(key protoreflect.MapKey, v protoreflect.Value) bool {
			fn("["+key.String()+"]", v.Message())
			return true
		})
	case fd.IsList():
		for i := range value.List().Len() {
			fn("["+strconv.Itoa(i)+"]", value.List().Get(i).Message())
		}
	default:
		fn("", value.Message())
	}
}

// clearOutputOnly removes what only the server may say, at every depth.
func (b *behavior) clearOutputOnly(m protoreflect.Message) {
	for _, fd := range b.outputOnly {
		m.Clear(fd)
	}
	for _, n := range b.nested {
		each(m, n.field, func(_ string, child protoreflect.Message) { n.clearOutputOnly(child) })
	}
}

// restore gives m what the server had said in old, after a client replaced a
// message as a whole. Elements of lists have no identity to restore by.
func (b *behavior) restore(m, old protoreflect.Message) {
	for _, fd := range b.outputOnly {
		if old.Has(fd) {
			m.Set(fd, old.Get(fd))
		} else {
			m.Clear(fd)
		}
	}
	for _, n := range b.nested {
		switch {
		case !m.Has(n.field) || !old.Has(n.field) || n.field.IsList():
		case n.field.IsMap():
			before := old.Get(n.field).Map()
			m.Get(n.field).Map().Range(func(key protoreflect.MapKey, v protoreflect.Value) bool {
				if before.Has(key) {
					n.restore(v.Message(), before.Get(key).Message())
				}
				return true
			})
		default:
			n.restore(m.Mutable(n.field).Message(), old.Get(n.field).Message())
		}
	}
}

// keepImmutable fills immutable fields that a client left out of a message it
// replaced as a whole: leaving out is not changing. Fields that the mask names are the client's word.
func (b *behavior) keepImmutable(m, old protoreflect.Message, path string, named func(path string) bool) {
	for _, fd := range b.immutable {
		if !m.Has(fd) && old.Has(fd) && !named(path+string(fd.Name())) && !otherMember(m, fd) {
			m.Set(fd, old.Get(fd))
		}
	}
	for _, n := range b.nested {
		if single(n.field) && m.Has(n.field) && old.Has(n.field) {
			n.keepImmutable(m.Mutable(n.field).Message(), old.Get(n.field).Message(), path+string(n.field.Name())+".", named)
		}
	}
}

// otherMember says that setting fd would push out another member of its oneof.
func otherMember(m protoreflect.Message, fd protoreflect.FieldDescriptor) bool {
	one := fd.ContainingOneof()
	return one != nil && !one.IsSynthetic() && m.WhichOneof(one) != nil
}

// violations collects one fault for everything that is wrong, so that a
// client mends it in one go.
type violations struct {
	reason, message string
	fault           *fault.Error
}

func (v *violations) add(path, why string) {
	if v.fault == nil {
		v.fault = fault.Invalid(v.reason, v.message, path)
	}
	v.fault = v.fault.Field(path, why)
}

func (v *violations) err() error {
	if v.fault == nil {
		return nil // a nil *fault.Error in an error would not be nil
	}
	return v.fault
}

// checkRequired wants every REQUIRED field set in every message that is there.
// A number or a boolean without presence is always set: nobody can tell 0 from absent.
func (b *behavior) checkRequired(m protoreflect.Message, path string, v *violations) {
	for _, fd := range b.required {
		if !m.Has(fd) && (fd.HasPresence() || fd.IsList() || fd.IsMap() || !numeric(fd)) {
			v.add(path+string(fd.Name()), "is required")
		}
	}
	for _, n := range b.nested {
		each(m, n.field, func(key string, child protoreflect.Message) {
			n.checkRequired(child, path+string(n.field.Name())+key+".", v)
		})
	}
}

func numeric(fd protoreflect.FieldDescriptor) bool {
	switch fd.Kind() {
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.EnumKind:
		return false
	default:
		return true
	}
}

// checkImmutable wants every IMMUTABLE field of old unchanged in m. Lists are
// immutable as a whole or not at all: their elements have no identity.
func (b *behavior) checkImmutable(m, old protoreflect.Message, path string, v *violations) {
	for _, fd := range b.immutable {
		if m.Has(fd) != old.Has(fd) || !m.Get(fd).Equal(old.Get(fd)) {
			v.add(path+string(fd.Name()), "cannot be changed after creation")
		}
	}
	for _, n := range b.nested {
		if single(n.field) && old.Has(n.field) {
			n.checkImmutable(m.Get(n.field).Message(), old.Get(n.field).Message(), path+string(n.field.Name())+".", v)
		}
	}
}

// settable is a copy of m with nothing but what a client may set: what an etag covers.
func (k *Kind[M]) settable(m M) M {
	c := proto.CloneOf(m)
	k.behavior.clearOutputOnly(c.ProtoReflect())
	k.managed.clear(c.ProtoReflect())
	return c
}
