package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	"github.com/golive-dev/golive/services/deployment"
)

// Bare is the control of the fleet benchmark, in a process of its own: a server of the same protocol over TLS that decides
// nothing and keeps nothing. It welcomes everybody, sends every stream one command when it is told to, and acknowledges
// whatever it hears.
type Bare struct {
	agentv1.UnimplementedAgentServiceServer

	mu      sync.Mutex
	streams map[agentv1.AgentService_ConnectServer]*sync.Mutex
}

// bareBeats is how often it lets agents beat: as often as ten thousand agents do at a server of ours.
const bareBeats = 10 * time.Second

// Listen starts it, and says how to reach it.
func (b *Bare) Listen(agents int, join *Join) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	certificate, err := selfSigned(key)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	b.streams = map[agentv1.AgentService_ConnectServer]*sync.Mutex{}
	server := grpc.NewServer(append(deployment.AgentPortOptions(), grpc.Creds(credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAnyClientCert, Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}},
	})))...)
	agentv1.RegisterAgentServiceServer(server, b)
	go func() { _ = server.Serve(listener) }() // the process is killed at the end
	*join = Join{Address: listener.Addr().String(), Authority: certificate, Agents: agents}
	return nil
}

// Dispatch sends every stream a command, and tells when it began.
func (b *Bare) Dispatch(command []byte, began *time.Time) error {
	*began = time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	for stream, sending := range b.streams {
		c := &agentv1.Command{}
		if err := proto.Unmarshal(command, c); err != nil {
			return err
		}
		if err := locked(sending, stream, &agentv1.ConnectResponse{Message: &agentv1.ConnectResponse_Command{Command: c}}); err != nil {
			return err
		}
	}
	return nil
}

// Connect holds a stream.
func (b *Bare) Connect(stream agentv1.AgentService_ConnectServer) error {
	if _, err := stream.Recv(); err != nil {
		return err
	}
	welcome := &agentv1.Welcome{HeartbeatInterval: durationpb.New(bareBeats), ProtocolVersion: 1}
	if err := stream.Send(&agentv1.ConnectResponse{Message: &agentv1.ConnectResponse_Welcome{Welcome: welcome}}); err != nil {
		return err
	}
	sending := &sync.Mutex{}
	b.mu.Lock()
	b.streams[stream] = sending
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.streams, stream)
		b.mu.Unlock()
	}()
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if r := message.GetReport(); r != nil {
			if err := locked(sending, stream, &agentv1.ConnectResponse{Message: &agentv1.ConnectResponse_Ack{Ack: &agentv1.Ack{Sequence: r.GetSequence()}}}); err != nil {
				return err
			}
		}
	}
}

func locked(sending *sync.Mutex, stream agentv1.AgentService_ConnectServer, message *agentv1.ConnectResponse) error {
	sending.Lock()
	defer sending.Unlock()
	return stream.Send(message)
}

// selfSigned is a certificate for everything on loopback.
func selfSigned(key *ecdsa.PrivateKey) ([]byte, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "bare"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	return x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
}
