//go:build linux

package supervise_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/agent/internal/proc"
	"github.com/golive-dev/golive/services/agent/internal/supervise"
	"github.com/golive-dev/golive/services/agent/shim"
)

// TestMain lets the test binary be the shim too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "shim" {
		os.Exit(shim.Main(os.Args[2:], os.Stderr))
	}
	os.Exit(m.Run())
}

const soon = 10 * time.Second

type world struct {
	t   *testing.T
	dir string // the run folder
	sup *supervise.Supervisor
}

func newSupervisor(t *testing.T, socket string) *supervise.Supervisor {
	t.Helper()
	s, err := supervise.New([]string{os.Args[0], "shim"}, socket)
	require.NoError(t, err)
	return s
}

func setup(t *testing.T, script string) *world {
	t.Helper()
	root := t.TempDir()
	w := &world{t: t, dir: filepath.Join(root, "run"), sup: newSupervisor(t, filepath.Join(root, "agent.sock"))}
	spec := shim.Spec{
		Argv: []string{"/bin/sh", "-c", script}, Dir: root, Env: []string{"PATH=/usr/bin:/bin"},
		StopSignal: int(syscall.SIGTERM), Grace: 300 * time.Millisecond,
		Stdout: filepath.Join(root, "out.log"), Stderr: filepath.Join(root, "err.log"), LogLimit: 10_000,
		BackoffMin: 20 * time.Millisecond, BackoffMax: 100 * time.Millisecond, Steady: time.Minute,
		Notify: w.sup.Socket(),
	}
	require.NoError(t, spec.Write(w.dir))
	t.Cleanup(func() {
		require.NoError(t, w.sup.Stop(t.Context(), w.dir))
		w.sup.Close()
	})
	return w
}

func (w *world) ensure() *supervise.Shim {
	w.t.Helper()
	sh, err := w.sup.Ensure(w.t.Context(), w.dir)
	require.NoError(w.t, err)
	return sh
}

// until waits for a state, by the hints alone: a lost hint fails the test.
func (w *world) until(sh *supervise.Shim, ok func(shim.State) bool) shim.State {
	w.t.Helper()
	deadline := time.After(soon)
	for {
		state, err := sh.State()
		require.NoError(w.t, err)
		if ok(state) {
			return state
		}
		select {
		case <-sh.Changed():
		case <-deadline:
			require.FailNow(w.t, "state does not come", "%+v", state)
		}
	}
}

func (w *world) file(name string) string {
	text, _ := os.ReadFile(filepath.Join(filepath.Dir(w.dir), name))
	return string(text)
}

func running(s shim.State) bool { return s.Phase == shim.Running }

func TestAnApplicationThatEndsIsStartedAgain(t *testing.T) {
	t.Parallel()
	w := setup(t, "echo hello; echo oops >&2; exec sleep 600")
	sh := w.ensure()
	first := w.until(sh, running)
	require.Eventually(t, func() bool { return w.file("out.log") == "hello\n" && w.file("err.log") == "oops\n" }, soon, time.Millisecond)
	require.NoError(t, syscall.Kill(first.App.PID, syscall.SIGKILL))
	again := w.until(sh, func(s shim.State) bool { return running(s) && s.Restarts == 1 })
	require.NotEqual(t, first.App, again.App)
	require.Equal(t, int(syscall.SIGKILL), again.Exit.Signal)
	require.Eventually(t, func() bool { return w.file("out.log") == "hello\nhello\n" && w.file("err.log") == "oops\noops\n" }, soon, time.Millisecond)
}

func TestACrashLoopBacksOffAndSaysWhy(t *testing.T) {
	t.Parallel()
	w := setup(t, "echo dying; exit 3")
	sh := w.ensure()
	state := w.until(sh, func(s shim.State) bool { return s.Restarts >= 3 && s.Phase == shim.Backoff })
	require.Equal(t, 3, state.Exit.Code)
	require.GreaterOrEqual(t, strings.Count(w.file("out.log"), "dying"), 4, "the last words are kept")
}

func TestAProgramThatIsNotThere(t *testing.T) {
	t.Parallel()
	w := setup(t, "")
	spec, err := shim.ReadSpec(w.dir)
	require.NoError(t, err)
	spec.Argv = []string{"/not/there"}
	require.NoError(t, spec.Write(w.dir))
	state := w.until(w.ensure(), func(s shim.State) bool { return s.Phase == shim.Backoff })
	require.Contains(t, state.Err, "no such file")
}

func TestTheApplicationOutlivesAgentAndShim(t *testing.T) {
	t.Parallel()
	w := setup(t, "while :; do echo tick; echo tock >&2; sleep 0.005; done")
	before := w.until(w.ensure(), running)
	w.sup.Close() // the agent dies

	w.sup = newSupervisor(t, w.sup.Socket())
	sh := w.ensure()
	require.Equal(t, before, w.until(sh, running), "adopted as it is")

	require.NoError(t, syscall.Kill(before.Shim, syscall.SIGKILL)) // the shim dies
	after := w.until(sh, func(s shim.State) bool { return running(s) && s.Shim != before.Shim })
	require.Equal(t, before.App, after.App, "the application did not notice")
	size := len(w.file("out.log"))
	require.Eventually(t, func() bool { return len(w.file("out.log")) != size }, soon, time.Millisecond, "its output goes on")

	// Both die, and the application with them: the next agent starts it again and counts it.
	w.sup.Close()
	require.NoError(t, syscall.Kill(after.Shim, syscall.SIGKILL))
	require.NoError(t, syscall.Kill(-after.App.PID, syscall.SIGKILL))
	w.sup = newSupervisor(t, w.sup.Socket())
	last := w.until(w.ensure(), func(s shim.State) bool { return running(s) && s.App != after.App })
	require.Equal(t, 1, last.Restarts)
	require.Equal(t, -1, last.Exit.Code, "nobody can know how it ended")
}

func TestTwoAgentsNeverStartItTwice(t *testing.T) {
	t.Parallel()
	w := setup(t, "exec sleep 600")
	other := newSupervisor(t, filepath.Join(t.TempDir(), "agent.sock"))
	t.Cleanup(other.Close)
	var group sync.WaitGroup
	for _, s := range []*supervise.Supervisor{w.sup, other, w.sup, other} {
		group.Go(func() {
			_, err := s.Ensure(t.Context(), w.dir)
			require.NoError(t, err)
		})
	}
	group.Wait()
	var apps int
	for _, id := range proc.Find(w.dir) {
		line, _ := os.ReadFile("/proc/" + strconv.Itoa(id.PID) + "/cmdline")
		if bytes.HasPrefix(line, []byte("sleep")) || bytes.HasPrefix(line, []byte("/bin/sh")) { // which becomes sleep
			apps++
		}
	}
	require.Equal(t, 1, apps)
}

func TestAShimThatDiedWhileStartingLeavesNoSecondApplication(t *testing.T) {
	t.Parallel()
	w := setup(t, "exec sleep 600")
	// What such a shim leaves: its intent, and an application whose number nobody wrote down.
	state := "phase \"starting\"\nshim \"1\"\n"
	require.NoError(t, os.WriteFile(filepath.Join(w.dir, "state"), []byte(state), 0o600))
	lost, err := proc.Start([]string{"/bin/sleep", "600"}, proc.Attr{Dir: "/", Env: []string{proc.Marker + "=" + w.dir}})
	require.NoError(t, err)
	w.until(w.ensure(), running)
	exit, err := lost.Wait()
	require.NoError(t, err)
	require.Equal(t, int(syscall.SIGKILL), exit.Signal)
}

func TestStopKillsTheGroupAtTheDeadline(t *testing.T) {
	t.Parallel()
	for name, shimDies := range map[string]bool{"with its shim": false, "without": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t, `trap "" TERM; sh -c 'trap "" TERM; sleep 600' & echo $!; wait; sleep 600`)
			state := w.until(w.ensure(), running)
			require.Eventually(t, func() bool { return strings.HasSuffix(w.file("out.log"), "\n") }, soon, time.Millisecond)
			child, err := strconv.Atoi(strings.TrimSpace(w.file("out.log")))
			require.NoError(t, err)
			grandchild, err := proc.Identify(child)
			require.NoError(t, err)
			if shimDies {
				w.sup.Close()
				w.sup = newSupervisor(t, w.sup.Socket())
				require.NoError(t, syscall.Kill(state.Shim, syscall.SIGKILL))
				require.Eventually(t, func() bool { return !shim.Held(w.dir) }, soon, time.Millisecond)
			}
			begin := time.Now()
			require.NoError(t, w.sup.Stop(t.Context(), w.dir))
			require.Less(t, time.Since(begin), 2*time.Second)
			require.GreaterOrEqual(t, time.Since(begin), 300*time.Millisecond, "it had its grace")
			require.Eventually(t, func() bool { return !state.App.Alive() && !grandchild.Alive() }, soon, time.Millisecond)
			require.False(t, shim.Held(w.dir))
		})
	}
}

func TestOutputIsBounded(t *testing.T) {
	t.Parallel()
	w := setup(t, "i=0; while [ $i -lt 3000 ]; do echo 'a line of output that is about sixty bytes long, more or less'; i=$((i+1)); done; exec sleep 600")
	w.ensure()
	require.Eventually(t, func() bool { return w.file("out.log.1") != "" }, soon, time.Millisecond)
	require.LessOrEqual(t, len(w.file("out.log")), 10_000)
	require.LessOrEqual(t, len(w.file("out.log.1")), 10_000)
}

func TestNoLineIsLostOrCutWhenFilesChange(t *testing.T) {
	t.Parallel()
	const lines, files = 5000, 40
	w := setup(t, fmt.Sprintf(`i=0; while [ $i -lt %d ]; do echo "line $i of many, and $i$i$i$i"; i=$((i+1)); done; exec sleep 600`, lines))
	spec, err := shim.ReadSpec(w.dir)
	require.NoError(t, err)
	spec.LogFiles = files
	require.NoError(t, spec.Write(w.dir))
	w.ensure()
	whole := func() string {
		var all strings.Builder
		for i := files - 1; i > 0; i-- {
			all.WriteString(w.file("out.log." + strconv.Itoa(i)))
		}
		return all.String() + w.file("out.log")
	}
	require.Eventually(t, func() bool { return strings.Contains(whole(), fmt.Sprintf("line %d of", lines-1)) }, soon, 5*time.Millisecond)
	var want strings.Builder
	for i := range lines {
		fmt.Fprintf(&want, "line %d of many, and %d%d%d%d\n", i, i, i, i, i)
	}
	require.Equal(t, want.String(), whole())
	for i := range files {
		name := "out.log"
		if i > 0 {
			name += "." + strconv.Itoa(i)
		}
		text := w.file(name)
		require.LessOrEqual(t, len(text), 10_000+100)
		require.True(t, text == "" || strings.HasSuffix(text, "\n"), "%s ends with a whole line", name)
	}
}
