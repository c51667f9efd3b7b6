package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	"github.com/golive-dev/golive/services/gateway"
)

// add appends an event to the fake log; its token is <service>:<number>.
func (b *backend) add(tb testing.TB, resource string, at time.Time) {
	tb.Helper()
	after, err := anypb.New(&deploymentv1.Wave{Name: resource})
	require.NoError(tb, err)
	b.mu.Lock()
	defer b.mu.Unlock()
	n := len(b.log) + 1
	b.log = append(b.log, &eventv1.Event{
		Token: fmt.Sprintf("%s:%d", b.name, n), Resource: resource, Revision: int64(n), Time: timestamppb.New(at), After: after,
	})
	close(b.changed)
	b.changed = make(chan struct{})
}

func (b *backend) position(token string) (int, error) {
	if token == "" {
		return len(b.log), nil
	}
	var n int
	if _, err := fmt.Sscanf(token, b.name+":%d", &n); err != nil {
		return 0, fault.Invalid("RESUME_TOKEN_INVALID", "not a token of %s: %s", b.name, token)
	}
	return n, nil
}

func (b *backend) WatchEvents(req *eventv1.WatchEventsRequest, stream grpc.ServerStreamingServer[eventv1.WatchEventsResponse]) error {
	b.mu.Lock()
	at, err := b.position(req.GetResumeToken())
	if b.fail != nil {
		err = b.fail
	}
	b.watchers++
	b.mu.Unlock()
	if err != nil {
		return err
	}
	if err := stream.Send(&eventv1.WatchEventsResponse{ResumeToken: fmt.Sprintf("%s:%d", b.name, at)}); err != nil {
		return err
	}
	for {
		b.mu.Lock()
		fresh, changed, fail := b.log[at:], b.changed, b.fail
		b.mu.Unlock()
		if fail != nil {
			return fail
		}
		for _, e := range fresh {
			if err := stream.Send(&eventv1.WatchEventsResponse{Event: e, ResumeToken: e.GetToken()}); err != nil {
				return err
			}
			at++
		}
		if len(fresh) > 0 {
			continue
		}
		select {
		case <-changed:
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}

// ListEvents pages by number, newest first unless asked otherwise.
func (b *backend) ListEvents(_ context.Context, req *eventv1.ListEventsRequest) (*eventv1.ListEventsResponse, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return nil, b.fail
	}
	var start int
	if _, err := fmt.Sscanf(req.GetPageToken(), b.name+"@%d", &start); err != nil && req.GetPageToken() != "" {
		return nil, fault.Invalid("PAGE_TOKEN_MISMATCH", "not a token of %s", b.name)
	}
	resp := &eventv1.ListEventsResponse{}
	for i := start; i < len(b.log) && len(resp.GetEvents()) < int(req.GetPageSize()); i++ {
		at := len(b.log) - 1 - i
		if req.GetOldestFirst() {
			at = i
		}
		resp.Events = append(resp.Events, b.log[at])
	}
	if end := start + len(resp.GetEvents()); end < len(b.log) {
		resp.NextPageToken = fmt.Sprintf("%s@%d", b.name, end)
	}
	return resp, nil
}

// reader reads a stream line by line.
type reader struct {
	*bufio.Scanner

	resp   *http.Response
	cancel context.CancelFunc
}

func (w *world) stream(t *testing.T, path string, headers ...string) *reader {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+path, nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+w.token)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { cancel(); _ = resp.Body.Close() })
	return &reader{bufio.NewScanner(resp.Body), resp, cancel}
}

// next is the next line that is not empty.
func (r *reader) next(t *testing.T) string {
	t.Helper()
	for r.Scan() {
		if r.Text() != "" {
			return r.Text()
		}
	}
	require.NoError(t, r.Err())
	return ""
}

type frame struct {
	Event struct {
		Token, Resource string
		Revision        string
		After           map[string]any
	}
	ResumeToken string
	Error       *struct{ Message string }
}

func (r *reader) frame(t *testing.T) frame {
	t.Helper()
	var f frame
	line := r.next(t)
	require.NoError(t, json.Unmarshal([]byte(line), &f), line)
	return f
}

// message reads one server-sent event.
func (r *reader) message(t *testing.T) (event, id, data string) {
	t.Helper()
	for r.Scan() {
		name, value, _ := strings.Cut(r.Text(), ": ")
		switch name {
		case "event":
			event = value
		case "id":
			id = value
		case "data":
			data = value
		case "":
			return event, id, data
		}
	}
	require.NoError(t, r.Err())
	return event, id, data
}

const (
	inEnvironment = "workspaces/default/environments/prod"
	inCohort      = "workspaces/default/cohorts/sales"
)

func TestAStreamOfLinesBeginsAtOnce(t *testing.T) {
	w := setup(t)
	w.deployment.add(t, inEnvironment, time.Now())
	r := w.stream(t, "/v1/"+inEnvironment+"/events:watch")
	require.Equal(t, "application/x-ndjson", r.resp.Header.Get("Content-Type"))
	require.Equal(t, "deployment:1", r.frame(t).ResumeToken, "the first frame says where it stands")
	w.deployment.add(t, inEnvironment, time.Now())
	f := r.frame(t)
	require.Equal(t, inEnvironment, f.Event.Resource)
	require.Equal(t, "deployment:2", f.Event.Token, "the token of one log is not composed")
	require.Contains(t, f.Event.After["@type"], "golive.deployment.v1.Wave")

	again := w.stream(t, "/v1/"+inEnvironment+"/events:watch?resumeToken=deployment:0")
	require.Equal(t, "deployment:0", again.frame(t).ResumeToken)
	require.Equal(t, "deployment:1", again.frame(t).Event.Token)
}

func TestServerSentEventsResumeByLastEventID(t *testing.T) {
	w := setup(t)
	const path = "/v1/" + inEnvironment + "/events:watch?resumeToken=deployment:0"
	w.deployment.add(t, inEnvironment, time.Now())
	r := w.stream(t, path, "Accept", "text/event-stream")
	require.Equal(t, "text/event-stream", r.resp.Header.Get("Content-Type"))
	_, id, _ := r.message(t)
	require.Equal(t, "deployment:0", id)
	_, id, data := r.message(t)
	require.Equal(t, "deployment:1", id)
	require.Contains(t, data, inEnvironment)
	r.cancel()

	w.deployment.add(t, inEnvironment, time.Now())
	r = w.stream(t, path, "Accept", "text/event-stream", "Last-Event-ID", id)
	_, hello, _ := r.message(t)
	require.Equal(t, "deployment:1", hello, "the header wins over the address, which a browser repeats")
	_, id, _ = r.message(t)
	require.Equal(t, "deployment:2", id)
}

func TestAQuietStreamBeats(t *testing.T) {
	w := setup(t, func(c *gateway.Config) { c.Heartbeat = 30 * time.Millisecond })
	r := w.stream(t, "/v1/"+inEnvironment+"/events:watch")
	first := r.frame(t).ResumeToken
	require.Equal(t, first, r.frame(t).ResumeToken, "a heartbeat says where to resume")
	s := w.stream(t, "/v1/"+inEnvironment+"/events:watch", "Accept", "text/event-stream")
	s.message(t)
	event, id, data := s.message(t)
	require.Equal(t, []string{"heartbeat", first, "{}"}, []string{event, id, data})
	logs := w.stream(t, "/v1/workspaces/default/applications/a/deployments/d/installations/i:readLogs?follow=true")
	require.Equal(t, 200, logs.resp.StatusCode, "headers leave although the service has nothing to say")
	require.Equal(t, "{}", logs.next(t))
}

func TestAStreamThatIsRefusedHasItsCode(t *testing.T) {
	w := setup(t)
	w.deployment.failWith(fault.NotFound("RESOURCE_NOT_FOUND", "no such thing"))
	for _, accept := range []string{"*/*", "text/event-stream"} {
		a := w.do(t, "GET", "/v1/"+inEnvironment+"/events:watch", "", "Accept", accept)
		require.Equal(t, 404, a.code)
		require.Equal(t, "RESOURCE_NOT_FOUND", a.reason())
	}
	require.Equal(t, 401, w.as(t, "forged", "GET", "/v1/"+inEnvironment+"/events:watch", "").code)
	w.deployment.failWith(nil)
	a := w.do(t, "GET", "/v1/workspaces/default/applications/a/deployments/d/installations/i:readLogs", "")
	require.Equal(t, 200, a.code)
	require.Empty(t, a.body, "a stream without frames is empty")
}

func TestAStreamThatBreaksSaysWhy(t *testing.T) {
	w := setup(t)
	r := w.stream(t, "/v1/"+inEnvironment+"/events:watch")
	s := w.stream(t, "/v1/"+inEnvironment+"/events:watch", "Accept", "text/event-stream")
	r.frame(t)
	s.message(t)
	w.deployment.failWith(fault.Exhausted("WATCHER_TOO_SLOW", "read faster"))
	w.deployment.add(t, inEnvironment, time.Now())
	require.Equal(t, "read faster", r.frame(t).Error.Message)
	event, id, data := s.message(t)
	require.Equal(t, "failure", event)
	require.Equal(t, "deployment:0", id)
	require.Contains(t, data, `"WATCHER_TOO_SLOW"`)
}

func TestAWholeWorkspaceIsWatchedAsOneStream(t *testing.T) {
	w := setup(t)
	const path = "/v1/workspaces/default/events:watch"
	r := w.stream(t, path)
	start := r.frame(t).ResumeToken
	w.deployment.add(t, inEnvironment, time.Now())
	first := r.frame(t)
	require.Equal(t, inEnvironment, first.Event.Resource)
	w.implementation.add(t, inCohort, time.Now())
	second := r.frame(t)
	require.Equal(t, inCohort, second.Event.Resource)
	require.Equal(t, second.ResumeToken, second.Event.Token)
	r.cancel()

	w.deployment.add(t, inEnvironment, time.Now())
	got := map[string]int{}
	for token, want := range map[string]int{start: 3, first.ResumeToken: 2, second.Event.Token: 1} {
		again := w.stream(t, path+"?resumeToken="+token)
		require.Equal(t, token, again.frame(t).ResumeToken, "resuming begins where it was left")
		for range want {
			got[again.frame(t).Event.Resource]++
		}
		again.cancel()
	}
	require.Equal(t, map[string]int{inEnvironment: 4, inCohort: 2}, got)
}

func TestOneServiceDownDoesNotStopTheOther(t *testing.T) {
	w := setup(t)
	w.implementation.failWith(fault.Unavailable("SERVICE_DOWN", "gone"))
	r := w.stream(t, "/v1/workspaces/default/events:watch")
	r.frame(t)
	w.deployment.add(t, inEnvironment, time.Now())
	require.Equal(t, inEnvironment, r.frame(t).Event.Resource)
	w.implementation.failWith(nil)
	require.NotEmpty(t, r.frame(t).ResumeToken, "it is asked again, and says hello")
	w.implementation.add(t, inCohort, time.Now())
	require.Equal(t, inCohort, r.frame(t).Event.Resource)

	w.implementation.failWith(fault.Denied("PERMISSION_DENIED", "no"))
	w.implementation.add(t, inCohort, time.Now())
	for f := r.frame(t); f.Error == nil; f = r.frame(t) { // the events before it may still come
		require.NotEmpty(t, f.ResumeToken)
	}
	w.deployment.failWith(fault.Unavailable("SERVICE_DOWN", "gone"))
	w.implementation.failWith(fault.Unavailable("SERVICE_DOWN", "gone"))
	require.Equal(t, 503, w.do(t, "GET", "/v1/workspaces/default/events:watch", "").code)
}

func TestEventsOfAWholeWorkspaceAreListedByTime(t *testing.T) {
	w := setup(t)
	base := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for i, b := range []*backend{w.deployment, w.implementation, w.deployment, w.deployment, w.implementation, w.deployment, w.deployment} {
		b.add(t, fmt.Sprintf("%s/%d", inEnvironment, i), base.Add(time.Duration(i)*time.Minute))
	}
	for _, oldestFirst := range []bool{true, false} {
		for size := 1; size <= 8; size++ {
			var seen []string
			token := ""
			for range 20 {
				a := w.do(t, "GET", fmt.Sprintf("/v1/workspaces/default/events?pageSize=%d&oldestFirst=%t&pageToken=%s", size, oldestFirst, token), "")
				require.Equal(t, 200, a.code, a.body)
				var page struct {
					Events        []struct{ Resource string }
					NextPageToken string
				}
				require.NoError(t, json.Unmarshal([]byte(a.body), &page))
				require.LessOrEqual(t, len(page.Events), size)
				for _, e := range page.Events {
					seen = append(seen, e.Resource[len(e.Resource)-1:])
				}
				if token = page.NextPageToken; token == "" {
					break
				}
			}
			want := "0123456"
			if !oldestFirst {
				want = "6543210"
			}
			require.Equal(t, want, strings.Join(seen, ""), "page size %d", size)
		}
	}
}

// TestThePageGetsTheLatestOfEach counts frames under a storm.
func TestThePageGetsTheLatestOfEach(t *testing.T) {
	w := setup(t)
	r := w.stream(t, "/v1/workspaces/default/events:watch?coalesce=true", "Accept", "text/event-stream")
	_, _, hello := r.message(t)
	require.Contains(t, hello, "[{")
	const changes = 500
	begin := time.Now()
	for i := range changes {
		w.deployment.add(t, fmt.Sprintf("%s/targets/t%d", inEnvironment, i%5), time.Now())
	}
	latest, batches := map[string]string{}, 0
	for latest[inEnvironment+"/targets/t4"] != "500" {
		event, _, data := r.message(t)
		require.Empty(t, event)
		var frames []frame
		require.NoError(t, json.Unmarshal([]byte(data), &frames), data)
		inBatch := map[string]bool{}
		for _, f := range frames {
			require.False(t, inBatch[f.Event.Resource], "a batch holds each resource once")
			inBatch[f.Event.Resource] = f.Event.Resource != ""
			latest[f.Event.Resource] = f.Event.Revision
		}
		batches++
	}
	delete(latest, "")
	require.Len(t, latest, 5)
	require.LessOrEqual(t, batches, 3+int(time.Since(begin)/(250*time.Millisecond)))
}

func TestGatesAreWatchedAtTheirOwners(t *testing.T) {
	w := setup(t)
	r := w.stream(t, "/v1/workspaces/default/gates:watch?resources="+inEnvironment+"&resources=workspaces/default/implementations/crm/cohortPlans/p")
	lines := r.next(t) + r.next(t)
	require.Contains(t, lines, `"deployment"`)
	require.Contains(t, lines, `"implementation"`)
	for resource, service := range map[string]string{inEnvironment: "deployment", inCohort: "implementation"} {
		require.Contains(t, w.do(t, "GET", "/v1/"+resource+":evaluateGate", "").body, `"`+service+`"`)
	}
}

func TestAStoppingServerEndsItsStreams(t *testing.T) {
	w := setup(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.gateway.Run(ctx, listener) }()
	w.url = "http://" + listener.Addr().String()
	r := w.stream(t, "/v1/workspaces/default/events:watch")
	r.frame(t)
	stop()
	require.Contains(t, r.frame(t).Error.Message, "stopping")
	require.NoError(t, <-ended)
	_, err = net.Dial("tcp", listener.Addr().String())
	require.Error(t, err, "the port is free again")

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, taken.Close())
	require.ErrorIs(t, w.gateway.Run(t.Context(), taken), net.ErrClosed)
}
