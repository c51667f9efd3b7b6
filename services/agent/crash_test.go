//go:build linux

package agent_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent/internal/journal"
)

// spawn runs an agent in a process of its own that kills itself at a write of
// its journal; 0 is never. It returns the process.
func (w *world) spawn(at int, stage journal.Stage, credential *syscall.Credential) *exec.Cmd {
	w.t.Helper()
	program, helper := os.Args[0], shimPath
	if credential != nil { // the folders of `go test` are closed to others
		program, helper = w.borrow(program), w.borrow(helper)
	}
	cmd := exec.Command(program, "-test.run=^$")
	cmd.Env = append(os.Environ(), "AGENT_DIR="+w.dir, "AGENT_SHIM="+helper, "CRASH_AT="+strconv.Itoa(at), "CRASH_STAGE="+strconv.Itoa(int(stage)))
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	require.NoError(w.t, cmd.Start())
	return cmd
}

// borrow copies a program to where everybody may start it.
func (w *world) borrow(program string) string {
	w.t.Helper()
	content, err := os.ReadFile(program)
	require.NoError(w.t, err)
	path := filepath.Join(w.dir, filepath.Base(program))
	require.NoError(w.t, os.WriteFile(path, content, 0o755))
	return path
}

// survived tells whether the agent came to the end of a command without dying.
func (w *world) survived(cmd *exec.Cmd, c *agentv1.Command) bool {
	died := make(chan struct{})
	go func() { _ = cmd.Wait(); close(died) }()
	ended := func() bool {
		for _, r := range w.on(c) {
			if final(r.GetState()) {
				return true
			}
		}
		return false
	}
	for {
		w.mu.Lock()
		change := w.change
		w.mu.Unlock()
		if ended() {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			<-died
			return true
		}
		select {
		case <-died:
			return ended()
		case <-change:
		}
	}
}

// TestAnAgentMayDieAtEveryWriteOfItsJournal kills the agent before and after
// each write while it replaces 1.0.0 by 2.0.0, starts it again, and asks for
// the truth: one version runs, and it is the one that the last report names.
// The application of the other target never stops.
func TestAnAgentMayDieAtEveryWriteOfItsJournal(t *testing.T) {
	t.Parallel()
	for _, scenario := range []struct {
		name string
		mode string
		hook *deploymentv1.Hooks
		want deploymentv1.Installation_State
	}{
		{name: "good", want: deploymentv1.Installation_HEALTHY},
		{name: "bad", mode: "bad", want: deploymentv1.Installation_REVERTED},
	} {
		for _, stage := range []journal.Stage{journal.BeforeWrite, journal.AfterSync} {
			t.Run(fmt.Sprintf("%s, stage %d", scenario.name, stage), func(t *testing.T) {
				t.Parallel()
				w := setup(t)
				v1 := w.workload("1.0.0", "")
				w.up(1, v1, nil)
				neighbour := w.neighbour(t)
				before := w.apps(neighbour)
				require.Len(t, before, 1)
				w.stop()
				from, last := "1.0.0", v1
				for at, epoch := 1, int64(2); ; at, epoch = at+1, epoch+1 {
					version := fmt.Sprintf("2.0.%d", at)
					next := w.workload(version, scenario.mode)
					next.Run.HealthDeadline.Seconds, next.Run.HealthDeadline.Nanos = 0, 300_000_000
					c := w.installation(epoch, next, last)
					w.send(c)
					alive := w.survived(w.spawn(at, stage, nil), c)
					if !alive {
						w.start()
					}
					r := w.end(c)
					require.Equal(t, scenario.want, r.GetState(), "died at write %d: %v", at, w.on(c))
					if !alive {
						if scenario.want == deploymentv1.Installation_REVERTED {
							require.NotEmpty(t, r.GetCause(), "the first cause is kept")
						}
						w.stop()
					}
					if scenario.want == deploymentv1.Installation_HEALTHY {
						from, last = version, next
					}
					w.only(from)
					require.Equal(t, before, w.apps(neighbour), "the neighbour did not notice")
					if alive {
						require.Greater(t, at, 4, "it did write")
						w.start()
						return
					}
				}
			})
		}
	}
}

// neighbour installs an application on the other target and returns its port.
func (w *world) neighbour(t *testing.T) string {
	t.Helper()
	port := freePort(t)
	workload := w.workload("1.0.0", "")
	workload.Variables["port"] = port
	c := w.installation(1, workload, nil)
	c.Target, c.Installation = target("t2"), c.GetInstallation()+"-2"
	w.send(c)
	require.Equal(t, deploymentv1.Installation_HEALTHY, w.end(c).GetState())
	return port
}

func TestAHookThatWasCutOffIsNotRunAgain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		hooks func(h *deploymentv1.Hooks, hook *deploymentv1.Hook)
		want  deploymentv1.Installation_State
	}{
		"test":          {func(h *deploymentv1.Hooks, hook *deploymentv1.Hook) { h.Test = hook }, deploymentv1.Installation_FAILED},
		"post_activate": {func(h *deploymentv1.Hooks, hook *deploymentv1.Hook) { h.PostActivate = hook }, deploymentv1.Installation_REVERTED},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			v1 := w.workload("1.0.0", "")
			w.up(1, v1, nil)
			w.stop()
			ran := t.TempDir() + "/ran"
			v2 := w.workload("2.0.0", "")
			v2.Hooks = &deploymentv1.Hooks{}
			test.hooks(v2.GetHooks(), &deploymentv1.Hook{Command: []string{"/bin/sh", "-c", "echo x >> " + ran + "; exec sleep 600"}})
			c := w.installation(2, v2, v1)
			w.send(c)
			cmd := w.spawn(0, 0, nil)
			require.Eventually(t, func() bool { info, err := os.Stat(ran); return err == nil && info.Size() > 0 }, soon, tick)
			require.NoError(t, cmd.Process.Kill())
			_ = cmd.Wait()
			w.start()
			r := w.end(c)
			require.Equal(t, test.want, r.GetState())
			require.Equal(t, "INTERRUPTED", r.GetCause())
			text, err := os.ReadFile(ran)
			require.NoError(t, err)
			require.Equal(t, "x\n", string(text))
			w.only("1.0.0")
			hello := w.hellos[len(w.hellos)-1]
			require.True(t, hello.GetInventory()[0].GetInterrupted() || len(w.on(c)) > 0)
		})
	}
}

func TestAnAgentNeedsNoPrivileges(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		return // all other tests show it then
	}
	const nobody = 65534
	w := setup(t)
	w.stop()
	for dir := w.dir; dir != os.TempDir(); dir = dir[:max(1, lastSlash(dir))] {
		require.NoError(t, os.Chmod(dir, 0o755)) // the folders above must be passable
	}
	require.NoError(t, exec.Command("chown", "-R", strconv.Itoa(nobody), w.dir).Run())
	require.NoError(t, exec.Command("chmod", "-R", "go-rwx", w.dir).Run())
	require.NoError(t, os.Chmod(w.dir, 0o755)) // holds the test's program
	c := w.installation(1, w.workload("1.0.0", ""), nil)
	w.send(c)
	cmd := w.spawn(0, 0, &syscall.Credential{Uid: nobody, Gid: nobody})
	require.Equal(t, deploymentv1.Installation_HEALTHY, w.end(c).GetState())
	w.only("1.0.0")
	info, err := os.Stat("/proc/" + strconv.Itoa(w.apps(w.port)[0]))
	require.NoError(t, err)
	stat, ok := info.Sys().(*syscall.Stat_t)
	require.True(t, ok)
	require.EqualValues(t, nobody, stat.Uid)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait())
}

func lastSlash(path string) int {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '/' {
			return i
		}
	}
	return 0
}

func TestDeadShimsAreReplaced(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.up(1, w.workload("1.0.0", ""), nil)
	app := w.apps(w.port)
	for _, pid := range processes(w.dir) {
		if pid != app[0] {
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		}
	}
	require.Eventually(t, func() bool { return len(processes(w.dir)) == 2 }, soon, tick)
	require.Equal(t, app, w.apps(w.port), "the application went on")
	require.NoError(t, syscall.Kill(app[0], syscall.SIGKILL))
	w.until("a restart", func() bool {
		for _, r := range w.reports {
			if r.GetRestarts() == 1 && r.GetHealth() == deploymentv1.Installation_HEALTHY_NOW {
				return true
			}
		}
		return false
	})
	w.only("1.0.0")
}

func clone(c *agentv1.Command) *agentv1.Command { return proto.CloneOf(c) }
