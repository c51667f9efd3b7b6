package engine_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/deployment/internal/engine"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

const (
	crm   = ws + "/implementations/crm"
	sales = crm + "/decisions/sales"
)

// other says what the implementation service's things wait for by their plans.
type other struct {
	waitingv1.WaitingServiceClient

	mu        sync.Mutex
	dependsOn map[string][]string
	err       error
	asked     int
}

func (o *other) set(name string, dependsOn ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.dependsOn[name] = dependsOn
}

func (o *other) silence(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err
}

func (o *other) ExplainWaiting(ctx context.Context, req *waitingv1.ExplainWaitingRequest, _ ...grpc.CallOption) (*waitingv1.Explanation, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked++
	if _, hurried := ctx.Deadline(); !hurried {
		return nil, fault.Internal("NO_DEADLINE", "asked without a deadline")
	}
	return &waitingv1.Explanation{DependsOn: o.dependsOn[req.GetResource()]}, o.err
}

// decided is a plan whose only wave waits for a decision.
func decided(t *testing.T) *deploymentv1.Rollout {
	t.Helper()
	return gated(t, `decision { decision: "`+sales+`" }`)
}

func TestADeploymentThatWouldWaitForItselfIsRefusedByName(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		d := app + "/deployments/first"
		refused := func() error {
			_, err := w.engine.Create(w.ctx, &deploymentv1.CreateDeploymentRequest{Parent: app, DeploymentId: "first", Deployment: &deploymentv1.Deployment{
				Release: app + "/releases/v1", Environment: env, Rollout: decided(t),
			}})
			return err
		}
		for name, evidence := range map[string]string{
			"the wave itself":             d + "/waves/all",
			"the deployment":              d,
			"the environment it moves in": env,
		} {
			w.other.set(sales, crm+"/cohortPlans/sales", evidence)
			err := refused()
			require.Equal(t, engine.ReasonCircle, fault.ReasonOf(err), name)
			require.Contains(t, err.Error(), " → "+sales+" → ", name)
			require.Contains(t, err.Error(), evidence, name)
		}
		w.other.set(sales, crm+"/cohortPlans/sales")
		w.other.set(crm+"/cohortPlans/sales", d)
		require.ErrorContains(t, refused(), d+" → "+d+"/waves/all → "+sales+" → "+crm+"/cohortPlans/sales → "+d, "the way is named, through both services")

		w.other.set(crm+"/cohortPlans/sales", ws+"/environments/other")
		require.NoError(t, refused(), "what is not there waits for nothing")
	})
}

func TestACircleThatClosesLaterIsShownAndCleared(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.other.silence(fault.Unavailable("DOWN", "down"))
		w.other.set(sales, env)
		name := w.deploy("first", "v1", decided(t)).GetName()
		held := w.until(name, blocked(gatev1.BlockedBy_CRITERION))
		require.NotEmpty(t, held.GetBlockedBy(), "who is silent refuses nothing")
		require.NoError(t, w.engine.SeekCircles(w.ctx))
		require.Equal(t, gatev1.BlockedBy_CRITERION, w.wave(name, "all").GetBlockedBy()[0].GetKind(), "and shows nothing")

		w.other.silence(nil)
		require.NoError(t, w.engine.SeekCircles(w.ctx))
		found := w.until(name, blocked(gatev1.BlockedBy_CYCLE)).GetBlockedBy()[0]
		wave := name + "/waves/all"
		require.Equal(t, "they wait for each other: "+wave+" → "+sales+" → "+env+" → "+name+" → "+wave, found.GetCurrent())
		require.Equal(t, sales, found.GetResource())
		require.NotNil(t, found.GetSince())
		require.NotEmpty(t, found.GetCommand())

		w.other.silence(fault.Unavailable("DOWN", "down"))
		require.NoError(t, w.engine.SeekCircles(w.ctx))
		marked, err := store.WaveCircles(w.ctx, w.store.DB.Read(), name)
		require.NoError(t, err)
		require.Len(t, marked, 1, "silence clears nothing")

		w.other.silence(nil)
		w.other.set(sales)
		require.NoError(t, w.engine.SeekCircles(w.ctx))
		w.until(name, blocked(gatev1.BlockedBy_CRITERION))
		w.gate.set(gatev1.Verdict_PASS, nil)
		w.reach(name, deploymentv1.Deployment_SUCCEEDED)
	})
}

func TestApplicationsThatWaitForEachOtherAreFound(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, err := store.Applications.Create(w.ctx, w.store.Resources, &deploymentv1.CreateApplicationRequest{Parent: ws, ApplicationId: "billing", Application: &deploymentv1.Application{}})
		require.NoError(t, err)
		first := w.deploy("first", "v1", gated(t, `dependency { application: "`+ws+`/applications/billing" version: "2.0.0" }`)).GetName()
		w.until(first, blocked(gatev1.BlockedBy_DEPENDENCY))
		billing := ws + "/applications/billing"
		_, err = store.Releases.Create(w.ctx, w.store.Resources, &deploymentv1.CreateReleaseRequest{Parent: billing, ReleaseId: "v2", Release: &deploymentv1.Release{
			Version: "2.0.0", Run: &deploymentv1.RunSpec{Command: []string{"bin/app"}},
			Artifacts: []*deploymentv1.Artifact{{Os: "linux", Arch: "amd64", Sha256: strings.Repeat("2", 64), SizeBytes: 1}},
		}})
		require.NoError(t, err)
		_, err = w.engine.Create(w.ctx, &deploymentv1.CreateDeploymentRequest{Parent: billing, DeploymentId: "second", Deployment: &deploymentv1.Deployment{
			Release: billing + "/releases/v2", Environment: env, Rollout: gated(t, `dependency { application: "`+app+`" version: "1.0.0" }`),
		}})
		require.Equal(t, engine.ReasonCircle, fault.ReasonOf(err))
		require.ErrorContains(t, err, billing+"/deployments/second → "+billing+"/deployments/second/waves/all → "+first+" → "+first+"/waves/all → "+billing+"/deployments/second")
	})
}
