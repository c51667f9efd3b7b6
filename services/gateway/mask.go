package gateway

import (
	"net/http"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// spellMasks gives the field masks of a query the names of the contract. JSON
// spells a mask in camelCase, in which people see every field; the generated
// code splits the text of a query and takes it as it is.
func (b bindings) spellMasks(r *http.Request, template string) *http.Request {
	found, ok := b[r.Method+" "+template]
	if !ok || found.body == "" || found.body == "*" {
		return r
	}
	query := r.URL.Query()
	for key, values := range query {
		if fd := found.field(key); fd == nil || fd.Message() == nil || fd.Message().FullName() != maskName() {
			continue
		}
		resource := found.method.Input().Fields().ByName(protoreflect.Name(found.body)).Message()
		for i, value := range values {
			paths := strings.Split(value, ",")
			for j, path := range paths {
				paths[j] = spell(resource, path)
			}
			values[i] = strings.Join(paths, ",")
		}
		r = r.Clone(r.Context())
		r.URL.RawQuery = query.Encode()
	}
	return r
}

func maskName() protoreflect.FullName {
	return (*fieldmaskpb.FieldMask)(nil).ProtoReflect().Descriptor().FullName()
}

// spell returns a path with the names of the contract. What is no field stays
// as it is, and so do the keys of maps: the service words what is wrong with a path.
func spell(md protoreflect.MessageDescriptor, path string) string {
	name, rest, more := strings.Cut(path, ".")
	fd := md.Fields().ByJSONName(name)
	if fd == nil {
		fd = md.Fields().ByTextName(name)
	}
	if fd == nil {
		return path
	}
	name = string(fd.Name())
	switch {
	case !more:
		return name
	case fd.Message() == nil || fd.IsList() || fd.IsMap():
		return name + "." + rest
	default:
		return name + "." + spell(fd.Message(), rest)
	}
}
