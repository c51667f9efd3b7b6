// Package deployment is the deployment service: what is shipped, where to, how, and
// whether it runs.
//
//	api, engine, fleet ──▶ store ──▶ rollout
//
// People and other services call the services of golive.deployment.v1 (api); agents call
// golive.agent.v1 on a port of its own (fleet); and the engine moves deployments from wave to wave.
// To follow one rollout through the code, read engine/create.go, engine/advance.go,
// rollout/advance.go, engine/dispatch.go and engine/report.go in this order.
package deployment

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/run"
	"github.com/golive-dev/golive/pkg/sqldb"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/deployment/internal/api"
	"github.com/golive-dev/golive/services/deployment/internal/authority"
	"github.com/golive-dev/golive/services/deployment/internal/blob"
	"github.com/golive-dev/golive/services/deployment/internal/engine"
	"github.com/golive-dev/golive/services/deployment/internal/fleet"
	"github.com/golive-dev/golive/services/deployment/internal/history"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// purgeEvery is how often the answers kept for request ids are cleaned up.
const purgeEvery = time.Hour

// Config is what the service is made of. Database, Metrics and DataDir are required.
type Config struct {
	Database       sqldb.Config         // The schema is "deployment" when PostgreSQL is given without one.
	Metrics        sqldb.Config         // Log lines and probe summaries; may lose its last second. The schema is "deployment_metrics".
	DataDir        string               // Holds the agents' certificate authority when AuthorityDir is empty, and the blobs when BlobURL is.
	AuthorityDir   string               // Where that authority is; servers that share agents share it.
	BlobURL        string               // Where uploaded artifacts are: a bucket of gocloud.dev/blob.
	Implementation Implementation       // The other half; zero where there is none.
	Public         bool                 // Webhooks and load tests of gates reach public addresses only. Link-local ones are refused always.
	Logger         *zap.Logger          // Silent when nil.
	Registry       *prometheus.Registry // Gets the metrics; nowhere when nil.
	Clock          func() time.Time     // time.Now when nil.
	Issuer         *auth.Issuer         // Mints tokens here; nil where the private key is elsewhere.
}

// Service is the running service.
type Service struct {
	store     *store.Store
	blobs     *blob.Store
	authority *authority.Authority
	engine    *engine.Engine
	hub       *fleet.Hub
	logs      *api.Logs
	revoked   *auth.Revocations
	access    *auth.AccessService
	logger    *zap.Logger
}

// New opens and migrates the databases and puts the service together. Close it when done.
func New(ctx context.Context, cfg Config) (*Service, error) {
	if cfg.Logger == nil {
		cfg.Logger = zap.NewNop()
	}
	if cfg.Database.Schema == "" {
		cfg.Database.Schema = "deployment"
	}
	if cfg.Metrics.Schema == "" {
		cfg.Metrics.Schema = "deployment_metrics"
	}
	st, err := store.Open(ctx, store.Config{Database: cfg.Database, Metrics: cfg.Metrics, Logger: cfg.Logger, Now: cfg.Clock})
	if err != nil {
		return nil, fmt.Errorf("deployment store: %w", err)
	}
	s := &Service{store: st, logger: cfg.Logger}
	if err := s.assemble(ctx, cfg); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Service) assemble(ctx context.Context, cfg Config) (err error) {
	if cfg.BlobURL == "" {
		cfg.BlobURL = blob.FolderURL(filepath.Join(cfg.DataDir, "blobs"))
	}
	if s.blobs, err = blob.Open(ctx, blob.Config{URL: cfg.BlobURL, Now: cfg.Clock}); err != nil {
		return fmt.Errorf("blob store: %w", err)
	}
	if s.authority, err = authority.Open(AuthorityDir(cfg.DataDir, cfg.AuthorityDir), s.store.Now); err != nil {
		return fmt.Errorf("certificate authority: %w", err)
	}
	if s.revoked, err = auth.NewRevocations(ctx, s.store.DB, cfg.Logger); err != nil {
		return err
	}
	s.access = auth.NewAccessService(cfg.Issuer, s.revoked, cfg.Logger)
	if s.engine, err = engine.New(engine.Config{Store: s.store, Blobs: s.blobs, Gate: cfg.Implementation.Gate, Waiting: cfg.Implementation.Waiting, PublicOnly: cfg.Public, Logger: cfg.Logger, Metrics: registerer(cfg.Registry)}); err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	s.logs = api.NewLogs(s.store)
	s.hub, err = fleet.New(fleet.Config{
		Store: s.store, Authority: s.authority, Blobs: s.blobs, Work: s.engine, Logger: cfg.Logger, LogsArrived: s.logs.Arrived,
		Registerer: registerer(cfg.Registry),
	})
	if err != nil {
		return fmt.Errorf("fleet: %w", err)
	}
	s.engine.HintTo(s.hub)
	return nil
}

// Register puts every public service on a server.
func (s *Service) Register(r grpc.ServiceRegistrar) {
	deploymentv1.RegisterApplicationServiceServer(r, api.NewApplicationService(s.store))
	deploymentv1.RegisterReleaseServiceServer(r, api.NewReleaseService(s.store, s.blobs))
	deploymentv1.RegisterBlobServiceServer(r, api.NewBlobService(s.blobs))
	deploymentv1.RegisterEnvironmentServiceServer(r, api.NewEnvironmentService(s.store))
	deploymentv1.RegisterTargetServiceServer(r, api.NewTargetService(s.store, s.engine.Presence))
	deploymentv1.RegisterAgentServiceServer(r, api.NewAgentService(s.store, s.authority, s.blobs))
	deploymentv1.RegisterDeploymentPlanServiceServer(r, api.NewDeploymentPlanService(s.store))
	deploymentv1.RegisterDeploymentServiceServer(r, api.NewDeploymentService(s.store, s.engine))
	deploymentv1.RegisterPolicyServiceServer(r, api.NewPolicyService(s.store, s.engine))
	deploymentv1.RegisterOverrideServiceServer(r, api.NewOverrideService(s.store, s.engine))
	deploymentv1.RegisterWaveServiceServer(r, api.NewWaveService(s.store, s.engine))
	deploymentv1.RegisterAnalysisServiceServer(r, api.NewAnalysisService(s.store))
	deploymentv1.RegisterGateEvaluationServiceServer(r, api.NewGateEvaluationService(s.store))
	deploymentv1.RegisterFeedbackServiceServer(r, api.NewFeedbackService(s.store))
	deploymentv1.RegisterInstallationServiceServer(r, api.NewInstallationService(s.store, s.engine, s.logs))
	deploymentv1.RegisterMigrationServiceServer(r, api.NewMigrationService(s.store, s.engine))
	deploymentv1.RegisterHistoryServiceServer(r, api.NewHistoryService(s.store))
	deploymentv1.RegisterIncidentServiceServer(r, api.NewIncidentService(s.store))
	deploymentv1.RegisterDoraServiceServer(r, api.NewDoraService(s.store))
	deploymentv1.RegisterMeasureServiceServer(r, api.NewMeasureService(s.store))
	gatev1.RegisterGateServiceServer(r, api.NewGateService(s.store))
	waitingv1.RegisterWaitingServiceServer(r, api.NewWaitingService(s.store))
	eventv1.RegisterEventServiceServer(r, feed.NewService(s.store.Log, 0))
	accessv1.RegisterAccessServiceServer(r, s.access)
}

// RegisterAgentPort puts the agents' service on the server of the agent port.
func (s *Service) RegisterAgentPort(r grpc.ServiceRegistrar) {
	agentv1.RegisterAgentServiceServer(r, s.hub)
}

// AgentPortOptions are for the server of the agent port: thousands of quiet streams need small buffers.
func AgentPortOptions() []grpc.ServerOption { return fleet.ServerOptions() }

// AgentTLS is the TLS configuration of the agent port, with a certificate for these names.
func (s *Service) AgentTLS(names []string) (*tls.Config, error) { return s.authority.ServerTLS(names) }

// AuthorityDir is where the agents' certificate authority is: below the data folder, unless said otherwise.
func AuthorityDir(dataDir, given string) string {
	if given != "" {
		return given
	}
	return filepath.Join(dataDir, "authority")
}

// RotateAuthority gives the agents' certificate authority in a folder a successor, and tells when that takes over. Servers that
// run on the folder take note by themselves, and agents with their next renewal.
func RotateAuthority(dir string) (takesOver time.Time, err error) {
	return authority.Rotate(dir, time.Now(), authority.AgentLife)
}

// Revocations is the revocation list that the server's verifier consults.
func (s *Service) Revocations() *auth.Revocations { return s.revoked }

// Run does what is done without being asked, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	return run.All(ctx,
		run.Part{Name: "event log", Run: s.store.Log.Run},
		run.Part{Name: "revocations", Run: s.revoked.Run},
		run.Part{Name: "fleet", Run: s.hub.Run},
		run.Part{Name: "engine", Run: s.engine.Run},
		run.Part{Name: "history", Run: func(ctx context.Context) error { return history.Run(ctx, s.store, s.logger) }},
		run.Part{Name: "request ids", Run: s.purge},
	)
}

// Ready returns an error while the service cannot answer as it should.
func (s *Service) Ready(ctx context.Context) error {
	for name, db := range map[string]*sqldb.DB{"database": s.store.DB, "metrics database": s.store.Metrics} {
		var one int
		if err := db.Read().QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
			return fmt.Errorf("deployment %s: %w", name, err)
		}
	}
	return s.revoked.Ready(ctx)
}

// Close closes what New opened. Run must have returned.
func (s *Service) Close() error {
	var errs []error
	if s.blobs != nil {
		errs = append(errs, s.blobs.Close())
	}
	return errors.Join(append(errs, s.store.Close())...)
}

func (s *Service) purge(ctx context.Context) error {
	run.Every(ctx, purgeEvery, func(ctx context.Context) {
		if _, err := s.store.Resources.PurgeRequests(ctx); err != nil && ctx.Err() == nil {
			s.logger.Warn("old request ids not purged; trying again later", zap.Error(err))
		}
	})
	return nil
}

// registerer keeps a nil registry a nil interface.
func registerer(r *prometheus.Registry) prometheus.Registerer {
	if r == nil {
		return nil
	}
	return r
}
