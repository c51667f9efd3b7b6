package server_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/rpc"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/server"
)

// shop makes an application with a release that can be deployed, and an environment with one target.
func shop(t *testing.T, software grpc.ClientConnInterface, ws string) (app, env string) {
	t.Helper()
	ctx, content := t.Context(), []byte("the program")
	sum := sha256.Sum256(content)
	upload, err := deploymentv1.NewBlobServiceClient(software).UploadBlob(ctx)
	require.NoError(t, err)
	require.NoError(t, upload.Send(&deploymentv1.UploadBlobRequest{Parent: ws, Sha256: hex.EncodeToString(sum[:]), Data: content}))
	_, err = upload.CloseAndRecv()
	require.NoError(t, err)
	app, env = ws+"/applications/shop", ws+"/environments/prod"
	_, err = deploymentv1.NewApplicationServiceClient(software).CreateApplication(ctx, &deploymentv1.CreateApplicationRequest{Parent: ws, ApplicationId: "shop", Application: &deploymentv1.Application{}})
	require.NoError(t, err)
	_, err = deploymentv1.NewEnvironmentServiceClient(software).CreateEnvironment(ctx, &deploymentv1.CreateEnvironmentRequest{Parent: ws, EnvironmentId: "prod", Environment: &deploymentv1.Environment{}})
	require.NoError(t, err)
	_, err = deploymentv1.NewTargetServiceClient(software).CreateTarget(ctx, &deploymentv1.CreateTargetRequest{Parent: env, TargetId: "t1", Target: &deploymentv1.Target{}})
	require.NoError(t, err)
	_, err = deploymentv1.NewReleaseServiceClient(software).CreateRelease(ctx, &deploymentv1.CreateReleaseRequest{Parent: app, ReleaseId: "v1", Release: &deploymentv1.Release{
		Version: "1.0.0", Run: &deploymentv1.RunSpec{Command: []string{"bin/app"}},
		Artifacts: []*deploymentv1.Artifact{{Os: "linux", Arch: "amd64", Sha256: hex.EncodeToString(sum[:]), SizeBytes: int64(len(content))}},
	}})
	require.NoError(t, err)
	return app, env
}

// A wave that waits for a decision whose evidence is the wave is refused by whoever closes the circle, and the
// inbox names the wave that waits for a decision as long as it does.
func TestWhatWaitsForItselfIsRefusedOnBothSides(t *testing.T) {
	s, err := server.Up(t.Context(), config(t))
	require.NoError(t, err)
	token := s.BootstrapToken()
	serve(t, s)
	ready(t, s)
	dial := func(address string) grpc.ClientConnInterface {
		conn, err := rpc.Dial(address, rpc.ClientConfig{Token: auth.StaticToken(token)})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, conn.Close()) })
		return conn
	}
	software, people := dial(s.Addresses().Deployment), dial(s.Addresses().Implementation)
	ctx := t.Context()
	const ws, crm = "workspaces/default", "workspaces/default/implementations/crm"
	app, env := shop(t, software, ws)
	_, err = implementationv1.NewImplementationServiceClient(people).CreateImplementation(ctx, &implementationv1.CreateImplementationRequest{
		Parent: ws, ImplementationId: "crm", Implementation: &implementationv1.Implementation{Owner: "users/oz"},
	})
	require.NoError(t, err)
	ask := func(id string, evidence ...string) error {
		_, err := implementationv1.NewDecisionServiceClient(people).CreateDecision(ctx, &implementationv1.CreateDecisionRequest{
			Parent: crm, DecisionId: id, Decision: &implementationv1.Decision{DisplayName: "Does it go?", Owner: "users/ada", Technical: evidence},
		})
		return err
	}
	deploy := func(id, decision string) error {
		_, err := deploymentv1.NewDeploymentServiceClient(software).CreateDeployment(ctx, &deploymentv1.CreateDeploymentRequest{Parent: app, DeploymentId: id, Deployment: &deploymentv1.Deployment{
			Release: app + "/releases/v1", Environment: env, Rollout: &deploymentv1.Rollout{Waves: []*deploymentv1.WaveRule{{
				Id: "all", Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Rest{Rest: true}}, Gates: []*deploymentv1.GateRule{{
					Id: "go", Type: &deploymentv1.GateRule_Decision{Decision: &deploymentv1.DecisionGate{Decision: crm + "/decisions/" + decision}},
				}},
			}}},
		}})
		return err
	}

	require.NoError(t, ask("still", env))
	err = deploy("d1", "still")
	require.Equal(t, "WAITING_CYCLE", fault.ReasonOf(err), "the environment is not still while the deployment waits there")
	require.ErrorContains(t, err, app+"/deployments/d1/waves/all → "+crm+"/decisions/still → "+env+" → "+app+"/deployments/d1")

	require.NoError(t, deploy("d2", "later"))
	wave := app + "/deployments/d2/waves/all"
	err = ask("later", wave)
	require.Equal(t, "WAITING_CYCLE", fault.ReasonOf(err), "the decision comes second, and closes it")
	require.ErrorContains(t, err, crm+"/decisions/later → "+wave+" → "+crm+"/decisions/later")
	require.NoError(t, ask("later"))

	inbox := waitingv1.NewWaitingServiceClient(software)
	require.Eventually(t, func() bool {
		e, err := inbox.ExplainWaiting(ctx, &waitingv1.ExplainWaitingRequest{Resource: wave})
		require.NoError(t, err)
		require.Equal(t, []string{crm + "/decisions/later"}, e.GetDependsOn())
		why := e.GetWaiting().GetBlockedBy()
		return len(why) > 0 && why[0].GetKind() == gatev1.BlockedBy_DECISION && why[0].GetResource() == crm+"/decisions/later" && why[0].GetOwner() != "services/implementation"
	}, 40*time.Second, 50*time.Millisecond, "the wave waits for whoever decides")
	all, err := inbox.ListWaiting(ctx, &waitingv1.ListWaitingRequest{Parent: ws, Kinds: []string{"wave"}})
	require.NoError(t, err)
	require.Len(t, all.GetWaiting(), 1)
	require.Equal(t, wave, all.GetWaiting()[0].GetResource())
}
