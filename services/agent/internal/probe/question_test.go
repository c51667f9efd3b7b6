//go:build linux

package probe_test

import (
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/golive-dev/golive/services/agent/internal/hook"
	"github.com/golive-dev/golive/services/agent/internal/probe"
	"github.com/golive-dev/golive/services/agent/internal/proc"
)

// counted counts the connections that it takes.
type counted struct {
	net.Listener
	taken atomic.Int64
}

func (l *counted) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.taken.Add(1)
	}
	return conn, err
}

// healthServer serves the health of "crm" and of the server itself.
func healthServer(t *testing.T, address string) (*counted, *health.Server, func()) {
	t.Helper()
	plain, err := net.Listen("tcp", address)
	require.NoError(t, err)
	listener := &counted{Listener: plain}
	server, status := grpc.NewServer(), health.NewServer()
	status.SetServingStatus("crm", healthv1.HealthCheckResponse_SERVING)
	healthv1.RegisterHealthServer(server, status)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener, status, server.Stop
}

func TestHealthOfAGRPCServer(t *testing.T) {
	t.Parallel()
	listener, status, stop := healthServer(t, "127.0.0.1:0")
	address := listener.Addr().String()
	ask := func(service string) error {
		return probe.Probe{Health: address, Service: service, Timeout: time.Second}.Check(t.Context(), nil)
	}
	require.NoError(t, ask(""))
	require.NoError(t, ask("crm"))
	require.ErrorContains(t, ask("erp"), "NotFound")
	status.SetServingStatus("crm", healthv1.HealthCheckResponse_NOT_SERVING)
	require.ErrorContains(t, ask("crm"), "NOT_SERVING")
	status.SetServingStatus("crm", healthv1.HealthCheckResponse_SERVING)

	before := listener.taken.Load()
	p := probe.Start(t.Context(), nil, []probe.Probe{{Health: address, Service: "crm", Interval: 10 * time.Millisecond, Timeout: time.Second, Successes: 3, Failures: 2}})
	t.Cleanup(p.Stop)
	<-p.Changed()
	require.True(t, p.Status().Healthy)
	require.Equal(t, before+1, listener.taken.Load(), "one connection for all questions")

	stop()
	<-p.Changed()
	require.False(t, p.Status().Healthy)
	healthServer(t, address) // the next version, on the same port
	<-p.Changed()
	require.True(t, p.Status().Healthy, "it is asked over a new connection at once")
}

func TestAServerThatSaysNothing(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	begin := time.Now()
	err = probe.Probe{Health: listener.Addr().String(), Timeout: 100 * time.Millisecond}.Check(t.Context(), nil)
	require.ErrorContains(t, err, "DeadlineExceeded")
	require.Less(t, time.Since(begin), 2*time.Second)
}

func TestCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	marker := dir + "#probe"
	command := func(script string) probe.Probe {
		return probe.Probe{
			Timeout: 300 * time.Millisecond,
			Command: hook.Command{Argv: []string{"/bin/sh", "-c", script}, Dir: dir, Env: []string{"PATH=/usr/bin:/bin"}, Marker: marker},
		}
	}
	require.NoError(t, command("exit 0").Check(t.Context(), nil))
	require.ErrorContains(t, command("echo disk is full; echo; exit 4").Check(t.Context(), nil), "exit code 4: disk is full")
	require.ErrorContains(t, command("yes | head -c 1000000; exit 1").Check(t.Context(), nil), "exit code 1")
	begin := time.Now()
	require.ErrorIs(t, command("sleep 60 & touch begun; sleep 60").Check(t.Context(), nil), hook.ErrTimeout)
	require.Less(t, time.Since(begin), 3*time.Second)
	_, err := os.Stat(filepath.Join(dir, "begun"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(proc.Find(marker)) == 0 }, 5*time.Second, 5*time.Millisecond, "its group is gone")
	missing := command("")
	missing.Command.Argv = []string{"/not/there"}
	require.ErrorIs(t, missing.Check(t.Context(), nil), hook.ErrStart)
}

func TestLatenciesAreCounted(t *testing.T) {
	t.Parallel()
	slow := probe.Probe{
		Command:  hook.Command{Argv: []string{"/bin/sleep", "0.03"}, Dir: "/"},
		Interval: 5 * time.Millisecond, Timeout: 5 * time.Second, Successes: 1, Failures: 1,
	}
	p := probe.Start(t.Context(), nil, []probe.Probe{slow})
	t.Cleanup(p.Stop)
	<-p.Changed()
	s := p.Summary()
	require.Positive(t, s.Succeeded)
	require.Zero(t, s.Counts[4], "none within 20 ms")
	require.Equal(t, s.Succeeded, s.Counts[len(s.Counts)-1], "all within 5 s")
	require.IsNonDecreasing(t, s.Counts[:])
}
