package delivery

import (
	"regexp"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// named finds names of resources in the middle of a text.
var named = regexp.MustCompile(`workspaces/[a-z0-9-]+(?:/[A-Za-z]+/[A-Za-z0-9_~-]+(?:[.][A-Za-z0-9_~-]+)*)+`)

// scrub is a message without the people whom it names: a task that is given to one of those who are to adopt says that it is given to somebody. Nor does
// one receiver learn where another one is: many a web address is a secret, and those of mailboxes are people's.
func scrub(m proto.Message) proto.Message {
	out := proto.Clone(m)
	if sub, ok := out.(*implementationv1.Subscription); ok {
		sub.Destination = nil
	}
	scrubMessage(out.ProtoReflect())
	return out
}

func scrubMessage(m protoreflect.Message) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.IsMap():
			if fd.MapValue().Kind() == protoreflect.StringKind {
				v.Map().Range(func(key protoreflect.MapKey, text protoreflect.Value) bool {
					v.Map().Set(key, protoreflect.ValueOfString(impersonal(text.String())))
					return true
				})
			}
			if fd.MapValue().Message() != nil {
				v.Map().Range(func(_ protoreflect.MapKey, inner protoreflect.Value) bool {
					scrubMessage(inner.Message())
					return true
				})
			}
		case fd.IsList():
			scrubList(fd, v.List())
		case fd.Message() != nil:
			scrubMessage(v.Message())
		case fd.Kind() == protoreflect.StringKind:
			m.Set(fd, protoreflect.ValueOfString(impersonal(v.String())))
		}
		return true
	})
}

func scrubList(fd protoreflect.FieldDescriptor, list protoreflect.List) {
	for i := range list.Len() {
		switch {
		case fd.Message() != nil:
			scrubMessage(list.Get(i).Message())
		case fd.Kind() == protoreflect.StringKind:
			list.Set(i, protoreflect.ValueOfString(impersonal(list.Get(i).String())))
		}
	}
}

// impersonal is a text without people, and without what is kept about them.
func impersonal(text string) string {
	return named.ReplaceAllStringFunc(text, func(name string) string {
		if PrivateResource(name) {
			return "somebody"
		}
		return name
	})
}
