//go:build linux

package host

import (
	"context"
	"maps"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// stand puts programs into the only folder of PATH: each tells its version as the real one does, and counts.
func stand(t *testing.T, said map[string]string) (count func() int) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	for name, says := range said {
		script := "#!/bin/sh\necho x >> " + dir + "/asked\n" + says + "\n"
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700))
	}
	return func() int { text, _ := os.ReadFile(dir + "/asked"); return len(text) / 2 }
}

func TestRuntimesTellTheirVersionsOnce(t *testing.T) {
	asked := stand(t, map[string]string{
		"java":    `echo 'openjdk version "17.0.15" 2025-04-15' >&2; echo 'OpenJDK Runtime Environment (build 17.0.15+6-Debian-1deb12u1)' >&2`,
		"python3": "echo Python 3.11.2", "node": "echo v20.19.1", "php": "echo broken; exit 1",
	})
	want := map[string]string{"java": "17.0.15", "python3": "3.11.2", "node": "20.19.1"}
	cache := filepath.Join(t.TempDir(), "golive")
	for range 3 {
		found, ok := look(t.Context(), cache)
		require.True(t, ok)
		require.Equal(t, want, found)
	}
	require.Equal(t, 4, asked())
	require.Equal(t, want, NewSurvey(cache, true, func() []int { return nil }).runtimes, "the next agent knows at once")

	changed := stand(t, map[string]string{"python3": "echo Python 3.13.0"})
	found, ok := look(t.Context(), cache)
	require.True(t, ok)
	require.Equal(t, map[string]string{"python3": "3.13.0"}, found)
	require.Equal(t, 1, changed())
	require.NoError(t, os.WriteFile(cacheFile(cache), []byte("{"), 0o600))
	found, _ = look(t.Context(), cache)
	require.Equal(t, map[string]string{"python3": "3.13.0"}, found, "a broken cache is no cache")
}

func TestARuntimeThatHangsIsGivenUp(t *testing.T) {
	stand(t, map[string]string{"node": "exec /bin/sleep 600"})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	found, _ := look(ctx, "")
	require.Empty(t, found)
	require.Less(t, time.Since(begin), patience)
}

func TestPortsOfOthers(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	port := int32(l.Addr().(*net.TCPAddr).Port) //nolint:forcetypeassert // it is one
	require.Contains(t, listening(nil), port)
	require.NotContains(t, listening([]int{os.Getpid()}), port)
	require.IsIncreasing(t, append([]int32{0}, listening(nil)...))
}

func TestFactsThatAreWorthTelling(t *testing.T) {
	t.Parallel()
	s := NewSurvey("", true, func() []int { return nil })
	require.Contains(t, s.features, "cgroup")
	require.NotContains(t, NewSurvey("", false, func() []int { return nil }).features, "cgroup")
	before := Facts("/", "1")
	for name, change := range map[string]func(*deploymentv1.HostFacts){
		"runtimes": func(f *deploymentv1.HostFacts) { f.Runtimes = map[string]string{"java": "21"} },
		"features": func(f *deploymentv1.HostFacts) { f.Features = []string{"cgroup"} },
		"ports":    func(f *deploymentv1.HostFacts) { f.PortsInUse = []int32{1} },
	} {
		after := Facts("/", "1")
		require.False(t, Changed(before, after), name)
		change(after)
		require.True(t, Changed(before, after), name)
	}
	require.Equal(t, maps.Clone(s.runtimes), s.Fill(Facts("/", "1")).GetRuntimes())
}
