package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/demo"
)

// concurrent is how many clients ask at the same time.
const concurrent = 32

// BenchmarkRequests is what a request costs the whole product on SQLite: CPU of the server process,
// and the 99th percentile as a client sees it, with 32 clients on the same machine.
func BenchmarkRequests(b *testing.B) {
	p := onePlane(b)
	applications := deploymentv1.NewApplicationServiceClient(p.deployment)
	_, err := applications.CreateApplication(b.Context(), &deploymentv1.CreateApplicationRequest{Parent: demo.Workspace, ApplicationId: "crm", Application: &deploymentv1.Application{}})
	require.NoError(b, err)
	call := func(ctx context.Context, method, path, body string) error {
		req, err := http.NewRequestWithContext(ctx, method, "http://"+p.addresses["http"]+path, strings.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+p.token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(resp.Body)
		if err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s", resp.Status, text)
		}
		_ = resp.Body.Close()
		return err
	}
	for name, ask := range map[string]func(context.Context, int) error{
		"read/grpc": func(ctx context.Context, _ int) error {
			_, err := applications.GetApplication(ctx, &deploymentv1.GetApplicationRequest{Name: demo.Application})
			return err
		},
		"write/grpc": func(ctx context.Context, i int) error {
			_, err := applications.CreateApplication(ctx, &deploymentv1.CreateApplicationRequest{Parent: demo.Workspace, RequestId: fmt.Sprintf("g%d-%d", b.N, i), Application: &deploymentv1.Application{DisplayName: "one"}})
			return err
		},
		"read/http": func(ctx context.Context, _ int) error { return call(ctx, http.MethodGet, "/v1/"+demo.Application, "") },
		"write/http": func(ctx context.Context, i int) error {
			return call(ctx, http.MethodPost, fmt.Sprintf("/v1/%s/applications?requestId=h%d-%d", demo.Workspace, b.N, i), `{"displayName":"one"}`)
		},
	} {
		b.Run(name, func(b *testing.B) { p.ask(b, ask) })
	}
}

// ask sends b.N requests and reports their cost.
func (p *plane) ask(b *testing.B, ask func(context.Context, int) error) {
	b.Helper()
	server := p.processes["golive"].cmd.Process.Pid
	var mu sync.Mutex
	var took []time.Duration
	flight, ctx := errgroup.WithContext(b.Context())
	flight.SetLimit(concurrent)
	pace := rate.NewLimiter(4000, concurrent) // a principal is answered at most 5 000 times a second
	before := cpu(b, server)
	b.ResetTimer()
	for i := range b.N {
		flight.Go(func() error {
			if err := pace.Wait(ctx); err != nil {
				return err
			}
			began := time.Now()
			err := ask(ctx, i)
			mu.Lock()
			took = append(took, time.Since(began))
			mu.Unlock()
			return err
		})
	}
	require.NoError(b, flight.Wait())
	b.ReportMetric(float64((cpu(b, server)-before).Microseconds())/float64(b.N), "server-µs/req")
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
