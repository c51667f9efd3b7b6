//go:build linux

package agent_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent/internal/cgroup"
	"github.com/golive-dev/golive/services/agent/internal/layout"
)

func TestAReleaseThatEatsMemoryGoesBackAndSaysWhy(t *testing.T) {
	t.Parallel()
	w := setup(t)
	at, err := layout.Open(w.dir)
	require.NoError(t, err)
	limited := cgroup.Detect(at.Name()).Limits()
	t.Logf("memory is limited for all processes together: %v", limited)
	v1 := w.workload("1.0.0", "")
	v1.Run.Limits = &deploymentv1.ResourceLimits{MemoryBytes: 256 << 20, CpuMillis: 1000, Tasks: 64, OpenFiles: 128}
	w.up(1, v1, nil)
	v2 := w.workload("2.0.0", "eat")
	v2.Run.Limits = &deploymentv1.ResourceLimits{MemoryBytes: 256 << 20}
	c := w.installation(2, v2, v1)
	w.send(c)
	r := w.report(c, deploymentv1.Installation_REVERTED)
	want := "CRASHED" // by itself, when it is given no more
	if limited {
		want = "OUT_OF_MEMORY"
	}
	require.Equal(t, want, r.GetCause(), "%v", r)
	w.only("1.0.0")
}
