package server_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/server"
)

func TestASecondProcessIsKeptOutOfTheDataFolder(t *testing.T) {
	cfg := server.Config{Process: server.Process{DataDir: t.TempDir()}, HTTP: "127.0.0.1:0", Deployment: "127.0.0.1:0", Implementation: "127.0.0.1:0", Agents: "127.0.0.1:0"}
	first, err := server.Up(t.Context(), cfg)
	require.NoError(t, err)
	_, err = server.Up(t.Context(), cfg)
	require.ErrorContains(t, err, "is used by another golive process")
	require.NoError(t, first.Close())
	again, err := server.Up(t.Context(), cfg)
	require.NoError(t, err)
	require.NoError(t, again.Close())
}
