package server_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/stretchr/testify/require"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/metadata"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/jointoken"
	"github.com/golive-dev/golive/pkg/rpc"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// host is what an agent has on its disk: its key, and once it is enrolled its
// certificate and whom it trusts.
type host struct {
	w           *badWorld
	key         *ecdsa.PrivateKey
	token       string
	certificate []byte
	trusts      *x509.CertPool // nobody yet when nil: what an agent does that knows only a hash
}

func (w *badWorld) newHost(token string) *host {
	w.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(w, err)
	return &host{w: w, key: key, token: token}
}

// invite creates a join token.
func (w *badWorld) invite(agent, serves string) string {
	w.Helper()
	token, ok := w.allowed(w.deployment, "CreateJoinToken", `{"parent": "$ws", "agentId": "`+agent+`", `+serves+`}`).(*deploymentv1.JoinToken)
	require.True(w, ok)
	return token.GetToken()
}

// seedHosts enrols a host whose facts are known, one that two processes claim, and
// one that was deleted; and leaves tokens behind that let nobody in any more.
func (w *badWorld) seedHosts() {
	w.Helper()
	w.hosts["h1"] = w.newHost(w.invite("h1", `"targets": ["$t1"]`))
	require.NoError(w, w.hosts["h1"].enrol())
	require.NoError(w, w.hosts["h1"].visit("boot-one-one"))

	w.hosts["twin"] = w.newHost(w.invite("twin", `"environment": "$empty"`))
	require.NoError(w, w.hosts["twin"].enrol())
	w.contest(w.hosts["twin"])
	w.allowed(w.deployment, "DeleteTarget", `{"name": "$empty/targets/twin"}`)

	w.hosts["gone"] = w.newHost(w.invite("gone", `"targets": ["$t2"]`))
	require.NoError(w, w.hosts["gone"].enrol())
	w.allowed(w.deployment, "DeleteAgent", `{"name": "$ws/agents/gone"}`)

	w.hosts["late"] = w.newHost(w.invite("late", `"targets": ["$t2"]`))
	w.change("deployment.db", `UPDATE join_tokens SET expire_time = ? WHERE agent = ?`, time.Now().Add(-time.Minute).UnixMicro(), w.names["ws"]+"/agents/late")
	w.hosts["thief"] = w.newHost(w.hosts["h1"].token)
	w.hosts["new"] = w.newHost(w.invite("new", `"targets": ["$t2"]`))
	w.hosts["forged"] = w.forge()
}

// contest lets two processes claim one identity, both alive, until both are refused.
func (w *badWorld) contest(h *host) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 20*time.Second)
	defer cancel()
	first, err := h.connect(ctx, "boot-first")
	require.NoError(w, err)
	ended := make(chan error, 1)
	go func() { ended <- first.live(ctx) }()
	_, err = h.connect(ctx, "boot-second")
	one := <-ended
	require.Equal(w, "AGENT_QUARANTINED", fault.ReasonOf(err), "%v, %v", err, one)
	require.Equal(w, "AGENT_QUARANTINED", fault.ReasonOf(one), "neither is believed: %v", one)
}

// forge is a host whose certificate names an agent of the world and is signed by nobody we know.
func (w *badWorld) forge() *host {
	w.Helper()
	h := w.newHost("")
	name := auth.AgentIdentity(w.names["ws"] + "/agents/h1")
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	template.URIs = append(template.URIs, name)
	var err error
	h.certificate, err = x509.CreateCertificate(rand.Reader, template, template, &h.key.PublicKey, h.key)
	require.NoError(w, err)
	return h
}

func (h *host) dial() agentv1.AgentServiceClient {
	h.w.Helper()
	config := &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: h.trusts, InsecureSkipVerify: h.trusts == nil}
	if h.certificate != nil {
		mine := &tls.Certificate{Certificate: [][]byte{h.certificate}, PrivateKey: h.key}
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return mine, nil } // whoever asks
	}
	conn, err := rpc.Dial(h.w.server.Addresses().Agents, rpc.ClientConfig{TLS: config})
	require.NoError(h.w, err)
	h.w.Cleanup(func() { require.NoError(h.w, conn.Close()) })
	return agentv1.NewAgentServiceClient(conn)
}

func (h *host) request() []byte {
	h.w.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, h.key)
	require.NoError(h.w, err)
	return der
}

func (h *host) facts() *deploymentv1.HostFacts {
	return &deploymentv1.HostFacts{Os: "linux", Arch: "amd64", OsVersion: "6.1.0", MemoryBytes: 8 << 30, DiskFreeBytes: 100 << 30, Cpus: 4}
}

func (h *host) enrol() error { return h.enrolWith(h.token, h.request()) }

func (h *host) enrolWith(token string, request []byte) error {
	h.w.Helper()
	answer, err := h.dial().Enrol(h.w.Context(), &agentv1.EnrolRequest{JoinToken: token, CertificateRequest: request, Facts: h.facts()})
	if err != nil {
		return err
	}
	h.certificate, h.trusts = answer.GetCertificate(), x509.NewCertPool()
	for _, der := range answer.GetAuthorities() {
		authority, err := x509.ParseCertificate(der)
		require.NoError(h.w, err)
		h.trusts.AddCert(authority)
	}
	return nil
}

// stream is the life of an agent that was let in.
type stream struct {
	agentv1.AgentService_ConnectClient
}

// connect says Hello and returns once the server has said Welcome.
func (h *host) connect(ctx context.Context, boot string) (*stream, error) {
	h.w.Helper()
	return h.say(ctx, &agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Hello{Hello: &agentv1.Hello{BootId: boot, ProtocolVersion: 1, Facts: h.facts()}}})
}

func (h *host) say(ctx context.Context, first *agentv1.ConnectRequest) (*stream, error) {
	h.w.Helper()
	out, err := h.dial().Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := out.Send(first); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	_, err = out.Recv()
	return &stream{out}, err
}

// live sends heartbeats until the server ends the stream, and returns its word.
func (s *stream) live(ctx context.Context) error {
	heard := make(chan error, 1)
	go func() {
		for {
			if _, err := s.Recv(); err != nil {
				heard <- err
				return
			}
		}
	}()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-heard:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			_ = s.Send(&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Heartbeat{Heartbeat: &agentv1.Heartbeat{}}})
		}
	}
}

// visit connects, so that the facts are known, and leaves.
func (h *host) visit(boot string) error {
	h.w.Helper()
	ctx, leave := context.WithTimeout(h.w.Context(), 20*time.Second)
	defer leave()
	s, err := h.connect(ctx, boot)
	if err != nil {
		return err
	}
	if err := s.CloseSend(); err != nil {
		return err
	}
	for err == nil {
		_, err = s.Recv()
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("leave: %w", err)
}

// upload sends the pieces of a blob as an administrator and returns how it ended.
func (w *badWorld) upload(pieces ...*deploymentv1.UploadBlobRequest) *statuspb.Status {
	w.Helper()
	_, err := w.send(w.Context(), "", pieces...)
	if err == nil {
		return &statuspb.Status{}
	}
	return fault.From(err).GRPCStatus().Proto()
}

func (w *badWorld) send(ctx context.Context, who string, pieces ...*deploymentv1.UploadBlobRequest) (*deploymentv1.Blob, error) {
	w.Helper()
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+w.token(who))
	call, err := deploymentv1.NewBlobServiceClient(w.deployment).UploadBlob(ctx)
	if err != nil {
		return nil, err
	}
	for _, piece := range pieces {
		if err := call.Send(piece); err != nil {
			break // the answer says why
		}
	}
	return call.CloseAndRecv()
}

// forgedToken is a join token for an agent of the world, by somebody who knows how they are written.
func (w *badWorld) forgedToken() string {
	return jointoken.New(w.names["ws"]+"/agents/new", []byte("another authority"), time.Now().Add(time.Hour)).Encode()
}

// asPerson connects to the agent port with a person's token in place of a certificate.
func (w *badWorld) asPerson(who string) error {
	w.Helper()
	ctx := metadata.AppendToOutgoingContext(w.Context(), "authorization", "Bearer "+w.token(who))
	_, err := w.newHost("").connect(ctx, "boot-person")
	return err
}
