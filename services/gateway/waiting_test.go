package gateway_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
)

const (
	waitingWave = "workspaces/default/applications/crm/deployments/d1/waves/sales"
	waitingPlan = "workspaces/default/implementations/crm/cohortPlans/sales"
)

// ExplainWaiting answers from what the test put there.
func (b *backend) ExplainWaiting(ctx context.Context, req *waitingv1.ExplainWaitingRequest) (*waitingv1.Explanation, error) {
	if err := b.note(ctx, req); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if w := b.waits[req.GetResource()]; w != nil {
		return &waitingv1.Explanation{Waiting: w}, nil
	}
	return nil, fault.NotFound("RESOURCE_NOT_FOUND", "there is no %s", req.GetResource())
}

// ListWaiting answers all of it on one page.
func (b *backend) ListWaiting(ctx context.Context, req *waitingv1.ListWaitingRequest) (*waitingv1.ListWaitingResponse, error) {
	if err := b.note(ctx, req); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return &waitingv1.ListWaitingResponse{Waiting: slices.Collect(maps.Values(b.waits))}, nil
}

// wait makes a thing wait for another.
func (b *backend) wait(name, on string, since int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waits == nil {
		b.waits = map[string]*waitingv1.Waiting{}
	}
	b.waits[name] = &waitingv1.Waiting{
		Resource: name, State: "GATED", Since: timestamppb.New(time.Unix(since, 0)), BlockedBy: []*gatev1.BlockedBy{{Kind: gatev1.BlockedBy_READINESS, Resource: on, Required: "it"}},
	}
}

// explained is an answer as a console reads it.
type explained struct {
	Waiting    []struct{ Resource string }
	Behind     []struct{ Resource string }
	RootCauses []struct{ Kind, Resource string }

	Unreachable   []string
	NextPageToken string
}

func (a answer) explained(t *testing.T) (e explained) {
	t.Helper()
	require.Equal(t, 200, a.code, a.body)
	var one struct{ Waiting json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(a.body), &one))
	if len(one.Waiting) > 0 && one.Waiting[0] == '{' { // of one thing
		var rest struct {
			Behind      []struct{ Resource string }
			RootCauses  []struct{ Kind, Resource string }
			Unreachable []string
		}
		require.NoError(t, json.Unmarshal([]byte(a.body), &rest))
		return explained{Behind: rest.Behind, RootCauses: rest.RootCauses, Unreachable: rest.Unreachable}
	}
	require.NoError(t, json.Unmarshal([]byte(a.body), &e))
	return e
}

func TestWhatWaitsIsFollowedThroughBothServices(t *testing.T) {
	w := setup(t)
	w.deployment.wait(waitingWave, waitingPlan, 1)
	w.implementation.wait(waitingPlan, "workspaces/default/trainings/basics", 2)
	e := w.as(t, w.viewer, "GET", "/v1/"+waitingWave+":explainWaiting", "").explained(t)
	require.Equal(t, []struct{ Resource string }{{waitingPlan}}, e.Behind)
	require.Equal(t, []struct{ Kind, Resource string }{{"READINESS", "workspaces/default/trainings/basics"}}, e.RootCauses)
	_, md := w.implementation.seen()
	require.Equal(t, []string{"Bearer " + w.viewer}, md.Get("authorization"), "each service judges the caller itself")

	w.implementation.failWith(fault.Unavailable("DOWN", "down"))
	e = w.do(t, "GET", "/v1/"+waitingWave+":explainWaiting", "").explained(t)
	require.Equal(t, []string{"implementation"}, e.Unreachable)
	require.Equal(t, []struct{ Kind, Resource string }{{"READINESS", waitingPlan}}, e.RootCauses, "the search ends where nobody answers")
	require.Equal(t, 503, w.do(t, "GET", "/v1/"+waitingPlan+":explainWaiting", "").code)

	require.Equal(t, 404, w.do(t, "GET", "/v1/workspaces/default/applications/crm/deployments/d1/waves/none:explainWaiting", "").code)
	require.Equal(t, 404, w.do(t, "GET", "/v1/workspaces/default/nothings/x:explainWaiting", "").code)
	require.Equal(t, 401, w.as(t, "", "GET", "/v1/"+waitingWave+":explainWaiting", "").code)
}

func TestWhatWaitsInEitherServiceIsOneList(t *testing.T) {
	w := setup(t)
	w.deployment.wait(waitingWave, waitingPlan, 2)
	w.implementation.wait(waitingPlan, waitingPlan, 1)
	const list = "/v1/workspaces/default/waiting"
	first := w.do(t, "GET", list+"?pageSize=1", "").explained(t)
	require.Equal(t, []struct{ Resource string }{{waitingPlan}}, first.Waiting)
	second := w.do(t, "GET", list+"?pageSize=1&pageToken="+first.NextPageToken, "").explained(t)
	require.Equal(t, []struct{ Resource string }{{waitingWave}}, second.Waiting)
	require.Empty(t, second.NextPageToken)
	other := w.do(t, "GET", list+"?owner=users/ada&pageToken="+first.NextPageToken, "")
	require.Equal(t, 400, other.code)
	require.Equal(t, "PAGE_TOKEN_MISMATCH", other.reason())
	require.Equal(t, 400, w.do(t, "GET", list+"?orderBy=name", "").code)

	w.deployment.failWith(fault.Unavailable("DOWN", "down"))
	half := w.do(t, "GET", list, "").explained(t)
	require.Equal(t, []struct{ Resource string }{{waitingPlan}}, half.Waiting, "the other half goes on")
	require.Equal(t, []string{"deployment"}, half.Unreachable)
	w.implementation.failWith(fault.Unavailable("DOWN", "down"))
	require.Equal(t, 503, w.do(t, "GET", list, "").code)
}
