package readiness

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/override"
)

// keptOverrides is how many a plan shows.
const keptOverrides = 100

// waived lets a criterion pass that an override holds for; its numbers stay.
func (a Assessment) waived(c *implementationv1.Criterion, j judged) judged {
	o := holding(a.plan, c.GetId(), a.facts.Now)
	if o == nil || j.result.GetStatus() == met {
		return j
	}
	j.state, j.result.Status = gatev1.Verdict_WAIVED, implementationv1.CriterionResult_WAIVED
	j.result.Override, j.endures = o, o.GetExpireTime().AsTime()
	j.result.Message = fmt.Sprintf("%s; waived by %s until %s: %s", j.result.GetMessage(), o.GetPerson(), j.endures.Format(time.RFC3339), o.GetReason())
	return j
}

// holding is the override of a criterion that holds now, the newest first; nil for none.
func holding(plan *implementationv1.CohortPlan, criterion string, now time.Time) *implementationv1.ReadinessOverride {
	return override.Holding(plan.GetOverrides(), now, func(o *implementationv1.ReadinessOverride) bool { return o.GetCriterion() == criterion })
}

// Override lets a criterion of the plan pass, or refuses to: only for what the policy asks, and for 24 hours at most.
func Override(plan *implementationv1.CohortPlan, asked *implementationv1.ReadinessOverride, person string, now time.Time) error {
	if err := asks(plan, asked.GetCriterion()); err != nil {
		return err
	}
	if err := override.Check(asked.GetExpireTime(), now, "override.expire_time"); err != nil {
		return err
	}
	plan.Overrides = override.Keep(plan.GetOverrides(), &implementationv1.ReadinessOverride{
		Criterion: asked.GetCriterion(), Person: person, Reason: asked.GetReason(),
		CreateTime: timestamppb.New(now), ExpireTime: asked.GetExpireTime(),
	}, keptOverrides)
	return nil
}

// Withdraw takes back what lets a criterion pass, or refuses where nothing does.
func Withdraw(plan *implementationv1.CohortPlan, criterion string, now time.Time) error {
	if err := asks(plan, criterion); err != nil {
		return err
	}
	if holding(plan, criterion, now) == nil {
		return fault.Precondition("OVERRIDE_ENDED", "no override of criterion %q of %s holds now; golive readiness %s shows what does", criterion, plan.GetName(), plan.GetName()).
			Subject("OVERRIDE", plan.GetName(), "holds no override of "+criterion)
	}
	for o := holding(plan, criterion, now); o != nil; o = holding(plan, criterion, now) {
		o.RevokeTime = timestamppb.New(now)
	}
	return nil
}

func asks(plan *implementationv1.CohortPlan, criterion string) error {
	for _, c := range plan.GetReadinessPolicy().GetCriteria() {
		if c.GetId() == criterion {
			return nil
		}
	}
	return fault.NotFound("CRITERION_NOT_FOUND", "the readiness policy of %s has no criterion %q; golive readiness %s shows those it has", plan.GetName(), criterion, plan.GetName())
}
