package gate

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/outbound"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/blob"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// operators are who can move most things.
const operators = "operators"

// shown is how many single findings a verdict names; the rest are counted.
const shown = 10

// Blobs has the archives.
type Blobs interface {
	Stat(ctx context.Context, workspace, sha256 string) (blob.Info, error)
	Read(ctx context.Context, workspace, sha256 string, offset int64) (io.ReadCloser, error)
}

// Config is what gates are judged with. Store and Blobs are required.
type Config struct {
	Store *store.Store
	Blobs Blobs
	// Implementation asks the implementation service; nil where there is none: gates about people and decisions then stay UNKNOWN.
	Implementation gatev1.GateServiceClient
	// PublicOnly refuses webhooks, load tests and queries that lead to private and local addresses. Link-local ones,
	// where clouds keep their secrets, are always refused.
	PublicOnly bool
	// Measured is told the deployment whose load test has ended; nobody when nil.
	Measured func(ctx context.Context, deployment string)
	Logger   *zap.Logger
}

// Gates judges the gates of waves. Run does the load tests that its answers ask for.
type Gates struct {
	cfg    Config
	client *http.Client
	rules  rules
	intact intact
	tests  chan Question
}

// New returns gates.
func New(cfg Config) *Gates {
	if cfg.Logger == nil {
		cfg.Logger = zap.NewNop()
	}
	return &Gates{cfg: cfg, client: outbound.New(outbound.Config{PublicOnly: cfg.PublicOnly, Connections: mostConnections}), tests: make(chan Question, waitingTests)}
}

// Question is one gate of one wave.
type Question struct {
	Deployment *deploymentv1.Deployment
	Wave       *deploymentv1.Wave
	Rule       *deploymentv1.GateRule
}

// Client is what asks addresses that come out of plans; it goes nowhere that only the server could reach.
func (g *Gates) Client() *http.Client { return g.client }

// Judge judges a gate by what the database says in this transaction. An error is that of the database.
func (g *Gates) Judge(ctx context.Context, q sqldb.Queryer, ask Question, now time.Time) (*gatev1.Verdict, error) {
	var v *gatev1.Verdict
	var err error
	switch t := ask.Rule.GetType().(type) {
	case *deploymentv1.GateRule_PriorEnvironment:
		v, err = priorEnvironment(ctx, q, ask, t.PriorEnvironment, now)
	case *deploymentv1.GateRule_Dependency:
		v, err = dependency(ctx, q, ask, t.Dependency)
	case *deploymentv1.GateRule_Compatibility:
		v, err = compatibility(ctx, q, ask)
	case *deploymentv1.GateRule_Capacity:
		v, err = capacity(ctx, q, ask, t.Capacity, nil)
	case *deploymentv1.GateRule_Migration:
		v, err = migration(ctx, q, ask, t.Migration)
	case *deploymentv1.GateRule_Feedback:
		v, err = feedback(ctx, q, ask, t.Feedback)
	case *deploymentv1.GateRule_Window:
		v, err = window(ask, t.Window, now)
	case *deploymentv1.GateRule_Rule:
		v, err = g.rule(ctx, q, ask, t.Rule, now)
	default:
		v = rollout.Unheard(ask.Rule, ask.Wave.GetName(), "gate "+ask.Rule.GetId()+" is of a kind that this version does not judge", now)
	}
	if err != nil {
		return nil, fmt.Errorf("judge gate %s of %s: %w", ask.Rule.GetId(), ask.Wave.GetName(), err)
	}
	return at(v, now), nil
}

// Ask fetches the verdict of a gate that needs the network. It always has an answer: where nobody can be
// heard it is UNKNOWN, which does not open.
func (g *Gates) Ask(ctx context.Context, ask Question) *gatev1.Verdict {
	now := g.cfg.Store.Now()
	var v *gatev1.Verdict
	var err error
	switch t := ask.Rule.GetType().(type) {
	case *deploymentv1.GateRule_Readiness:
		return g.readiness(ctx, t.Readiness.GetCohortPlan(), now)
	case *deploymentv1.GateRule_Decision:
		return g.decision(ctx, ask.Wave.GetName(), t.Decision.GetDecision(), now)
	case *deploymentv1.GateRule_Webhook:
		v = g.webhook(ctx, ask, t.Webhook, now)
	case *deploymentv1.GateRule_Integrity:
		v, err = g.integrity(ctx, ask, t.Integrity, now)
	case *deploymentv1.GateRule_Capacity:
		v, err = g.measured(ctx, ask, t.Capacity, now)
	case *deploymentv1.GateRule_PriorEnvironment:
		v, err = g.available(ctx, ask, t.PriorEnvironment, now)
	default:
		v = rollout.Unheard(ask.Rule, ask.Wave.GetName(), "gate "+ask.Rule.GetId()+" is of a kind that this version does not ask", now)
	}
	if err != nil {
		if ctx.Err() == nil {
			g.cfg.Logger.Warn("ask a gate", zap.String("wave", ask.Wave.GetName()), zap.String("gate", ask.Rule.GetId()), zap.Error(err))
		}
		v = rollout.Unheard(ask.Rule, ask.Wave.GetName(), "it could not be found out; the server's log says why", now)
	}
	return at(v, now)
}

// at stamps a verdict and what it is made of.
func at(v *gatev1.Verdict, now time.Time) *gatev1.Verdict {
	v.EvaluatedAt = timestamppb.New(now)
	for _, e := range v.GetEvidence() {
		if e.GetAsOf() == nil {
			e.AsOf = timestamppb.New(now)
		}
	}
	if v.GetTtl() == nil {
		v.Ttl = durationpb.New(rollout.DefaultVerdictTTL)
	}
	v.ValidUntil = timestamppb.New(now.Add(v.GetTtl().AsDuration()))
	return v
}

// judged makes a verdict of its reasons: with none it passes.
func judged(w *deploymentv1.Wave, otherwise gatev1.Verdict_State, reasons []*gatev1.BlockedBy, evidence ...*gatev1.Evidence) *gatev1.Verdict {
	v := &gatev1.Verdict{Resource: w.GetName(), State: gatev1.Verdict_PASS, Reasons: reasons, Evidence: evidence}
	if len(reasons) > 0 {
		v.State = otherwise
	}
	return v
}

func passIf(met bool) gatev1.Verdict_State {
	if met {
		return gatev1.Verdict_PASS
	}
	return gatev1.Verdict_WAIT
}

// counted is evidence of a share that must be reached.
func counted(criterion, resource string, have, of, want int) *gatev1.Evidence {
	e := &gatev1.Evidence{
		Criterion: criterion, Resource: resource, State: passIf(have >= want), Value: float64(have),
		Numerator: int64(have), Denominator: int64(of), Threshold: float64(want),
	}
	return e
}

// few names the first of many and counts the rest.
func few(names []string) string {
	const most = 3
	text := ""
	for i, name := range names {
		if i == most {
			return fmt.Sprintf("%s and %d more", text, len(names)-most)
		}
		if i > 0 {
			text += ", "
		}
		text += lastSegment(name)
	}
	return text
}
