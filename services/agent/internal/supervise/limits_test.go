//go:build linux

package supervise_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/agent/internal/cgroup"
	"github.com/golive-dev/golive/services/agent/internal/proc"
	"github.com/golive-dev/golive/services/agent/shim"
)

// confine gives the application a control group with limits, as far as this machine has them,
// and says in the log what holds here.
func (w *world) confine(limits cgroup.Limits, openFiles int64) shim.Spec {
	w.t.Helper()
	host := cgroup.Detect("golive-test-" + filepath.Base(filepath.Dir(filepath.Dir(w.dir))) + strconv.Itoa(os.Getpid()))
	w.t.Cleanup(func() {
		require.NoError(w.t, w.sup.Stop(w.t.Context(), w.dir))
		require.Eventually(w.t, func() bool { return host.Remove() == nil }, soon, time.Millisecond)
	})
	w.t.Logf("ends all of an application together: %v; limits memory, processor and tasks: %v", host.Kills(), host.Limits())
	spec, err := shim.ReadSpec(w.dir)
	require.NoError(w.t, err)
	spec.Limits, spec.OpenFiles, spec.Group = limits, openFiles, host.Group("app", limits)
	if spec.Group.Memory == "" {
		spec.Data = limits.Memory
	}
	require.NoError(w.t, spec.Write(w.dir))
	again, err := shim.ReadSpec(w.dir)
	require.NoError(w.t, err)
	require.Equal(w.t, spec, again)
	return spec
}

func TestNoProcessEscapesItsGroup(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]func(w *world, state shim.State){
		"when it is stopped":         func(w *world, _ shim.State) { require.NoError(w.t, w.sup.Stop(w.t.Context(), w.dir)) },
		"when its leader ends":       func(w *world, s shim.State) { require.NoError(w.t, syscall.Kill(s.App.PID, syscall.SIGKILL)) },
		"when its shim is gone, too": func(w *world, s shim.State) { w.orphan(s); require.NoError(w.t, w.sup.Stop(w.t.Context(), w.dir)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t, `setsid sh -c 'trap "" TERM; echo $$; sleep 600; sleep 600' & sleep 600`)
			spec := w.confine(cgroup.Limits{}, 0)
			state := w.until(w.ensure(), running)
			require.Eventually(t, func() bool { return strings.HasSuffix(w.file("out.log"), "\n") }, soon, time.Millisecond)
			pid, err := strconv.Atoi(strings.TrimSpace(w.file("out.log")))
			require.NoError(t, err)
			daemon, err := proc.Identify(pid)
			require.NoError(t, err)
			how(w, state)
			if spec.Group.Unified == "" { // nothing can be done about it here
				require.True(t, daemon.Alive())
				require.NoError(t, syscall.Kill(-pid, syscall.SIGKILL))
				return
			}
			require.Eventually(t, func() bool { return !daemon.Alive() }, soon, time.Millisecond)
		})
	}
}

// TestWhatLeavesProcessesBehindStartsAgain guards against kernels on which a group whose processes were
// ended with cgroup.kill takes no new ones.
func TestWhatLeavesProcessesBehindStartsAgain(t *testing.T) {
	t.Parallel()
	w := setup(t, "setsid sleep 600 & echo here; exec sleep 600")
	group := w.confine(cgroup.Limits{}, 0).Group
	sh := w.ensure()
	for i := range 3 {
		state := w.until(sh, func(s shim.State) bool { return running(s) && s.Restarts == i })
		require.Eventually(t, func() bool { return w.file("out.log") == strings.Repeat("here\n", i+1) }, soon, time.Millisecond)
		if group.Unified != "" { // an application may make groups of its own in there
			require.NoError(t, os.Mkdir(group.Unified+"/own", 0o700))
			for _, pid := range group.Procs() {
				if pid != state.App.PID {
					require.NoError(t, os.WriteFile(group.Unified+"/own/cgroup.procs", []byte(strconv.Itoa(pid)), 0o600))
				}
			}
		}
		require.NoError(t, syscall.Kill(state.App.PID, syscall.SIGKILL))
	}
}

// orphan kills the shim of an application for good.
func (w *world) orphan(s shim.State) {
	w.t.Helper()
	w.sup.Close()
	w.sup = newSupervisor(w.t, w.sup.Socket())
	require.NoError(w.t, syscall.Kill(s.Shim, syscall.SIGKILL))
	require.Eventually(w.t, func() bool { return !shim.Held(w.dir) }, soon, time.Millisecond)
}

func TestAnApplicationThatEatsMemoryIsEnded(t *testing.T) {
	t.Parallel()
	w := setup(t, "exec tail /dev/zero") // which looks for the end of a line
	spec := w.confine(cgroup.Limits{Memory: 32 << 20}, 0)
	state := w.until(w.ensure(), func(s shim.State) bool { return s.Phase == shim.Backoff })
	if spec.Group.Memory == "" {
		require.NotZero(t, state.Exit.Code, "it was told that there is no more")
		return
	}
	require.True(t, state.OutOfMemory)
	require.Equal(t, int(syscall.SIGKILL), state.Exit.Signal)
	again := w.until(w.ensure(), func(s shim.State) bool { return s.Phase == shim.Backoff && s.Restarts >= 1 })
	require.True(t, again.OutOfMemory, "every time")
}

func TestAnApplicationThatCrashesIsNotOutOfMemory(t *testing.T) {
	t.Parallel()
	w := setup(t, "kill -9 $$")
	w.confine(cgroup.Limits{Memory: 64 << 20}, 0)
	state := w.until(w.ensure(), func(s shim.State) bool { return s.Phase == shim.Backoff })
	require.False(t, state.OutOfMemory)
	require.Equal(t, int(syscall.SIGKILL), state.Exit.Signal)
}

func TestTasksAndFilesAreLimited(t *testing.T) {
	t.Parallel()
	w := setup(t, `ulimit -n; i=0; while [ $i -lt 30 ]; do sleep 600 & i=$((i+1)); done; wait; exec sleep 600`)
	spec := w.confine(cgroup.Limits{Tasks: 10}, 77)
	w.until(w.ensure(), func(s shim.State) bool { return s.App.PID != 0 || s.Phase == shim.Backoff })
	require.Eventually(t, func() bool { return strings.HasPrefix(w.file("out.log"), "77\n") }, soon, time.Millisecond)
	if spec.Group.Tasks != "" {
		require.Eventually(t, func() bool { return strings.Contains(strings.ToLower(w.file("err.log")), "fork") }, soon, time.Millisecond)
		require.LessOrEqual(t, len(spec.Group.Procs()), 10)
	}
}

func TestProcessorTimeIsLimited(t *testing.T) {
	t.Parallel()
	w := setup(t, "while :; do :; done")
	spec := w.confine(cgroup.Limits{CPU: 100}, 0)
	state := w.until(w.ensure(), running)
	begin, used := time.Now(), ticks(t, state.App.PID)
	<-time.After(time.Second)
	share := float64(ticks(t, state.App.PID)-used) / 100 / time.Since(begin).Seconds()
	t.Logf("it used %.2f of a processor", share)
	if spec.Group.CPU != "" {
		require.Less(t, share, 0.2)
	}
}

// ticks returns the processor time of a process in hundredths of a second.
func ticks(t *testing.T, pid int) int {
	t.Helper()
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	require.NoError(t, err)
	field := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, err := strconv.Atoi(field[11])
	require.NoError(t, err)
	system, err := strconv.Atoi(field[12])
	require.NoError(t, err)
	return user + system
}

func TestAProgramThatIsNotThereCannotBeLimited(t *testing.T) {
	t.Parallel()
	w := setup(t, "")
	spec := w.confine(cgroup.Limits{}, 50)
	spec.Argv = []string{"/not/there"}
	require.NoError(t, spec.Write(w.dir))
	state := w.until(w.ensure(), func(s shim.State) bool { return s.Phase == shim.Backoff })
	require.Contains(t, state.Err, "no such file")
}
