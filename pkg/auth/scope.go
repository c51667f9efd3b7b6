package auth

import (
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/golive-dev/golive/pkg/fault"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
)

// Scope narrows a token to some permissions on one resource and what is below
// it. It takes away and never gives: the grants must allow the call too.
type Scope struct {
	// Resource is a full name below a workspace.
	Resource string `json:"resource"`
	// Permissions are the only ones that count.
	Permissions []string `json:"permissions"`
}

// Covers tells whether the name is the scope's resource or below it. Names are
// compared by whole segments, and one that could mean another place covers nothing.
func (s *Scope) Covers(name string) bool {
	rest, ok := strings.CutPrefix(name, s.Resource)
	return ok && (rest == "" || rest[0] == '/') && plain(name)
}

// plain tells whether every segment of a name stands for itself. The wildcard of
// lists does, below a resource: whatever it matches is below it too.
func plain(name string) bool {
	for segment := range strings.SplitSeq(name, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// lists tells whether the scope has the permission. Everybody may ask who they are.
func (s *Scope) lists(permission string) bool {
	return slices.Contains(s.Permissions, permission) || classify(permission) == whoami
}

// scopeOf reads a requested scope, and refuses one that no call could ever use
// or that would let the token beget others.
func scopeOf(asked *accessv1.TokenScope, grants map[string][]Role) (*Scope, error) {
	if asked == nil {
		return nil, nil //nolint:nilnil // most tokens have none
	}
	s := &Scope{Resource: asked.GetResource(), Permissions: asked.GetPermissions()}
	segments := strings.Split(s.Resource, "/")
	if slices.Contains(segments, "-") || !plain(s.Resource) {
		return nil, fault.Invalid("SCOPE_INVALID", "a scope names one resource, not %q; write its full name without wildcards", s.Resource).
			Field("scope.resource", "is not the name of one resource")
	}
	holder := &Principal{Grants: grants}
	for _, permission := range s.Permissions {
		if strings.HasPrefix(permission, "access.") {
			return nil, fault.Invalid("SCOPE_INVALID", "a scoped token cannot have %s: it would not stay what it is; leave it out", permission).
				Field("scope.permissions", "includes one about tokens")
		}
		if !holder.May(segments[1], permission) {
			return nil, fault.Invalid("SCOPE_INVALID", "the token's grants do not give %s in workspaces/%s, so the scope cannot leave it; grant a role that has it", permission, segments[1]).
				Field("scope.permissions", "are more than the grants give")
		}
	}
	return s, nil
}

func (s *Scope) proto() *accessv1.TokenScope {
	if s == nil {
		return nil
	}
	return &accessv1.TokenScope{Resource: s.Resource, Permissions: s.Permissions}
}

// ClaimsScope tells whether a token says that it is narrowed, without checking
// it: to refuse early those that are not. What the token is good for is [Verifier]'s to say.
func ClaimsScope(token string) bool {
	var claims tokenClaims
	_, _, err := jwt.NewParser().ParseUnverified(token, &claims)
	return err == nil && claims.Scoped != nil
}
