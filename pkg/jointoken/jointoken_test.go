package jointoken_test

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/jointoken"
)

func TestATokenSurvivesWriting(t *testing.T) {
	t.Parallel()
	expires := time.Date(2030, 1, 2, 3, 4, 5, 6, time.UTC)
	made := jointoken.New("workspaces/default/agents/host-1", []byte("authority"), expires)
	require.Equal(t, sha256.Sum256([]byte("authority")), made.CASHA256)
	require.NotEqual(t, jointoken.New("a", nil, expires).Secret, made.Secret, "secrets are drawn")

	read, err := jointoken.Decode(made.Encode() + "\n")
	require.NoError(t, err)
	require.Equal(t, made, read)
	require.Equal(t, made.SecretHash(), read.SecretHash())
}

func TestWhatIsNoTokenIsRefused(t *testing.T) {
	t.Parallel()
	good := jointoken.New("workspaces/default/agents/host-1", nil, time.Unix(1, 0)).Encode()
	for name, token := range map[string]string{
		"empty":          "",
		"other":          "golive.v1.abc",
		"cut":            good[:len(good)-9],
		"not base64":     jointoken.Prefix + "***",
		"not JSON":       jointoken.Prefix + "aGVsbG8",
		"empty object":   jointoken.Prefix + "e30",
		"endless":        good + strings.Repeat("A", 5000),
		"second version": strings.Replace(good, "v1", "v2", 1),
	} {
		_, err := jointoken.Decode(token)
		require.Error(t, err, name)
		require.Equal(t, "JOIN_TOKEN_INVALID", fault.ReasonOf(err), name)
		require.True(t, fault.Is(err, fault.KindUnauthenticated), name)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(jointoken.New("workspaces/default/agents/host-1", nil, time.Unix(1, 0)).Encode())
	f.Add(jointoken.Prefix)
	f.Fuzz(func(t *testing.T, token string) {
		read, err := jointoken.Decode(token)
		if err != nil {
			return
		}
		again, err := jointoken.Decode(read.Encode())
		require.NoError(t, err)
		require.Equal(t, read, again)
	})
}
