package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/golive-dev/golive/services/agent/internal/hook"
)

// maxBody is how much of an answer is searched for the text it must contain.
const maxBody = 64 << 10

// Client returns the client for probes: a new connection each time, because
// that the application accepts one is part of the question; no proxy, no redirects.
func Client() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true, ReadBufferSize: 2 << 10, WriteBufferSize: 1 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Check asks once.
func (p Probe) Check(ctx context.Context, client *http.Client) error {
	q := p.open(client)
	defer q.close()
	return q.ask(ctx)
}

// question is a probe that is asked again and again; gRPC keeps its connection meanwhile.
type question struct {
	Probe
	client *http.Client
	conn   *grpc.ClientConn
	broken error // why there is no connection
}

func (p Probe) open(client *http.Client) *question {
	q := &question{Probe: p, client: client}
	if p.Health != "" {
		// Small buffers: an agent asks many and hears a few bytes of each.
		q.conn, q.broken = grpc.NewClient("passthrough:///"+p.Health, grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithNoProxy(), grpc.WithReadBufferSize(2<<10), grpc.WithWriteBufferSize(2<<10), grpc.WithDisableServiceConfig(), grpc.WithDisableRetry())
	}
	return q
}

func (q *question) close() {
	if q.conn != nil {
		_ = q.conn.Close()
	}
}

func (q *question) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, q.Timeout)
	defer cancel()
	switch {
	case q.URL != "":
		return q.get(ctx)
	case q.Health != "":
		return q.health(ctx)
	case len(q.Command.Argv) > 0:
		return q.run(ctx)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", q.Address)
	if err != nil {
		return err
	}
	return conn.Close()
}

func (q *question) get(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, q.URL, nil)
	if err != nil {
		return err
	}
	response, err := q.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if q.Status != 0 && response.StatusCode != q.Status || q.Status == 0 && response.StatusCode/100 != 2 {
		return fmt.Errorf("GET %s answers %s", q.URL, response.Status)
	}
	if q.Contains == "" {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err == nil && !strings.Contains(string(body), q.Contains) {
		err = fmt.Errorf("GET %s answers without %q", q.URL, q.Contains)
	}
	return err
}

// health asks by grpc.health.v1. A connection that cannot be made fails at once, and is tried
// anew for every question instead of after a pause that grows.
func (q *question) health(ctx context.Context) error {
	if q.broken != nil {
		return fmt.Errorf("health of %s: %w", q.Health, q.broken)
	}
	q.conn.ResetConnectBackoff()
	response, err := healthv1.NewHealthClient(q.conn).Check(ctx, &healthv1.HealthCheckRequest{Service: q.Service}, grpc.MaxCallRecvMsgSize(maxBody))
	if err != nil {
		return fmt.Errorf("health of %s: %w", q.Health, err)
	}
	if response.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		return fmt.Errorf("health of %s: %q is %s", q.Health, q.Service, response.GetStatus())
	}
	return nil
}

// run runs the command, which ends with all of its group at the deadline. Its last line says what it found.
func (q *question) run(ctx context.Context) error {
	var last string
	command := q.Command
	command.Timeout = q.Timeout
	err := hook.Run(ctx, command, func(line string) {
		if line = strings.TrimSpace(line); line != "" {
			last = line
		}
	})
	if errors.Is(err, context.DeadlineExceeded) {
		err = hook.ErrTimeout
	}
	if err != nil && last != "" {
		err = fmt.Errorf("%w: %s", err, last)
	}
	if err != nil {
		return fmt.Errorf("probe %s: %w", q.Command.Argv[0], err)
	}
	return nil
}
