package e2e

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/server"
)

// balancer hands each connection to the server with the fewest, and to another one where that does not answer.
type balancer struct {
	listener net.Listener
	servers  []string

	mu   sync.Mutex
	open map[string]int // connections by server
	over sync.WaitGroup
}

func balance(tb testing.TB, servers ...string) *balancer {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	b := &balancer{listener: listener, servers: servers, open: map[string]int{}}
	b.over.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // it was closed
			}
			go b.serve(conn)
		}
	})
	tb.Cleanup(func() {
		require.NoError(tb, listener.Close())
		b.over.Wait()
	})
	return b
}

func (b *balancer) address() string { return b.listener.Addr().String() }

func (b *balancer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	for tried := map[string]bool{}; len(tried) < len(b.servers); {
		name := b.pick(tried)
		tried[name] = true
		onward, err := net.Dial("tcp", name)
		if err != nil {
			b.count(name, -1)
			continue
		}
		defer b.count(name, -1)
		go func() {
			_, _ = io.Copy(onward, conn)
			_ = onward.Close()
		}()
		_, _ = io.Copy(conn, onward)
		_ = onward.Close()
		return
	}
}

// pick counts a connection for the server with the fewest that was not tried yet.
func (b *balancer) pick(tried map[string]bool) (name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, one := range b.servers {
		if !tried[one] && (name == "" || b.open[one] < b.open[name]) {
			name = one
		}
	}
	b.open[name]++
	return name
}

func (b *balancer) count(name string, by int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open[name] += by
}

func (b *balancer) connections(name string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open[name]
}

// twin adds a second replica of the deployment role to a plane on PostgreSQL, with the key, the authority and the
// artifacts of the first, and puts balancers before both. Whoever asked for the first asks for either from now on.
func (p *plane) twin(tb testing.TB) (agents *balancer) {
	tb.Helper()
	one := p.processes["deployment"]
	first, second := dataDir(one), filepath.Join(tb.TempDir(), "twin")
	require.NoError(tb, os.MkdirAll(second, 0o700))
	key, err := os.ReadFile(server.IssuerFile(first))
	require.NoError(tb, err)
	require.NoError(tb, os.WriteFile(server.IssuerFile(second), key, 0o600))
	addresses := map[string]string{"deployment": address(tb, &p.ports), "agents": address(tb, &p.ports)}
	p.processes["twin"] = &process{tb: tb, path: one.path, log: second + ".log", args: []string{
		"serve", "deployment", "--data-dir", second, "--listen-admin", address(tb, &p.ports),
		"--authority-dir", filepath.Join(first, "authority"), "--blob-url", "file://" + filepath.Join(first, "blobs"),
		"--database", flagOf(one, "--database"), "--implementation", p.addresses["implementation"],
		"--listen-deployment", addresses["deployment"], "--listen-agents", addresses["agents"],
	}}
	p.processes["twin"].start()
	p.answers(tb, dial(tb, addresses["deployment"], p.token))
	agents = balance(tb, p.addresses["agents"], addresses["agents"])
	p.agents = agents.address()
	p.deployment = dial(tb, balance(tb, p.addresses["deployment"], addresses["deployment"]).address(), p.token)
	return agents
}

func dataDir(p *process) string { return flagOf(p, "--data-dir") }

func flagOf(p *process, flag string) string {
	for i, arg := range p.args {
		if arg == flag {
			return p.args[i+1]
		}
	}
	return ""
}

func TestAReplicaTakesOverTheAgentsOfOneThatWasKilled(t *testing.T) {
	p := threePlanes(t)
	agents := p.twin(t)
	d := stage(t, p)
	require.NoError(t, d.Prepare(t.Context()))
	require.NoError(t, d.First(t.Context()))
	for _, replica := range agents.servers {
		require.Positive(t, agents.connections(replica), "agents of %s", replica)
	}

	began := time.Now()
	name, err := d.Deploy(t.Context(), "second", "2.0.0", oneByOne())
	require.NoError(t, err)
	eventually(t, "the middle of the wave", func() bool { return count(d.Witness.Versions(), "2.0.0") == 2 })
	p.processes["deployment"].kill()
	p.answers(t, p.deployment)
	require.NoError(t, d.Reach(t.Context(), name, deploymentv1.Deployment_SUCCEEDED))
	everythingOnce(t, d, began)
	require.Zero(t, agents.connections(agents.servers[0]))
	require.GreaterOrEqual(t, agents.connections(agents.servers[1]), len(d.Hosts), "all agents are with the one that is left")

	// The first one comes back, the other one goes.
	p.processes["deployment"].start()
	p.answers(t, dial(t, p.addresses["deployment"], p.token))
	back, err := d.Deploy(t.Context(), "third", "1.0.0", oneByOne())
	require.NoError(t, err)
	eventually(t, "the middle of the wave", func() bool { return count(d.Witness.Versions(), "1.0.0") == 2 })
	p.processes["twin"].kill()
	p.answers(t, p.deployment)
	require.NoError(t, d.Reach(t.Context(), back, deploymentv1.Deployment_SUCCEEDED))
	require.NoError(t, d.Expect(t.Context(), map[string]string{"pilot": "1.0.0", "sales": "1.0.0", "warehouse": "1.0.0"}))
}
