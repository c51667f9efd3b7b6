package gateway

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/golive-dev/golive/pkg/fault"
	optionsv1 "github.com/golive-dev/golive/proto/golive/options/v1"
)

// binding is how one route fills its request message.
type binding struct {
	method protoreflect.MethodDescriptor
	body   string // "" none, "*" the whole message, or one field
	path   []string
}

// bindings are the routes of the contracts, by method and path template.
type bindings map[string]binding

// readBindings reads the HTTP annotations of every contract in the binary.
func readBindings() bindings {
	all := bindings{}
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if !strings.HasPrefix(string(file.Package()), "golive.") {
			return true
		}
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				rule, ok := proto.GetExtension(methods.Get(j).Options(), annotations.E_Http).(*annotations.HttpRule)
				if ok && rule != nil {
					all.add(methods.Get(j), rule)
				}
			}
		}
		return true
	})
	return all
}

func (b bindings) add(method protoreflect.MethodDescriptor, rule *annotations.HttpRule) {
	verb, template := "", ""
	switch p := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		verb, template = http.MethodGet, p.Get
	case *annotations.HttpRule_Post:
		verb, template = http.MethodPost, p.Post
	case *annotations.HttpRule_Patch:
		verb, template = http.MethodPatch, p.Patch
	case *annotations.HttpRule_Delete:
		verb, template = http.MethodDelete, p.Delete
	case *annotations.HttpRule_Put:
		verb, template = http.MethodPut, p.Put
	}
	found := binding{method: method, body: rule.GetBody()}
	for _, part := range strings.Split(template, "{")[1:] {
		found.path = append(found.path, part[:strings.IndexAny(part, "=}")])
	}
	b[verb+" "+template] = found
	for _, more := range rule.GetAdditionalBindings() {
		b.add(method, more)
	}
}

// open returns what the paths of routes begin with that need no credential.
func (b bindings) open() []string {
	var all []string
	for route, found := range b {
		access, ok := proto.GetExtension(found.method.Options(), optionsv1.E_Access).(*optionsv1.Access)
		if ok && access.GetPublic() {
			_, template, _ := strings.Cut(route, " ")
			begin, _, _ := strings.Cut(template, "{")
			all = append(all, begin)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// streamVerbs returns the custom verbs whose routes stream.
func (b bindings) streamVerbs() map[string]bool {
	verbs := map[string]bool{}
	for route, found := range b {
		if found.method.IsStreamingServer() {
			verbs[route[strings.LastIndexByte(route, ':')+1:]] = true
		}
	}
	return verbs
}

// checkQuery refuses query parameters that the generated code would silently drop or misread.
func (b bindings) checkQuery(method, template string, query url.Values) error {
	found, ok := b[method+" "+template]
	if !ok {
		return nil // a route of our own checks for itself
	}
	for key, values := range query {
		fd := found.field(key)
		if fd == nil {
			return fault.Invalid("UNKNOWN_FIELD", "%q is not a query parameter here; %s", key, found.takes()).
				Field(key, "is not a query parameter of "+method+" "+template)
		}
		if len(values) > 1 && !fd.IsList() {
			return fault.Invalid("INVALID_QUERY", "%q is given %d times; give it once", key, len(values)).Field(key, "given more than once")
		}
		for _, value := range values {
			if err := checkQueryValue(fd, key, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// field returns the request field that a query parameter names, nil if it names none.
func (b binding) field(key string) protoreflect.FieldDescriptor {
	if b.body == "*" {
		return nil
	}
	md := b.method.Input()
	var fd protoreflect.FieldDescriptor
	var path []string
	for name := range strings.SplitSeq(key, ".") {
		if md == nil {
			return nil
		}
		if fd = md.Fields().ByJSONName(name); fd == nil {
			fd = md.Fields().ByTextName(name)
		}
		if fd == nil {
			return nil
		}
		path = append(path, string(fd.Name()))
		if md = fd.Message(); fd.IsList() {
			md = nil
		}
	}
	if path[0] == b.body || slices.Contains(b.path, strings.Join(path, ".")) {
		return nil
	}
	return fd
}

func (b binding) takes() string {
	var names []string
	fields := b.method.Input().Fields()
	for i := range fields.Len() {
		if name := fields.Get(i).JSONName(); b.field(name) != nil {
			names = append(names, name)
		}
	}
	switch {
	case b.body == "*":
		return "this route takes everything in its JSON body"
	case len(names) == 0:
		return "this route takes none"
	default:
		return "this route takes " + strings.Join(names, ", ")
	}
}

func checkQueryValue(fd protoreflect.FieldDescriptor, key, value string) error {
	expected, fits := "", true
	switch fd.Kind() {
	case protoreflect.BoolKind:
		expected, fits = "true or false", value == "true" || value == "false"
	case protoreflect.EnumKind:
		expected = "one of " + strings.Join(enumNames(fd.Enum()), ", ")
		fits = fd.Enum().Values().ByName(protoreflect.Name(value)) != nil
	case protoreflect.Int32Kind, protoreflect.Int64Kind, protoreflect.Uint32Kind, protoreflect.Uint64Kind:
		expected, fits = expectedInteger(fd.Kind(), value)
	default: // text is text; what else there is, the generated code parses
	}
	if fits {
		return nil
	}
	return fault.Invalid("INVALID_QUERY", "%s must be %s, not %q; correct it and ask again", key, expected, value).Field(key, "must be "+expected)
}
