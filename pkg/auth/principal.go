package auth

import (
	"context"
	"time"
)

// AllWorkspaces is the key of a grant that holds in every workspace.
const AllWorkspaces = "*"

// Principal is who a call comes from. It is shared between calls: never change one.
type Principal struct {
	// Name is the person or machine: users/alice, services/deployment,
	// workspaces/default/agents/host-1. Two tokens of one person carry one name,
	// so rules such as "not by yourself" compare it and nothing else.
	Name string
	// TokenID is what a revocation names; empty for a certificate.
	TokenID string
	// Grants holds the roles by workspace id; AllWorkspaces is every workspace.
	Grants map[string][]Role
	// Expires is when the credential ends.
	Expires time.Time
	// Issuer is who signed the credential.
	Issuer string
	// Scope narrows the credential; nil where it does not. May heeds its permissions;
	// that a request addresses its resource is for package rpc to see.
	Scope *Scope
}

// May tells whether the principal holds the permission in the workspace. The
// empty workspace stands for methods that belong to none: any grant counts.
func (p *Principal) May(workspace, permission string) bool {
	if p.Scope != nil && !p.Scope.lists(permission) {
		return false
	}
	if workspace == "" {
		for _, roles := range p.Grants {
			if anyAllows(roles, permission) {
				return true
			}
		}
		return false
	}
	return anyAllows(p.Grants[AllWorkspaces], permission) ||
		workspace != AllWorkspaces && anyAllows(p.Grants[workspace], permission)
}

// Holds tells whether the principal has everything that role gives in the
// workspace: the role itself or admin, there or everywhere. An agent is never
// implied: only a certificate makes one.
func (p *Principal) Holds(workspace string, role Role) bool {
	for _, w := range []string{workspace, AllWorkspaces} {
		for _, held := range p.Grants[w] {
			if held == role || held == Admin && role != Agent {
				return true
			}
		}
	}
	return false
}

func anyAllows(roles []Role, permission string) bool {
	for _, r := range roles {
		if Allows(r, permission) {
			return true
		}
	}
	return false
}

type principalKey struct{}

// NewContext returns a context that carries the principal.
func NewContext(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// FromContext returns the principal of a call; false where there is none, which
// behind package rpc is only so in methods declared public.
func FromContext(ctx context.Context) (*Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(*Principal)
	return p, ok && p != nil
}

// Actor names the principal of a request, as events say it; "" where there is none.
func Actor(ctx context.Context) string {
	if p, ok := FromContext(ctx); ok {
		return p.Name
	}
	return ""
}
