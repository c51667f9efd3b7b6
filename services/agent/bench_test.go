//go:build linux

package agent_test

import (
	"archive/tar"
	"bytes"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkInstall replaces a release by another, each with an archive of its
// own that holds a program of 6 MB, with the real golive-agent and golive-shim:
// fetched, verified, unpacked, durable, started and healthy. The figures are of
// the agent process alone; rss-MiB and shim-KiB are memory, at the end.
func BenchmarkInstall(b *testing.B) {
	w := setup(b)
	w.stop()
	bin := b.TempDir()
	for _, name := range []string{"golive-agent", "golive-shim"} {
		build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", filepath.Join(bin, name), "../cmd/"+name)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		out, err := build.CombinedOutput()
		require.NoError(b, err, "%s", out)
	}
	cmd := exec.Command(filepath.Join(bin, "golive-agent"), "run", "--data-dir", w.dir, "--log-level", "error")
	cmd.Stderr = os.Stderr
	require.NoError(b, cmd.Start())
	app := program(b)
	previous := w.workload("0.0.0", "")
	w.until("the agent", func() bool { return w.stream != nil })
	before := cpu(b, cmd.Process.Pid)
	b.ResetTimer()
	for i := range b.N {
		b.StopTimer()
		salt := make([]byte, 16)
		_, _ = rand.Read(salt)
		content := slices.Concat(app, salt)
		blob, err := pack(&tar.Header{Name: "bin/app", Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg}, content)
		require.NoError(b, err)
		next := w.workload("1.0."+strconv.Itoa(i), "")
		w.mu.Lock()
		w.offer(next, blob)
		w.mu.Unlock()
		b.StartTimer()
		w.up(int64(i+1), next, previous)
		previous = next
	}
	b.StopTimer()
	b.ReportMetric(float64((cpu(b, cmd.Process.Pid)-before).Milliseconds())/float64(b.N), "cpu-ms/op")
	<-time.After(5 * time.Second) // what it needs at rest
	b.ReportMetric(float64(memory(b, cmd.Process.Pid, "Rss:"))/1024, "rss-MiB")
	b.ReportMetric(float64(memory(b, cmd.Process.Pid, "Anonymous:"))/1024, "anon-MiB")
	for _, pid := range processes(w.dir) {
		if name, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm"); strings.TrimSpace(string(name)) == "golive-shim" {
			b.ReportMetric(float64(memory(b, pid, "Anonymous:")), "shim-KiB")
		}
	}
	require.NoError(b, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(b, cmd.Wait())
}

// cpu returns the time that a process has used.
func cpu(b *testing.B, pid int) time.Duration {
	b.Helper()
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	require.NoError(b, err)
	field := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var ticks int
	for _, f := range field[11:13] {
		n, err := strconv.Atoi(f)
		require.NoError(b, err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// memory returns a line of a process's memory in KiB.
func memory(b *testing.B, pid int, line string) int {
	b.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/smaps_rollup")
	require.NoError(b, err)
	for l := range strings.Lines(string(text)) {
		if f := strings.Fields(l); len(f) > 1 && f[0] == line {
			n, err := strconv.Atoi(f[1])
			require.NoError(b, err)
			return n
		}
	}
	return 0
}
