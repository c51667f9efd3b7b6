package implementation_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/pkg/auth"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation"
	"github.com/golive-dev/golive/services/smtptest"
)

// soon is how long an event may take to arrive, on a machine that does much else.
const soon = 30 * time.Second

// outwardWorld is a world from which events leave.
type outwardWorld struct {
	*reachWorld

	subscriptions implementationv1.SubscriptionServiceClient
	deliveries    implementationv1.EventDeliveryServiceClient
}

// outward gives a world the clients of subscriptions.
func outward(plain *world) *outwardWorld {
	w := &outwardWorld{reachWorld: &reachWorld{world: plain}}
	w.speakAs("users/alice", auth.Admin)
	conn := w.dial("users/alice", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}})
	w.subscriptions = implementationv1.NewSubscriptionServiceClient(conn)
	w.deliveries = implementationv1.NewEventDeliveryServiceClient(conn)
	return w
}

// eachOutward runs a test on a service whose events may go to this machine, over each database.
func eachOutward(t *testing.T, test func(t *testing.T, w *outwardWorld), change ...func(*implementation.Config)) {
	t.Helper()
	smtp := smtptest.Start(t, smtptest.Options{})
	settings := func(cfg *implementation.Config) {
		cfg.Private = true
		cfg.Mail = implementation.SMTP{Address: smtp.Addr, From: "Roll-out <rollout@example.com>", CAFile: smtp.CAFile}
	}
	var databases []func(*implementation.Config)
	each(t, func(t *testing.T, plain *world) {
		t.Helper()
		w := outward(plain)
		cfg := &implementation.Config{}
		databases[len(databases)-1](cfg)
		w.smtp, w.main = smtp, cfg.Database
		test(t, w)
	}, append([]func(*implementation.Config){settings, func(cfg *implementation.Config) {
		database := cfg.Database
		databases = append(databases, func(to *implementation.Config) { to.Database = database })
	}}, change...)...)
}

// arrived is a request that a receiver got.
type arrived struct {
	header http.Header
	body   []byte
	event  cloudevents.Event
}

// receiver is a web server that takes events as it is told.
type receiver struct {
	*httptest.Server

	mu     sync.Mutex
	answer func(http.ResponseWriter, *http.Request)
	got    []arrived
}

func receive(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		one := arrived{header: req.Header, body: body}
		copied := req.Clone(req.Context())
		copied.Body = io.NopCloser(strings.NewReader(string(body)))
		if event, err := cloudevents.NewEventFromHTTPRequest(copied); err == nil {
			one.event = *event
		}
		r.mu.Lock()
		r.got = append(r.got, one)
		answer := r.answer
		r.mu.Unlock()
		if answer != nil {
			answer(out, req)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// says sets what the receiver answers; 200 when nil.
func (r *receiver) says(answer func(http.ResponseWriter, *http.Request)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func replies(code int, header ...string) func(http.ResponseWriter, *http.Request) {
	return func(out http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			out.Header().Set(header[i], header[i+1])
		}
		out.WriteHeader(code)
	}
}

func (r *receiver) all() []arrived {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got
}

// wait waits for n requests.
func (r *receiver) wait(t *testing.T, n int) []arrived {
	t.Helper()
	require.Eventually(t, func() bool { return len(r.all()) >= n }, soon, 5*time.Millisecond, "%d of %d arrived", len(r.all()), n)
	return r.all()
}

// webhook subscribes a receiver and answers the secret.
func (w *outwardWorld) webhook(id, url string, types ...string) (name, secret string) {
	w.Helper()
	sub, err := w.subscriptions.CreateSubscription(w.Context(), &implementationv1.CreateSubscriptionRequest{
		Parent: ws, SubscriptionId: id, Subscription: &implementationv1.Subscription{
			Types: types, Destination: &implementationv1.Subscription_Webhook{Webhook: &implementationv1.WebhookDestination{Url: url, Timeout: durationpb.New(2 * time.Second)}},
		},
	})
	require.NoError(w, err)
	require.Equal(w, implementationv1.Subscription_ENABLED, sub.GetState())
	rotated, err := w.subscriptions.RotateSubscription(w.Context(), &implementationv1.RotateSubscriptionRequest{Name: sub.GetName(), Overlap: durationpb.New(0)})
	require.NoError(w, err)
	return sub.GetName(), rotated.GetSecret()
}

// happens makes an event of type implementation.feature.created.
func (w *outwardWorld) happens(id string) string {
	w.Helper()
	f, err := implementationv1.NewFeatureServiceClient(w.dial("users/alice", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}})).
		CreateFeature(w.Context(), &implementationv1.CreateFeatureRequest{Parent: ws, FeatureId: id, Feature: &implementationv1.Feature{DisplayName: "A & B", Kind: implementationv1.Feature_TASK}})
	require.NoError(w, err)
	return f.GetName()
}

// delivered waits until the deliveries of a subscription are in the states given, in any order.
func (w *outwardWorld) delivered(subscription string, states ...implementationv1.EventDelivery_State) []*implementationv1.EventDelivery {
	w.Helper()
	var found []*implementationv1.EventDelivery
	require.Eventually(w, func() bool {
		answer, err := w.deliveries.ListEventDeliveries(w.Context(), &implementationv1.ListEventDeliveriesRequest{Parent: subscription, OrderBy: "create_time"})
		require.NoError(w, err)
		found = answer.GetEventDeliveries()
		have := make([]implementationv1.EventDelivery_State, len(found))
		for i, d := range found {
			have[i] = d.GetState()
		}
		return slices.Equal(slices.Sorted(slices.Values(have)), slices.Sorted(slices.Values(states)))
	}, soon, 10*time.Millisecond)
	return found
}

// tried waits until the one delivery of a subscription was tried n times.
func (w *outwardWorld) tried(subscription string, n int) *implementationv1.EventDelivery {
	w.Helper()
	var d *implementationv1.EventDelivery
	require.Eventually(w, func() bool {
		answer, err := w.deliveries.ListEventDeliveries(w.Context(), &implementationv1.ListEventDeliveriesRequest{Parent: subscription})
		require.NoError(w, err)
		if len(answer.GetEventDeliveries()) == 0 {
			return false
		}
		d = answer.GetEventDeliveries()[0]
		return int(d.GetAttemptCount()) >= n
	}, soon, 10*time.Millisecond)
	require.EqualValues(w, n, d.GetAttemptCount())
	return d
}

// verify checks a signature with the public library. Its time is that of the test's clock, which is not ours.
func verify(secret string, got arrived) error {
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return err
	}
	return verifier.VerifyIgnoringTimestamp(got.body, got.header)
}
