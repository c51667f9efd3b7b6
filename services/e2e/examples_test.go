package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheExampleSignsReleases runs examples/signed-release with a key of its own and Debian's minisign.
func TestTheExampleSignsReleases(t *testing.T) {
	minisign, err := exec.LookPath("minisign")
	if err != nil {
		require.NotEqual(t, "require", os.Getenv("GOLIVE_TEST_MINISIGN"), "install minisign")
		t.Log("minisign is not installed; the example was not run")
		return
	}
	p, dir := onePlane(t), t.TempDir()
	example, err := filepath.Abs(filepath.Join("..", "..", "examples", "signed-release"))
	require.NoError(t, err)
	at := func(name string) string { return filepath.Join(dir, name) }
	out, err := exec.CommandContext(t.Context(), minisign, "-G", "-W", "-p", at("hello.pub"), "-s", at("hello.key")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	public, err := os.ReadFile(at("hello.pub"))
	require.NoError(t, err)
	application, err := os.ReadFile(filepath.Join(example, "application.yaml"))
	require.NoError(t, err)
	_, key, _ := strings.Cut(strings.TrimSpace(string(public)), "\n")
	_, old, _ := strings.Cut(string(application), "publicKey: ")
	old, _, _ = strings.Cut(old, "\n")
	require.NoError(t, os.WriteFile(at("application.yaml"), []byte(strings.Replace(string(application), old, key, 1)), 0o600))
	require.NoError(t, os.WriteFile(at("hello.tar.gz"), []byte("any bytes are an artifact until an agent unpacks them"), 0o600))
	p.golive(t.Context(), t, "apply", "-f", at("application.yaml"))

	sign := func(version, counter string) (string, error) {
		cmd := exec.CommandContext(t.Context(), filepath.Join(example, "sign"), version, counter, "linux/amd64", at("hello.tar.gz"), at("hello.key"))
		cmd.Env = append(p.environment(), "PATH="+filepath.Dir(program(t, "golive"))+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	told, err := sign("1.0.0", "1")
	require.NoError(t, err, told)
	told, err = sign("1.0.1", "1")
	require.Error(t, err, "the counter has to rise")
	require.Contains(t, told, "COUNTER_NOT_NEWER")
	told, err = sign("1.0.1", "2")
	require.NoError(t, err, told)
}

// TestTheExampleOfAPlanRuns runs every command that the page of examples/plan shows. A plan that is not ready answers 7.
func TestTheExampleOfAPlanRuns(t *testing.T) {
	p, clone := onePlane(t), t.TempDir()
	copyExample(t, clone, "plan", strings.NewReplacer())
	page, err := os.ReadFile(filepath.Join(clone, "examples", "plan", "README.md"))
	require.NoError(t, err)
	script, _ := blocks(string(page))
	require.Greater(t, strings.Count(script, "golive "), 15)
	cmd := exec.CommandContext(t.Context(), "bash", "-c", "trap 'code=$?; [ $code = 7 ] || exit $code' ERR\n"+script)
	cmd.Dir = clone
	cmd.Env = append(p.environment(), "PATH="+filepath.Dir(program(t, "golive"))+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "lack of Ada, who configures costs 14 working days")
	require.FileExists(t, filepath.Join(clone, "report.html"))
}
