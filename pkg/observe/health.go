package observe

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

const (
	checkTimeout = 2 * time.Second // of all readiness checks together
	watchEvery   = time.Second
)

// Check returns an error while its subject cannot do its work.
type Check func(ctx context.Context) error

// checks are the readiness checks by name.
type checks struct {
	mu  sync.RWMutex
	all map[string]Check
}

func (c *checks) add(name string, check Check) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all[name] = check
}

// run asks all checks at once and returns what fails, by name.
func (c *checks) run(ctx context.Context) map[string]error {
	c.mu.RLock()
	all := maps.Clone(c.all)
	c.mu.RUnlock()
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		failed = make(map[string]error)
	)
	for name, check := range all {
		wg.Go(func() {
			if err := check(ctx); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed[name] = err
			}
		})
	}
	wg.Wait()
	return failed
}

// report writes one line per check and tells whether all passed.
func (c *checks) report(ctx context.Context, w io.Writer) bool {
	failed := c.run(ctx)
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, name := range slices.Sorted(maps.Keys(c.all)) {
		if err := failed[name]; err != nil {
			_, _ = fmt.Fprintf(w, "not ready: %s: %v\n", name, err)
			continue
		}
		_, _ = fmt.Fprintf(w, "ready: %s\n", name)
	}
	return len(failed) == 0
}

// health is grpc.health.v1 over the readiness checks: the empty service is all
// of them, a named one is that check.
type health struct {
	healthv1.UnimplementedHealthServer

	checks *checks
}

// Check answers the state now.
func (h health) Check(ctx context.Context, req *healthv1.HealthCheckRequest) (*healthv1.HealthCheckResponse, error) {
	failed := h.checks.run(ctx)
	h.checks.mu.RLock()
	_, known := h.checks.all[req.GetService()]
	h.checks.mu.RUnlock()
	state := healthv1.HealthCheckResponse_SERVING
	switch name := req.GetService(); {
	case name != "" && !known:
		state = healthv1.HealthCheckResponse_SERVICE_UNKNOWN
	case name == "" && len(failed) > 0, failed[name] != nil:
		state = healthv1.HealthCheckResponse_NOT_SERVING
	}
	return &healthv1.HealthCheckResponse{Status: state}, nil
}

// Watch sends the state now and each time it has changed.
func (h health) Watch(req *healthv1.HealthCheckRequest, stream grpc.ServerStreamingServer[healthv1.HealthCheckResponse]) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	last := healthv1.HealthCheckResponse_UNKNOWN
	for {
		now, err := h.Check(stream.Context(), req)
		if err != nil {
			return err
		}
		if now.GetStatus() != last {
			if err := stream.Send(now); err != nil {
				return err
			}
			last = now.GetStatus()
		}
		select {
		case <-stream.Context().Done():
			return stream.Context().Err()
		case <-tick.C:
		}
	}
}
