package engine

import (
	"cmp"
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/run"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

const (
	// askEvery is how often the deployment service is asked what technical criteria want to know, where nothing else is said.
	askEvery = 10 * time.Second
	// askPatience is how long one answer may take.
	askPatience = 5 * time.Second
)

// Technical asks the deployment service about the machines that technical criteria
// name, and keeps what it says. Who does not answer says nothing: what was said
// before grows old, and the criterion is UNKNOWN when it is too old.
type Technical struct {
	store  *store.Store
	gate   gatev1.GateServiceClient
	every  time.Duration
	logger *zap.Logger
}

// NewTechnical asks through gate, again and again; a nil gate asks nobody.
func NewTechnical(s *store.Store, gate gatev1.GateServiceClient, every time.Duration, logger *zap.Logger) *Technical {
	return &Technical{store: s, gate: gate, every: cmp.Or(every, askEvery), logger: logger}
}

// Run asks until ctx ends.
func (t *Technical) Run(ctx context.Context) error {
	if t.gate == nil {
		return nil
	}
	run.Every(ctx, t.every, func(ctx context.Context) {
		if err := t.ask(ctx); err != nil && ctx.Err() == nil {
			t.logger.Warn("technical criteria not asked about; trying again", zap.Error(err))
		}
	})
	return nil
}

func (t *Technical) ask(ctx context.Context) error {
	wanted, err := t.store.TechnicalWanted(ctx)
	if err != nil {
		return err
	}
	for _, resource := range wanted {
		asked := t.store.Now() // its age counts from here, by the clock of this side
		v, err := t.evaluate(ctx, resource)
		if err != nil {
			t.logger.Debug("the deployment service does not answer", zap.String("resource", resource), zap.Error(err))
			continue
		}
		if err := t.store.RecordTechnical(ctx, v, asked); err != nil {
			return err
		}
		plans, err := t.store.TechnicalPlans(ctx, resource)
		if err != nil {
			return err
		}
		if _, err := t.store.Verdicts(ctx, plans); err != nil {
			return err
		}
	}
	return nil
}

func (t *Technical) evaluate(ctx context.Context, resource string) (*gatev1.Verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	return t.gate.EvaluateGate(ctx, &gatev1.EvaluateGateRequest{Resource: resource, Purpose: gatev1.Purpose_PURPOSE_TECHNICAL})
}
