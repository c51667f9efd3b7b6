package rpc

import (
	"context"
	"strings"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"

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
