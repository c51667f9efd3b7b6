package server_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/observe"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/rpc"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/server"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const anyPort = "127.0.0.1:0"

// config is all roles on free ports, its log in the test's.
func config(t *testing.T) server.Config {
	t.Helper()
	return server.Config{
		Process: process(t), HTTP: anyPort, Deployment: anyPort, Implementation: anyPort, Agents: anyPort,
	}
}

func process(t *testing.T) server.Process {
	t.Helper()
	return server.Process{
		DataDir: t.TempDir(), Admin: anyPort, LogTo: zaptest.NewTestingWriter(t), Log: observe.LogConfig{Format: "console", Level: "warn"},
	}
}

// serve runs a server until the test ends or stop is called; either waits for it.
func serve(t *testing.T, s *server.Server) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stopped := false
	stop = func() {
		cancel()
		if !stopped {
			stopped = true
			require.NoError(t, <-done)
		}
	}
	t.Cleanup(stop)
	return stop
}

// ask calls a path and returns the status; bodies are decoded into out.
func ask(t *testing.T, url, token string, out any) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	if out != nil {
		require.NoError(t, json.NewDecoder(resp.Body).Decode(out))
	}
	return resp.StatusCode
}

func ready(t *testing.T, s *server.Server) {
	t.Helper()
	require.Eventually(t, func() bool {
		return ask(t, "http://"+s.Addresses().Admin+"/readyz", "", nil) == http.StatusOK
	}, 20*time.Second, 10*time.Millisecond)
}

func TestOneProcessAnswersForBothServicesAndStartsAgain(t *testing.T) {
	cfg := config(t)
	s, err := server.Up(t.Context(), cfg)
	require.NoError(t, err)
	token := s.BootstrapToken()
	require.NotEmpty(t, token)
	require.Contains(t, s.URL(false), token)
	stop := serve(t, s)
	ready(t, s)

	for _, collection := range []string{"applications", "cohorts"} {
		require.Equal(t, http.StatusOK, ask(t, "http://"+s.Addresses().HTTP+"/v1/workspaces/default/"+collection, token, nil))
	}
	var problem struct{ Reason string }
	require.Equal(t, http.StatusUnauthorized, ask(t, "http://"+s.Addresses().HTTP+"/v1/workspaces/default/cohorts", "no", &problem))
	stop()

	// The second start knows the first token and shows none.
	s, err = server.Up(t.Context(), cfg)
	require.NoError(t, err)
	require.Empty(t, s.BootstrapToken())
	require.NotContains(t, s.URL(false), "token")
	serve(t, s)
	require.Equal(t, http.StatusOK, ask(t, "http://"+s.Addresses().HTTP+"/v1/workspaces/default/cohorts", token, nil))
	info, err := os.Stat(server.IssuerFile(cfg.DataDir))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestPortThatIsTakenIsNamedWithItsFlag(t *testing.T) {
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", anyPort)
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	for flag, set := range map[string]func(*server.Config, string){
		"--listen":                func(c *server.Config, a string) { c.HTTP = a },
		"--listen-deployment":     func(c *server.Config, a string) { c.Deployment = a },
		"--listen-implementation": func(c *server.Config, a string) { c.Implementation = a },
		"--listen-agents":         func(c *server.Config, a string) { c.Agents = a },
		"--listen-admin":          func(c *server.Config, a string) { c.Admin = a },
	} {
		cfg := config(t)
		set(&cfg, taken.Addr().String())
		_, err := server.Up(t.Context(), cfg)
		require.ErrorContains(t, err, taken.Addr().String()+" is taken by another process")
		require.ErrorContains(t, err, "choose another port with "+flag)
		set(&cfg, anyPort)
		s, err := server.Up(t.Context(), cfg)
		require.NoError(t, err, "nothing stays open after an error")
		require.NotEmpty(t, s.BootstrapToken(), "nobody has seen the token of a start that failed")
		require.NoError(t, s.Close())
	}
}

func TestThreeProcessesAreTheSameProgram(t *testing.T) {
	database := pgtest.URL(t)
	dep := server.DeploymentConfig{Process: process(t), Database: database, Listen: anyPort, Agents: anyPort}
	// The deployment role needs an address to ask before the other role exists; gRPC connects when it is there.
	reserved, err := new(net.ListenConfig).Listen(t.Context(), "tcp", anyPort)
	require.NoError(t, err)
	dep.Implementation = server.Peer{Address: reserved.Addr().String()}
	require.NoError(t, reserved.Close())
	software, err := server.Deployment(t.Context(), dep)
	require.NoError(t, err)
	serve(t, software)
	people, err := server.Implementation(t.Context(), server.ImplementationConfig{
		Process: process(t), Database: database, Listen: dep.Implementation.Address,
		Trusted: []string{filepath.Join(dep.DataDir, "trusted-issuer.json")},
	})
	require.NoError(t, err)
	serve(t, people)
	front, err := server.Gateway(t.Context(), server.GatewayConfig{
		Process: process(t), Listen: anyPort,
		Deployment:     server.Peer{Address: software.Addresses().Deployment},
		Implementation: server.Peer{Address: people.Addresses().Implementation},
	})
	require.NoError(t, err)
	serve(t, front)
	for _, s := range []*server.Server{software, people, front} {
		ready(t, s)
	}
	for _, collection := range []string{"applications", "cohorts"} {
		url := "http://" + front.Addresses().HTTP + "/v1/workspaces/default/" + collection
		require.Equal(t, http.StatusOK, ask(t, url, software.BootstrapToken(), nil), collection)
	}
}

func TestRolesRefuseWhatCannotWork(t *testing.T) {
	_, err := server.Implementation(t.Context(), server.ImplementationConfig{Process: process(t), Listen: anyPort})
	require.ErrorContains(t, err, "--trusted-issuers")
	_, err = server.Gateway(t.Context(), server.GatewayConfig{Process: process(t), Listen: anyPort})
	require.ErrorContains(t, err, "--deployment")
	cfg := config(t)
	cfg.TLSCert = "cert.pem"
	_, err = server.Up(t.Context(), cfg)
	require.ErrorContains(t, err, "needed together")
	_, err = server.Deployment(t.Context(), server.DeploymentConfig{
		Process: process(t), Listen: anyPort, Agents: anyPort, Implementation: server.Peer{Address: "people.example:8082"},
	})
	require.ErrorContains(t, err, "plain text", "a service token does not cross a network in the clear")
}

func TestServicesKnowTheirOwnIdentities(t *testing.T) {
	s, err := server.Up(t.Context(), config(t))
	require.NoError(t, err)
	serve(t, s)
	software, _ := s.Local()
	request := &deploymentv1.ListApplicationsRequest{Parent: "workspaces/default"}
	_, err = deploymentv1.NewApplicationServiceClient(software).ListApplications(t.Context(), request)
	require.ErrorContains(t, err, "Unauthenticated", "the transport inside a process is no back door")
	own := rpc.WithToken(software, s.Issuer().Self("services/implementation"))
	_, err = deploymentv1.NewApplicationServiceClient(own).ListApplications(t.Context(), request)
	require.NoError(t, err)
	_, err = deploymentv1.NewApplicationServiceClient(rpc.WithToken(software, auth.StaticToken("x"))).ListApplications(t.Context(), request)
	require.Error(t, err)
}
