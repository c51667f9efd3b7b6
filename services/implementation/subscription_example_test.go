package implementation_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/implementation"
)

// The receiver of the examples takes what is sent, and nothing that somebody else signed.
func TestTheExampleTakesEvents(t *testing.T) {
	dir := t.TempDir()
	program, secret := filepath.Join(dir, "webhook-receiver"), filepath.Join(dir, "secret.txt")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, filepath.Join("..", "..", "examples", "webhook-receiver", "main.go")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	cmd := exec.CommandContext(t.Context(), program, "-listen", "127.0.0.1:0", "-secret-file", secret)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(stdout)
	require.True(t, lines.Scan())
	address, found := strings.CutPrefix(lines.Text(), "listening on ")
	require.True(t, found)

	plain := setup(t, "sqlite:"+filepath.Join(dir, "implementation.db"), func(cfg *implementation.Config) {
		cfg.Private, cfg.Clock = true, time.Now // the example looks at its own clock
	})
	w := outward(plain)
	name, key := w.webhook("ops", "http://"+address, "implementation.feature.")
	require.NoError(t, os.WriteFile(secret, []byte("whsec_d3Jvbmc="), 0o600))
	feature := w.happens("a")
	require.EqualValues(t, 401, w.tried(name, 1).GetAttempts()[0].GetCode())
	require.NoError(t, os.WriteFile(secret, []byte(key+"\n"), 0o600))
	require.True(t, lines.Scan(), "it is tried again after five seconds")
	require.Equal(t, "dev.golive.implementation.feature.created "+feature, lines.Text())
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait() // it was killed
}
