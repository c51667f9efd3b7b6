package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/rpc"
	"github.com/golive-dev/golive/pkg/sqldb"
	"github.com/golive-dev/golive/services/deployment"
)

// agentConnAge bounds how long an agent's connection outlives a change of its certificate.
const agentConnAge = 6 * time.Hour

// DeploymentConfig is the deployment role in a process of its own. It holds the
// signing key: tokens are minted here.
type DeploymentConfig struct {
	Process

	Database       string   // A PostgreSQL URL; SQLite in the data folder when empty.
	BlobURL        string   // A bucket of gocloud.dev/blob; a folder of the data folder when empty.
	Listen         string   // Where it listens.
	Agents         string   // Where host agents connect; always TLS.
	AgentNames     []string // More names and addresses under which agents reach it.
	Authority      string   // Folder of the agents' certificate authority, which replicas share; a folder of the data folder when empty.
	Implementation Peer     // The implementation service; none when its address is empty.
	Trusted        []string // Files with public keys of more issuers.
	Public         bool     // Webhooks and load tests of gates reach public addresses only.
}

// Deployment opens the deployment role.
func Deployment(ctx context.Context, cfg DeploymentConfig) (_ *Server, err error) {
	p, err := begin(ctx, cfg.Process)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	if err := p.loadIssuer(); err != nil {
		return nil, err
	}
	trusted, err := loadTrusted(cfg.Trusted)
	if err != nil {
		return nil, err
	}
	var people deployment.Implementation
	if cfg.Implementation.Address != "" {
		conn, err := p.dial(cfg.Implementation, cfg.Implementation.token(p.issuer.Self("services/deployment")))
		if err != nil {
			return nil, err
		}
		guarded, err := p.guard("implementation", conn)
		if err != nil {
			return nil, err
		}
		people = deployment.ImplementationAt(guarded)
	}
	software, err := p.newDeployment(ctx, deploymentRole{
		database: database(cfg.Database, cfg.DataDir, "deployment.db"), metrics: metricsDatabase(cfg.Database, cfg.DataDir),
		blobURL: cfg.BlobURL, implementation: people, listen: cfg.Listen, agents: cfg.Agents, agentNames: cfg.AgentNames, authority: cfg.Authority,
		trusted: append(trusted, p.issuer.Trusted()), public: cfg.Public,
	})
	if err != nil {
		return nil, err
	}
	p.services[0] = software.Local()
	return p.Server, nil
}

// deploymentRole is what the deployment service needs in any process.
type deploymentRole struct {
	database, metrics sqldb.Config
	blobURL           string
	implementation    deployment.Implementation
	listen, agents    string
	agentNames        []string
	authority         string
	trusted           []auth.TrustedIssuer
	public            bool
}

func (p *process) newDeployment(ctx context.Context, role deploymentRole) (*rpc.Server, error) {
	listener, err := p.listen(ctx, "deployment", "--listen-deployment", role.listen)
	if err != nil {
		return nil, err
	}
	agents, err := p.listen(ctx, "agent", "--listen-agents", role.agents)
	if err != nil {
		return nil, err
	}
	service, err := deployment.New(ctx, deployment.Config{
		Database: role.database, Metrics: role.metrics, DataDir: p.cfg.DataDir, BlobURL: role.blobURL, Implementation: role.implementation, Public: role.public,
		AuthorityDir: role.authority, Logger: p.logger.Named("deployment"), Registry: p.registry, Issuer: p.issuer,
	})
	if err != nil {
		return nil, err
	}
	p.onClose(service.Close)
	server, err := p.newRPC(rpc.Config{Name: "deployment", TLS: p.tls}, role.trusted, service.Revocations())
	if err != nil {
		return nil, err
	}
	service.Register(server)
	certificate, err := service.AgentTLS(agentNames(role.agents, role.agentNames))
	if err != nil {
		return nil, fmt.Errorf("certificate of the agent port: %w", err)
	}
	port, err := p.newRPC(rpc.Config{Name: "agents", TLS: certificate, ConnAge: agentConnAge}, role.trusted, service.Revocations(), deployment.AgentPortOptions()...)
	if err != nil {
		return nil, err
	}
	service.RegisterAgentPort(port)

	p.bound.Deployment, p.bound.Agents = listener.Addr().String(), agents.Addr().String()
	p.admin.AddCheck("deployment", service.Ready)
	p.admin.Reflect(server)
	p.add("deployment", service.Run)
	p.add("agent port", func(ctx context.Context) error { return port.Serve(ctx, agents) })
	p.add("deployment port", func(ctx context.Context) error { return server.Serve(ctx, listener) })
	return server, errors.Join(server.Check(), port.Check())
}

// agentNames are what the agent port's certificate is for.
func agentNames(listen string, more []string) []string {
	names := append([]string{"localhost", "127.0.0.1", "::1"}, more...)
	if host, _, err := net.SplitHostPort(listen); err == nil && host != "" && !net.ParseIP(host).IsUnspecified() {
		names = append(names, host)
	}
	if host, err := os.Hostname(); err == nil {
		names = append(names, host)
	}
	return names
}
