// Package dispatch sends the events that wait for subscriptions.
//
//	follow the logs ──▶ event_deliveries ──▶ one queue a subscription: claim ──▶ send ──▶ store what became of each
//
// Each subscription has a queue and a budget of its own, so one whose receiver is slow or dead keeps no
// other waiting. A claim ends by itself, so a process that dies loses nothing: another one sends what it had not
// finished. An event therefore arrives at least once, each time with the same id. Those about one
// resource are sent one after the other while all goes well; what failed comes later, so order is not promised.
// No transaction is open while a receiver is spoken to, and no address of a chat and no secret is logged.
package dispatch

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/outbound"
	"github.com/golive-dev/golive/services/implementation/internal/courier"
	"github.com/golive-dev/golive/services/implementation/internal/delivery"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

const (
	// batch is how many events of a subscription are claimed at once, and lanes how many of them are sent at the same time.
	batch = 128
	lanes = 16
	// lease is how long they are claimed for. What has not been begun when half of it is over is given back.
	lease = 4 * time.Minute
	// sweep is how often it is looked for what is due without having been told, measure how often what waits is measured, and
	// purge how often what ended is cleaned up.
	sweep   = time.Second
	measure = 15 * time.Second
	purge   = 10 * time.Minute
	// fresh is for how long the address and the secrets of a receiver are used after they were read.
	fresh = 2 * time.Second
	// mostPause is how long a receiver that asks for a pause is left alone with all that waits for it. What it said that of waits as long as it said.
	mostPause = 5 * time.Minute
)

// Dispatcher sends events. One a process; any number of processes share the work.
type Dispatcher struct {
	store   *store.Store
	post    *courier.Post // nil where no mail is sent
	client  *http.Client
	private bool
	logger  *zap.Logger
	metrics *metrics

	mu    sync.Mutex
	busy  map[string]bool      // subscriptions whose queue is being worked on here
	pause map[string]time.Time // those that asked to be left alone, until when
}

// New makes one. Receivers in private networks are refused unless private is set.
func New(s *store.Store, post *courier.Post, private bool, logger *zap.Logger) *Dispatcher {
	return &Dispatcher{
		store: s, post: post, private: private, logger: logger, metrics: newMetrics(),
		// As many connections as there are lanes: a bound for a host would let one subscription hold up another there.
		client: outbound.New(outbound.Config{PublicOnly: !private, Idle: lanes}),
		busy:   map[string]bool{}, pause: map[string]time.Time{},
	}
}

// Refuses says why an address is not sent to, or "".
func (d *Dispatcher) Refuses(ctx context.Context, address string) string {
	return outbound.Check(ctx, address, !d.private)
}

// Run sends until ctx ends; what has been begun is finished first.
func (d *Dispatcher) Run(ctx context.Context) error {
	var queues sync.WaitGroup
	defer queues.Wait()
	look, gauge, clean := time.NewTicker(sweep), time.NewTicker(measure), time.NewTicker(purge)
	defer look.Stop()
	defer gauge.Stop()
	defer clean.Stop()
	for {
		if err := d.round(ctx, &queues); err != nil && ctx.Err() == nil {
			d.logger.Warn("events not sent; trying again", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-d.store.EventHint():
		case <-look.C:
		case <-gauge.C:
			d.observe(ctx)
		case <-clean.C:
			if err := d.store.PurgeEvents(ctx); err != nil && ctx.Err() == nil {
				d.logger.Warn("old deliveries not purged; trying again later", zap.Error(err))
			}
		}
	}
}

// round starts the queues that have something to send and are not being worked on.
func (d *Dispatcher) round(ctx context.Context, queues *sync.WaitGroup) error {
	due, err := d.store.DueSubscriptions(ctx)
	if err != nil {
		return err
	}
	for _, name := range due {
		if !d.take(name) {
			continue
		}
		queues.Go(func() {
			defer d.leave(name)
			if err := d.queue(ctx, name); err != nil && ctx.Err() == nil {
				d.logger.Warn("events of a subscription not sent; trying again", zap.String("subscription", name), zap.Error(err))
			}
		})
	}
	return nil
}

func (d *Dispatcher) take(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy[name] || d.store.Now().Before(d.pause[name]) {
		return false
	}
	delete(d.pause, name)
	d.busy[name] = true
	return true
}

func (d *Dispatcher) leave(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.busy, name)
}

// queue sends what is due for a subscription until nothing is, or until its receiver wants a pause. One that
// took nothing of a batch is asked with a single event next, so that it is not stormed when it comes back.
func (d *Dispatcher) queue(ctx context.Context, name string) error {
	for n := batch; ctx.Err() == nil; {
		receiver, err := d.receiver(ctx, name)
		if err != nil || receiver.now(ctx) == nil {
			return err
		}
		claims, err := d.store.ClaimEvents(ctx, name, n, lease)
		if err != nil || len(claims) == 0 {
			return err
		}
		ends := d.send(ctx, receiver, claims)
		// What has left is noted even while the process is told to stop.
		if err := d.store.FinishEvents(context.WithoutCancel(ctx), ends); err != nil {
			return err
		}
		taken, gone, wait := summed(ends)
		if gone {
			return d.store.SubscriptionGone(context.WithoutCancel(ctx), receiver.last())
		}
		if wait > 0 {
			d.mu.Lock()
			d.pause[name] = d.store.Now().Add(min(wait, mostPause))
			d.mu.Unlock()
			return nil
		}
		n = 1
		if taken > 0 {
			n = batch
		}
	}
	return nil
}

func summed(ends []store.EventEnd) (taken int, gone bool, wait time.Duration) {
	for _, e := range ends {
		if e.Verdict == delivery.Delivered {
			taken++
		}
		gone = gone || e.Outcome.Gone
		wait = max(wait, e.Outcome.RetryAfter)
	}
	return taken, gone, wait
}

// send attempts each claim once. Those about one resource go one after the other, in their order.
func (d *Dispatcher) send(ctx context.Context, to *receiver, claims []store.EventClaim) []store.EventEnd {
	ends := make([]store.EventEnd, len(claims))
	ordered := map[string][]int{}
	var resources []string
	for i, c := range claims {
		ends[i].EventClaim = c
		if ordered[c.Event.GetResource()] == nil {
			resources = append(resources, c.Event.GetResource())
		}
		ordered[c.Event.GetResource()] = append(ordered[c.Event.GetResource()], i)
	}
	began := time.Now()
	work := make(chan string)
	var senders sync.WaitGroup
	for range min(lanes, len(resources)) {
		senders.Go(func() {
			for resource := range work {
				for _, i := range ordered[resource] {
					if ctx.Err() == nil && time.Since(began) < lease/2 {
						d.attempt(ctx, to.now(ctx), &ends[i])
					}
				}
			}
		})
	}
	for _, resource := range resources {
		work <- resource
	}
	close(work)
	senders.Wait()
	return ends
}

// attempt makes one and says what becomes of the delivery. What was cut because the process stops was no attempt, nor is what has no receiver any more.
func (d *Dispatcher) attempt(ctx context.Context, receiver *store.EventReceiver, end *store.EventEnd) {
	if receiver == nil {
		return
	}
	end.At = d.store.Now()
	began := time.Now()
	end.Outcome = d.deliver(ctx, receiver, end.EventClaim)
	end.Outcome.Took = time.Since(began)
	if ctx.Err() != nil && end.Outcome.Error != "" {
		end.Outcome = delivery.Outcome{}
		return
	}
	end.Verdict, end.Wait = delivery.Judge(end.Outcome, end.Try, rand.Float64()) //nolint:gosec // spreads retries, guards nothing
	if end.Event.GetType() == delivery.Tested && end.Verdict == delivery.Again {
		end.Verdict = delivery.Failed // somebody waits for the answer, and tries again
	}
	d.metrics.attempt(receiver, end.Verdict)
}

// Test attempts the delivery of a test, now.
func (d *Dispatcher) Test(ctx context.Context, name, subscription string) error {
	receiver, err := d.receiver(ctx, subscription)
	if err != nil || receiver.now(ctx) == nil {
		return err
	}
	claims, err := d.store.ClaimTest(ctx, name)
	if err != nil || len(claims) == 0 {
		return err
	}
	ends := d.send(ctx, receiver, claims)
	if err := d.store.FinishEvents(context.WithoutCancel(ctx), ends); err != nil {
		return err
	}
	if _, gone, _ := summed(ends); gone {
		return d.store.SubscriptionGone(context.WithoutCancel(ctx), receiver.last())
	}
	return nil
}

// observe measures what waits.
func (d *Dispatcher) observe(ctx context.Context) {
	oldest, err := d.store.OldestEvent(ctx)
	if err != nil {
		return
	}
	age := 0.0
	if !oldest.IsZero() {
		age = d.store.Now().Sub(oldest).Seconds()
	}
	d.metrics.oldest.Set(age)
}
