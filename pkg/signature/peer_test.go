package signature_test

import (
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aead.dev/minisign"
	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/signature"
)

// peer finds Debian's minisign. Where it is not installed the fixed vectors must do, unless
// GOLIVE_TEST_MINISIGN=require.
func peer(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("minisign")
	if err != nil {
		require.NotEqual(t, "require", os.Getenv("GOLIVE_TEST_MINISIGN"), "install minisign")
		t.Log("minisign is not installed; only its fixed vectors were tested")
		return ""
	}
	return program
}

func call(t *testing.T, program string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Stdin = strings.NewReader("\n\n")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestWhatMinisignSignsIsTakenHere(t *testing.T) {
	t.Parallel()
	program := peer(t)
	if program == "" {
		return
	}
	dir := t.TempDir()
	public, secret, document := filepath.Join(dir, "k.pub"), filepath.Join(dir, "k.key"), filepath.Join(dir, "manifest.json")
	out, err := call(t, program, "-G", "-W", "-p", public, "-s", secret)
	require.NoError(t, err, out)
	content := read(t, "manifest.json")
	require.NoError(t, os.WriteFile(document, content, 0o600))
	file, err := os.ReadFile(public)
	require.NoError(t, err)
	trusted, err := signature.ParseKeyFile(file)
	require.NoError(t, err)
	for _, form := range [][]string{{}, {"-l"}} {
		out, err := call(t, program, append([]string{"-S", "-s", secret, "-m", document, "-t", "release 2.1.0"}, form...)...)
		require.NoError(t, err, out)
		signed, err := os.ReadFile(document + ".minisig")
		require.NoError(t, err)
		_, err = signature.ReadRelease(content, string(signed), trusted...)
		require.NoError(t, err, "form %v", form)
		tampered := strings.Replace(string(signed), "release 2.1.0", "release 2.1.1", 1)
		require.ErrorIs(t, signature.Verify(content, tampered, trusted...), signature.ErrSignature, "the trusted comment is signed too")
	}
}

func TestWhatIsSignedHereIsTakenByMinisign(t *testing.T) {
	t.Parallel()
	program := peer(t)
	if program == "" {
		return
	}
	public, private, err := minisign.GenerateKey(rand.Reader)
	require.NoError(t, err)
	document := filepath.Join(t.TempDir(), "manifest.json")
	content := read(t, "manifest.json")
	require.NoError(t, os.WriteFile(document, content, 0o600))
	require.NoError(t, os.WriteFile(document+".minisig", minisign.Sign(private, content), 0o600))
	out, err := call(t, program, "-V", "-P", public.String(), "-m", document)
	require.NoError(t, err, out)
	require.NoError(t, os.WriteFile(document, append(content, ' '), 0o600))
	out, err = call(t, program, "-V", "-P", public.String(), "-m", document)
	require.Error(t, err, out)
}
