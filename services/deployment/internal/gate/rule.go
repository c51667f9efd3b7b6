package gate

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/policy"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// rules keeps expressions compiled. The zero value is ready.
type rules struct {
	mu   sync.Mutex
	byID map[string]*policy.Rule
}

// keptRules bounds them; all of one plan fit many times.
const keptRules = 256

func (r *rules) get(expression string) (*policy.Rule, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rule := r.byID[expression]; rule != nil {
		return rule, nil
	}
	rule, err := policy.NewRule(expression, "expression")
	if err != nil {
		return nil, err
	}
	if r.byID == nil || len(r.byID) >= keptRules {
		r.byID = map[string]*policy.Rule{}
	}
	r.byID[expression] = rule
	return rule, nil
}

// rule opens while its expression is true. One that costs too much or stumbles does not open, and says so.
func (g *Gates) rule(ctx context.Context, q sqldb.Queryer, ask Question, gate *deploymentv1.RuleGate, now time.Time) (*gatev1.Verdict, error) {
	facts := policy.Facts{Deployment: ask.Deployment, Wave: ask.Wave, Counts: ask.Wave.GetCounts(), Now: now, Principal: ask.Deployment.GetCreator()}
	var err error
	if facts.Release, err = store.Releases.Load(ctx, q, ask.Deployment.GetRelease()); err != nil {
		return nil, err
	}
	if facts.Environment, err = store.Environments.Load(ctx, q, ask.Deployment.GetEnvironment()); err != nil {
		return nil, err
	}
	if facts.Application, err = store.Applications.Load(ctx, q, applicationOf(ask.Deployment)); err != nil {
		return nil, err
	}
	rule, err := g.rules.get(gate.GetExpression())
	if err != nil {
		return nil, err
	}
	holds, why := rule.Holds(facts)
	return JudgeRule(ask, gate, holds, why), nil
}

// JudgeRule is the verdict of an expression that holds, or why it has no answer.
func JudgeRule(ask Question, gate *deploymentv1.RuleGate, holds bool, why string) *gatev1.Verdict {
	evidence := &gatev1.Evidence{Criterion: "rule", State: passIf(holds), Resource: ask.Wave.GetName(), Detail: gate.GetExpression()}
	if holds {
		return judged(ask.Wave, gatev1.Verdict_WAIT, nil, evidence)
	}
	state := gatev1.Verdict_WAIT
	if why != "" {
		state = gatev1.Verdict_UNDECIDED
	}
	evidence.State = state
	return judged(ask.Wave, state, []*gatev1.BlockedBy{{
		Kind: gatev1.BlockedBy_RULE, Resource: ask.Wave.GetName(), Current: cmp.Or(why, gate.GetMessage(), "its rule is not true"), Required: gate.GetExpression(),
		Owner: operators, Command: "golive describe " + ask.Deployment.GetName(),
	}}, evidence)
}
