package rpc

import (
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/golive-dev/golive/pkg/fault"
	optionsv1 "github.com/golive-dev/golive/proto/golive/options/v1"
)

// method is what the chain knows about one rpc. Everything that needs a name
// looked up is looked up here, once, so that a request costs only field reads.
type method struct {
	full       string // /golive.access.v1.AccessService/WhoAmI
	public     bool
	permission string
	resource   []protoreflect.FieldDescriptor // the path to the resource name; empty where none is declared
	path       string                         // the same as the contract writes it
	many       bool                           // the caller sends a stream of requests

	spanOptions []trace.SpanStartOption
	seconds     atomic.Pointer[prometheus.Observer]
	handled     [codes.Unauthenticated + 1]atomic.Pointer[prometheus.Counter]
}

// resolve reads the contract of a method from the descriptors linked into the program.
func resolve(service, name string) (*method, error) {
	full := "/" + service + "/" + name
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service + "." + name))
	if err != nil {
		return nil, fmt.Errorf("%s: no descriptor, so nobody can know who may call it: %w", full, err)
	}
	desc, ok := found.(protoreflect.MethodDescriptor)
	if !ok {
		return nil, fmt.Errorf("%s is a %T, not a method", full, found)
	}
	access, _ := proto.GetExtension(desc.Options(), optionsv1.E_Access).(*optionsv1.Access)
	m := &method{full: full, public: access.GetPublic(), permission: access.GetPermission(), path: access.GetResourceField(), many: desc.IsStreamingClient()}
	if m.public == (m.permission != "") {
		return nil, fmt.Errorf("%s: the option golive.options.v1.access must give a permission, or else say public", full)
	}
	if m.resource, err = fieldPath(desc.Input(), m.path); err != nil {
		return nil, fmt.Errorf("%s: resource_field: %w", full, err)
	}
	m.spanOptions = []trace.SpanStartOption{
		trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("rpc.system", "grpc"),
			attribute.String("rpc.service", service), attribute.String("rpc.method", name)),
	}
	return m, nil
}

// fieldPath resolves deployment.name to the fields on the way; the last must be a single string.
func fieldPath(message protoreflect.MessageDescriptor, path string) ([]protoreflect.FieldDescriptor, error) {
	if path == "" {
		return nil, nil
	}
	var fields []protoreflect.FieldDescriptor
	for name := range strings.SplitSeq(path, ".") {
		if message == nil {
			return nil, fmt.Errorf("%s: %s is in no message", path, name)
		}
		field := message.Fields().ByName(protoreflect.Name(name))
		if field == nil || field.IsList() || field.IsMap() {
			return nil, fmt.Errorf("%s: %s has no single field %s", path, message.FullName(), name)
		}
		fields, message = append(fields, field), field.Message()
	}
	if kind := fields[len(fields)-1].Kind(); kind != protoreflect.StringKind {
		return nil, fmt.Errorf("%s is a %s, not a string", path, kind)
	}
	return fields, nil
}

// workspace returns the workspace of the resource that the request names, or
// "" where the method belongs to none.
func (m *method) workspace(req any) (string, error) {
	if len(m.resource) == 0 {
		return "", nil
	}
	message, ok := req.(proto.Message)
	if !ok {
		return "", fault.Internal("INTERNAL", "the request is no message")
	}
	rest, ok := strings.CutPrefix(m.name(message), "workspaces/")
	workspace, _, _ := strings.Cut(rest, "/")
	if !ok || workspace == "" {
		return "", fault.Invalid("INVALID_FIELD", "%s must begin with workspaces/{workspace}; write the full name of the resource", m.path).
			Field(m.path, "must begin with workspaces/{workspace}")
	}
	return workspace, nil
}

// name is the resource name that the request addresses, for methods that declare one.
func (m *method) name(message proto.Message) string {
	at, last := message.ProtoReflect(), len(m.resource)-1
	for _, field := range m.resource[:last] {
		at = at.Get(field).Message() // an absent message is an empty one
	}
	return at.Get(m.resource[last]).String()
}
