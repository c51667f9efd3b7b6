// Package probe asks an application whether it is healthy: quickly until it
// answers for the first time, at the contract's pace from then on.
package probe

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// The pace until the first success.
const (
	fastMin = 5 * time.Millisecond
	fastMax = 50 * time.Millisecond
)

// maxBody is how much of an answer is searched for the text it must contain.
const maxBody = 64 << 10

// Probe is one question. Either URL or Address is set.
type Probe struct {
	URL      string
	Status   int // any 2xx when 0
	Contains string
	Address  string

	Interval, Timeout time.Duration
	Successes         int // in a row that make it healthy
	Failures          int // in a row that make it unhealthy
}

// Check asks once.
func (p Probe) Check(ctx context.Context, client *http.Client) error {
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	if p.URL == "" {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.Address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if p.Status != 0 && response.StatusCode != p.Status || p.Status == 0 && response.StatusCode/100 != 2 {
		return fmt.Errorf("GET %s answers %s", p.URL, response.Status)
	}
	if p.Contains == "" {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err == nil && !strings.Contains(string(body), p.Contains) {
		err = fmt.Errorf("GET %s answers without %q", p.URL, p.Contains)
	}
	return err
}

// Client returns the client for probes: a new connection each time, because
// that the application accepts one is part of the question; no proxy, no redirects.
func Client() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true, ReadBufferSize: 2 << 10, WriteBufferSize: 1 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Tracker turns answers into health. The zero value is not healthy.
type Tracker struct {
	healthy bool
	run     int // answers in a row that speak against healthy
}

// Add takes an answer and returns the health after it.
func (t *Tracker) Add(success bool, p Probe) bool {
	if success == t.healthy {
		t.run = 0
		return t.healthy
	}
	t.run++
	need := p.Failures
	if success {
		need = p.Successes
	}
	if t.run >= need {
		t.healthy, t.run = success, 0
	}
	return t.healthy
}

// Status is the health of an application by all its probes.
type Status struct {
	Healthy bool
	// Known is false until the probes were healthy once or failed often enough to be unhealthy.
	Known bool
	// Since is when Healthy became what it is.
	Since time.Time
	// Failure is the last failure of a probe, for people.
	Failure string
}

// Summary counts the answers of an interval.
type Summary struct {
	Start, End        time.Time
	Succeeded, Failed int64
	LatencySum        time.Duration
	LatencyMax        time.Duration
}

// Prober asks all probes of one application until it is stopped.
type Prober struct {
	client  *http.Client
	changed chan struct{}

	mu      sync.Mutex
	healthy []bool
	failed  []int // in a row
	status  Status
	summary Summary

	cancel context.CancelFunc
	group  sync.WaitGroup
}

// Start begins to ask. An application without probes is healthy.
func Start(ctx context.Context, client *http.Client, probes []Probe) *Prober {
	ctx, cancel := context.WithCancel(ctx)
	now := time.Now()
	p := &Prober{
		client: client, changed: make(chan struct{}, 1), healthy: make([]bool, len(probes)), failed: make([]int, len(probes)), cancel: cancel,
		status: Status{Healthy: len(probes) == 0, Known: len(probes) == 0, Since: now}, summary: Summary{Start: now},
	}
	for i, probe := range probes {
		p.group.Go(func() { p.ask(ctx, i, probe) })
	}
	return p
}

// Stop ends all asking.
func (p *Prober) Stop() {
	p.cancel()
	p.group.Wait()
}

// Changed receives after the status changed.
func (p *Prober) Changed() <-chan struct{} { return p.changed }

// Status returns the health now.
func (p *Prober) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

// Summary returns what was counted since the last call.
func (p *Prober) Summary() Summary {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	s := p.summary
	s.End = now
	p.summary = Summary{Start: now}
	return s
}

func (p *Prober) ask(ctx context.Context, i int, probe Probe) {
	var tracker Tracker
	timer := time.NewTimer(0)
	defer timer.Stop()
	pause, answered := fastMin, false
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		begin := time.Now()
		err := probe.Check(ctx, p.client)
		if ctx.Err() != nil {
			return
		}
		p.note(i, probe, tracker.Add(err == nil, probe), err, time.Since(begin))
		answered = answered || err == nil
		if answered {
			pause = probe.Interval
		} else {
			pause = min(pause*3/2, fastMax, max(probe.Interval, fastMin))
		}
		timer.Reset(pause)
	}
}

// note takes one answer into account and tells of a change.
func (p *Prober) note(i int, probe Probe, healthy bool, err error, latency time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.summary.Succeeded++
		p.summary.LatencySum += latency
		p.summary.LatencyMax = max(p.summary.LatencyMax, latency)
		p.failed[i] = 0
	} else {
		p.failed[i]++
		p.summary.Failed++
		p.status.Failure = err.Error()
	}
	p.healthy[i] = healthy
	all := true
	for _, h := range p.healthy {
		all = all && h
	}
	known := p.status.Known || all || p.failed[i] >= probe.Failures
	if all == p.status.Healthy && known == p.status.Known {
		return
	}
	if all != p.status.Healthy {
		p.status.Since = time.Now()
	}
	p.status.Healthy, p.status.Known = all, known
	select {
	case p.changed <- struct{}{}:
	default:
	}
}
