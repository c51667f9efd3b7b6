package fleet_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/rpc"
	"github.com/golive-dev/golive/pkg/run"
	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/api"
	"github.com/golive-dev/golive/services/deployment/internal/authority"
	"github.com/golive-dev/golive/services/deployment/internal/blob"
	"github.com/golive-dev/golive/services/deployment/internal/fleet"
	"github.com/golive-dev/golive/services/deployment/internal/store"
	"github.com/golive-dev/golive/services/deployment/internal/storetest"
)

const (
	workspace   = "workspaces/default"
	environment = workspace + "/environments/prod"
	soon        = 10 * time.Second
	often       = 5 * time.Millisecond
)

// bundle is a store, an authority and servers of the agent port upon them.
type bundle struct {
	t         testing.TB
	dir       string
	store     *store.Store
	authority *authority.Authority
	blobs     *blob.Store
	agents    *api.AgentService
	work      *fakeWork
	ahead     atomic.Int64 // of the store's clock, in ns
	config    store.Config
}

// tables is what every database of the tests of this package has.
var tables = storetest.Tables()

func setup(tb testing.TB, kind pgtest.Named) *bundle {
	tb.Helper()
	b := &bundle{t: tb, dir: tb.TempDir(), work: newFakeWork()}
	b.config = store.Config{
		Database: sqldb.Config{URL: kind.URL(tb)}, Metrics: sqldb.Config{URL: kind.URL(tb), Synchronous: "NORMAL"},
		Now: func() time.Time { return time.Now().Add(time.Duration(b.ahead.Load())) },
	}
	b.open(tb)
	var err error
	b.authority, err = authority.Open(b.dir, nil)
	require.NoError(tb, err)
	b.blobs, err = blob.Open(tb.Context(), blob.Config{URL: blob.FolderURL(filepath.Join(b.dir, "blobs"))})
	require.NoError(tb, err)
	b.agents = api.NewAgentService(b.store, b.authority, b.blobs)
	b.tx(func(ctx context.Context, tx *sqldb.Tx) error {
		return store.Environments.Insert(ctx, tx, b.store.Resources, &deploymentv1.Environment{Name: environment}, resource.Meta{})
	})
	return b
}

// open opens the store, as a server process does.
func (b *bundle) open(tb testing.TB) {
	tb.Helper()
	opened, err := store.Open(tb.Context(), b.config)
	require.NoError(tb, err)
	b.store = opened
	ctx, stop := context.WithCancel(context.WithoutCancel(tb.Context()))
	var group sync.WaitGroup
	group.Go(func() { _ = opened.Log.Run(ctx) })
	tb.Cleanup(func() {
		stop()
		group.Wait()
		require.NoError(tb, opened.Close())
	})
}

// replica is another server on the same database.
func (b *bundle) replica(t *testing.T) *bundle {
	t.Helper()
	other := &bundle{t: t, dir: b.dir, authority: b.authority, blobs: b.blobs, work: newFakeWork(), config: b.config}
	other.open(t)
	other.agents = api.NewAgentService(other.store, b.authority, b.blobs)
	return other
}

// each runs a test on both databases.
func each(t *testing.T, fn func(t *testing.T, b *bundle)) {
	t.Helper()
	for _, kind := range tables.Databases(t) {
		t.Run(kind.Name, func(t *testing.T) { fn(t, setup(t, kind)) })
	}
}

func (b *bundle) tx(fn func(ctx context.Context, tx *sqldb.Tx) error) {
	b.t.Helper()
	require.NoError(b.t, b.store.DB.Tx(b.t.Context(), fn))
}

// server is one agent port.
type server struct {
	*fleet.Hub
	address string
	stop    func()
}

func (b *bundle) serve(change ...func(*fleet.Config)) *server {
	b.t.Helper()
	cfg := fleet.Config{
		Store: b.store, Authority: b.authority, Blobs: b.blobs, Work: b.work,
		Heartbeat: 500 * time.Millisecond, ApplyTimeout: 300 * time.Millisecond, Lease: 3 * time.Second,
	}
	for _, c := range change {
		c(&cfg)
	}
	hub, err := fleet.New(cfg)
	require.NoError(b.t, err)
	issuer, err := auth.LoadIssuer(filepath.Join(b.dir, "issuer.pem"))
	require.NoError(b.t, err)
	verifier, err := auth.NewVerifier([]auth.TrustedIssuer{issuer.Trusted()}, nil)
	require.NoError(b.t, err)
	config, err := b.authority.ServerTLS([]string{"127.0.0.1"})
	require.NoError(b.t, err)
	s, err := rpc.NewServer(rpc.Config{Name: "agents", Verifier: verifier, TLS: config, DebugRequest: true, Grace: 2 * time.Second}, fleet.ServerOptions()...)
	require.NoError(b.t, err)
	agentv1.RegisterAgentServiceServer(s, hub)
	listener, err := new(net.ListenConfig).Listen(b.t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(b.t, err)

	ctx, cancel := context.WithCancel(context.WithoutCancel(b.t.Context()))
	done := make(chan error, 1)
	go func() {
		done <- run.All(ctx, run.Part{Name: "hub", Run: hub.Run},
			run.Part{Name: "server", Run: func(ctx context.Context) error { return s.Serve(ctx, listener) }})
	}()
	stop := sync.OnceFunc(func() {
		cancel()
		require.NoError(b.t, <-done)
	})
	b.t.Cleanup(stop)
	return &server{Hub: hub, address: listener.Addr().String(), stop: stop}
}

// host is what a real agent keeps on its disk, and its connection.
type host struct {
	t           testing.TB
	b           *bundle
	name        string
	key         *ecdsa.PrivateKey
	certificate []byte
}

func (b *bundle) target(id string) string {
	b.t.Helper()
	name := environment + "/targets/" + id
	b.tx(func(ctx context.Context, tx *sqldb.Tx) error {
		return store.Targets.Insert(ctx, tx, b.store.Resources, &deploymentv1.Target{Name: name}, resource.Meta{})
	})
	return name
}

// installation makes a row, so that reports of it are believed.
func (b *bundle) installation(target string) string {
	b.t.Helper()
	deployment := workspace + "/applications/shop/deployments/" + rand.Text()
	name := deployment + "/installations/" + filepath.Base(target)
	b.tx(func(ctx context.Context, tx *sqldb.Tx) error {
		return store.InsertInstallations(ctx, tx, time.Now(), []*store.Installation{{
			Installation: &deploymentv1.Installation{Name: name, Target: target, Attempt: 1, Epoch: 1},
			Deployment:   deployment, Application: workspace + "/applications/" + rand.Text(),
		}})
	})
	return name
}

func (b *bundle) invite(id string, targets ...string) string {
	b.t.Helper()
	req := &deploymentv1.CreateJoinTokenRequest{Parent: workspace, AgentId: id, Targets: targets, Ttl: durationpb.New(time.Hour)}
	if len(targets) == 0 {
		req.Environment = environment
	}
	token, err := b.agents.CreateJoinToken(b.t.Context(), req)
	require.NoError(b.t, err)
	return token.GetToken()
}

func (b *bundle) newHost(id string) *host {
	b.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(b.t, err)
	return &host{t: b.t, b: b, name: workspace + "/agents/" + id, key: key}
}

// enrolled is a host that has its certificate.
func (b *bundle) enrolled(s *server, id string, targets ...string) *host {
	b.t.Helper()
	h := b.newHost(id)
	require.NoError(b.t, h.enrol(s, b.invite(id, targets...)))
	return h
}

func (h *host) request() []byte {
	h.t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, h.key)
	require.NoError(h.t, err)
	return der
}

func (h *host) enrol(s *server, token string) error {
	h.t.Helper()
	conn := h.dial(s)
	defer func() { _ = conn.Close() }()
	answer, err := agentv1.NewAgentServiceClient(conn).Enrol(h.t.Context(), &agentv1.EnrolRequest{
		JoinToken: token, CertificateRequest: h.request(), Facts: &deploymentv1.HostFacts{Os: "linux", Arch: "amd64"},
	})
	if err != nil {
		return err
	}
	require.Equal(h.t, h.name, answer.GetAgent())
	h.certificate = answer.GetCertificate()
	return nil
}

func (h *host) dial(s *server, options ...grpc.DialOption) *grpc.ClientConn {
	h.t.Helper()
	config := &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: h.b.authority.Pool()}
	if h.certificate != nil {
		config.Certificates = []tls.Certificate{{Certificate: [][]byte{h.certificate}, PrivateKey: h.key}}
	}
	conn, err := grpc.NewClient(s.address, append(options, grpc.WithTransportCredentials(credentials.NewTLS(config)))...)
	require.NoError(h.t, err)
	h.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// stream is a connected agent: what it hears is collected.
type stream struct {
	t       testing.TB
	conn    *grpc.ClientConn
	out     agentv1.AgentService_ConnectClient
	welcome *agentv1.Welcome
	sending sync.Mutex

	mu       sync.Mutex
	commands []*agentv1.Command
	acks     []int64
	greeted  []*agentv1.Welcome
	err      error
	over     chan struct{}
}

// connect says Hello and waits for Welcome; heartbeats go on by themselves unless mute.
func (h *host) connect(s *server, boot string) (*stream, error) { return h.open(s, boot, false) }

func (h *host) open(s *server, boot string, mute bool) (*stream, error) {
	h.t.Helper()
	conn := h.dial(s)
	c := &stream{t: h.t, conn: conn, over: make(chan struct{})}
	var err error
	c.out, err = agentv1.NewAgentServiceClient(conn).Connect(h.t.Context())
	if err != nil {
		return nil, err
	}
	_ = c.send(&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Hello{Hello: &agentv1.Hello{
		BootId: boot, ProtocolVersion: 1, AgentVersion: "1.0.0", Facts: &deploymentv1.HostFacts{Os: "linux", Arch: "amd64", Cpus: 2},
	}}}) // its error is that of Recv
	first, err := c.out.Recv()
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	c.welcome = first.GetWelcome()
	require.NotNil(h.t, c.welcome)
	go c.listen()
	if !mute {
		go c.beat(c.welcome.GetHeartbeatInterval().AsDuration())
	}
	return c, nil
}

func (h *host) connected(s *server, boot string) *stream {
	h.t.Helper()
	c, err := h.connect(s, boot)
	require.NoError(h.t, err)
	return c
}

func (c *stream) send(m *agentv1.ConnectRequest) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	return c.out.Send(m)
}

func (c *stream) listen() {
	for {
		m, err := c.out.Recv()
		c.mu.Lock()
		switch {
		case err != nil:
			c.err = err
			close(c.over)
		case m.GetWelcome() != nil:
			c.greeted = append(c.greeted, m.GetWelcome())
		case m.GetAck() != nil:
			c.acks = append(c.acks, m.GetAck().GetSequence())
		case m.GetCommand() != nil:
			c.commands = append(c.commands, m.GetCommand())
		}
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (c *stream) beat(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-c.over:
			return
		case <-tick.C:
			_ = c.send(&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Heartbeat{Heartbeat: &agentv1.Heartbeat{}}})
		}
	}
}

func (c *stream) report(sequence int64, installation string) {
	c.t.Helper()
	require.NoError(c.t, c.send(&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Report{Report: &agentv1.Report{
		Sequence: sequence, Installation: installation, Attempt: 1, Epoch: 1, State: deploymentv1.Installation_HEALTHY,
	}}}))
}

func (c *stream) acked() []int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.acks)
}

// greetings are those after the first.
func (c *stream) greetings() []*agentv1.Welcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.greeted)
}

func (c *stream) heard() []*agentv1.Command {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.commands)
}

// ended waits for the end of the stream and returns its error.
func (c *stream) ended(within time.Duration) error {
	c.t.Helper()
	select {
	case <-c.over:
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.err
	case <-time.After(within):
		require.FailNow(c.t, "stream goes on")
		return nil
	}
}

// fakeWork is an engine that remembers.
type fakeWork struct {
	mu        sync.Mutex
	pending   map[string][]*agentv1.Command // by target
	stray     []*agentv1.Command            // answered to everybody
	batches   [][]*agentv1.Report
	fail      func([]*agentv1.Report) error
	hang      bool
	presence  []string
	inventory []*agentv1.Inventory
	allowed   map[string]string // target + digest → workspace
}

func newFakeWork() *fakeWork {
	return &fakeWork{pending: map[string][]*agentv1.Command{}, allowed: map[string]string{}}
}

func (w *fakeWork) with(fn func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fn()
}

func (w *fakeWork) Pending(_ context.Context, targets []string) ([]*agentv1.Command, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := slices.Clone(w.stray)
	for _, target := range targets {
		all = append(all, w.pending[target]...)
	}
	return all, nil
}

func (w *fakeWork) Apply(ctx context.Context, reports []*agentv1.Report) error {
	w.mu.Lock()
	hang, fail := w.hang, w.fail
	w.mu.Unlock()
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if fail != nil {
		if err := fail(reports); err != nil {
			return err
		}
	}
	w.with(func() { w.batches = append(w.batches, reports) })
	return nil
}

func (w *fakeWork) Presence(_ context.Context, targets []string, connected bool) {
	w.with(func() {
		for _, target := range targets {
			w.presence = append(w.presence, fmt.Sprintf("%s %t", filepath.Base(target), connected))
		}
	})
}

func (w *fakeWork) ArtifactAllowed(_ context.Context, targets []string, sha256 string) (string, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, target := range targets {
		if where, ok := w.allowed[target+sha256]; ok {
			return where, true, nil
		}
	}
	return "", false, nil
}

func (w *fakeWork) Inventory(_ context.Context, inventory []*agentv1.Inventory) error {
	w.with(func() { w.inventory = append(w.inventory, inventory...) })
	return nil
}

func (w *fakeWork) sequences() (all []int64) {
	w.with(func() {
		for _, batch := range w.batches {
			for _, r := range batch {
				all = append(all, r.GetSequence())
			}
		}
	})
	return all
}

func (w *fakeWork) said() (all []string) {
	w.with(func() { all = slices.Clone(w.presence) })
	return all
}
