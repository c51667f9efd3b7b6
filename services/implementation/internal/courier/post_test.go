package courier

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/golive-dev/golive/services/smtptest"
)

// signIn makes a courier sign in with a password from a file.
func signIn(t *testing.T, password string) func(*SMTP) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(file, []byte(password+"\n"), 0o600))
	return func(cfg *SMTP) { cfg.Username, cfg.PasswordFile = smtptest.User, file }
}

func TestSettingsAreCheckedAtTheStart(t *testing.T) {
	none, err := NewPost(SMTP{}, zap.NewNop())
	require.NoError(t, err)
	require.Nil(t, none)
	good := SMTP{Address: "mail.example.com:587", From: "rollout@example.com"}
	post, err := NewPost(good, zap.NewNop())
	require.NoError(t, err)
	require.Equal(t, StartTLS, post.TLS, "protected unless told otherwise")
	for what, change := range map[string]func(*SMTP){
		"host:port":      func(c *SMTP) { c.Address = "mail.example.com" },
		"no number":      func(c *SMTP) { c.Address = "mail.example.com:smtp" },
		"sender":         func(c *SMTP) { c.From = "" },
		"answers":        func(c *SMTP) { c.ReplyTo = "nobody" },
		"password file":  func(c *SMTP) { c.Username = "rollout" },
		"none of":        func(c *SMTP) { c.TLS = "ssl" },
		"authority":      func(c *SMTP) { c.CAFile = filepath.Join(t.TempDir(), "none.pem") },
		"in plain text":  func(c *SMTP) { c.TLS, c.Username, c.PasswordFile = None, "rollout", "/etc/hostname" },
		"no certificate": func(c *SMTP) { c.CAFile = "/etc/hostname" },
	} {
		cfg := good
		change(&cfg)
		_, err := NewPost(cfg, zap.NewNop())
		require.ErrorContains(t, err, what)
	}
}
