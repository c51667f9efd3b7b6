package services_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const units = "../deploy/systemd"

func TestUnitsPassSystemdsOwnCheckWhereItIsInstalled(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Log("systemd-analyze is not installed; .ci/run installs it")
		return
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(units, "verify")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "golive.service")
	require.Contains(t, string(out), "golive-agent.service")
}

// systemd scores what a unit takes away from a program. What it must leave to
// the applications of a host, no score tells.
func TestTheAgentsUnitSparesItsApplications(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join(units, "golive-agent.service"))
	require.NoError(t, err)
	settings := strings.Split(string(raw), "\n")
	require.Contains(t, settings, "KillMode=process", "a restart of the agent would stop every application")
	require.Contains(t, settings, "OOMPolicy=continue", "one application out of memory would stop the agent")
	require.NotContains(t, settings, "PrivateTmp=yes", "an application would lose its temporary files to a restart of the agent")
}
