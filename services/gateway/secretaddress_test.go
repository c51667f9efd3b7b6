package gateway_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/gateway"
)

func (b *backend) ExportCalendarFeed(ctx context.Context, req *implementationv1.ExportCalendarFeedRequest) (*implementationv1.ExportCalendarFeedResponse, error) {
	return &implementationv1.ExportCalendarFeedResponse{Calendar: "BEGIN:VCALENDAR\r\nX-OF:" + req.GetParent() + "\r\nEND:VCALENDAR\r\n", Digest: "d1"}, b.note(ctx, req)
}

const (
	planName = "workspaces/default/implementations/crm/cohortPlans/sales"
	aFeed    = "/v1/workspaces/default/implementations/crm/calendarFeed.ics"
)

// key is a token for one resource.
func (w *world) key(tb testing.TB, resource string, permissions ...string) string {
	tb.Helper()
	token, _, err := w.issuer.Mint(auth.Claims{
		Name: "services/flagger", Grants: map[string][]auth.Role{"default": {auth.Viewer}}, TTL: time.Hour,
		Scope: &auth.Scope{Resource: resource, Permissions: permissions},
	})
	require.NoError(tb, err)
	return token
}

func TestASecretAddressOpensOneGate(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zapcore.DebugLevel)
	w := setup(t, func(c *gateway.Config) { c.Logger = zap.New(core) })
	key := w.key(t, planName, "gate.gates.evaluate", "gate.gates.watch")
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		got := w.as(t, "", method, aPlan+"?key="+key+"&purpose=readiness", `{"name": "podinfo"}`)
		require.Equal(t, http.StatusOK, got.code, got.body)
		require.Equal(t, "no-referrer", got.header.Get("Referrer-Policy"))
		require.Equal(t, "no-store", got.header.Get("Cache-Control"))
	}
	asked, _ := w.implementation.seen()
	require.Equal(t, gatev1.Purpose_PURPOSE_READINESS, asked.(*gatev1.EvaluateGateRequest).GetPurpose())

	others := []struct {
		name, path, reason string
		code               int
	}{
		{"another gate", "/v1/workspaces/default/implementations/crm/cohortPlans/salesforce:checkGate?key=" + key, "TOKEN_SCOPE", 403},
		{"another service's", aWave + "?key=" + key, "TOKEN_SCOPE", 403},
		{"what is above", "/v1/workspaces/default/implementations/crm:checkGate?key=" + key, "TOKEN_SCOPE", 403},
		{"the calendar", aFeed + "?key=" + key, "TOKEN_SCOPE", 403},
		{"another route", "/v1/workspaces/default/implementations/crm/cohortPlans/sales:evaluateGate?key=" + key, "TOKEN_MISSING", 401},
		{"a token for everything", aPlan + "?key=" + w.token, "TOKEN_UNSCOPED", 401},
		{"no token", aPlan + "?key=abc", "TOKEN_UNSCOPED", 401},
		{"nothing", aPlan + "?key=", "TOKEN_INVALID", 401},
		{"a line break", aPlan + "?key=a%0d%0ab", "TOKEN_INVALID", 401},
		{"two", aPlan + "?key=" + key + "&key=" + key, "TOKEN_INVALID", 401},
		{"tampered", aPlan + "?key=" + key[:len(key)-6] + "AAAAAA", "TOKEN_INVALID", 401},
		{"and nonsense beside", aPlan + "?key=" + key + "&colour=red", "UNKNOWN_FIELD", 400},
	}
	for _, c := range others {
		got := w.as(t, "", http.MethodGet, c.path, "")
		require.Equal(t, c.code, got.code, "%s: %s", c.name, got.body)
		require.Equal(t, c.reason, got.reason(), c.name)
		require.NotContains(t, got.body, key, c.name)
	}
	require.Equal(t, "INVALID_QUERY", w.do(t, http.MethodGet, aPlan+"?key="+key, "").reason(), "a key and a header")
	require.Equal(t, "UNKNOWN_FIELD", w.do(t, http.MethodGet, "/v1/workspaces/default/applications/crm?key="+key, "").reason(), "nowhere else")

	w.implementation.failWith(fault.Internal("INTERNAL", "broken"))
	broken := w.as(t, "", http.MethodGet, aPlan+"?key="+key, "")
	require.Equal(t, http.StatusInternalServerError, broken.code)
	require.NotContains(t, broken.body, key)
	for _, line := range logs.All() {
		require.NotContains(t, line.Message, key)
		for _, value := range line.ContextMap() {
			require.NotContains(t, value, key)
		}
	}
}

func TestACalendarIsSubscribedByItsAddress(t *testing.T) {
	t.Parallel()
	w := setup(t)
	key := w.key(t, "workspaces/default/implementations/crm", "implementation.calendarFeeds.export")
	got := w.as(t, "", http.MethodGet, aFeed+"?key="+key, "")
	require.Equal(t, http.StatusOK, got.code, got.body)
	require.Equal(t, "text/calendar; charset=utf-8", got.header.Get("Content-Type"))
	require.Contains(t, got.body, "X-OF:workspaces/default/implementations/crm\r\n")
	require.Equal(t, `"d1"`, got.header.Get("ETag"))
	for header, code := range map[string]int{`"d1"`: 304, `W/"d1"`: 304, `"d0", "d1"`: 304, "*": 304, `"d0"`: 200, "d1": 200} {
		again := w.as(t, "", http.MethodGet, aFeed+"?key="+key, "", "If-None-Match", header)
		require.Equal(t, code, again.code, header)
		require.Equal(t, code == 304, again.body == "", header)
	}
	require.Equal(t, http.StatusOK, w.do(t, http.MethodGet, aFeed, "").code, "with a token in the header too")
	require.Equal(t, "UNKNOWN_FIELD", w.do(t, http.MethodGet, aFeed+"?wait=1s", "").reason())
	require.Equal(t, "TOKEN_SCOPE", w.as(t, "", http.MethodGet, "/v1/workspaces/default/implementations/crm-2/calendarFeed.ics?key="+key, "").reason())
	require.Equal(t, "TOKEN_SCOPE", w.as(t, "", http.MethodGet, aPlan+"?key="+key, "").reason(), "it opens no gate")
	require.Equal(t, http.StatusUnauthorized, w.as(t, "", http.MethodGet, aFeed, "").code)
}

// A thousand who wait with one address are one watch and a handful of questions, and all hear at once.
func TestManyChecksWaitAsOne(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.implementation.say(gatev1.Verdict_WAIT)
	path := w.url + aPlan + "?wait=1m&key=" + w.key(t, planName, "gate.gates.evaluate", "gate.gates.watch")
	const many = 200
	transport := &http.Transport{MaxIdleConnsPerHost: many}
	t.Cleanup(transport.CloseIdleConnections)
	codes := make(chan int, many)
	var group sync.WaitGroup
	for range many {
		group.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			if err == nil {
				var resp *http.Response
				if resp, err = transport.RoundTrip(req); err == nil {
					codes <- resp.StatusCode
					err = resp.Body.Close()
				}
			}
			if err != nil {
				codes <- 0
			}
		})
	}
	calm := func() bool {
		w.implementation.mu.Lock()
		defer w.implementation.mu.Unlock()
		return w.implementation.asked > many && len(w.implementation.watched) > 0
	}
	require.Eventually(t, calm, 20*time.Second, 5*time.Millisecond, "each asks once for itself, then waits")
	turned := time.Now()
	w.implementation.say(gatev1.Verdict_PASS)
	group.Wait()
	took := time.Since(turned)
	for range many {
		require.Equal(t, http.StatusOK, <-codes)
	}
	require.Less(t, took, 900*time.Millisecond, "nobody waits for the next look")
	w.implementation.mu.Lock()
	defer w.implementation.mu.Unlock()
	require.Len(t, w.implementation.watched, 1)
	require.Equal(t, planName, w.implementation.watched[0].GetParent(), "a narrowed token may watch no more")
	require.Less(t, w.implementation.asked, 2*many+10)
	t.Logf("%d checks heard %s after the gate turned, by %d questions", many, took.Round(time.Millisecond), w.implementation.asked)
}
