package cgroup

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhereAProcessIs(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		mounts, own string
		want        hierarchies
	}{
		"version 2 under systemd": {
			"30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n23 1 8:1 / / rw - ext4 /dev/sda1 rw\n",
			"0::/system.slice/golive-agent.service/agent\n",
			hierarchies{"": "/sys/fs/cgroup/system.slice/golive-agent.service/agent"},
		},
		"both versions": {
			"32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
			"3:cpu,cpuacct:/a\n1:name=systemd:/\n0::/\n",
			hierarchies{"cpu": "/sys/fs/cgroup/cpu/a", "cpuacct": "/sys/fs/cgroup/cpu/a", "": "/sys/fs/cgroup/unified"},
		},
		"a container that sees the host's names": {
			"41 31 0:38 /docker/4f /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/docker/4f\n", hierarchies{"": "/sys/fs/cgroup"},
		},
		"nothing": {"23 1 8:1 / / rw - ext4 /dev/sda1 rw\n", "0::/\n", hierarchies{}},
	} {
		require.Equal(t, test.want, parse(test.mounts, test.own), name)
	}
}

// delegated makes what a delegated group looks like; a file system of files stands in for the kernel's.
func delegated(t *testing.T, controllers string) string {
	t.Helper()
	base := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(base, "agent"), 0o700))
	for _, dir := range []string{base, filepath.Join(base, "golive-1")} {
		require.NoError(t, os.MkdirAll(dir, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "cgroup.type"), []byte("domain\n"), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte(controllers), 0o600))
	}
	return base
}

func TestAGroupThatIsDelegatedLimits(t *testing.T) {
	t.Parallel()
	base := delegated(t, "cpu memory pids")
	host := detect(hierarchies{"": base + "/agent"}, "golive-1")
	require.Equal(t, filepath.Join(base, "golive-1"), host.parent.Unified)
	require.False(t, host.Limits(), "what was written is not what the file answers here")

	// Where the agent itself is in the group that would hand controllers on, it ends and does not limit.
	host = detect(hierarchies{"": base}, "golive-1")
	require.True(t, host.Kills())
	require.False(t, host.Limits())
	require.Zero(t, detect(hierarchies{"": "/proc"}, "golive-1"), "nothing can be made there")
	require.Zero(t, detect(hierarchies{}, "golive-1"))
}

func TestLimitsAreWrittenAsEachVersionHasThem(t *testing.T) {
	t.Parallel()
	all := Limits{Memory: 1 << 20, CPU: 1500, Tasks: 20}
	file := func(dir, name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		return string(text)
	}
	two := t.TempDir()
	for _, name := range []string{"memory.max", "memory.oom.group", "memory.swap.max", "cpu.max", "pids.max"} {
		require.NoError(t, os.WriteFile(filepath.Join(two, name), nil, 0o600))
	}
	g := Group{Unified: two, Memory: two, CPU: two, Tasks: two}
	require.False(t, g.Staged())
	require.NoError(t, g.Make(all))
	require.Equal(t, "1048576", file(two, "memory.max"))
	require.Equal(t, "1", file(two, "memory.oom.group"))
	require.Equal(t, "150000 100000", file(two, "cpu.max"))
	require.Equal(t, "20", file(two, "pids.max"))
	require.NoError(t, os.WriteFile(filepath.Join(two, "memory.events"), []byte("low 0\noom 3\noom_kill 2\noom_group_kill 1\n"), 0o600))
	require.EqualValues(t, 2, g.Killed())

	memory, cpu := t.TempDir(), t.TempDir()
	for path, content := range map[string]string{memory + "/memory.limit_in_bytes": "", cpu + "/cpu.cfs_quota_us": "", memory + "/memory.oom_control": "under_oom 0\noom_kill 4\n"} {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	g = Group{Unified: two, Memory: memory, CPU: cpu}
	require.True(t, g.Staged())
	require.NoError(t, g.Make(all))
	require.Equal(t, "1048576", file(memory, "memory.limit_in_bytes"))
	require.Equal(t, "150000", file(cpu, "cpu.cfs_quota_us"))
	require.EqualValues(t, 4, g.Killed())
	require.Error(t, Group{Memory: t.TempDir()}.Make(all), "a limit that cannot be set is told")
}
