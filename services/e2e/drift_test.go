package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// driftEnv is for the program with a clock that is off: by how many seconds, until when it is by the clock that is right.
const driftEnv = "GOLIVE_E2E_DRIFT"

// driftLasts is for how long a clock is off: longer than everything that is tried meanwhile takes.
const driftLasts = 45 * time.Second

// The standard library's clock, in the program of this test alone. The product has no such switch.
const (
	rightClock = "	sec, nsec, mono := runtimeNow()\n	if mono == 0 {"
	wrongClock = "	sec, nsec, mono := runtimeNow()\n	if sec < driftUntil {\n		sec += driftBy\n	}\n	if mono == 0 {"
	clockDrift = `
var driftBy, driftUntil = drift()

func drift() (by, until int64) {
	text, _ := syscall.Getenv("` + driftEnv + `")
	numbers := [2]int64{}
	n, sign := 0, int64(1)
	for _, c := range []byte(text) {
		switch {
		case c == '-':
			sign = -1
		case c == '@':
			n = 1
		default:
			numbers[n] = numbers[n]*10 + int64(c-'0')
		}
	}
	return sign * numbers[0], numbers[1]
}
`
)

// drifting builds golive over a standard library whose time.Now is off, as that of a machine whose clock is. It is the
// product otherwise, and the build cache keeps it.
func drifting(t *testing.T) (path string) {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	require.NoError(t, err)
	source := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	raw, err := os.ReadFile(source)
	require.NoError(t, err)
	text := string(raw)
	require.Equal(t, 1, strings.Count(text, rightClock), "another standard library than was known: adapt this test")
	text = strings.Replace(text, rightClock, wrongClock, 1)
	require.Equal(t, 1, strings.Count(text, "import (\n"))
	text = strings.Replace(text, "import (\n", "import (\n\t\"syscall\"\n", 1) + clockDrift
	dir := t.TempDir()
	changed, overlay := filepath.Join(dir, "time.go"), filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(changed, []byte(text), 0o600))
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {source: changed}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(overlay, replace, 0o600))
	path = filepath.Join(dir, "golive")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-overlay", overlay, "-o", path, "../cmd/golive")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// lives has the implementation service live by a clock that is off for a time, at the end of which it is set right.
func (w *pair) lives(by, lasts time.Duration) {
	w.t.Helper()
	w.right = time.Now().Add(lasts)
	w.people().kill()
	w.people().path = w.drifting
	w.people().env = []string{driftEnv + "=" + strconv.FormatInt(int64(by/time.Second), 10) + "@" + strconv.FormatInt(w.right.Unix(), 10)}
	w.people().start()
}

// clockIsRight waits until the clock is.
func (w *pair) clockIsRight() {
	select {
	case <-time.After(time.Until(w.right)):
	case <-w.t.Context().Done():
	}
}
