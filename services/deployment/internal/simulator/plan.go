package simulator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// rollout makes a plan of one to three waves.
func (w *world) rollout() *deploymentv1.Rollout {
	r := &deploymentv1.Rollout{
		CancelTimeout: seconds(2 + w.pick(30)), LostAfter: seconds(10 + w.pick(110)), StepTimeout: seconds(10 + w.pick(30)),
	}
	if w.chance(400) {
		r.OnFailure = deploymentv1.Rollout_FREEZE
	}
	n := 1 + w.pick(3)
	for i := range n {
		rule := &deploymentv1.WaveRule{
			Id: fmt.Sprintf("w%d", i), Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Cohort{Cohort: fmt.Sprintf("c%d", i)}},
			MaxParallel: int32(w.pick(3)), Bake: seconds(w.pick(30)), //nolint:gosec // small
			Budget: &deploymentv1.FailureBudget{MaxFailed: int32(w.pick(2)), MaxLost: int32(w.pick(2))}, //nolint:gosec // small
		}
		if i == n-1 {
			rule.Members = &deploymentv1.Members{Rule: &deploymentv1.Members_Rest{Rest: true}}
		}
		if w.chance(300) {
			rule.MinCoverage = 0.5
		}
		if w.chance(120) {
			rule.Analysis = w.analysis()
		}
		for j := range max(0, w.pick(4)-1) {
			g := w.gateRule(fmt.Sprintf("g%d", j))
			if !rollout.Asked(g) || !slices.ContainsFunc(rule.GetGates(), rollout.Asked) {
				rule.Gates = append(rule.Gates, g)
			}
		}
		r.Waves = append(r.Waves, rule)
	}
	return r
}

func (w *world) gateRule(id string) *deploymentv1.GateRule {
	g := &deploymentv1.GateRule{Id: id}
	switch w.pick(5) {
	case 0:
		g.Type = &deploymentv1.GateRule_Readiness{Readiness: &deploymentv1.ReadinessGate{CohortPlan: plans + fmt.Sprintf("p%d", w.pick(2))}}
	case 1:
		g.Type = &deploymentv1.GateRule_Decision{Decision: &deploymentv1.DecisionGate{Decision: decisions + fmt.Sprintf("p%d", w.pick(2))}}
	case 2:
		approval := &deploymentv1.ApprovalGate{Required: int32(w.pick(3))} //nolint:gosec // small
		if w.chance(200) {
			approval.Approvers = []string{"users/p0"}
		}
		if w.chance(200) {
			approval.ValidFor = seconds(20 + w.pick(60))
		}
		g.Type = &deploymentv1.GateRule_Approval{Approval: approval}
	case 3:
		g.Type = &deploymentv1.GateRule_Bake{Bake: &deploymentv1.BakeGate{Duration: seconds(w.pick(40))}}
	default:
		g.Type = &deploymentv1.GateRule_PriorWave{PriorWave: &deploymentv1.PriorWaveGate{}}
	}
	if w.chance(100) {
		g.ExpiresAfter = seconds(60 + w.pick(120))
	}
	return g
}

func seconds(n int) *durationpb.Duration { return durationpb.New(time.Duration(n) * time.Second) }

// outline says what a plan is in one line.
func outline(r *deploymentv1.Rollout) string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "on failure %s, lost after %s;", r.GetOnFailure(), r.GetLostAfter().AsDuration())
	for _, rule := range r.GetWaves() {
		_, _ = fmt.Fprintf(&b, " %s(parallel %d, bake %s, %d gates, cover %g)", rule.GetId(), rule.GetMaxParallel(), rule.GetBake().AsDuration(), len(rule.GetGates()), rule.GetMinCoverage())
	}
	return b.String()
}
