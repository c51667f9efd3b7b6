package agent

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/jointoken"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	"github.com/golive-dev/golive/services/agent/internal/fetch"
	"github.com/golive-dev/golive/services/agent/internal/host"
	"github.com/golive-dev/golive/services/agent/internal/identity"
	"github.com/golive-dev/golive/services/agent/internal/layout"
)

// callTimeout bounds one unary call.
const callTimeout = 15 * time.Second

// Enrol redeems a join token and keeps the certificate in the data folder. It
// returns the agent's name. It calls again while the server does not answer,
// until the context ends; done twice with one token it comes out the same.
func Enrol(ctx context.Context, config Config) (name string, err error) {
	config = config.withDefaults()
	token, err := jointoken.Decode(config.JoinToken)
	if err != nil {
		return "", err
	}
	if time.Now().After(token.Expires) {
		return "", fault.Unauthenticated("JOIN_TOKEN_EXPIRED", "the join token ended at %s; create a new one", token.Expires.Format(time.RFC3339))
	}
	l, err := layout.Open(config.DataDir)
	if err != nil {
		return "", fmt.Errorf("open data folder: %w", err)
	}
	id, err := joining(l, config.Server)
	if err != nil {
		return "", err
	}
	retry := fetch.Retry{Min: config.ReconnectMin, Max: config.ReconnectMax}
	for try := 1; ; try++ {
		err := redeem(ctx, config, token, id, host.Facts(l.Releases(), config.Version))
		if err == nil {
			break
		}
		if !fault.Is(err, fault.KindUnavailable) && !fault.Is(err, fault.KindDeadline) {
			return "", fmt.Errorf("enrol with %s: %w", id.Server, err)
		}
		config.Logger.Warn("the server does not answer", zap.String("server", id.Server), told(err))
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("enrol with %s: %w", id.Server, err)
		case <-time.After(retry.Backoff(try)):
		}
	}
	if err := id.Save(l.Identity()); err != nil {
		return "", fmt.Errorf("keep identity: %w", err)
	}
	return id.Agent(), errors.Join(os.Remove(joiningFile(l)))
}

func joiningFile(l layout.Layout) string { return l.Identity() + ".joining" }

// joining returns the key to enrol with. It is kept before the server hears of
// it, because the server answers the same token again only to the same key.
func joining(l layout.Layout, server string) (*identity.Identity, error) {
	server, err := identity.Address(server)
	if err != nil {
		return nil, err
	}
	id, err := identity.Load(joiningFile(l))
	if err == nil {
		id.Server = server
		return id, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read identity: %w", err)
	}
	if id, err = identity.New(server); err != nil {
		return nil, err
	}
	return id, id.Save(joiningFile(l))
}

func redeem(ctx context.Context, config Config, token jointoken.Token, id *identity.Identity, facts *hostFacts) error {
	request, err := id.Request()
	if err != nil {
		return err
	}
	secure := identity.JoinTLS(token.CASHA256)
	verify, untrusted := secure.VerifyConnection, make(chan error, 1)
	secure.VerifyConnection = func(state tls.ConnectionState) error {
		err := verify(state)
		if err != nil { // gRPC would call it a server that does not answer
			select {
			case untrusted <- err:
			default:
			}
		}
		return err
	}
	conn, err := dial(id.Server, secure)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	response, err := agentv1.NewAgentServiceClient(conn).Enrol(ctx, &agentv1.EnrolRequest{
		JoinToken: config.JoinToken, CertificateRequest: request, Facts: facts,
	})
	select {
	case err := <-untrusted:
		return err
	default:
	}
	if err != nil {
		return err
	}
	if err := id.Accept(response.GetCertificate(), response.GetAuthorities()); err != nil {
		return err
	}
	if id.Agent() != token.Agent || !id.Trusts(token.CASHA256) {
		return errors.New("the server's answer does not fit the join token")
	}
	return nil
}
