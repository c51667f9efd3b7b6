// Package probe asks an application whether it is healthy: quickly until it
// answers for the first time, at the contract's pace from then on.
package probe

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/golive-dev/golive/services/agent/internal/hook"
)

// The pace until the first success.
const (
	fastMin = 5 * time.Millisecond
	fastMax = 50 * time.Millisecond
)

// Probe is one question. One of URL, Address, Health and Command is set.
type Probe struct {
	URL      string
	Status   int // any 2xx when 0
	Contains string
	Address  string
	// Health is the address of a server that speaks grpc.health.v1, and Service whose status is asked.
	Health  string
	Service string
	Command hook.Command

	Interval, Timeout time.Duration
	Successes         int // in a row that make it healthy
	Failures          int // in a row that make it unhealthy
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
	// Counts is how many of those that succeeded took no longer than each of Buckets, cumulative.
	Counts [len(Buckets)]int64
}

// Buckets are the latencies that the contract counts, in milliseconds.
var Buckets = [...]int64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000} //nolint:gochecknoglobals // a constant that Go cannot say

// add counts one success.
func (s *Summary) add(latency time.Duration) {
	s.Succeeded++
	s.LatencySum += latency
	s.LatencyMax = max(s.LatencyMax, latency)
	for i, limit := range Buckets {
		if latency <= time.Duration(limit)*time.Millisecond {
			s.Counts[i]++
		}
	}
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
	question := probe.open(p.client)
	defer question.close()
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
		err := question.ask(ctx)
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
		p.summary.add(latency)
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
