package gateway_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/rpc"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/gateway"
)

// world is a gateway over two real servers with services that keep their data in memory.
type world struct {
	url            string
	token          string // of an admin
	viewer         string
	issuer         *auth.Issuer
	deployment     *backend
	implementation *backend
	server         *httptest.Server
	gateway        *gateway.Gateway
}

// backend is one service's fakes.
type backend struct {
	deploymentv1.UnimplementedApplicationServiceServer
	deploymentv1.UnimplementedWaveServiceServer
	deploymentv1.UnimplementedInstallationServiceServer
	deploymentv1.UnimplementedBlobServiceServer
	deploymentv1.UnimplementedDeploymentServiceServer
	deploymentv1.UnimplementedDeploymentPlanServiceServer
	implementationv1.UnimplementedCohortServiceServer
	implementationv1.UnimplementedCalendarFeedServiceServer
	gatev1.UnimplementedGateServiceServer
	eventv1.UnimplementedEventServiceServer
	accessv1.UnimplementedAccessServiceServer
	waitingv1.UnimplementedWaitingServiceServer

	name string

	mu       sync.Mutex
	got      proto.Message
	md       metadata.MD
	fail     error
	verdict  gatev1.Verdict_State // PASS when not set
	turned   chan struct{}        // closed when say changes it
	asked    int                  // how often a gate was evaluated
	watched  []*gatev1.WatchGatesRequest
	blobs    map[string][]byte
	aborted  chan struct{}
	revoked  []string
	log      []*eventv1.Event
	changed  chan struct{}
	watchers int
	waits    map[string]*waitingv1.Waiting
}

func newBackend(name string) *backend {
	return &backend{name: name, blobs: map[string][]byte{}, aborted: make(chan struct{}, 8), changed: make(chan struct{}), turned: make(chan struct{})}
}

func (b *backend) note(ctx context.Context, req proto.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = req
	b.md, _ = metadata.FromIncomingContext(ctx)
	return b.fail
}

func (b *backend) failWith(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail = err
}

func (b *backend) say(state gatev1.Verdict_State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.verdict = state
	close(b.turned)
	b.turned = make(chan struct{})
}

func (b *backend) seen() (proto.Message, metadata.MD) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.got, b.md
}

func (b *backend) GetApplication(ctx context.Context, req *deploymentv1.GetApplicationRequest) (*deploymentv1.Application, error) {
	if err := b.note(ctx, req); err != nil {
		return nil, err
	}
	return &deploymentv1.Application{Name: req.GetName(), DisplayName: "CRM", Etag: "e1"}, nil
}

func (b *backend) CreateApplication(ctx context.Context, req *deploymentv1.CreateApplicationRequest) (*deploymentv1.Application, error) {
	if err := b.note(ctx, req); err != nil {
		return nil, err
	}
	app := proto.CloneOf(req.GetApplication())
	app.Name = req.GetParent() + "/applications/" + req.GetApplicationId()
	return app, nil
}

func (b *backend) ListApplications(ctx context.Context, req *deploymentv1.ListApplicationsRequest) (*deploymentv1.ListApplicationsResponse, error) {
	return &deploymentv1.ListApplicationsResponse{}, b.note(ctx, req)
}

func (b *backend) UpdateDeploymentPlan(ctx context.Context, req *deploymentv1.UpdateDeploymentPlanRequest) (*deploymentv1.DeploymentPlan, error) {
	return req.GetDeploymentPlan(), b.note(ctx, req)
}

func (b *backend) PauseDeployment(ctx context.Context, req *deploymentv1.PauseDeploymentRequest) (*deploymentv1.Deployment, error) {
	return &deploymentv1.Deployment{Name: req.GetName(), Revision: 9007199254740993}, b.note(ctx, req)
}

func (b *backend) GetCohort(ctx context.Context, req *implementationv1.GetCohortRequest) (*implementationv1.Cohort, error) {
	return &implementationv1.Cohort{Name: req.GetName()}, b.note(ctx, req)
}

func (b *backend) EvaluateGate(ctx context.Context, req *gatev1.EvaluateGateRequest) (*gatev1.Verdict, error) {
	err := b.note(ctx, req)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	return &gatev1.Verdict{Resource: req.GetResource(), State: cmp.Or(b.verdict, gatev1.Verdict_PASS), WaitingOn: []string{b.name}, Reasons: b.reasons()}, err
}

// reasons are those of a gate that does not open. The caller holds the lock.
func (b *backend) reasons() []*gatev1.BlockedBy {
	if b.verdict == 0 || b.verdict == gatev1.Verdict_PASS || b.verdict == gatev1.Verdict_WAIVED {
		return nil
	}
	return []*gatev1.BlockedBy{{Kind: gatev1.BlockedBy_CRITERION, Resource: "workspaces/default/trainings/basics", Current: "12 of 20 trained", Required: "18 of 20"}}
}

func (b *backend) WatchGates(req *gatev1.WatchGatesRequest, stream grpc.ServerStreamingServer[gatev1.WatchGatesResponse]) error {
	b.mu.Lock()
	b.watched = append(b.watched, req)
	b.mu.Unlock()
	for {
		b.mu.Lock()
		turned := b.turned
		b.mu.Unlock()
		for _, name := range req.GetResources() {
			if err := stream.Send(&gatev1.WatchGatesResponse{Verdict: &gatev1.Verdict{Resource: name, WaitingOn: []string{b.name}}}); err != nil {
				return err
			}
		}
		select {
		case <-turned:
		case <-stream.Context().Done():
			return nil
		}
	}
}

func (b *backend) ReadLogs(req *deploymentv1.ReadLogsRequest, stream grpc.ServerStreamingServer[deploymentv1.ReadLogsResponse]) error {
	if req.GetFollow() {
		<-stream.Context().Done()
	}
	return b.note(stream.Context(), req)
}

func (b *backend) UploadBlob(stream grpc.ClientStreamingServer[deploymentv1.UploadBlobRequest, deploymentv1.Blob]) error {
	var data []byte
	var parent string
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			b.aborted <- struct{}{}
			return err
		}
		if err := b.note(stream.Context(), req); err != nil {
			return err
		}
		parent += req.GetParent()
		data = append(data, req.GetData()...)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.blobs[parent] = data
	return stream.SendAndClose(&deploymentv1.Blob{Name: parent + "/blobs/x", SizeBytes: int64(len(data))})
}

func (b *backend) GetBlob(ctx context.Context, req *deploymentv1.GetBlobRequest) (*deploymentv1.Blob, error) {
	return &deploymentv1.Blob{Name: req.GetName()}, b.note(ctx, req)
}

func (b *backend) WhoAmI(ctx context.Context, _ *accessv1.WhoAmIRequest) (*accessv1.WhoAmIResponse, error) {
	p, _ := auth.FromContext(ctx)
	return &accessv1.WhoAmIResponse{Principal: &accessv1.Principal{Name: p.Name, Issuer: b.name, ExpireTime: timestamppb.New(p.Expires)}}, b.note(ctx, nil)
}

func (b *backend) RevokeToken(ctx context.Context, req *accessv1.RevokeTokenRequest) (*accessv1.Revocation, error) {
	if err := b.note(ctx, req); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.revoked = append(b.revoked, req.GetTokenId())
	return &accessv1.Revocation{TokenId: req.GetTokenId(), RevokedBy: b.name}, nil
}

func setup(tb testing.TB, change ...func(*gateway.Config)) *world {
	tb.Helper()
	issuer, err := auth.LoadIssuer(tb.TempDir() + "/key")
	require.NoError(tb, err)
	w := &world{issuer: issuer, deployment: newBackend("deployment"), implementation: newBackend("implementation")}
	w.token = w.mint(tb, "users/ada", auth.Admin)
	w.viewer = w.mint(tb, "users/vic", auth.Viewer)
	cfg := gateway.Config{Deployment: w.serve(tb, w.deployment), Implementation: w.serve(tb, w.implementation)}
	for _, c := range change {
		c(&cfg)
	}
	w.gateway, err = gateway.New(cfg)
	require.NoError(tb, err)
	w.server = httptest.NewServer(w.gateway.Handler())
	tb.Cleanup(w.server.Close)
	tb.Cleanup(w.server.CloseClientConnections)
	w.url = w.server.URL
	return w
}

func (w *world) mint(tb testing.TB, name string, role auth.Role) string {
	tb.Helper()
	token, _, err := w.issuer.Mint(auth.Claims{Name: name, Grants: map[string][]auth.Role{"*": {role}}, TTL: time.Hour})
	require.NoError(tb, err)
	return token
}

func (w *world) serve(tb testing.TB, b *backend) grpc.ClientConnInterface {
	tb.Helper()
	verifier, err := auth.NewVerifier([]auth.TrustedIssuer{w.issuer.Trusted()}, nil)
	require.NoError(tb, err)
	server, err := rpc.NewServer(rpc.Config{Name: b.name, Verifier: verifier})
	require.NoError(tb, err)
	deploymentv1.RegisterApplicationServiceServer(server, b)
	deploymentv1.RegisterWaveServiceServer(server, b)
	deploymentv1.RegisterInstallationServiceServer(server, b)
	deploymentv1.RegisterBlobServiceServer(server, b)
	deploymentv1.RegisterDeploymentServiceServer(server, b)
	deploymentv1.RegisterDeploymentPlanServiceServer(server, b)
	implementationv1.RegisterCohortServiceServer(server, b)
	implementationv1.RegisterCalendarFeedServiceServer(server, b)
	gatev1.RegisterGateServiceServer(server, b)
	eventv1.RegisterEventServiceServer(server, b)
	accessv1.RegisterAccessServiceServer(server, b)
	waitingv1.RegisterWaitingServiceServer(server, b)
	require.NoError(tb, server.Check())
	tb.Cleanup(server.Stop)
	return server.Local()
}

// answer is what came back.
type answer struct {
	code   int
	header http.Header
	body   string
	status *statuspb.Status // of an error
}

func (a answer) reason() string {
	for _, d := range a.status.GetDetails() {
		if info := new(errdetails.ErrorInfo); d.MessageIs(info) && d.UnmarshalTo(info) == nil {
			return info.GetReason()
		}
	}
	return ""
}

func (a answer) fields() []string {
	var fields []string
	for _, d := range a.status.GetDetails() {
		if bad := new(errdetails.BadRequest); d.MessageIs(bad) && d.UnmarshalTo(bad) == nil {
			for _, v := range bad.GetFieldViolations() {
				fields = append(fields, v.GetField())
			}
		}
	}
	return fields
}

func (w *world) do(tb testing.TB, method, path, body string, headers ...string) answer {
	tb.Helper()
	return w.as(tb, w.token, method, path, body, headers...)
}

func (w *world) as(tb testing.TB, token, method, path, body string, headers ...string) answer {
	tb.Helper()
	resp := w.send(tb, token, method, path, strings.NewReader(body), headers...)
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	require.NoError(tb, err)
	a := answer{code: resp.StatusCode, header: resp.Header, body: string(data)}
	if resp.StatusCode >= 400 {
		a.status = new(statuspb.Status)
		require.NoError(tb, protojson.Unmarshal(data, a.status), "an error is a google.rpc.Status: %s", data)
		require.Equal(tb, "application/json", resp.Header.Get("Content-Type"))
		require.NotEmpty(tb, a.reason(), "every error has a reason: %s", data)
	}
	return a
}

func (w *world) send(tb testing.TB, token, method, path string, body io.Reader, headers ...string) *http.Response {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), method, w.url+path, body)
	require.NoError(tb, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(tb, err)
	return resp
}

func TestACallReachesItsService(t *testing.T) {
	w := setup(t)
	a := w.do(t, "GET", "/v1/workspaces/default/applications/crm", "", "X-Request-Id", "req-1",
		"Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "X-Other", "stays here")
	require.Equal(t, 200, a.code, a.body)
	require.JSONEq(t, `{"name":"workspaces/default/applications/crm","displayName":"CRM","etag":"e1"}`, a.body)
	require.Equal(t, "req-1", a.header.Get("X-Request-Id"), "the id of the request is answered")
	require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	_, md := w.deployment.seen()
	require.Equal(t, []string{"req-1"}, md.Get("x-request-id"))
	require.Len(t, md.Get("traceparent"), 1)
	require.Empty(t, md.Get("x-other"))

	require.Equal(t, 200, w.do(t, "GET", "/v1/workspaces/default/cohorts/sales", "").code)
	got, _ := w.implementation.seen()
	require.Equal(t, "workspaces/default/cohorts/sales", got.(*implementationv1.GetCohortRequest).GetName())
}

func TestJSONIsProto3JSON(t *testing.T) {
	w := setup(t)
	a := w.do(t, "POST", "/v1/workspaces/default/applications/crm/deployments/d1:pause", `{"reason":"lunch"}`)
	require.Equal(t, 200, a.code)
	require.JSONEq(t, `{"name":"workspaces/default/applications/crm/deployments/d1","revision":"9007199254740993"}`, a.body,
		"64-bit integers are strings, what is not set is absent")
	got, _ := w.deployment.seen()
	require.Equal(t, "lunch", got.(*deploymentv1.PauseDeploymentRequest).GetReason())

	a = w.do(t, "POST", "/v1/workspaces/default/applications?applicationId=crm&validate_only=true", `{"display_name":"CRM"}`)
	require.Equal(t, 200, a.code, a.body)
	got, _ = w.deployment.seen()
	require.True(t, got.(*deploymentv1.CreateApplicationRequest).GetValidateOnly(), "both spellings of a name are read")

	a = w.do(t, "PATCH", "/v1/workspaces/default/deploymentPlans/p1", `{"displayName":"P"}`)
	require.Equal(t, 200, a.code, a.body)
	got, _ = w.deployment.seen()
	require.Equal(t, []string{"display_name"}, got.(*deploymentv1.UpdateDeploymentPlanRequest).GetUpdateMask().GetPaths(),
		"a PATCH without a mask changes what its body names")
	for given, want := range map[string]string{
		"displayName": "display_name", "display_name": "display_name", "rollout.onFailure,displayName": "rollout.on_failure,display_name",
		"rollout.waves.maxParallel": "rollout.waves.maxParallel", "*": "*", "noSuch": "noSuch",
	} {
		for _, parameter := range []string{"updateMask", "update_mask"} {
			a = w.do(t, "PATCH", "/v1/workspaces/default/deploymentPlans/p1?validateOnly=true&"+parameter+"="+given, `{"displayName":"P"}`)
			require.Equal(t, 200, a.code, a.body)
			got, _ = w.deployment.seen()
			update, ok := got.(*deploymentv1.UpdateDeploymentPlanRequest)
			require.True(t, ok)
			require.Equal(t, strings.Split(want, ","), update.GetUpdateMask().GetPaths(), "JSON knows a field as %s", given)
			require.True(t, update.GetValidateOnly())
		}
	}
}

func TestErrorsKeepKindReasonAndDetails(t *testing.T) {
	w := setup(t)
	for want, f := range map[int]*fault.Error{
		400: fault.Precondition("STATE_FORBIDS", "no").Subject("STATE", "x", "y"),
		404: fault.NotFound("RESOURCE_NOT_FOUND", "no"),
		409: fault.Conflict("ETAG_MISMATCH", "no").Meta("etag", "e2"),
		403: fault.Denied("SELF_APPROVAL", "no"),
		429: fault.Exhausted("RATE_LIMITED", "no").RetryAfter(1500 * time.Millisecond),
		501: fault.Unsupported("NOT_HERE", "no"),
		503: fault.Unavailable("SERVICE_DOWN", "no"),
		504: fault.Deadline("TOO_SLOW", "no"),
	} {
		w.deployment.failWith(f)
		a := w.do(t, "GET", "/v1/workspaces/default/applications/crm", "", "X-Request-Id", "req-2")
		require.Equal(t, want, a.code, a.body)
		require.Equal(t, f.Reason(), a.reason())
		require.Equal(t, "no", a.status.GetMessage())
		require.Equal(t, "req-2", a.header.Get("X-Request-Id"))
	}
	w.deployment.failWith(fault.AlreadyExists("ALREADY_EXISTS", "taken"))
	require.Equal(t, 409, w.do(t, "GET", "/v1/workspaces/default/applications/crm", "").code)
	w.deployment.failWith(fault.Exhausted("RATE_LIMITED", "no").RetryAfter(1500 * time.Millisecond))
	require.Equal(t, "2", w.do(t, "GET", "/v1/workspaces/default/applications/crm", "").header.Get("Retry-After"))
	w.deployment.failWith(errors.New("row 7 of table secrets is odd"))
	a := w.do(t, "GET", "/v1/workspaces/default/applications/crm", "")
	require.Equal(t, 500, a.code)
	require.NotContains(t, a.body, "secrets", "a cause stays inside")
}

func newGateway(tb testing.TB, conn grpc.ClientConnInterface) http.Handler {
	tb.Helper()
	g, err := gateway.New(gateway.Config{Deployment: conn, Implementation: conn})
	require.NoError(tb, err)
	return g.Handler()
}
