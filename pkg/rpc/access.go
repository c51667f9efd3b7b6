package rpc

import (
	"context"
	"strings"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
)

// authenticate finds the principal: by token, or else by the client certificate
// that the TLS stack has verified. Public methods have none, whatever is sent.
func (c *chain) authenticate(ctx context.Context, call *call) (context.Context, error) {
	if call.method.public {
		return ctx, nil
	}
	var (
		p   *auth.Principal
		err error
	)
	if header := metadata.ValueFromIncomingContext(ctx, "authorization"); len(header) > 0 {
		p, err = c.bearer(ctx, header)
	} else if call.peer != nil {
		if info, ok := call.peer.AuthInfo.(credentials.TLSInfo); ok {
			p, err = auth.FromTLS(&info.State)
		}
	}
	switch {
	case err != nil:
		return ctx, err
	case p == nil && strings.HasPrefix(call.method.permission, "agent."):
		return ctx, fault.Unauthenticated("CERTIFICATE_MISSING",
			"only an agent with its client certificate may call this; enrol it with a join token")
	case p == nil:
		return ctx, fault.Unauthenticated("TOKEN_MISSING",
			"this call needs a token; send the header authorization: Bearer <token>")
	}
	call.principal = p
	return auth.NewContext(ctx, p), nil
}

func (c *chain) bearer(ctx context.Context, header []string) (*auth.Principal, error) {
	scheme, token, _ := strings.Cut(header[0], " ")
	if len(header) != 1 || !strings.EqualFold(scheme, "bearer") {
		return nil, fault.Unauthenticated("TOKEN_INVALID", "the authorization header is not of the form Bearer <token>; send one such header")
	}
	return c.verifier.Verify(ctx, token)
}

// authorise asks for the method's permission in the workspace of the resource
// that the request names. Nothing is allowed that a grant does not allow.
func (c *chain) authorise(call *call, req any) error {
	m, p := call.method, call.principal
	if m.public {
		return nil
	}
	if p == nil {
		return denied(call, "")
	}
	if err := m.within(p, req); err != nil {
		return err
	}
	workspace, err := m.workspace(req)
	if err != nil {
		if !p.May("", m.permission) { // who may do this nowhere learns nothing about the request
			return denied(call, "")
		}
		return err
	}
	if !p.May(workspace, m.permission) {
		return denied(call, workspace)
	}
	return nil
}

// within refuses what a narrowed token may not touch. The addressed resource must
// be the scope's or below it, and so must every other that the request names: a
// list of names in a second field would else be a way around the first. A method that
// addresses none, and a stream of requests, are refused whole.
func (m *method) within(p *auth.Principal, req any) error {
	if p.Scope == nil || m.permission == "access.principals.get" {
		return nil
	}
	message, ok := req.(proto.Message)
	if !p.May("", m.permission) || !ok || len(m.resource) == 0 || m.many || !p.Scope.Covers(m.name(message)) || !scoped(message.ProtoReflect(), p.Scope) {
		return fault.Denied("TOKEN_SCOPE", "this token is good for %s on %s and what is below it alone; use a token without a scope",
			strings.Join(p.Scope.Permissions, ", "), p.Scope.Resource).
			Meta("scope", p.Scope.Resource)
	}
	return nil
}

// scoped tells whether every resource that a message names is covered. What
// cannot be looked into is not.
func scoped(m protoreflect.Message, scope *auth.Scope) bool {
	covered := m.Descriptor().FullName() != "google.protobuf.Any"
	m.Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case field.IsMap():
			v.Map().Range(func(key protoreflect.MapKey, value protoreflect.Value) bool {
				covered = covered && scopedValue(field.MapKey(), key.Value(), scope) && scopedValue(field.MapValue(), value, scope)
				return covered
			})
		case field.IsList():
			for i := range v.List().Len() {
				covered = covered && scopedValue(field, v.List().Get(i), scope)
			}
		default:
			covered = covered && scopedValue(field, v, scope)
		}
		return covered
	})
	return covered
}

func scopedValue(field protoreflect.FieldDescriptor, v protoreflect.Value, scope *auth.Scope) bool {
	switch field.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return scoped(v.Message(), scope)
	case protoreflect.StringKind:
		return !strings.HasPrefix(v.String(), "workspaces/") || scope.Covers(v.String())
	default:
		return true
	}
}

func denied(call *call, workspace string) error {
	name, where := "nobody", "any workspace"
	if call.principal != nil {
		name = call.principal.Name
	}
	if workspace != "" {
		where = "workspaces/" + workspace
	}
	return fault.Denied("PERMISSION_DENIED", "%s lacks the permission %s in %s; ask an administrator for a role that has it",
		name, call.method.permission, where).Meta("permission", call.method.permission)
}
