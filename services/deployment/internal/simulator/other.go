package simulator

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// illness is in which way the other service is not well. Whatever it is, none of its answers counts.
type illness int

const (
	well  illness = iota
	down          // nobody is there
	hung          // it takes the question and is not heard of again
	lying         // it agrees, in words that make no sense
	stale         // it says again what it said long ago
	illnesses
)

// String is what the trace calls it.
func (i illness) String() string {
	return [...]string{"is well", "is down", "is hung", "is lying", "is stale"}[i]
}

// answer stamps a verdict as the other service's clock has it, or spoils it.
func (g *gateService) answer(v *gatev1.Verdict) (*gatev1.Verdict, error) {
	v.EvaluatedAt, v.Ttl = timestamppb.New(g.w.now.Add(g.drift)), durationpb.New(20*time.Second)
	switch g.ill {
	case down:
		return nil, fault.Unavailable("DOWN", "down")
	case hung:
		return nil, fault.Deadline("HUNG", "hung")
	case lying:
		v.State, v.Reasons = gatev1.Verdict_PASS, nil
		g.lies[g.w.pick(len(g.lies))](v)
	case stale:
		v.State, v.Reasons = gatev1.Verdict_PASS, nil
		v.EvaluatedAt = timestamppb.New(g.w.now.Add(-g.w.between(5*time.Hour, 100*time.Hour)))
	default:
	}
	return v, nil
}

// lies are how a verdict can make no sense.
func lies() []func(*gatev1.Verdict) {
	return []func(*gatev1.Verdict){
		func(v *gatev1.Verdict) { v.Resource += "-not" },
		func(v *gatev1.Verdict) { v.EvaluatedAt = nil },
		func(v *gatev1.Verdict) { v.State = 99 },
		func(v *gatev1.Verdict) { v.State = 0 },
		func(v *gatev1.Verdict) { v.Ttl = durationpb.New(-time.Second) },
		func(v *gatev1.Verdict) { v.Ttl = durationpb.New(1000 * time.Hour) },
		func(v *gatev1.Verdict) { v.ValidUntil = v.GetEvaluatedAt() },
	}
}
