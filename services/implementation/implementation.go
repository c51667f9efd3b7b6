// Package implementation is the implementation service: the people who are to
// adopt something, the plan by which they do, how they are reached, and what comes of it.
//
//	api, engine, courier, erasure ──▶ store, contact ──▶ pure packages
//
// Pure packages are functions of facts; each has one subject:
//
//	the plan      calendar, plan, risk, level, earned, template, weekly
//	people        readiness, lifecycle, sheet, survey, adoption, interval, mail
//	what it gives money, benefit, scorecard
//	what hinders  detect
//
// There are three databases: the main one, usage (which may lose its last second), and
// contacts, the only one that knows an address. Answers to surveys and usage are read
// by package disclosure and by what store counts for it, and tell of groups only.
//
// The deployment service asks it through golive.gate.v1 whether a wave may
// start; it knows cohort names, headcounts and verdicts, and no person. To follow one
// question through the code, read api/gate.go, store/verdict.go, store/facts.go and
// readiness/readiness.go in this order; for a plan api/schedule.go, store/plan_input.go and plan/plan.go.
package implementation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/run"
	"github.com/golive-dev/golive/pkg/sqldb"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/implementation/internal/api"
	"github.com/golive-dev/golive/services/implementation/internal/engine"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// purgeEvery is how often the answers kept for request ids are cleaned up.
const purgeEvery = time.Hour

// MaxRequest is the largest request that the service takes, in bytes: an
// import's file, and what is around it. Give it to the server that serves it.
const MaxRequest = 16<<20 + 64<<10

// Config is what the service is made of. Only Database is required.
type Config struct {
	Database   sqldb.Config         // The schema is "implementation" when PostgreSQL is given without one.
	Metrics    sqldb.Config         // Usage; may lose its last second. Beside Database when zero.
	Contacts   sqldb.Config         // Where addresses are kept, apart from all else; beside Database when zero.
	Mail       SMTP                 // How messages to people leave; they wait until somebody takes them when zero.
	Logger     *zap.Logger          // Silent when nil.
	Registry   *prometheus.Registry // Gets the metrics; nowhere when nil.
	Clock      func() time.Time     // time.Now when nil.
	Issuer     *auth.Issuer         // Mints tokens here; nil where the private key is elsewhere.
	Deployment Deployment           // The other half; zero where there is none.
	Private    bool                 // Events may be sent into private networks and to this machine too.
	Sweep      time.Duration        // How often every cohort plan is judged again; 5 min when 0.
	Ask        time.Duration        // How often the deployment service is asked about machines; 10 s when 0.
	Surveys    time.Duration        // How often surveys open and close by their times; 10 s when 0.
}

// Service is the running service.
type Service struct {
	db        *sqldb.DB
	log       *feed.Log
	store     *store.Store
	surveys   *engine.Surveys
	engine    *engine.Engine
	technical *engine.Technical
	circles   *engine.Circles
	cards     *engine.Scorecards
	revoked   *auth.Revocations
	access    *auth.AccessService
	logger    *zap.Logger
	reach     *reach
	outward   subscriptions
	metrics   *sqldb.DB

	deployment Deployment // the other half
}

// New opens and migrates the database and puts the service together. Close it when done.
func New(ctx context.Context, cfg Config) (*Service, error) {
	if cfg.Logger == nil {
		cfg.Logger = zap.NewNop()
	}
	if cfg.Database.Schema == "" {
		cfg.Database.Schema = "implementation"
	}
	db, err := sqldb.Open(ctx, cfg.Database)
	if err != nil {
		return nil, fmt.Errorf("open the implementation database: %w", err)
	}
	s, err := assemble(ctx, db, cfg)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func assemble(ctx context.Context, db *sqldb.DB, cfg Config) (*Service, error) {
	if err := db.Migrate(ctx, feed.Source(), resource.Source(), auth.Source(), store.Source()); err != nil {
		return nil, err
	}
	revoked, err := auth.NewRevocations(ctx, db, cfg.Logger)
	if err != nil {
		return nil, err
	}
	s := &Service{db: db, revoked: revoked, logger: cfg.Logger, deployment: cfg.Deployment}
	s.log = feed.New(db, feed.Config{Logger: cfg.Logger})
	s.store = store.New(db, s.log, cfg.Clock)
	if err := s.store.Upgrade(ctx); err != nil {
		return nil, err
	}
	s.engine = engine.New(s.store, cfg.Logger, cfg.Sweep)
	s.surveys = engine.NewSurveys(s.store, cfg.Logger, cfg.Surveys)
	s.circles = engine.NewCircles(s.store, cfg.Deployment.Waiting, cfg.Logger)
	s.technical = engine.NewTechnical(s.store, cfg.Deployment.Gate, cfg.Ask, cfg.Logger)
	s.cards = engine.NewScorecards(s.store, cfg.Deployment.Measures, cfg.Logger)
	s.access = auth.NewAccessService(cfg.Issuer, revoked, cfg.Logger)
	if cfg.Registry != nil {
		if err := cfg.Registry.Register(s.engine); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	if s.metrics, err = s.openMetrics(ctx, cfg); err != nil {
		return nil, err
	}
	if s.reach, err = s.openReach(ctx, cfg); err != nil {
		return nil, errors.Join(err, s.metrics.Close())
	}
	if err := s.openSubscriptions(cfg); err != nil {
		return nil, errors.Join(err, s.reach.db.Close(), s.metrics.Close())
	}
	return s, nil
}

// Register puts every public service on a server.
func (s *Service) Register(r grpc.ServiceRegistrar) {
	implementationv1.RegisterImplementationServiceServer(r, api.NewImplementationService(s.store))
	implementationv1.RegisterCohortServiceServer(r, api.NewCohortService(s.store))
	implementationv1.RegisterMembershipServiceServer(r, api.NewMembershipService(s.store))
	implementationv1.RegisterPersonServiceServer(r, api.NewPersonService(s.store))
	implementationv1.RegisterTrainingServiceServer(r, api.NewTrainingService(s.store))
	implementationv1.RegisterEnrolmentServiceServer(r, api.NewEnrolmentService(s.store))
	implementationv1.RegisterSessionServiceServer(r, api.NewSessionService(s.store))
	implementationv1.RegisterProvisioningServiceServer(r, api.NewProvisioningService(s.store))
	implementationv1.RegisterCohortPlanServiceServer(r, api.NewCohortPlanService(s.store, s.circles))
	implementationv1.RegisterResourceServiceServer(r, api.NewResourceService(s.store))
	implementationv1.RegisterStageServiceServer(r, api.NewStageService(s.store, s.circles))
	implementationv1.RegisterTaskServiceServer(r, api.NewTaskService(s.store))
	implementationv1.RegisterBaselineServiceServer(r, api.NewBaselineService(s.store))
	implementationv1.RegisterScheduleServiceServer(r, api.NewScheduleService(s.store))
	implementationv1.RegisterPlanTemplateServiceServer(r, api.NewPlanTemplateService(s.store))
	implementationv1.RegisterCommentServiceServer(r, api.NewCommentService(s.store))
	implementationv1.RegisterAgendaServiceServer(r, api.NewAgendaService(s.store))
	implementationv1.RegisterForecastServiceServer(r, api.NewForecastService(s.store))
	implementationv1.RegisterProposalServiceServer(r, api.NewProposalService(s.store))
	implementationv1.RegisterBudgetLineServiceServer(r, api.NewBudgetLineService(s.store))
	implementationv1.RegisterLedgerEntryServiceServer(r, api.NewLedgerEntryService(s.store))
	implementationv1.RegisterOutcomeServiceServer(r, api.NewOutcomeService(s.store))
	implementationv1.RegisterBenefitServiceServer(r, api.NewBenefitService(s.store))
	implementationv1.RegisterScorecardServiceServer(r, api.NewScorecardService(s.cards))
	implementationv1.RegisterStatusReportServiceServer(r, api.NewStatusReportService(s.store))
	implementationv1.RegisterFeatureServiceServer(r, api.NewFeatureService(s.store))
	implementationv1.RegisterUsageServiceServer(r, api.NewUsageService(s.store))
	implementationv1.RegisterAdoptionServiceServer(r, api.NewAdoptionService(s.store))
	implementationv1.RegisterSurveyServiceServer(r, api.NewSurveyService(s.store))
	implementationv1.RegisterSurveyWaveServiceServer(r, api.NewSurveyWaveService(s.store))
	implementationv1.RegisterResponseServiceServer(r, api.NewResponseService(s.store))
	implementationv1.RegisterSurveyNoticeServiceServer(r, api.NewSurveyNoticeService(s.store))
	implementationv1.RegisterSurveyResultServiceServer(r, api.NewSurveyResultService(s.store))
	implementationv1.RegisterChallengeServiceServer(r, api.NewChallengeService(s.store))
	implementationv1.RegisterSignalServiceServer(r, api.NewSignalService(s.store))
	implementationv1.RegisterDetectorPolicyServiceServer(r, api.NewDetectorPolicyService(s.store))
	implementationv1.RegisterSupportServiceServer(r, api.NewSupportService(s.store))
	implementationv1.RegisterDecisionServiceServer(r, api.NewDecisionService(s.store, s.deployment.Gate, s.circles))
	implementationv1.RegisterScorecardSnapshotServiceServer(r, api.NewScorecardSnapshotService(s.store))
	implementationv1.RegisterComparisonServiceServer(r, api.NewComparisonService(s.cards))
	s.registerSubscriptions(r)
	implementationv1.RegisterCalendarFeedServiceServer(r, api.NewCalendarFeedService(s.store))
	s.registerReach(r)
	waitingv1.RegisterWaitingServiceServer(r, api.NewWaitingService(s.store))
	gatev1.RegisterGateServiceServer(r, api.NewGateService(s.store))
	eventv1.RegisterEventServiceServer(r, feed.NewService(s.log, 0))
	accessv1.RegisterAccessServiceServer(r, s.access)
}

// Revocations is the revocation list that the server's verifier consults.
func (s *Service) Revocations() *auth.Revocations { return s.revoked }

// Run does what is done without being asked, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	return run.All(ctx,
		run.Part{Name: "event log", Run: s.log.Run},
		run.Part{Name: "revocations", Run: s.revoked.Run},
		run.Part{Name: "readiness", Run: s.engine.Run},
		run.Part{Name: "technical criteria", Run: s.technical.Run},
		run.Part{Name: "surveys", Run: s.surveys.Run},
		run.Part{Name: "decisions", Run: engine.NewDecisions(s.store, 0, s.logger).Run},
		run.Part{Name: "detectors", Run: engine.NewDetectors(s.store, s.logger, 0).Run},
		run.Part{Name: "deployments", Run: engine.NewDeployments(s.store, s.deployment.Events, s.logger).Run},
		run.Part{Name: "readiness falls", Run: engine.NewReadinessFalls(s.store, s.log, s.logger).Run},
		run.Part{Name: "freezes", Run: engine.NewFreezes(s.store, s.deployment.Policies, s.logger).Run},
		run.Part{Name: "scorecards", Run: engine.NewSnapshots(s.store, s.cards, s.logger).Run},
		run.Part{Name: "people", Run: s.runReach},
		run.Part{Name: "subscriptions", Run: s.runSubscriptions},
		run.Part{Name: "old usage", Run: s.purgeUsage},
		run.Part{Name: "request ids", Run: s.purge},
	)
}

// Ready returns an error while the service cannot answer as it should.
func (s *Service) Ready(ctx context.Context) error {
	var one int
	if err := s.db.Read().QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
		return fmt.Errorf("implementation database: %w", err)
	}
	if err := s.reach.db.Read().QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
		return fmt.Errorf("database of contacts: %w", err)
	}
	return s.revoked.Ready(ctx)
}

// Close closes the databases. Run must have returned.
func (s *Service) Close() error {
	return errors.Join(s.reach.db.Close(), s.metrics.Close(), s.db.Close())
}

func (s *Service) purge(ctx context.Context) error {
	run.Every(ctx, purgeEvery, func(ctx context.Context) {
		if _, err := s.store.PurgeRequests(ctx); err != nil && ctx.Err() == nil {
			s.logger.Warn("old request ids not purged; trying again later", zap.Error(err))
		}
	})
	return nil
}
