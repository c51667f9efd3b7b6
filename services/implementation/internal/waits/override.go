package waits

import (
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/override"
)

// keptOverrides is how many a stage shows.
const keptOverrides = 100

// The reasons of faults about what a stage waits for.
const (
	ReasonConditionNotFound = "CONDITION_NOT_FOUND"
	ReasonOverrideNotFound  = "OVERRIDE_NOT_FOUND"
	ReasonStageWaits        = "STAGE_WAITS"
)

// holding is the override of a condition that holds now, the newest first; nil for none.
func holding(overrides []*implementationv1.StageOverride, condition string, now time.Time) *implementationv1.StageOverride {
	return override.Holding(overrides, now, func(o *implementationv1.StageOverride) bool { return o.GetCondition() == condition })
}

// Override lets one condition of a stage pass, or refuses to: only for what a stage waits for that has not begun, and for 24 hours at most.
func Override(s *implementationv1.Stage, asked *implementationv1.StageOverride, person string, now time.Time) error {
	if err := override.Check(asked.GetExpireTime(), now, "override.expire_time"); err != nil {
		return err
	}
	if !slices.ContainsFunc(s.GetWaitsFor(), func(c *implementationv1.StageCondition) bool { return c.GetId() == asked.GetCondition() }) {
		return fault.NotFound(ReasonConditionNotFound, "stage %s waits for nothing with the id %q; golive stage show %s lists what it waits for", s.GetName(), asked.GetCondition(), s.GetName())
	}
	if begun(s) {
		return fault.Precondition(lifecycle.ReasonStateForbids, "stage %s is %s; what a stage waits for counts only before it begins", s.GetName(), s.GetState()).
			Subject("STATE", s.GetName(), "is "+s.GetState().String())
	}
	s.Overrides = override.Keep(s.GetOverrides(), &implementationv1.StageOverride{
		Condition: asked.GetCondition(), Person: person, Reason: asked.GetReason(), CreateTime: timestamppb.New(now), ExpireTime: asked.GetExpireTime(),
	}, keptOverrides)
	return nil
}

// Withdraw takes back what lets a condition pass, or refuses where nothing does.
func Withdraw(s *implementationv1.Stage, condition string, now time.Time) error {
	if holding(s.GetOverrides(), condition, now) == nil {
		return fault.NotFound(ReasonOverrideNotFound, "no override of %q holds on stage %s; golive stage show %s lists those that were given", condition, s.GetName(), s.GetName())
	}
	for o := holding(s.GetOverrides(), condition, now); o != nil; o = holding(s.GetOverrides(), condition, now) {
		o.RevokeTime = timestamppb.New(now)
	}
	return nil
}

// begun says that a stage waits for nothing any more: it runs, or has ended.
func begun(s *implementationv1.Stage) bool {
	switch s.GetState() {
	case implementationv1.Stage_STATE_UNSPECIFIED, implementationv1.Stage_PENDING, implementationv1.Stage_READY:
		return false
	default:
		return true
	}
}

// MayStart refuses with STAGE_WAITS, and every reason, while a condition of a stage does not hold.
func MayStart(s *implementationv1.Stage, statuses []*implementationv1.StageConditionStatus) error {
	var all []string
	for _, status := range statuses {
		if v := status.GetVerdict(); !Open(v.GetState()) {
			all = append(all, status.GetId()+" is "+v.GetState().String()+": "+v.GetReasons()[0].GetCurrent())
		}
	}
	if len(all) == 0 {
		return nil
	}
	err := fault.Precondition(ReasonStageWaits, "stage %s cannot begin: %s; golive why %s shows what helps", s.GetName(), strings.Join(all, ", and "), s.GetName())
	for _, one := range all {
		err = err.Subject(ReasonStageWaits, s.GetName(), one)
	}
	return err
}
