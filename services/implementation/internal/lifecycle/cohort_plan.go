package lifecycle

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// GoLive records when a cohort really went live, at the given time or now, or takes that back.
func GoLive(plan *implementationv1.CohortPlan, now, at time.Time, withdraw bool) error {
	if withdraw {
		plan.LiveTime, plan.LiveWave = nil, ""
		return nil
	}
	if at.IsZero() {
		at = now
	}
	if at.After(now) {
		return future("live_time", at)
	}
	plan.LiveTime, plan.LiveWave = timestamppb.New(at), "" // by the word of a person, whatever a wave said
	return nil
}
