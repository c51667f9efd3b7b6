//go:build linux

package agent_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent"
)

// drifts waits until the newest report on a command says that the host was changed, how, and
// nothing else; an empty text is for a host that is as it was made.
func (w *world) drifts(c *agentv1.Command, text string) {
	w.t.Helper()
	w.until("drift "+text, func() bool {
		for _, r := range slices.Backward(w.reports) {
			if r.GetInstallation() == c.GetInstallation() {
				if text == "" {
					return r.GetDrift() == ""
				}
				return r.GetDrift() == "CHANGED_ON_HOST" && strings.Contains(r.GetMessage(), text) && !strings.Contains(r.GetMessage(), ";")
			}
		}
		return false
	})
}

func watchful(t *testing.T) *world {
	t.Helper()
	w := setup(t)
	w.stop()
	w.tune = func(c *agent.Config) { c.InspectEvery, c.HashEvery = 20*time.Millisecond, 200*time.Millisecond }
	w.start()
	return w
}

func TestChangesOnTheHostAreToldAndTakenBack(t *testing.T) {
	t.Parallel()
	w := watchful(t)
	c := w.up(1, w.workload("1.0.0", ""), nil)

	current := filepath.Join(w.place(), "current")
	require.NoError(t, os.Remove(current))
	w.drifts(c, "link current")
	require.NoError(t, os.Symlink("instances/1", current))
	w.drifts(c, "")

	app := w.apps(w.port)[0]
	require.NoError(t, syscall.Kill(app, syscall.SIGSTOP))
	w.drifts(c, "held by a signal")
	require.NoError(t, syscall.Kill(app, syscall.SIGCONT))
	w.drifts(c, "")

	seal := follow(c, 2, agentv1.Command_SEAL)
	w.send(seal)
	w.report(seal, deploymentv1.Installation_SEALED)
	conf := filepath.Join(w.dir, "releases", digest(archived), "bin", "extra")
	require.NoError(t, os.Chmod(filepath.Dir(conf), 0o700))
	require.NoError(t, os.WriteFile(conf, nil, 0o600)) // such as a cache: no drift
	program := filepath.Join(filepath.Dir(conf), "app")
	info, err := os.Stat(program)
	require.NoError(t, err)
	require.NoError(t, os.Chtimes(program, time.Now(), time.Now()))
	w.drifts(c, "bin/app was changed")
	require.NoError(t, os.Chtimes(program, info.ModTime(), info.ModTime()))
	w.drifts(c, "")
	w.only("1.0.0")
}

func TestAReleaseThatWasChangedIsBroughtAnew(t *testing.T) {
	t.Parallel()
	w := watchful(t)
	v1 := w.workload("1.0.0", "")
	c := w.up(1, v1, nil)
	program := filepath.Join(w.dir, "releases", digest(archived), "bin", "app")
	info, err := os.Stat(program)
	require.NoError(t, err)
	content, err := os.ReadFile(program)
	require.NoError(t, err)
	require.NoError(t, os.Chmod(filepath.Dir(program), 0o700))
	require.NoError(t, os.Remove(program)) // it runs, and a program that runs cannot be written to
	content[len(content)-1] ^= 1
	require.NoError(t, os.WriteFile(program, content, info.Mode()))
	require.NoError(t, os.Chtimes(program, info.ModTime(), info.ModTime()))
	w.drifts(c, "its time set back")

	w.stop() // what was told is remembered over the agent's end
	w.start()
	again := w.up(2, v1, v1)
	w.drifts(again, "")
	content[len(content)-1] ^= 1
	mended, err := os.ReadFile(program)
	require.NoError(t, err)
	require.Equal(t, content, mended)
	w.only("1.0.0")
}
