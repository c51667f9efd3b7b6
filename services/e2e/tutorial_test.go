package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/agent/shim"
	"github.com/golive-dev/golive/services/demo"
)

// tutorialPatience is how long all of a tutorial may take.
const tutorialPatience = 3 * time.Minute

// TestTheTutorialRuns runs the first tutorial with the applications that it starts.
func TestTheTutorialRuns(t *testing.T) {
	eventsAreDocumented(t, follow(t, "tutorial.md", 15, "hello"))
}

// TestTheTutorialOfPeopleRuns runs the one with people, and the example that it loads.
func TestTheTutorialOfPeopleRuns(t *testing.T) { follow(t, "tutorial-people.md", 20, "plan") }

// TestTheTutorialOfThePairRuns runs the one that joins both halves, and the example that it loads.
func TestTheTutorialOfThePairRuns(t *testing.T) {
	eventsAreDocumented(t, follow(t, "tutorial-pair.md", 35, "hello", "pair", "webhook-receiver"))
}

// follow runs the sh blocks of a page in one shell, in a folder that has
// what a clone has, and looks for every line of its text blocks in what they print.
func follow(t *testing.T, page string, lines int, examples ...string) string {
	t.Helper()
	clone := t.TempDir()
	move := ports(t, "127.0.0.1:8000", "127.0.0.1:8080", "127.0.0.1:8081", "127.0.0.1:8082", "127.0.0.1:8090", "127.0.0.1:8443", "18180", "18181")
	bin := filepath.Dir(program(t, "golive"))
	require.NoError(t, os.Symlink(bin, filepath.Join(clone, "bin")))
	for _, example := range examples {
		copyExample(t, clone, example, move)
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
	require.NoError(t, err)
	script, expected := blocks(move.Replace(string(text)))

	ctx, cancel := context.WithTimeout(t.Context(), tutorialPatience)
	defer cancel()
	// Exit codes that are answers: 7 not yet, 8 not over, and curl's 28 for a stream that it left.
	prelude := "set -u -o pipefail\ntrap 'code=$?; case $code in 7|8|28) ;; *) exit $code;; esac' ERR\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\n"
	cmd := exec.CommandContext(ctx, "bash", "-c", prelude+script)
	cmd.Dir = clone
	cmd.Env = append(os.Environ(), "GOLIVE_CONFIG="+filepath.Join(clone, "context.yaml"), "NO_COLOR=1", "TZ=UTC",
		move.Replace("GOLIVE_LISTEN=127.0.0.1:8080"), move.Replace("GOLIVE_LISTEN_DEPLOYMENT=127.0.0.1:8081"),
		move.Replace("GOLIVE_LISTEN_IMPLEMENTATION=127.0.0.1:8082"), move.Replace("GOLIVE_LISTEN_AGENTS=127.0.0.1:8443"), move.Replace("GOLIVE_LISTEN_ADMIN=127.0.0.1:8090"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second
	t.Cleanup(func() { endApplications(t, filepath.Join(clone, "tutorial", "agent")) })
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)

	printed := strings.Join(strings.Fields(string(out)), " ")
	for _, line := range expected {
		require.Contains(t, printed, line, "the page says that this is printed:\n%s", out)
	}
	require.Greater(t, len(expected), lines)
	return string(out)
}

// blocks returns what a tutorial runs, and each line that it says is printed.
func blocks(text string) (script string, expected []string) {
	for _, block := range regexp.MustCompile("(?ms)^```(sh|text)\n(.*?)^```").FindAllStringSubmatch(text, -1) {
		if block[1] == "sh" {
			script += block[2]
			continue
		}
		for line := range strings.Lines(block[2]) {
			expected = append(expected, strings.Join(strings.Fields(line), " "))
		}
	}
	return script, expected
}

// ports moves addresses and ports to free ones.
func ports(t *testing.T, all ...string) *strings.Replacer {
	t.Helper()
	var given demo.Ports
	var pairs []string
	for _, old := range all {
		free := address(t, &given)
		if !strings.Contains(old, ":") {
			_, free, _ = strings.Cut(free, ":")
		}
		pairs = append(pairs, old, free)
	}
	return strings.NewReplacer(pairs...)
}

func copyExample(t *testing.T, clone, name string, move *strings.Replacer) {
	t.Helper()
	from, to := filepath.Join("..", "..", "examples", name), filepath.Join(clone, "examples", name)
	files, err := os.ReadDir(from)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(to, 0o700))
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(from, f.Name()))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(to, f.Name()), []byte(move.Replace(string(text))), 0o600))
	}
}

// endApplications ends what an agent left running.
func endApplications(t *testing.T, dir string) {
	t.Helper()
	runs, err := filepath.Glob(filepath.Join(dir, "targets", "*", "*", "instances", "*", "run"))
	require.NoError(t, err)
	forwarders, err := filepath.Glob(filepath.Join(dir, "targets", "*", "*", "forward"))
	require.NoError(t, err)
	for _, run := range append(runs, forwarders...) {
		if state, err := shim.ReadState(run); err == nil && state.Phase != shim.Stopped && state.Shim > 0 {
			_ = syscall.Kill(state.Shim, syscall.SIGTERM) // it may have ended by itself
		}
	}
}

// eventsAreDocumented looks for each type of event that was seen in the reference.
func eventsAreDocumented(t *testing.T, out string) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", "events.md"))
	require.NoError(t, err)
	seen := regexp.MustCompile(`\b(deployment|implementation)\.[a-zA-Z]+\.[a-z_]+\b`).FindAllString(out, -1)
	require.NotEmpty(t, seen)
	for _, one := range seen {
		require.Contains(t, string(page), "`"+one+"`")
	}
}
