package fleet

import (
	"context"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/services/deployment/internal/authority"
)

// identify reads the certificate of the caller, which the TLS stack has
// verified, and says where it calls from. The principal must be of that certificate: a
// token, even an administrator's, makes nobody a host.
func identify(ctx context.Context) (id authority.Identity, from string, err error) {
	caller, ok := peer.FromContext(ctx)
	if ok {
		info, isTLS := caller.AuthInfo.(credentials.TLSInfo)
		principal, known := auth.FromContext(ctx)
		if isTLS && known && len(info.State.VerifiedChains) > 0 {
			id, err = authority.Identify(info.State.VerifiedChains[0][0])
			if err != nil {
				return id, "", err
			}
			if principal.Name == id.Agent {
				return id, caller.Addr.String(), nil
			}
		}
	}
	return id, "", fault.Unauthenticated("CERTIFICATE_MISSING",
		"only an agent with its client certificate may call this; enrol it with a join token")
}
