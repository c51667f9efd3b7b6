package layout_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/agent/internal/layout"
)

func TestOnlyNamesOfTheContractBecomeFolders(t *testing.T) {
	t.Parallel()
	l, err := layout.Open(t.TempDir())
	require.NoError(t, err)
	const target, application = "workspaces/w/environments/e/targets/t", "workspaces/w/applications/a"
	p, err := l.Place(target, application)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(l.Root(), "targets/e.t/a/instances/3/run"), p.Run(3))
	for _, pair := range [][2]string{
		{"", ""},
		{target, ""},
		{target, "workspaces/other/applications/a"},
		{"workspaces/w/environments/../targets/t", application},
		{"workspaces/w/environments/e/targets/..", application},
		{target, "workspaces/w/applications/../x"},
		{target, "workspaces/w/applications/."},
		{target, "workspaces/w/applications/A B"},
		{target + "/x", application},
		{"workspaces/w/environments/e.x/targets/t", application},
	} {
		_, err := l.Place(pair[0], pair[1])
		require.Error(t, err, "%v", pair)
	}
}

func TestSwitching(t *testing.T) {
	t.Parallel()
	l, err := layout.Open(t.TempDir())
	require.NoError(t, err)
	p, err := l.Place("workspaces/w/environments/e/targets/t", "workspaces/w/applications/a")
	require.NoError(t, err)
	require.NoError(t, p.Make())
	require.NoError(t, p.Switch(0))
	for _, n := range []int{1, 2, 2, 1} {
		require.NoError(t, os.MkdirAll(p.Config(n), 0o700))
		require.NoError(t, p.Switch(n))
		require.Equal(t, n, p.Current())
	}
	numbers, err := p.Instances()
	require.NoError(t, err)
	require.Equal(t, []int{1, 2}, numbers)
	require.NoError(t, os.Chmod(p.Config(2), 0o500)) // as unpacked folders are
	require.NoError(t, p.Remove(2))
	require.NoError(t, p.Remove(9))
	require.NoError(t, p.Switch(0))
	require.Zero(t, p.Current())
}
