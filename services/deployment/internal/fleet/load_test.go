package fleet_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/golive-dev/golive/pkg/pgtest"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/authority"
	"github.com/golive-dev/golive/services/deployment/internal/fleet"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// loadEnv makes this test binary play a fleet; it names a file with a [load].
const loadEnv = "GOLIVE_FLEET_LOAD"

func TestMain(m *testing.M) {
	if file := os.Getenv(loadEnv); file != "" {
		if err := play(file); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			panic(err)
		}
		return
	}
	pgtest.Main(m)
}

// load is a fleet to play. All hosts have one key, to save time.
type load struct {
	Address      string
	Key          []byte
	Authority    []byte
	Certificates [][]byte
}

// BenchmarkConnectedAgents connects GOLIVE_AGENTS agents (1000 when not set) that
// live in a process of their own, and says what they cost this one: memory of the
// process, processor time of their heartbeats, and how long it took until all were connected.
func BenchmarkConnectedAgents(b *testing.B) {
	n := 1000
	if given := os.Getenv("GOLIVE_AGENTS"); given != "" {
		var err error
		n, err = strconv.Atoi(given)
		require.NoError(b, err)
	}
	for _, kind := range tables.Databases(b)[:1] {
		b.Run(fmt.Sprintf("%s/%d", kind.Name, n), func(b *testing.B) {
			w := setup(b, kind)
			s := w.serve(func(c *fleet.Config) { c.Heartbeat, c.Lease, c.ApplyTimeout = 0, 0, 0 })
			file := w.loadFile(s.address, n)
			for b.Loop() {
				measure(b, file, n)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func measure(b *testing.B, file string, n int) {
	b.Helper()
	before := resident(b)
	agents := exec.CommandContext(b.Context(), os.Args[0])
	agents.Env = append(os.Environ(), loadEnv+"="+file)
	agents.Stderr = os.Stderr
	input, err := agents.StdinPipe()
	require.NoError(b, err)
	output, err := agents.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, agents.Start())
	line, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(b, err)
	seconds, err := strconv.ParseFloat(strings.TrimSpace(line), 64)
	require.NoError(b, err)

	cpu, begin := processor(b), time.Now()
	<-time.After(12 * time.Second) // two heartbeats each
	used := processor(b) - cpu
	memory := resident(b) - before
	b.ReportMetric(seconds, "s-to-connect")
	b.ReportMetric(float64(memory)/float64(n)/1024, "KiB/agent")
	b.ReportMetric(float64(1<<30)*float64(n)/float64(memory), "agents/GiB")
	b.ReportMetric(100*used.Seconds()/time.Since(begin).Seconds(), "%cpu-idle")
	require.NoError(b, input.Close())
	require.NoError(b, agents.Wait())
}

// resident is what the process holds of the machine's memory.
func resident(b *testing.B) int64 {
	b.Helper()
	runtime.GC()
	debug.FreeOSMemory()
	data, err := os.ReadFile("/proc/self/statm")
	require.NoError(b, err)
	pages, err := strconv.ParseInt(strings.Fields(string(data))[1], 10, 64)
	require.NoError(b, err)
	return pages * int64(os.Getpagesize())
}

func processor(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// loadFile enrols n agents with a target each and writes down what they need.
func (b *bundle) loadFile(address string, n int) string {
	b.t.Helper()
	one := b.newHost("host")
	key, err := x509.MarshalECPrivateKey(one.key)
	require.NoError(b.t, err)
	request, err := authority.ParseRequest(one.request())
	require.NoError(b.t, err)
	l := load{Address: address, Key: key, Authority: b.authority.Certificate()}
	for i := range n {
		id := fmt.Sprintf("host-%d", i)
		agent, hash := workspace+"/agents/"+id, sha256.Sum256([]byte(id))
		req := &deploymentv1.CreateJoinTokenRequest{Parent: workspace, AgentId: id, Environment: environment}
		require.NoError(b.t, b.store.AddJoinToken(b.t.Context(), hash, agent, "users/bench", req, time.Now().Add(time.Hour)))
		enrolment, err := b.store.Redeem(b.t.Context(), store.Redemption{Hash: hash, Agent: agent, Key: request.Key, Expires: time.Now().Add(time.Hour)})
		require.NoError(b.t, err)
		certificate, _, err := b.authority.SignAgent(request, agent, enrolment)
		require.NoError(b.t, err)
		l.Certificates = append(l.Certificates, certificate)
	}
	data, err := json.Marshal(l)
	require.NoError(b.t, err)
	file := filepath.Join(b.dir, "load.json")
	require.NoError(b.t, os.WriteFile(file, data, 0o600))
	return file
}

// play connects the agents of a file, says how many seconds that took, and lets
// them live until its input ends.
func play(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var l load
	if err := json.Unmarshal(data, &l); err != nil {
		return err
	}
	key, err := x509.ParseECPrivateKey(l.Key)
	if err != nil {
		return err
	}
	root, err := x509.ParseCertificate(l.Authority)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)

	ctx, cancel := context.WithCancel(context.Background())
	begin := time.Now()
	var connected, over sync.WaitGroup
	var failed atomic.Pointer[error]
	for _, certificate := range l.Certificates {
		connected.Add(1)
		over.Go(func() {
			if err := live(ctx, l.Address, pool, certificate, key, connected.Done); err != nil && ctx.Err() == nil {
				failed.Store(&err)
				connected.Done()
			}
		})
	}
	connected.Wait()
	if err := failed.Load(); err != nil {
		cancel()
		return *err
	}
	if _, err := fmt.Fprintf(os.Stdout, "%f\n", time.Since(begin).Seconds()); err != nil {
		cancel()
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	cancel()
	over.Wait()
	return err
}

// live is the life of one agent.
func live(ctx context.Context, address string, pool *x509.CertPool, certificate []byte, key *ecdsa.PrivateKey, connected func()) error {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: pool,
		Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}},
	})), grpc.WithReadBufferSize(4<<10), grpc.WithWriteBufferSize(4<<10))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	out, err := agentv1.NewAgentServiceClient(conn).Connect(ctx, grpc.WaitForReady(true))
	if err != nil {
		return err
	}
	if err := out.Send(hello("boot-0001", 1)); err != nil {
		return err
	}
	first, err := out.Recv()
	if err != nil {
		return err
	}
	connected()
	tick := time.NewTicker(first.GetWelcome().GetHeartbeatInterval().AsDuration())
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := out.Send(&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Heartbeat{Heartbeat: &agentv1.Heartbeat{}}}); err != nil {
				return err
			}
		}
	}
}
