package resource

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/golive-dev/golive/pkg/fault"
)

// request reads the standard fields of a request by the names that AIP gives
// them. A field that the request does not have reads as not set.
type request struct{ protoreflect.Message }

func (r request) field(name string, kind protoreflect.Kind) protoreflect.FieldDescriptor {
	fd := r.Descriptor().Fields().ByName(protoreflect.Name(name))
	if fd == nil || fd.Kind() != kind || fd.Cardinality() == protoreflect.Repeated {
		return nil
	}
	return fd
}

func (r request) text(name string) string {
	if fd := r.field(name, protoreflect.StringKind); fd != nil {
		return r.Get(fd).String()
	}
	return ""
}

func (r request) bool(name string) bool {
	fd := r.field(name, protoreflect.BoolKind)
	return fd != nil && r.Get(fd).Bool()
}

func (r request) int(name string) int {
	if fd := r.field(name, protoreflect.Int32Kind); fd != nil {
		return int(r.Get(fd).Int())
	}
	return 0
}

// mask answers the paths of update_mask.
func (r request) mask() []string {
	if fd := r.field("update_mask", protoreflect.MessageKind); fd != nil {
		if mask, ok := r.Get(fd).Message().Interface().(*fieldmaskpb.FieldMask); ok {
			return mask.GetPaths()
		}
	}
	return nil
}

// subject is the resource that a request is about, for its workspace: name,
// parent, or the name of the resource that an Update carries.
func (r request) subject() string {
	for _, field := range []string{"name", "parent"} {
		if name := r.text(field); name != "" {
			return name
		}
	}
	for i := range r.Descriptor().Fields().Len() {
		fd := r.Descriptor().Fields().Get(i)
		if !single(fd) || !r.Has(fd) {
			continue
		}
		if name := (request{r.Get(fd).Message()}).text("name"); name != "" {
			return name
		}
	}
	return ""
}

// input is a copy of the resource in a Create or Update, so that the request stays as it came.
func (k *Kind[M]) input(r request) (M, error) {
	fd := r.field(k.field, protoreflect.MessageKind)
	if fd == nil || fd.Message() != k.desc {
		panic(string(r.Descriptor().FullName()) + " has no field " + k.field + " of type " + string(k.desc.FullName()))
	}
	m, ok := r.Get(fd).Message().Interface().(M)
	if !ok || !r.Has(fd) {
		var none M
		return none, fault.Invalid(ReasonRequired, "the request carries no %s; set it and send the request again", k.noun).Field(k.field, "is required")
	}
	return proto.CloneOf(m), nil
}
