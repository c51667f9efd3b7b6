// Package e2e runs the product as its users have it: the built binaries, real agents, real
// applications, a real database. `make e2e` builds what it needs.
package e2e

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/services/demo"
)

func TestMain(m *testing.M) {
	if !playRole() {
		pgtest.Main(m)
	}
}

// program returns a built binary, of bin/ unless GOLIVE_BIN names another folder.
func program(tb testing.TB, name string) string {
	tb.Helper()
	path, err := filepath.Abs(filepath.Join(cmp.Or(os.Getenv("GOLIVE_BIN"), filepath.Join("..", "..", "bin")), name))
	require.NoError(tb, err)
	require.FileExists(tb, path, "run `make build` first")
	return path
}

// applications are the versions of the demonstration's application.
func applications(tb testing.TB) map[string]string {
	tb.Helper()
	out := map[string]string{}
	for _, version := range demo.Versions() {
		out[version] = program(tb, "demo/crm-"+version)
	}
	return out
}

// address returns one on loopback that nobody uses.
func address(tb testing.TB, ports *demo.Ports) string {
	tb.Helper()
	port, err := ports.Next(tb.Context())
	require.NoError(tb, err)
	return "127.0.0.1:" + port
}

// talk writes the story to the test's log.
type talk struct{ tb testing.TB }

func (t talk) Write(p []byte) (int, error) {
	t.tb.Logf("%s", p)
	return len(p), nil
}

// stage starts a demonstration against a plane and takes it down at the end.
func stage(t *testing.T, p *plane) *demo.Demo {
	t.Helper()
	d := demo.New(demo.Config{
		Deployment: p.deployment, Implementation: p.implementation, AgentAddress: p.agents, AgentProgram: program(t, "golive-agent"),
		Applications: applications(t), Dir: t.TempDir(), Out: talk{t},
		Show: func(ctx context.Context, args ...string) { t.Logf("%s", p.golive(ctx, t, args...)) },
		As: func(token string) (machines, people grpc.ClientConnInterface, err error) {
			return p.as(t, token), dial(t, p.addresses["implementation"], token), nil
		},
	})
	t.Cleanup(d.Close)
	return d
}

// golive runs the CLI and returns what it printed.
func (p *plane) golive(ctx context.Context, tb testing.TB, args ...string) string {
	tb.Helper()
	cmd := exec.CommandContext(ctx, program(tb, "golive"), args...)
	cmd.Env = p.environment()
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 0 && code != 7 { // 7: it waits
		require.NoError(tb, err, "golive %v: %s", args, out)
	}
	return string(out)
}

// environment makes golive talk to the plane.
func (p *plane) environment() []string {
	return append(os.Environ(), "GOLIVE_TOKEN="+p.token, "GOLIVE_DEPLOYMENT="+p.addresses["deployment"], "GOLIVE_IMPLEMENTATION="+p.addresses["implementation"], "NO_COLOR=1")
}

// eventually is require.Eventually with the patience of this package.
func eventually(tb testing.TB, what string, met func() bool) {
	tb.Helper()
	require.Eventually(tb, met, 30*time.Second, 10*time.Millisecond, "waited for %s", what)
}
