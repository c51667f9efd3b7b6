package probe_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/agent/internal/probe"
)

func TestChecks(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			<-r.Context().Done()
		case "/moved":
			http.Redirect(w, r, "/", http.StatusFound)
		case "/bad":
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			_, _ = w.Write([]byte("version 2.0.0"))
		}
	}))
	t.Cleanup(server.Close)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	for name, test := range map[string]struct {
		probe probe.Probe
		fails string
	}{
		"any 2xx":    {probe.Probe{URL: server.URL}, ""},
		"text":       {probe.Probe{URL: server.URL, Contains: "2.0.0"}, ""},
		"other text": {probe.Probe{URL: server.URL, Contains: "3.0.0"}, "without"},
		"bad":        {probe.Probe{URL: server.URL + "/bad"}, "503"},
		"bad wanted": {probe.Probe{URL: server.URL + "/bad", Status: 503}, ""},
		"redirect":   {probe.Probe{URL: server.URL + "/moved"}, "302"},
		"slow":       {probe.Probe{URL: server.URL + "/slow"}, "deadline"},
		"tcp":        {probe.Probe{Address: server.Listener.Addr().String()}, ""},
		"tcp closed": {probe.Probe{Address: closed.Addr().String()}, "refused"},
	} {
		test.probe.Timeout = 200 * time.Millisecond
		err := test.probe.Check(t.Context(), probe.Client())
		if test.fails == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, test.fails, name)
		}
	}
}

func TestThresholds(t *testing.T) {
	t.Parallel()
	var tracker probe.Tracker
	p := probe.Probe{Successes: 2, Failures: 3}
	for i, step := range []struct{ success, healthy bool }{
		{false, false},
		{true, false},
		{false, false},
		{true, false},
		{true, true},
		{false, true},
		{false, true},
		{true, true},
		{false, true},
		{false, true},
		{false, false},
		{true, false},
		{true, true},
	} {
		require.Equal(t, step.healthy, tracker.Add(step.success, p), "answer %d", i)
	}
}

func TestTheGoal(t *testing.T) {
	t.Parallel()
	start := time.Unix(1000, 0)
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	goal := probe.Goal{Started: start, Deadline: 10 * time.Second, Healthy: 3 * time.Second}
	zero := goal
	zero.Healthy = 0
	for name, test := range map[string]struct {
		goal  probe.Goal
		s     probe.Status
		now   float64
		want  probe.Decision
		again time.Time
	}{
		"not yet":               {goal, probe.Status{Since: start}, 5, probe.Wait, at(10)},
		"too late":              {goal, probe.Status{Since: start}, 10, probe.Missed, time.Time{}},
		"ripening":              {goal, probe.Status{Healthy: true, Since: at(2)}, 4, probe.Wait, at(5)},
		"ripe":                  {goal, probe.Status{Healthy: true, Since: at(2)}, 5, probe.Reached, time.Time{}},
		"ripens after deadline": {goal, probe.Status{Healthy: true, Since: at(9)}, 11, probe.Wait, at(12)},
		"broke after deadline":  {goal, probe.Status{Since: at(11)}, 11, probe.Missed, time.Time{}},
		"no healthy time":       {zero, probe.Status{Healthy: true, Since: at(2)}, 2, probe.Reached, time.Time{}},
	} {
		got, again := test.goal.Decide(test.s, at(test.now))
		require.Equal(t, test.want, got, name)
		require.True(t, test.again.Equal(again), name)
	}
}

func TestAProberIsQuickAtFirstAndTellsOfChanges(t *testing.T) {
	t.Parallel()
	var up atomic.Bool
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		if !up.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	p := probe.Start(t.Context(), probe.Client(), []probe.Probe{{URL: server.URL, Interval: 60 * time.Millisecond, Timeout: time.Second, Successes: 1, Failures: 2}})
	t.Cleanup(p.Stop)
	require.Eventually(t, func() bool { return asked.Load() >= 4 }, 2*time.Second, time.Millisecond)
	require.False(t, p.Status().Healthy)
	require.Contains(t, p.Status().Failure, "503")
	<-p.Changed()
	require.True(t, p.Status().Known)
	up.Store(true)
	<-p.Changed()
	require.True(t, p.Status().Healthy)
	up.Store(false)
	<-p.Changed()
	require.False(t, p.Status().Healthy)
	s := p.Summary()
	require.Positive(t, s.Succeeded)
	require.GreaterOrEqual(t, s.Failed, int64(5))
	require.Positive(t, s.LatencyMax)
	none := probe.Start(t.Context(), nil, nil)
	require.True(t, none.Status().Healthy)
	none.Stop()
}
