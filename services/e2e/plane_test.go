package e2e

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/rpc"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
	"github.com/golive-dev/golive/services/demo"
	"github.com/golive-dev/golive/services/server"
)

// plane is a control plane in processes of its own, and connections to it.
type plane struct {
	deployment, implementation grpc.ClientConnInterface
	agents                     string
	token                      string
	addresses                  map[string]string
	processes                  map[string]*process
	ports                      demo.Ports
}

// onePlane is everything in one process on SQLite. The flags are given to what serves people.
func onePlane(tb testing.TB, flags ...string) *plane {
	tb.Helper()
	p := newPlane(tb)
	dir := tb.TempDir()
	p.processes["golive"] = &process{tb: tb, path: program(tb, "golive"), log: filepath.Join(dir, "golive.log"), args: append([]string{
		"up", "--data-dir", filepath.Join(dir, "data"),
		"--listen", p.addresses["http"], "--listen-admin", p.addresses["admin"],
	}, append(p.listen("deployment", "implementation", "agents"), flags...)...)}
	p.processes["golive"].start()
	p.token = p.processes["golive"].bootstrapToken()
	return p.connect(tb)
}

// threePlanes is a process for each role, on PostgreSQL. The flags are given to what serves people.
func threePlanes(tb testing.TB, flags ...string) *plane {
	tb.Helper()
	return threePlanesOn(tb, pgtest.URL(tb), flags...)
}

// threePlanesOn is the same on a database, or on SQLite files of their own where none is named.
func threePlanesOn(tb testing.TB, database string, flags ...string) *plane {
	tb.Helper()
	p, dir := newPlane(tb), tb.TempDir()
	add := func(role string, args ...string) {
		data := filepath.Join(dir, role)
		p.processes[role] = &process{tb: tb, path: program(tb, "golive"), log: data + ".log", args: append([]string{"serve", role, "--data-dir", data, "--listen-admin", address(tb, &p.ports)}, args...)}
		p.processes[role].start()
	}
	add("deployment", append(p.listen("deployment", "agents"), "--database", database, "--implementation", p.addresses["implementation"])...)
	issuer := server.IssuerFile(filepath.Join(dir, "deployment"))
	eventually(tb, "the issuer's key", func() bool { _, err := os.Stat(issuer); return err == nil })
	trusted := filepath.Join(dir, "deployment", "trusted-issuer.json")
	eventually(tb, "the issuer's public key", func() bool { _, err := os.Stat(trusted); return err == nil })
	key, err := auth.LoadIssuer(issuer)
	require.NoError(tb, err)
	self, _, err := key.Mint(auth.Claims{Name: "services/implementation", Grants: map[string][]auth.Role{"*": {auth.Service}}, TTL: time.Hour})
	require.NoError(tb, err)
	token := filepath.Join(dir, "service.token")
	require.NoError(tb, os.WriteFile(token, []byte(self), 0o600))
	add("implementation", append(append(p.listen("implementation"), "--database", database, "--trusted-issuers", trusted, "--deployment", p.addresses["deployment"], "--token-file", token), flags...)...)
	add("gateway", "--listen", p.addresses["http"], "--deployment", p.addresses["deployment"], "--implementation", p.addresses["implementation"])
	p.token, _, err = key.Mint(auth.Claims{Name: "users/admin", Grants: map[string][]auth.Role{"*": {auth.Admin}}, TTL: time.Hour})
	require.NoError(tb, err)
	return p.connect(tb)
}

func newPlane(tb testing.TB) *plane {
	tb.Helper()
	p := &plane{addresses: map[string]string{}, processes: map[string]*process{}}
	for _, role := range []string{"http", "deployment", "implementation", "agents", "admin"} {
		p.addresses[role] = address(tb, &p.ports)
	}
	p.agents = p.addresses["agents"]
	return p
}

func (p *plane) listen(roles ...string) (args []string) {
	for _, role := range roles {
		args = append(args, "--listen-"+role, p.addresses[role])
	}
	return args
}

func (p *plane) connect(tb testing.TB) *plane {
	tb.Helper()
	p.deployment, p.implementation = dial(tb, p.addresses["deployment"], p.token), dial(tb, p.addresses["implementation"], p.token)
	for _, conn := range []grpc.ClientConnInterface{p.deployment, p.implementation} {
		p.answers(tb, conn)
	}
	return p
}

// as is a connection to the deployment service as somebody else.
func (p *plane) as(tb testing.TB, token string) grpc.ClientConnInterface {
	tb.Helper()
	return dial(tb, p.addresses["deployment"], token)
}

func dial(tb testing.TB, address, token string) grpc.ClientConnInterface {
	tb.Helper()
	conn, err := rpc.Dial(address, rpc.ClientConfig{Token: auth.StaticToken(token)})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, conn.Close()) })
	return conn
}

// answers waits until a service answers.
func (p *plane) answers(tb testing.TB, conn grpc.ClientConnInterface) {
	tb.Helper()
	eventually(tb, "the service to answer", func() bool {
		ctx, cancel := context.WithTimeout(tb.Context(), time.Second)
		defer cancel()
		_, err := accessv1.NewAccessServiceClient(conn).WhoAmI(ctx, &accessv1.WhoAmIRequest{})
		return err == nil
	})
}

// process is one process of the product, which can be killed and started again.
type process struct {
	tb   testing.TB
	path string
	args []string
	env  []string // beside that of the test
	log  string

	cmd *exec.Cmd
	out *output
}

// output keeps what a process prints on stdout.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (p *process) start() {
	p.tb.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(p.tb, err)
	p.out = &output{}
	p.cmd = exec.Command(p.path, p.args...)
	p.cmd.Env = append(append(os.Environ(), "GOLIVE_CONFIG="+p.log+".context"), p.env...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, log
	require.NoError(p.tb, p.cmd.Start())
	cmd := p.cmd
	p.tb.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		_ = log.Close()
		if p.tb.Failed() {
			text, _ := os.ReadFile(p.log)
			p.tb.Logf("log of %s:\n%s", p.args[:2], tail(text, 6000))
		}
	})
}

// kill ends it as a crash would.
func (p *process) kill() {
	p.tb.Helper()
	require.NoError(p.tb, p.cmd.Process.Kill())
	_ = p.cmd.Wait() // it says that it was killed
}

// bootstrapToken is the token in the URL that `golive up` prints once.
func (p *process) bootstrapToken() string {
	p.tb.Helper()
	var token string
	eventually(p.tb, "the URL with the token", func() bool {
		_, line, found := strings.Cut(p.out.String(), "golive is up: ")
		if !found || !strings.Contains(line, "\n") {
			return false
		}
		u, err := url.Parse(strings.TrimSpace(strings.SplitN(line, "\n", 2)[0]))
		require.NoError(p.tb, err)
		token = u.Query().Get("token")
		return token != ""
	})
	return token
}

func tail(text []byte, n int) []byte { return text[max(0, len(text)-n):] }
