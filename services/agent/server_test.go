//go:build linux

package agent_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/jointoken"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

const agentName = "workspaces/default/agents/host-1"

// server is a deployment service as an agent sees it, which tests make misbehave.
type server struct {
	agentv1.UnimplementedAgentServiceServer

	t         testing.TB
	address   string
	authority *x509.Certificate
	key       *ecdsa.PrivateKey
	grpc      *grpc.Server

	mu        sync.Mutex
	life      time.Duration // of certificates
	tokens    map[[32]byte]bool
	keys      []string // that certificates were given for, by Enrol and Renew
	targets   []string
	blobs     map[string][]byte
	offsets   []int64 // of reads
	breakAt   int     // bytes after which a read breaks; 0 is never
	hang      chan struct{}
	desired   []*agentv1.Command
	hellos    []*agentv1.Hello
	reports   []*agentv1.Report
	logs      []*deploymentv1.LogLine
	summaries []*agentv1.ProbeSummary
	beats     int
	silent    bool // acknowledges nothing
	revoked   bool // until it enrols
	noStreams bool // knows no Connect, as a proxy that does not carry it
	polls     int
	told      map[string]int64 // epochs that polls were answered
	program   *agentv1.AgentProgram
	stream    agentv1.AgentService_ConnectServer
	change    chan struct{} // closed and replaced at every change
}

func newServer(tb testing.TB) *server {
	tb.Helper()
	s := &server{
		t: tb, life: time.Hour, tokens: map[[32]byte]bool{}, blobs: map[string][]byte{}, change: make(chan struct{}), told: map[string]int64{},
		targets: []string{target("t1"), target("t2")},
	}
	s.authority, s.key = newAuthority(tb)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	s.address = listener.Addr().String()
	s.serve(listener)
	tb.Cleanup(func() { s.stop() })
	return s
}

func (s *server) serve(listener net.Listener) {
	s.t.Helper()
	leaf := s.sign(&x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, &s.key.PublicKey, time.Hour)
	pool := x509.NewCertPool()
	pool.AddCert(s.authority)
	s.grpc = grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool,
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf, s.authority.Raw}, PrivateKey: s.key}},
	})))
	agentv1.RegisterAgentServiceServer(s.grpc, s)
	go func() { _ = s.grpc.Serve(listener) }()
}

func (s *server) stop() { s.grpc.Stop() }

// restart serves on the same address again.
func (s *server) restart() {
	s.t.Helper()
	var listener net.Listener
	require.Eventually(s.t, func() (ok bool) {
		var err error
		listener, err = net.Listen("tcp", s.address)
		return err == nil
	}, soon, 5*time.Millisecond)
	s.serve(listener)
}

func newAuthority(tb testing.TB) (*x509.Certificate, *ecdsa.PrivateKey) {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(tb, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(tb, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(tb, err)
	return certificate, key
}

func (s *server) sign(template *x509.Certificate, public any, life time.Duration) []byte {
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Second), time.Now().Add(life)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, s.authority, public, s.key)
	require.NoError(s.t, err)
	return der
}

// token creates a join token.
func (s *server) token(life time.Duration) string {
	token := jointoken.New(agentName, s.authority.Raw, time.Now().Add(life))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[token.SecretHash()] = true
	return token.Encode()
}

func (s *server) Enrol(_ context.Context, r *agentv1.EnrolRequest) (*agentv1.EnrolResponse, error) {
	token, err := jointoken.Decode(r.GetJoinToken())
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	known := s.tokens[token.SecretHash()]
	s.mu.Unlock()
	if !known {
		return nil, fault.Unauthenticated("JOIN_TOKEN_USED", "the token was used")
	}
	s.mu.Lock()
	s.revoked = false
	s.mu.Unlock()
	return s.certify(r.GetCertificateRequest())
}

func (s *server) RenewCertificate(ctx context.Context, r *agentv1.RenewCertificateRequest) (*agentv1.EnrolResponse, error) {
	if err := authenticated(ctx); err != nil {
		return nil, err
	}
	return s.certify(r.GetCertificateRequest())
}

func (s *server) certify(der []byte) (*agentv1.EnrolResponse, error) {
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, fault.Invalid("INVALID_FIELD", "no request")
	}
	s.mu.Lock()
	life := s.life
	raw, _ := x509.MarshalPKIXPublicKey(request.PublicKey)
	s.keys = append(s.keys, string(raw))
	s.changed()
	s.mu.Unlock()
	template := &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	template.URIs = append(template.URIs, auth.AgentIdentity(agentName))
	return &agentv1.EnrolResponse{
		Agent: agentName, Certificate: s.sign(template, request.PublicKey, life), Authorities: [][]byte{s.authority.Raw},
		ExpireTime: timestamppb.New(time.Now().Add(life)),
	}, nil
}

func authenticated(ctx context.Context) error {
	p, _ := peer.FromContext(ctx)
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.VerifiedChains) == 0 {
		return fault.Unauthenticated("CERTIFICATE_REQUIRED", "no certificate")
	}
	return nil
}

func (s *server) ReadArtifact(r *agentv1.ReadArtifactRequest, stream agentv1.AgentService_ReadArtifactServer) error {
	if err := authenticated(stream.Context()); err != nil {
		return err
	}
	s.mu.Lock()
	blob, ok := s.blobs[r.GetSha256()]
	s.offsets = append(s.offsets, r.GetOffset())
	breakAt, hang := s.breakAt, s.hang
	s.changed()
	s.mu.Unlock()
	if hang != nil {
		select {
		case <-hang:
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
	if !ok {
		return fault.NotFound("BLOB_NOT_FOUND", "no such blob")
	}
	sent := 0
	for rest := blob[r.GetOffset():]; len(rest) > 0; {
		n := min(len(rest), 256<<10)
		if breakAt > 0 && sent+n > breakAt {
			if err := stream.Send(&agentv1.ReadArtifactResponse{Data: rest[:breakAt-sent]}); err != nil {
				return err
			}
			return fault.Unavailable("GONE", "the connection breaks")
		}
		if err := stream.Send(&agentv1.ReadArtifactResponse{Data: rest[:n]}); err != nil {
			return err
		}
		rest, sent = rest[n:], sent+n
	}
	return nil
}

func (s *server) Connect(stream agentv1.AgentService_ConnectServer) error {
	if err := authenticated(stream.Context()); err != nil {
		return err
	}
	s.mu.Lock()
	none, revoked := s.noStreams, s.revoked
	s.mu.Unlock()
	if revoked {
		return fault.Unauthenticated("AGENT_REVOKED", "it was revoked")
	}
	if none {
		return s.UnimplementedAgentServiceServer.Connect(stream)
	}
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.hellos = append(s.hellos, first.GetHello())
	s.stream = stream
	err = stream.Send(&agentv1.ConnectResponse{Message: &agentv1.ConnectResponse_Welcome{Welcome: s.welcome()}})
	for _, command := range s.desired {
		_ = stream.Send(&agentv1.ConnectResponse{Message: &agentv1.ConnectResponse_Command{Command: command}})
	}
	s.changed()
	s.mu.Unlock()
	for err == nil {
		var r *agentv1.ConnectRequest
		if r, err = stream.Recv(); err == nil {
			s.hear(r, stream)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stream == stream {
		s.stream = nil
	}
	s.changed()
	return err
}

func (s *server) welcome() *agentv1.Welcome {
	return &agentv1.Welcome{
		HeartbeatInterval: durationpb.New(50 * time.Millisecond), SummaryInterval: durationpb.New(100 * time.Millisecond), Targets: s.targets, Program: s.program,
	}
}

func (s *server) hear(r *agentv1.ConnectRequest, stream agentv1.AgentService_ConnectServer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch m := r.GetMessage().(type) {
	case *agentv1.ConnectRequest_Report:
		s.reports = append(s.reports, m.Report)
		if !s.silent {
			_ = stream.Send(&agentv1.ConnectResponse{Message: &agentv1.ConnectResponse_Ack{Ack: &agentv1.Ack{Sequence: m.Report.GetSequence()}}})
		}
	case *agentv1.ConnectRequest_Log:
		s.logs = append(s.logs, m.Log.GetLines()...)
	case *agentv1.ConnectRequest_ProbeSummary:
		s.summaries = append(s.summaries, m.ProbeSummary)
	case *agentv1.ConnectRequest_Heartbeat:
		s.beats++
	}
	s.changed()
}

// changed is called with the lock held.
func (s *server) changed() {
	close(s.change)
	s.change = make(chan struct{})
}

// send makes commands desired: they are sent now if the agent is there, and whenever it comes.
func (s *server) send(commands ...*agentv1.Command) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range commands {
		kept := s.desired[:0]
		for _, d := range s.desired {
			if d.GetTarget() != c.GetTarget() || d.GetApplication() != c.GetApplication() {
				kept = append(kept, d)
			}
		}
		s.desired = append(kept, proto.CloneOf(c))
		if s.stream != nil {
			_ = s.stream.Send(&agentv1.ConnectResponse{Message: &agentv1.ConnectResponse_Command{Command: c}})
		}
	}
	s.changed()
}

// tell sends a command without making it desired.
func (s *server) tell(c *agentv1.Command) {
	s.until("a stream", func() bool { return s.stream != nil })
	s.mu.Lock()
	defer s.mu.Unlock()
	require.NoError(s.t, s.stream.Send(&agentv1.ConnectResponse{Message: &agentv1.ConnectResponse_Command{Command: c}}))
}

// until waits until ok holds; ok is called with the lock held.
func (s *server) until(what string, ok func() bool) {
	s.t.Helper()
	deadline := time.After(soon)
	for {
		s.mu.Lock()
		done, change := ok(), s.change
		s.mu.Unlock()
		if done {
			return
		}
		select {
		case <-change:
		case <-deadline:
			s.mu.Lock()
			defer s.mu.Unlock()
			require.FailNow(s.t, "does not come: "+what, "reports: %v", s.reports)
		}
	}
}

// report waits for the first report on a command in a state.
func (s *server) report(c *agentv1.Command, state deploymentv1.Installation_State) (found *agentv1.Report) {
	s.t.Helper()
	s.until(state.String(), func() bool {
		for _, r := range s.reports {
			if r.GetInstallation() == c.GetInstallation() && r.GetAttempt() == c.GetAttempt() && r.GetEpoch() == c.GetEpoch() && r.GetState() == state {
				found = r
				return true
			}
		}
		return false
	})
	return found
}

// end waits for the report that ends a command and returns it.
func (s *server) end(c *agentv1.Command) (found *agentv1.Report) {
	s.t.Helper()
	s.until("the end of "+c.GetInstallation(), func() bool {
		for _, r := range s.reports {
			if r.GetInstallation() == c.GetInstallation() && r.GetEpoch() == c.GetEpoch() && final(r.GetState()) {
				found = r
				return true
			}
		}
		return false
	})
	return found
}

func final(state deploymentv1.Installation_State) bool {
	switch state {
	case deploymentv1.Installation_HEALTHY, deploymentv1.Installation_FAILED, deploymentv1.Installation_REVERTED,
		deploymentv1.Installation_REVERT_FAILED, deploymentv1.Installation_CANCELLED, deploymentv1.Installation_SEALED:
		return true
	default:
		return false
	}
}

func (s *server) on(c *agentv1.Command) []*agentv1.Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*agentv1.Report
	for _, r := range s.reports {
		if r.GetInstallation() == c.GetInstallation() && r.GetEpoch() == c.GetEpoch() {
			all = append(all, r)
		}
	}
	return all
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func target(id string) string { return "workspaces/default/environments/test/targets/" + id }
