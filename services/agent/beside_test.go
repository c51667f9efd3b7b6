//go:build linux

package agent_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent/internal/journal"
)

// callers ask the public port without a pause, over new connections and over kept ones.
type callers struct {
	t      *testing.T
	url    string
	cancel context.CancelFunc
	group  sync.WaitGroup

	mu     sync.Mutex
	asked  int
	failed []string
	seen   []string // versions, in the order of their first answers since the last change
}

func ask(t *testing.T, port string) *callers {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c := &callers{t: t, url: "http://127.0.0.1:" + port, cancel: cancel}
	for _, fresh := range []bool{true, true, false} {
		client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: fresh}}
		c.group.Go(func() {
			pace := time.NewTicker(2 * time.Millisecond) // the machine is for the agent, too
			defer pace.Stop()
			for ctx.Err() == nil {
				c.once(ctx, client)
				<-pace.C
			}
		})
	}
	t.Cleanup(func() { c.cancel(); c.group.Wait() })
	return c
}

func (c *callers) once(ctx context.Context, client *http.Client) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	require.NoError(c.t, err)
	response, err := client.Do(request)
	if ctx.Err() != nil {
		return
	}
	var body []byte
	if err == nil {
		body, err = io.ReadAll(response.Body)
		_ = response.Body.Close()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	switch {
	case err != nil:
		c.failed = append(c.failed, err.Error())
	case response.StatusCode != http.StatusOK:
		c.failed = append(c.failed, response.Status+" "+string(body))
	default:
		if version := strings.TrimSpace(strings.TrimPrefix(string(body), "version ")); len(c.seen) == 0 || c.seen[len(c.seen)-1] != version {
			c.seen = append(c.seen, version)
		}
	}
}

// none ends the asking and requires that nothing has failed.
func (c *callers) none() { c.atMost(0) }

// atMost ends the asking and requires that no more has failed.
func (c *callers) atMost(n int) {
	c.t.Helper()
	c.cancel()
	c.group.Wait()
	c.t.Logf("%d requests, %d failed", c.asked, len(c.failed))
	require.LessOrEqual(c.t, len(c.failed), n, "%v", c.failed)
	require.NotZero(c.t, c.asked)
}

// more waits until more requests were answered.
func (c *callers) more(n int) {
	c.t.Helper()
	c.mu.Lock()
	until := c.asked + n
	c.mu.Unlock()
	require.Eventually(c.t, func() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.asked >= until }, soon, tick)
}

// beside makes a workload run on one of two ports, in turn.
func (w *world) beside(workload *agentv1.Workload) *agentv1.Workload {
	w.t.Helper()
	workload.Run.Env["PORT"] = "{{.port}}"
	workload.Run.Probes[0].GetHttp().Url = "http://127.0.0.1:{{.port}}/"
	workload.Run.BlueGreen = &deploymentv1.BlueGreen{Ports: w.ports, Listen: "127.0.0.1:" + w.port, Drain: durationpb.New(100 * time.Millisecond)}
	return workload
}

// sideBySide is a world with two ports beside the public one.
func sideBySide(t *testing.T) *world {
	t.Helper()
	w := setup(t)
	for range 2 {
		port, err := strconv.ParseInt(freePort(t), 10, 32)
		require.NoError(t, err)
		w.ports = append(w.ports, int32(port))
	}
	return w
}

// alone requires that exactly this version runs and has the traffic.
func (w *world) alone(version string) {
	w.t.Helper()
	require.Equal(w.t, version, w.version(w.port))
	var running int
	for _, port := range w.ports {
		running += len(w.apps(strconv.Itoa(int(port))))
	}
	require.Equal(w.t, 1, running)
}

func TestNoRequestFailsWhenVersionsChangeSideBySide(t *testing.T) {
	t.Parallel()
	w := sideBySide(t)
	v1 := w.beside(w.workload("1.0.0", ""))
	first := w.up(1, v1, nil)
	w.send(follow(first, 2, agentv1.Command_SEAL))
	calls := ask(t, w.port)
	calls.more(20)
	v2 := w.beside(w.workload("2.0.0", ""))
	second := w.up(3, v2, v1)
	w.alone("2.0.0")
	calls.more(20)

	for i, bad := range []struct {
		mode, cause string
		change      func(*agentv1.Workload)
	}{
		{"bad", "PROBE_FAILED", nil},
		{"crash", "CRASHED", nil},
		{"", "HOOK_FAILED", func(v *agentv1.Workload) {
			v.Hooks = &deploymentv1.Hooks{PostActivate: &deploymentv1.Hook{Command: []string{"/bin/sh", "-c", "sleep 0.3; exit 7"}}}
		}},
	} {
		v3 := w.beside(w.workload(fmt.Sprintf("3.0.%d", i), bad.mode))
		v3.Run.HealthDeadline = durationpb.New(400 * time.Millisecond)
		if bad.change != nil {
			bad.change(v3)
		}
		c := w.installation(int64(10+i), v3, v2)
		w.send(c)
		r := w.report(c, deploymentv1.Installation_REVERTED)
		require.Equal(t, bad.cause, r.GetCause(), "%v", r)
		require.Equal(t, deploymentv1.Installation_HEALTHY_NOW, r.GetHealth())
		w.alone("2.0.0")
	}
	calls.more(20)
	undo := follow(second, 20, agentv1.Command_REVERT)
	w.send(undo)
	w.report(undo, deploymentv1.Installation_REVERTED)
	w.alone("1.0.0")
	calls.more(20)
	calls.none()
	require.Equal(t, "2.0.0", calls.seen[1])
	require.Equal(t, "1.0.0", calls.seen[len(calls.seen)-1])
}

// A version that dies with the traffic takes what it was answering along, one request for each
// caller; those that come meanwhile wait in the forwarder until the old version has the traffic again.
func TestAVersionThatDiesAfterTheSwitchLosesOnlyWhatItWasAnswering(t *testing.T) {
	t.Parallel()
	w := sideBySide(t)
	v1 := w.beside(w.workload("1.0.0", ""))
	w.up(1, v1, nil)
	calls := ask(t, w.port)
	v2 := w.beside(w.workload("2.0.0", "die-after=600ms"))
	v2.Run.BlueGreen.Drain = durationpb.New(time.Minute)
	c := w.installation(2, v2, v1)
	w.send(c)
	r := w.report(c, deploymentv1.Installation_REVERTED)
	require.Equal(t, "CRASHED", r.GetCause())
	w.alone("1.0.0")
	calls.more(20)
	const each = 3
	calls.atMost(each)
	require.Contains(t, calls.seen, "2.0.0")
}

func TestACancelTakesTheTrafficBack(t *testing.T) {
	t.Parallel()
	for name, drain := range map[string]bool{"before the switch": false, "after it": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := sideBySide(t)
			v1 := w.beside(w.workload("1.0.0", ""))
			w.up(1, v1, nil)
			calls := ask(t, w.port)
			v2 := w.beside(w.workload("2.0.0", ""))
			if drain {
				v2.Run.BlueGreen.Drain = durationpb.New(time.Hour)
			} else {
				v2.Run.MinHealthyTime = durationpb.New(time.Hour)
			}
			c := w.installation(2, v2, v1)
			w.send(c)
			require.Eventually(t, func() bool { return w.version(strconv.Itoa(int(w.ports[1]))) == "2.0.0" }, soon, tick)
			if drain {
				require.Eventually(t, func() bool { return w.version(w.port) == "2.0.0" }, soon, tick)
			}
			cancel := follow(c, 3, agentv1.Command_CANCEL)
			w.send(cancel)
			w.report(cancel, deploymentv1.Installation_CANCELLED)
			w.alone("1.0.0")
			calls.none()
		})
	}
}

func TestAgentsAndForwardersMayDieMeanwhile(t *testing.T) {
	t.Parallel()
	w := sideBySide(t)
	v1 := w.beside(w.workload("1.0.0", ""))
	w.up(1, v1, nil)
	calls := ask(t, w.port)
	w.stop()
	calls.more(20)
	w.start()
	calls.none()
	pid, err := os.ReadFile(filepath.Join(w.place(), "forward", "bound"))
	require.NoError(t, err)
	forwarder, err := strconv.Atoi(string(pid))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(forwarder, syscall.SIGKILL))
	require.Eventually(t, func() bool { return w.version(w.port) == "1.0.0" }, soon, tick, "it is started again")

	// The next release takes its connections itself, and the one after that does not.
	v2 := w.workload("2.0.0", "")
	w.up(2, v2, v1)
	w.only("2.0.0")
	v3 := w.beside(w.workload("3.0.0", ""))
	third := w.up(3, v3, v2)
	w.alone("3.0.0")
	undo := follow(third, 4, agentv1.Command_REVERT)
	w.send(undo)
	w.report(undo, deploymentv1.Installation_REVERTED)
	w.only("2.0.0")
	taken := w.beside(w.workload("4.0.0", ""))
	taken.Run.BlueGreen.Listen = "127.0.0.1:1" // may be taken by root alone, and not at all by this test's port
	taken.Run.BlueGreen.Listen = w.address
	c := w.installation(5, taken, v2)
	w.send(c)
	r := w.report(c, deploymentv1.Installation_REVERTED)
	require.Equal(t, "SWITCH_FAILED", r.GetCause())
	require.Contains(t, r.GetMessage(), "in use")
	w.only("2.0.0")
}

func TestASwitchMayBeACommand(t *testing.T) {
	t.Parallel()
	w := sideBySide(t)
	points := filepath.Join(t.TempDir(), "points")
	workload := func(version, script string) *agentv1.Workload {
		v := w.beside(w.workload(version, ""))
		v.Run.BlueGreen.Listen = ""
		v.Run.BlueGreen.Switch = &deploymentv1.Hook{Command: []string{"/bin/sh", "-c", script, "-", "{{.port}}"}}
		return v
	}
	good := "echo $1 >> " + points
	v1 := workload("1.0.0", good)
	w.up(1, v1, nil)
	v2 := workload("2.0.0", good)
	second := w.up(2, v2, v1)
	c := w.installation(3, workload("3.0.0", "echo no such proxy; exit 9"), v2)
	w.send(c)
	r := w.report(c, deploymentv1.Installation_REVERTED)
	require.Equal(t, "SWITCH_FAILED", r.GetCause())
	require.Contains(t, r.GetMessage(), "no such proxy")
	undo := follow(second, 4, agentv1.Command_REVERT)
	w.send(undo)
	w.report(undo, deploymentv1.Installation_REVERTED)
	text, err := os.ReadFile(points)
	require.NoError(t, err)
	// 1.0.0, 2.0.0, back to 2.0.0, back to 1.0.0.
	require.Equal(t, fmt.Sprintf("%d\n%d\n%d\n%d\n", w.ports[0], w.ports[1], w.ports[1], w.ports[0]), string(text))
}

// TestAnAgentMayDieAtEveryWriteWhileVersionsChangeSideBySide kills the agent before and after
// each write of its journal; no request fails meanwhile, and one version is left.
func TestAnAgentMayDieAtEveryWriteWhileVersionsChangeSideBySide(t *testing.T) {
	t.Parallel()
	for _, scenario := range []struct {
		name, mode string
		want       deploymentv1.Installation_State
	}{{"good", "", deploymentv1.Installation_HEALTHY}, {"bad", "bad", deploymentv1.Installation_REVERTED}} {
		for _, stage := range []journal.Stage{journal.BeforeWrite, journal.AfterSync} {
			t.Run(fmt.Sprintf("%s, stage %d", scenario.name, stage), func(t *testing.T) {
				t.Parallel()
				w := sideBySide(t)
				v1 := w.beside(w.workload("1.0.0", ""))
				w.up(1, v1, nil)
				w.stop()
				calls := ask(t, w.port)
				from, last := "1.0.0", v1
				for at, epoch := 1, int64(2); ; at, epoch = at+1, epoch+1 {
					version := fmt.Sprintf("2.0.%d", at)
					next := w.beside(w.workload(version, scenario.mode))
					if scenario.mode != "" {
						next.Run.HealthDeadline = durationpb.New(300 * time.Millisecond)
					}
					c := w.installation(epoch, next, last)
					w.send(c)
					alive := w.survived(w.spawn(at, stage, nil), c)
					if !alive {
						w.start()
					}
					require.Equal(t, scenario.want, w.end(c).GetState(), "died at write %d: %v", at, w.on(c))
					if !alive {
						w.stop()
					}
					if scenario.want == deploymentv1.Installation_HEALTHY {
						from, last = version, next
					}
					w.alone(from)
					if alive {
						require.Greater(t, at, 4, "it did write")
						calls.none()
						return
					}
				}
			})
		}
	}
}
