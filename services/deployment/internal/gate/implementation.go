package gate

import (
	"context"
	"errors"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/verdict"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// implementationTimeout is how long an answer about people may take. A service that is slower holds
// the wave; it never holds the engine.
const implementationTimeout = 2 * time.Second

// readiness asks the implementation service about a cohort plan.
func (g *Gates) readiness(ctx context.Context, plan string, now time.Time) *gatev1.Verdict {
	v, why := g.implementation(ctx, &gatev1.EvaluateGateRequest{Resource: plan, Purpose: gatev1.Purpose_PURPOSE_READINESS}, now)
	if why != "" {
		return rollout.Unanswered(plan, why, now)
	}
	return v
}

// decision asks it whether somebody has decided that a wave goes. A decision opens only the waves it names, so it is told for which.
// The verdict that is kept on the wave names the decision, and with its revision which word of it let the wave start.
func (g *Gates) decision(ctx context.Context, wave, decision string, now time.Time) *gatev1.Verdict {
	v, why := g.implementation(ctx, &gatev1.EvaluateGateRequest{Resource: decision, Purpose: gatev1.Purpose_PURPOSE_ALL, OnBehalfOf: wave}, now)
	if why != "" {
		return rollout.Undecided(decision, why, now)
	}
	return v
}

// implementation asks the implementation service, or says why there is no answer that can be believed.
func (g *Gates) implementation(ctx context.Context, req *gatev1.EvaluateGateRequest, now time.Time) (v *gatev1.Verdict, why string) {
	if g.cfg.Implementation == nil {
		return nil, "no implementation service is configured"
	}
	ctx, cancel := context.WithTimeout(ctx, implementationTimeout)
	defer cancel()
	v, err := g.cfg.Implementation.EvaluateGate(ctx, req)
	if err != nil {
		return nil, whyUnanswered(err)
	}
	return v, verdict.Doubt(v, req.GetResource(), now)
}

func whyUnanswered(err error) string {
	switch f := fault.From(err); {
	case fault.Is(err, fault.KindNotFound):
		return "it knows nothing of that name"
	case errors.Is(err, context.DeadlineExceeded), fault.KindOf(err) == fault.KindDeadline:
		return "it did not answer within " + implementationTimeout.String()
	case fault.Is(err, fault.KindUnavailable):
		return "it cannot be reached"
	default:
		return "it refused to answer: " + f.Message()
	}
}
