package auth

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
)

const (
	defaultPage = 50
	maxPage     = 1000
)

// AccessService is golive.access.v1 for one service.
type AccessService struct {
	accessv1.UnimplementedAccessServiceServer

	issuer  *Issuer
	revoked *Revocations
	logger  *zap.Logger
}

// NewAccessService returns the service over a revocation list. The issuer is
// nil in processes that do not hold the private key.
func NewAccessService(issuer *Issuer, revoked *Revocations, logger *zap.Logger) *AccessService {
	return &AccessService{issuer: issuer, revoked: revoked, logger: logger}
}

// WhoAmI returns the caller.
func (s *AccessService) WhoAmI(ctx context.Context, _ *accessv1.WhoAmIRequest) (*accessv1.WhoAmIResponse, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	return &accessv1.WhoAmIResponse{Principal: p.proto()}, nil
}

// MintToken signs a token that grants nothing which the caller does not hold.
func (s *AccessService) MintToken(ctx context.Context, req *accessv1.MintTokenRequest) (*accessv1.MintTokenResponse, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	if s.issuer == nil {
		return nil, fault.Precondition("NOT_AN_ISSUER",
			"this server holds no signing key; ask the one that runs with the issuer's key")
	}
	grants := make(map[string][]Role, len(req.GetGrants()))
	for _, g := range req.GetGrants() {
		workspace := strings.TrimPrefix(g.GetWorkspace(), "workspaces/")
		for _, granted := range g.GetRoles() {
			role := roleOf(granted)
			// Holding admin here must carry the right to mint here, not merely somewhere.
			if !p.Holds(workspace, role) || !p.May(workspace, "access.tokens.mint") {
				return nil, fault.Denied("GRANT_EXCEEDS_CALLER",
					"%s may not give away the role %s in %s; ask an administrator of it to mint this token",
					p.Name, role, g.GetWorkspace()).Meta("workspace", g.GetWorkspace()).Meta("role", string(role))
			}
			grants[workspace] = append(grants[workspace], role)
		}
	}
	scope, err := scopeOf(req.GetScope(), grants)
	if err != nil {
		return nil, err
	}
	token, minted, err := s.issuer.mint(Claims{Name: req.GetPrincipal(), Grants: grants, TTL: req.GetTtl().AsDuration(), Scope: scope})
	if err != nil {
		return nil, err
	}
	s.logger.Info("token minted", zap.String("by", p.Name), zap.String("for", minted.Name),
		zap.String("token_id", minted.TokenID), zap.Time("expires", minted.Expires))
	return &accessv1.MintTokenResponse{Token: token, Principal: minted.proto()}, nil
}

// RevokeToken puts a token on the list. Ids are random and told only to who
// holds the token and who minted it, so knowing one is the right to name it.
func (s *AccessService) RevokeToken(ctx context.Context, req *accessv1.RevokeTokenRequest) (*accessv1.Revocation, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	entry, err := s.revoked.Revoke(ctx, req.GetTokenId(), p.Name, req.GetReason())
	if err != nil {
		return nil, err
	}
	s.logger.Info("token revoked", zap.String("by", p.Name), zap.String("token_id", entry.TokenID))
	return entry.proto(), nil
}

// ListRevocations returns the list. Who administers only some workspaces sees
// the own entries: the others may be of workspaces that are none of theirs.
func (s *AccessService) ListRevocations(ctx context.Context, req *accessv1.ListRevocationsRequest) (*accessv1.ListRevocationsResponse, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	by := p.Name
	if p.May(AllWorkspaces, "access.revocations.list") {
		by = ""
	}
	size := int(req.GetPageSize())
	if size <= 0 {
		size = defaultPage
	}
	entries, next, err := s.revoked.List(ctx, by, min(size, maxPage), req.GetPageToken())
	if err != nil {
		return nil, err
	}
	resp := &accessv1.ListRevocationsResponse{NextPageToken: next}
	for _, e := range entries {
		resp.Revocations = append(resp.Revocations, e.proto())
	}
	return resp, nil
}

func caller(ctx context.Context) (*Principal, error) {
	if p, ok := FromContext(ctx); ok {
		return p, nil
	}
	return nil, fault.Unauthenticated("TOKEN_MISSING", "this call needs a token; send the header authorization: Bearer <token>")
}

func (p *Principal) proto() *accessv1.Principal {
	out := &accessv1.Principal{Name: p.Name, TokenId: p.TokenID, ExpireTime: timestamppb.New(p.Expires), Issuer: p.Issuer, Scope: p.Scope.proto()}
	for _, workspace := range slices.Sorted(maps.Keys(p.Grants)) {
		g := &accessv1.Grant{Workspace: "workspaces/" + workspace}
		for _, role := range p.Grants[workspace] {
			g.Roles = append(g.Roles, accessv1.Role(accessv1.Role_value["ROLE_"+strings.ToUpper(string(role))]))
		}
		out.Grants = append(out.Grants, g)
	}
	return out
}

func (e *Revocation) proto() *accessv1.Revocation {
	return &accessv1.Revocation{
		TokenId: e.TokenID, RevokedBy: e.RevokedBy, Reason: e.Reason,
		RevokeTime: timestamppb.New(e.Time.Truncate(time.Microsecond)), ExpireTime: timestamppb.New(e.Expires),
	}
}

// roleOf is the role of the contract's enum, which names it the same but for prefix and case.
func roleOf(r accessv1.Role) Role {
	return Role(strings.ToLower(strings.TrimPrefix(r.String(), "ROLE_")))
}
