package agent

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

type hostFacts = deploymentv1.HostFacts

// Small buffers: there is one connection, and most of the time it is idle.
const (
	readBuffer  = 16 << 10
	writeBuffer = 8 << 10
	maxMessage  = 40 << 20 // a command with all the configuration files that the contract allows, twice
)

// silence is how long a peer may leave sent bytes unacknowledged before the connection is given up.
const silence = 30 * time.Second

// dial returns a connection that is tried once: when to call again is decided here, not by gRPC.
func dial(server string, config *tls.Config) (*grpc.ClientConn, error) {
	dialer := &net.Dialer{Timeout: callTimeout, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silence / 2, Interval: silence / 6, Count: 3}, Control: controlSocket}
	return grpc.NewClient(
		"passthrough:///"+server,
		grpc.WithTransportCredentials(credentials.NewTLS(config)),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp", address)
		}),
		grpc.WithReadBufferSize(readBuffer), grpc.WithWriteBufferSize(writeBuffer),
		grpc.WithDisableRetry(), grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
	)
}

// link lets workers use the session's connection, and wait for one.
type link struct{ state *linkState }

type linkState struct {
	mu     sync.Mutex
	client agentv1.AgentServiceClient // nil while there is no connection
	up     chan struct{}              // closed when there is one
}

func newLink() link { return link{state: &linkState{up: make(chan struct{})}} }

// set tells of a connection, or that there is none.
func (l link) set(client agentv1.AgentServiceClient) {
	l.state.mu.Lock()
	defer l.state.mu.Unlock()
	if l.state.client == nil && client != nil {
		close(l.state.up)
	}
	if l.state.client != nil && client == nil {
		l.state.up = make(chan struct{})
	}
	l.state.client = client
}

// client waits for a connection.
func (l link) client(ctx context.Context) (agentv1.AgentServiceClient, error) {
	for {
		l.state.mu.Lock()
		client, up := l.state.client, l.state.up
		l.state.mu.Unlock()
		if client != nil {
			return client, nil
		}
		select {
		case <-up:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
