package gateway

import (
	"context"

	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/fault"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
)

// access speaks for the AccessService of both services. The deployment service
// holds the signing key, so it mints and tells who is who.
type access struct {
	accessv1.AccessServiceClient // of the deployment service

	implementation accessv1.AccessServiceClient
}

// RevokeToken revokes in both services. Where only one answered, the caller is
// told which, and repeats: a token that is half revoked is still good somewhere.
func (a *access) RevokeToken(ctx context.Context, req *accessv1.RevokeTokenRequest, opts ...grpc.CallOption) (*accessv1.Revocation, error) {
	other := make(chan error, 1)
	go func() {
		_, err := a.implementation.RevokeToken(ctx, req) // without opts: they write to one place
		other <- err
	}()
	revocation, err := a.AccessServiceClient.RevokeToken(ctx, req, opts...)
	otherErr := <-other
	switch {
	case err == nil && otherErr == nil:
		return revocation, nil
	case err == nil:
		return nil, halfRevoked("deployment", "implementation", otherErr)
	case otherErr == nil:
		return nil, halfRevoked("implementation", "deployment", err)
	default:
		return nil, err
	}
}

func halfRevoked(done, open string, cause error) error {
	return fault.Unavailable("REVOCATION_INCOMPLETE",
		"the token is revoked in the %s service, but the %s service did not take it (%s); it is still accepted there, so repeat this call",
		done, open, fault.From(cause).Message()).
		Meta("revoked_in", done).Meta("not_revoked_in", open).Cause(cause)
}
