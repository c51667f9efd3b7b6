package server

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/rpc"
	"github.com/golive-dev/golive/pkg/sqldb"
	"github.com/golive-dev/golive/services/deployment"
	"github.com/golive-dev/golive/services/implementation"
)

// Where a control plane on one machine listens unless told otherwise.
const (
	DefaultHTTP           = "127.0.0.1:8080"
	DefaultDeployment     = "127.0.0.1:8081"
	DefaultImplementation = "127.0.0.1:8082"
	DefaultAgents         = "127.0.0.1:8443"
	DefaultAdmin          = "127.0.0.1:8090"
)

// Config is all roles in one process.
type Config struct {
	Process

	Database       string              // A PostgreSQL URL; SQLite files in the data folder when empty.
	BlobURL        string              // A bucket of gocloud.dev/blob; a folder of the data folder when empty.
	HTTP           string              // Where the gateway listens.
	Deployment     string              // Where the deployment service listens.
	Implementation string              // Where the implementation service listens.
	Agents         string              // Where host agents connect; always TLS.
	AgentNames     []string            // More names and addresses under which agents reach it.
	Authority      string              // Folder of the agents' certificate authority; a folder of the data folder when empty.
	Mail           implementation.SMTP // How messages to people leave; they wait until somebody takes them when zero.
	Public         bool                // Webhooks and load tests of gates reach public addresses only.
	Private        bool                // Events may be sent into private networks and to this machine too.
}

// Up opens all roles in one process.
func Up(ctx context.Context, cfg Config) (_ *Server, err error) {
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
	trusted := []auth.TrustedIssuer{p.issuer.Trusted()}

	machines, err := p.guard("deployment", rpc.WithToken(late{process: p, service: 0}, p.issuer.Self("services/implementation")))
	if err != nil {
		return nil, err
	}
	people, err := p.newImplementation(ctx, implementationRole{
		database: database(cfg.Database, cfg.DataDir, "implementation.db"), listen: cfg.Implementation, trusted: trusted, mail: cfg.Mail, private: cfg.Private,
		deployment: implementation.DeploymentAt(machines),
	})
	if err != nil {
		return nil, fmt.Errorf("implementation: %w", err)
	}
	asked, err := p.guard("implementation", rpc.WithToken(people.Local(), p.issuer.Self("services/deployment")))
	if err != nil {
		return nil, err
	}
	software, err := p.newDeployment(ctx, deploymentRole{
		database: database(cfg.Database, cfg.DataDir, "deployment.db"), metrics: metricsDatabase(cfg.Database, cfg.DataDir),
		blobURL: cfg.BlobURL, implementation: deployment.ImplementationAt(asked), listen: cfg.Deployment, agents: cfg.Agents, agentNames: cfg.AgentNames, authority: cfg.Authority, trusted: trusted, public: cfg.Public,
	})
	if err != nil {
		return nil, fmt.Errorf("deployment: %w", err)
	}
	p.services[0], p.services[1] = software.Local(), people.Local()
	if err := p.newGateway(ctx, cfg.HTTP, software.Local(), people.Local()); err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	return p.Server, nil
}

// database is where a service keeps its data.
func database(url, folder, file string) sqldb.Config {
	if url == "" {
		url = "sqlite:" + filepath.Join(folder, file)
	}
	return sqldb.Config{URL: url}
}

// metricsDatabase may lose its last second, so that what hosts say by the
// thousand never waits for a disk that an approval needs.
func metricsDatabase(url, folder string) sqldb.Config {
	cfg := database(url, folder, "deployment.metrics.db")
	cfg.Synchronous = "NORMAL"
	return cfg
}
