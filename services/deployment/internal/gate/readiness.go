package gate

import (
	"context"
	"errors"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// readinessTimeout is how long an answer about people may take. A service that is slower holds
// the wave; it never holds the engine.
const readinessTimeout = 2 * time.Second

// readiness asks the implementation service about a cohort plan.
func (g *Gates) readiness(ctx context.Context, plan string, now time.Time) *gatev1.Verdict {
	if g.cfg.Readiness == nil {
		return rollout.Unanswered(plan, "no implementation service is configured", now)
	}
	ctx, cancel := context.WithTimeout(ctx, readinessTimeout)
	defer cancel()
	v, err := g.cfg.Readiness.EvaluateGate(ctx, &gatev1.EvaluateGateRequest{Resource: plan, Purpose: gatev1.Purpose_PURPOSE_READINESS})
	if err != nil {
		return rollout.Unanswered(plan, whyUnanswered(err), now)
	}
	if v.GetResource() != plan {
		return rollout.Unanswered(plan, "it answered about something else", now)
	}
	return v
}

func whyUnanswered(err error) string {
	switch f := fault.From(err); {
	case fault.Is(err, fault.KindNotFound):
		return "it does not know this cohort plan"
	case errors.Is(err, context.DeadlineExceeded), fault.KindOf(err) == fault.KindDeadline:
		return "it did not answer within " + readinessTimeout.String()
	case fault.Is(err, fault.KindUnavailable):
		return "it cannot be reached"
	default:
		return "it refused to answer: " + f.Error()
	}
}
