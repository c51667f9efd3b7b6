package engine_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// committee answers about a decision that opens one wave.
type committee struct {
	mu       sync.Mutex
	gate     *gate
	opens    string
	state    gatev1.Verdict_State
	revision int64
}

func (w *world) committee(opens string, state gatev1.Verdict_State) *committee {
	c := &committee{gate: w.gate, opens: opens, state: state}
	w.gate.mu.Lock()
	defer w.gate.mu.Unlock()
	w.gate.answer = c.answer
	return c
}

func (c *committee) decide(state gatev1.Verdict_State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state, c.revision = state, c.revision+1
}

func (c *committee) answer(req *gatev1.EvaluateGateRequest) *gatev1.Verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := &gatev1.Verdict{
		Resource: req.GetResource(), Purpose: req.GetPurpose(), State: c.state, Revision: c.revision, EvaluatedAt: timestamppb.New(c.gate.now()), Ttl: durationpb.New(time.Minute),
	}
	if req.GetPurpose() != gatev1.Purpose_PURPOSE_ALL || req.GetOnBehalfOf() != c.opens {
		v.State = gatev1.Verdict_FAIL
		v.Reasons = []*gatev1.BlockedBy{{Kind: gatev1.BlockedBy_DECISION, Resource: req.GetResource(), Current: "not bound to " + req.GetOnBehalfOf(), Required: "bound to it", Owner: "users/ada"}}
	}
	return v
}

func TestAWaveWaitsForADecisionThatNamesIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.committee(app+"/deployments/first/waves/all", gatev1.Verdict_WAIT)
		plan := decided(t)
		plan.Waves[0].Members = &deploymentv1.Members{Rule: &deploymentv1.Members_Cohort{Cohort: "pilot"}}
		plan.Waves = append(plan.Waves, decided(t).GetWaves()[0])
		plan.Waves[1].Id = "rest"
		name := w.deploy("first", "v1", plan).GetName()
		held := w.closed(name, "not met")
		why := held.GetBlockedBy()[0]
		require.Equal(t, gatev1.BlockedBy_DECISION, why.GetKind(), "whoever gives no reason is completed")
		require.Equal(t, "golive decide "+sales+" go --reason …", why.GetCommand())

		c.decide(gatev1.Verdict_PASS)
		w.gate.set(gatev1.Verdict_PASS, nil) // whoever watches is told
		w.closed(name, "not bound to "+name+"/waves/rest")
		began := w.wave(name, "all")
		require.Equal(t, deploymentv1.Wave_SEALED, began.GetState())
		kept := began.GetGates()[0].GetVerdict()
		require.Equal(t, sales, kept.GetResource())
		require.EqualValues(t, 1, kept.GetRevision(), "the word that let it start is kept with it")
		require.Equal(t, deploymentv1.Wave_GATED, w.wave(name, "rest").GetState(), "a decision opens what it names, and nothing else")

		_, err := w.engine.Rollback(w.ctx, &deploymentv1.RollbackDeploymentRequest{Name: name, Reason: "back"})
		require.NoError(t, err, "the way back asks nobody")
		w.reach(name, deploymentv1.Deployment_ROLLED_BACK)
	})
}

func TestADecisionThatExpiresBeforeTheStartHoldsTheWave(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.committee(app+"/deployments/first/waves/all", gatev1.Verdict_PASS)
		plan := decided(t)
		plan.Waves[0].Gates = append(plan.Waves[0].Gates, gated(t, `approval { }`).GetWaves()[0].GetGates()[0])
		plan.Waves[0].Gates[1].Id = "signed"
		name := w.deploy("first", "v1", plan).GetName()
		w.until(name, blocked(gatev1.BlockedBy_APPROVAL))
		c.decide(gatev1.Verdict_WAIT)       // and nobody is told
		w.ahead.Add(int64(4 * time.Second)) // the last answer is good for a minute, and not for a start
		_, err := w.engine.Decide(as(w.ctx, "users/bob"), &deploymentv1.ApproveWaveRequest{Name: name + "/waves/all"}, true)
		require.NoError(t, err)
		held := w.until(name, blocked(gatev1.BlockedBy_DECISION))
		require.Equal(t, deploymentv1.Deployment_WAITING, held.GetState())
		_, err = w.engine.Command(w.ctx, &deploymentv1.CancelDeploymentRequest{Name: name, Reason: "no"}, rollout.Cancel)
		require.NoError(t, err)
		w.reach(name, deploymentv1.Deployment_CANCELLED)
	})
}
