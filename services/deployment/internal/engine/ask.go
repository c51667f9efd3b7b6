package engine

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/gate"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// verdict is an answer and when it was asked for, by this service's clock.
type verdict struct {
	verdict *gatev1.Verdict
	asked   time.Time
}

// ask fetches the verdicts of gates that need the network, all at the same time. It always has an answer: where
// nobody can be heard it is UNKNOWN, and that does not open.
func (e *Engine) ask(ctx context.Context, asks []rollout.Ask) map[rollout.Ask]verdict {
	out := make(map[rollout.Ask]verdict, len(asks))
	var mu sync.Mutex
	var asking sync.WaitGroup
	defer asking.Wait()
	for _, a := range asks {
		asked := e.store.Now()
		question, err := e.question(ctx, a)
		if err != nil {
			e.logger.Warn("ask a gate", zap.String("wave", a.Wave), zap.String("gate", a.Gate), zap.Error(err))
			mu.Lock()
			out[a] = verdict{rollout.Unheard(question.Rule, a.Resource, "its wave cannot be read", asked), asked}
			mu.Unlock()
			continue
		}
		asking.Go(func() {
			v := e.gates.Ask(ctx, question)
			mu.Lock()
			defer mu.Unlock()
			out[a] = verdict{v, asked}
		})
	}
	return out
}

func (e *Engine) question(ctx context.Context, a rollout.Ask) (q gate.Question, err error) {
	if q.Wave, err = store.Waves.Load(ctx, e.store.DB.Read(), a.Wave); err != nil {
		return q, err
	}
	q.Rule = ruleOf(q.Wave, a.Gate)
	q.Deployment, err = store.Deployments.Load(ctx, e.store.DB.Read(), rollout.DeploymentOf(a.Wave))
	return q, err
}

// judgeGates reads the facts of gates and judges them, in the transaction that decides.
func (e *Engine) judgeGates(ctx context.Context, tx *sqldb.Tx, l *loaded, asks []rollout.Ask, now time.Time, into map[rollout.Ask]*gatev1.Verdict) error {
	for _, a := range asks {
		for _, w := range l.Waves {
			if w.GetName() != a.Wave {
				continue
			}
			v, err := e.gates.Judge(ctx, tx, gate.Question{Deployment: l.Deployment, Wave: w, Rule: ruleOf(w, a.Gate)}, now)
			if err != nil {
				return err
			}
			into[a] = v
		}
	}
	return nil
}

func ruleOf(w *deploymentv1.Wave, id string) *deploymentv1.GateRule {
	for _, rule := range w.GetRule().GetGates() {
		if rule.GetId() == id {
			return rule
		}
	}
	return nil
}

// measured asks again for a deployment whose load test has ended.
func (e *Engine) measured(ctx context.Context, deployment string) {
	if err := e.reask(ctx, deployment, func(rule *deploymentv1.GateRule) bool { return rule.GetCapacity() != nil }); err != nil && ctx.Err() == nil {
		e.logger.Warn("ask gates after a load test", zap.String("deployment", deployment), zap.Error(err))
	}
}

// reask asks some gates of the current wave whatever the age of their answers, then goes on.
func (e *Engine) reask(ctx context.Context, name string, meant func(*deploymentv1.GateRule) bool) error {
	waves, err := store.Waves.Select(ctx, e.store.DB.Read(), `WHERE parent = $1 ORDER BY ordinal`, name)
	if err != nil {
		return fmt.Errorf("read the waves of %s: %w", name, err)
	}
	var asks []rollout.Ask
	for _, w := range waves {
		if w.GetState() != deploymentv1.Wave_GATED {
			continue
		}
		for _, rule := range w.GetRule().GetGates() {
			if rollout.Asked(rule) && meant(rule) {
				asks = append(asks, rollout.AskOf(w, rule))
			}
		}
	}
	if len(asks) == 0 {
		return nil
	}
	if _, err := e.decide(ctx, name, answers{verdicts: e.ask(ctx, asks)}); err != nil {
		return err
	}
	return e.Advance(ctx, name)
}
