//go:build linux

package agent_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// sealing waits for the answer to a SEAL.
func (w *world) sealing(c *agentv1.Command) (found *agentv1.Report) {
	w.t.Helper()
	w.until("the seal", func() bool {
		for _, r := range w.reports {
			if found == nil && r.GetEpoch() == c.GetEpoch() && r.GetState() == deploymentv1.Installation_SEALED { // later ones tell of its health
				found = r
			}
		}
		return found != nil
	})
	return found
}

func TestHooksComeInTheirOrder(t *testing.T) {
	t.Parallel()
	w, done := setup(t), newNotebook(t)
	hook := func(id string) *deploymentv1.Hook { return done.step(id, "").GetCommand() }
	v := w.workload("1.0.0", "")
	v.Hooks = &deploymentv1.Hooks{
		PreInstall: hook("pre_install"), Configure: hook("configure"), Test: hook("test"), PostActivate: hook("post_activate"), Verify: hook("verify"),
	}
	v.Hooks.Configure.Command[2] += "test -f {{.dir.config}}/app.conf"
	c := w.up(1, v, nil)
	seal := follow(c, 2, agentv1.Command_SEAL)
	w.send(seal)
	r := w.sealing(seal)
	require.Empty(t, r.GetCause())
	require.Equal(t, "hook verify", r.GetSteps()[0].GetStep())
	require.Equal(t, []string{"configure 1.0.0", "pre_install 1.0.0", "test 1.0.0", "post_activate 1.0.0", "verify 1.0.0"}, done.lines())
}

func TestALastCheckThatFailsIsAWarning(t *testing.T) {
	t.Parallel()
	w := setup(t)
	v := w.workload("1.0.0", "")
	v.Hooks = &deploymentv1.Hooks{Verify: &deploymentv1.Hook{Command: []string{"/bin/sh", "-c", "exit 5"}}}
	c := w.up(1, v, nil)
	seal := follow(c, 2, agentv1.Command_SEAL)
	w.send(seal)
	r := w.sealing(seal)
	require.Equal(t, "VERIFY_FAILED", r.GetCause())
	require.Contains(t, r.GetMessage(), "exit code 5")
	require.Equal(t, deploymentv1.Installation_HEALTHY_NOW, r.GetHealth())
	require.False(t, r.GetSteps()[0].GetSucceeded())
	w.only("1.0.0")
}

func TestALastCheckThatWasCutOffIsNotRunAgain(t *testing.T) {
	t.Parallel()
	w, done := setup(t), newNotebook(t)
	v := w.workload("1.0.0", "")
	v.Hooks = &deploymentv1.Hooks{Verify: done.step("verify", "exec sleep 600").GetCommand()}
	c := w.up(1, v, nil)
	w.stop()
	seal := follow(c, 2, agentv1.Command_SEAL)
	w.send(seal)
	cmd := w.spawn(0, 0, nil)
	require.Eventually(t, func() bool { return len(done.lines()) == 1 }, soon, tick)
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	w.start()
	require.Equal(t, "INTERRUPTED", w.sealing(seal).GetCause())
	require.Len(t, done.lines(), 1)
	w.only("1.0.0")
}
