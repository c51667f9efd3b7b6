package delivery_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/delivery"
)

// ws is the workspace of these tests.
const ws = "workspaces/default"

func event(tb testing.TB, kind, resource string, after proto.Message) *eventv1.Event {
	tb.Helper()
	e := &eventv1.Event{
		Token: "v1:5f0c:0:42", Resource: resource, Type: kind, Revision: 7, Actor: "users/alice", Cause: "because  of\nit",
		Time: timestamppb.New(time.Date(2026, 3, 2, 9, 0, 0, 123000000, time.UTC)),
	}
	if after != nil {
		packed, err := anypb.New(after)
		require.NoError(tb, err)
		e.After = packed
	}
	return e
}

// told are the events that have a golden body.
func told(tb testing.TB) map[string]*eventv1.Event {
	tb.Helper()
	deployment := func(kind deploymentv1.Deployment_Kind) *deploymentv1.Deployment {
		return &deploymentv1.Deployment{
			Name: ws + "/applications/crm/deployments/d-1", Kind: kind, State: deploymentv1.Deployment_SUCCEEDED,
			Release: ws + "/applications/crm/releases/2.4.0", Environment: ws + "/environments/production",
		}
	}
	const deployments, environments, incidents = ws + "/applications/crm/deployments/d-1", ws + "/environments/production", ws + "/incidents/i-1"
	incident := &deploymentv1.Incident{Name: incidents, Summary: "Nobody can sign in", CausedBy: deployments}
	return map[string]*eventv1.Event{
		"service_deployed":     event(tb, "deployment.deployment.succeeded", deployments, deployment(deploymentv1.Deployment_RELEASE)),
		"service_upgraded":     event(tb, "deployment.deployment.succeeded", deployments, deployment(deploymentv1.Deployment_CONFIGURATION)),
		"service_rolledback":   event(tb, "deployment.deployment.succeeded", deployments, deployment(deploymentv1.Deployment_ROLLBACK)),
		"environment_created":  event(tb, "deployment.environment.created", environments, &deploymentv1.Environment{Name: environments, DisplayName: "Production"}),
		"environment_modified": event(tb, "deployment.environment.updated", environments, &deploymentv1.Environment{Name: environments}),
		"environment_deleted":  event(tb, "deployment.environment.deleted", environments, nil),
		"incident_detected":    event(tb, "deployment.incident.created", incidents, incident),
		"incident_resolved":    event(tb, "deployment.incident.resolved", incidents, incident),
		"artifact_published": event(tb, "deployment.release.created", ws+"/applications/crm/releases/2.4.0",
			&deploymentv1.Release{Name: ws + "/applications/crm/releases/2.4.0", Version: "2.4.0"}),
		"wave_sealed": event(tb, "deployment.wave.sealed", deployments+"/waves/2", &deploymentv1.Wave{Name: deployments + "/waves/2", State: deploymentv1.Wave_SEALED}),
		"task_completed": event(tb, "implementation.task.completed", ws+"/implementations/crm/tasks/t-1", &implementationv1.Task{
			Name: ws + "/implementations/crm/tasks/t-1", DisplayName: "Ask " + ws + "/people/p-001 to try it", Owner: "users/carol",
		}),
		"task_deleted": event(tb, "implementation.task.deleted", ws+"/implementations/crm/tasks/t-1", nil),
		"tested":       event(tb, delivery.Tested, ws+"/subscriptions/ops", nil),
	}
}

func TestBodiesAreWhatTheyWere(t *testing.T) {
	for name, e := range told(t) {
		t.Run(name, func(t *testing.T) {
			body, err := delivery.CloudEvent(e)
			require.NoError(t, err)
			again, err := delivery.CloudEvent(e)
			require.NoError(t, err)
			require.Equal(t, string(body), string(again), "the same event has the same body")
			var pretty bytes.Buffer
			require.NoError(t, json.Indent(&pretty, body, "", "  "))
			pretty.WriteByte('\n')
			file := filepath.Join("testdata", name+".json")
			if os.Getenv("GOLIVE_UPDATE") != "" {
				require.NoError(t, os.WriteFile(file, pretty.Bytes(), 0o600))
			}
			golden, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(golden), pretty.String())
		})
	}
}

func TestTheCloudEventsLibraryReadsThem(t *testing.T) {
	for name, e := range told(t) {
		t.Run(name, func(t *testing.T) {
			body, err := delivery.CloudEvent(e)
			require.NoError(t, err)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost", bytes.NewReader(body))
			require.NoError(t, err)
			req.Header.Set("Content-Type", delivery.MediaType)
			read, err := cloudevents.NewEventFromHTTPRequest(req)
			require.NoError(t, err)
			require.NoError(t, read.Validate())
			require.Equal(t, e.GetToken(), read.ID())
			require.Equal(t, e.GetResource(), read.Subject())
			require.Equal(t, e.GetTime().AsTime(), read.Time())
			require.Equal(t, e.GetType(), read.Extensions()["golivetype"])
			if strings.Contains(string(body), "dev.cdevents.") {
				require.True(t, strings.HasPrefix(read.Type(), "dev.cdevents."), "one that has a CDEvent is of its type")
				require.NotContains(t, read.Type(), "golive")
			} else {
				require.True(t, strings.HasPrefix(read.Type(), "dev.golive."), read.Type())
			}
		})
	}
}

func TestNoPersonIsInABody(t *testing.T) {
	e := told(t)["task_completed"]
	e.Actor, e.Cause = ws+"/people/p-002", "as "+ws+"/contacts/p-003 wished"
	body, err := delivery.CloudEvent(e)
	require.NoError(t, err)
	chat, err := delivery.Chat(e)
	require.NoError(t, err)
	subject, text := delivery.Words(e)
	for _, out := range []string{string(body), string(chat), subject + text} {
		require.NotContains(t, out, "p-001")
		require.NotContains(t, out, "p-002")
		require.NotContains(t, out, "p-003")
	}
	require.Contains(t, string(body), "Ask somebody to try it")
}

func TestSignaturesAreWhatTheStandardSays(t *testing.T) {
	old, fresh, other := delivery.NewSecret(), delivery.NewSecret(), delivery.NewSecret()
	require.NotEqual(t, old, fresh)
	body, now := []byte(`{"a":1}`), time.Now()
	header := http.Header{}
	require.NoError(t, delivery.Sign(header, "msg_1", now, body, fresh, old))
	for secret, want := range map[string]bool{old: true, fresh: true, other: false} {
		verifier, err := standardwebhooks.NewWebhook(secret)
		require.NoError(t, err)
		if !want {
			require.ErrorIs(t, verifier.Verify(body, header), standardwebhooks.ErrNoMatchingSignature)
			continue
		}
		require.NoError(t, verifier.Verify(body, header), "during a rotation both secrets verify")
		require.ErrorIs(t, verifier.Verify([]byte(`{"a":2}`), header), standardwebhooks.ErrNoMatchingSignature)
	}
	require.Len(t, strings.Fields(header.Get("webhook-signature")), 2)
	verifier, err := standardwebhooks.NewWebhook(fresh)
	require.NoError(t, err)
	require.NoError(t, delivery.Sign(header, "msg_1", now.Add(-time.Hour), body, fresh))
	require.ErrorIs(t, verifier.Verify(body, header), standardwebhooks.ErrMessageTooOld)
	require.ErrorContains(t, delivery.Sign(header, "msg_1", now, body, "whsec_%"), "no base64")
}
