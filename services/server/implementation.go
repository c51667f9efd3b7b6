package server

import (
	"context"
	"errors"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/rpc"
	"github.com/golive-dev/golive/pkg/sqldb"
	"github.com/golive-dev/golive/services/implementation"
)

// ImplementationConfig is the implementation role in a process of its own.
type ImplementationConfig struct {
	Process

	Database   string              // A PostgreSQL URL; SQLite in the data folder when empty.
	Listen     string              // Where it listens.
	Mail       implementation.SMTP // How messages to people leave; they wait until somebody takes them when zero.
	Deployment Peer                // The deployment service; none when its address is empty. It takes a token file.
	Private    bool                // Events may be sent into private networks and to this machine too.
	Trusted    []string            // Files with the public keys of issuers; at least one.
}

// Implementation opens the implementation role.
func Implementation(ctx context.Context, cfg ImplementationConfig) (_ *Server, err error) {
	p, err := begin(ctx, cfg.Process)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	if len(cfg.Trusted) == 0 {
		return nil, errors.New("nobody could sign in: give --trusted-issuers the file " + trustedFile + " of the deployment role's data folder")
	}
	trusted, err := loadTrusted(cfg.Trusted)
	if err != nil {
		return nil, err
	}
	var machines implementation.Deployment
	if cfg.Deployment.Address != "" {
		if cfg.Deployment.TokenFile == "" {
			return nil, errors.New("the deployment service would not know who asks: give --token-file a token of the role service, which golive token create makes")
		}
		conn, err := p.dial(cfg.Deployment, cfg.Deployment.token(nil))
		if err != nil {
			return nil, err
		}
		guarded, err := p.guard("deployment", conn)
		if err != nil {
			return nil, err
		}
		machines = implementation.DeploymentAt(guarded)
	}
	people, err := p.newImplementation(ctx, implementationRole{
		database: database(cfg.Database, cfg.DataDir, "implementation.db"), deployment: machines, listen: cfg.Listen, trusted: trusted, mail: cfg.Mail, private: cfg.Private,
	})
	if err != nil {
		return nil, err
	}
	p.services[1] = people.Local()
	return p.Server, nil
}

// implementationRole is what the implementation service needs in any process.
type implementationRole struct {
	database   sqldb.Config
	deployment implementation.Deployment
	listen     string
	trusted    []auth.TrustedIssuer
	mail       implementation.SMTP
	private    bool
}

func (p *process) newImplementation(ctx context.Context, role implementationRole) (*rpc.Server, error) {
	listener, err := p.listen(ctx, "implementation", "--listen-implementation", role.listen)
	if err != nil {
		return nil, err
	}
	service, err := implementation.New(ctx, implementation.Config{
		Database: role.database, Deployment: role.deployment, Mail: role.mail, Private: role.private, Logger: p.logger.Named("implementation"), Registry: p.registry, Issuer: p.issuer,
	})
	if err != nil {
		return nil, err
	}
	p.onClose(service.Close)
	server, err := p.newRPC(rpc.Config{Name: "implementation", TLS: p.tls, MaxRecv: implementation.MaxRequest}, role.trusted, service.Revocations())
	if err != nil {
		return nil, err
	}
	service.Register(server)

	p.bound.Implementation = listener.Addr().String()
	p.admin.AddCheck("implementation", service.Ready)
	p.admin.Reflect(server)
	p.add("implementation", service.Run)
	p.add("implementation port", func(ctx context.Context) error { return server.Serve(ctx, listener) })
	return server, server.Check()
}
