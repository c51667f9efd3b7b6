package gateway

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

const (
	// lookAgain is how often a gate is asked while it cannot be watched, and how soon the watch is tried again.
	lookAgain = time.Second
	// lookAnyway is how often a gate is asked although its watch says nothing: a hint may be lost.
	lookAnyway = 5 * time.Second
)

// gateWaits lets any number of checks wait for a gate. Those with one credential
// share one watch and one question, however many they are; the watch is a hint, what counts is asked.
type gateWaits struct {
	gates   *gates
	running *sync.WaitGroup

	mu      sync.Mutex
	open    map[waitKey]*gateWait
	stopped chan struct{}
}

// waitKey has the credential in it, so that nobody is answered by the right of another.
type waitKey struct {
	authorization, resource string
	purpose                 gatev1.Purpose
}

// gateWait is one gate that somebody waits for. Its number of waiters is guarded by gateWaits.
type gateWait struct {
	waiters int
	stop    context.CancelFunc
	poke    chan struct{} // somebody new wants an answer

	mu       sync.Mutex
	answered chan struct{} // closed at the next answer
	verdict  *gatev1.Verdict
	err      error
}

func newGateWaits(gates *gates, running *sync.WaitGroup) *gateWaits {
	return &gateWaits{gates: gates, running: running, open: map[waitKey]*gateWait{}, stopped: make(chan struct{})}
}

// join begins to wait. Call leave when done.
func (w *gateWaits) join(key waitKey) (one *gateWait, leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one = w.open[key]
	if one == nil {
		ctx, cancel := context.WithCancel(metadata.NewOutgoingContext(context.Background(), metadata.Pairs("authorization", key.authorization)))
		one = &gateWait{stop: cancel, poke: make(chan struct{}, 1), answered: make(chan struct{})}
		w.open[key] = one
		w.running.Go(func() { w.follow(ctx, one, &gatev1.EvaluateGateRequest{Resource: key.resource, Purpose: key.purpose}) })
	}
	one.waiters++
	return one, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if one.waiters--; one.waiters == 0 {
			one.stop()
			delete(w.open, key)
		}
	}
}

// end answers all who wait with what is known.
func (w *gateWaits) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.stopped:
	default:
		close(w.stopped)
	}
}

// follow asks for the gate whenever its watch says that something changed.
func (w *gateWaits) follow(ctx context.Context, one *gateWait, req *gatev1.EvaluateGateRequest) {
	for ctx.Err() == nil {
		hints := w.watch(ctx, req)
		w.listen(ctx, one, req, hints)
		wait(ctx, lookAgain)
	}
}

// listen asks once for each hint, until there come no more.
func (w *gateWaits) listen(ctx context.Context, one *gateWait, req *gatev1.EvaluateGateRequest, hints <-chan struct{}) {
	anyway := time.NewTicker(lookAnyway)
	defer anyway.Stop()
	for open := true; open; {
		select {
		case <-ctx.Done():
			return
		case _, open = <-hints:
		case <-one.poke:
		case <-anyway.C:
		}
		v, err := w.gates.EvaluateGate(ctx, req)
		if ctx.Err() == nil && (err == nil || lasting(err)) {
			one.answer(v, err)
		}
	}
}

// lasting says that asking again would change nothing. Everything else may be over in time: who is not there comes back, who is busy gets free.
func lasting(err error) bool {
	switch fault.KindOf(err) {
	case fault.KindNotFound, fault.KindInvalid, fault.KindDenied, fault.KindUnauthenticated, fault.KindPrecondition, fault.KindUnsupported:
		return true
	default:
		return false
	}
}

// watch sends a hint for every frame, at most one that nobody took yet, and
// closes the channel when the stream ends or does not begin.
func (w *gateWaits) watch(ctx context.Context, req *gatev1.EvaluateGateRequest) <-chan struct{} {
	hints := make(chan struct{}, 1)
	w.running.Go(func() {
		defer close(hints)
		stream, err := w.gates.WatchGates(ctx, &gatev1.WatchGatesRequest{
			Parent: req.GetResource(), Resources: []string{req.GetResource()}, Purpose: req.GetPurpose(),
		})
		for err == nil {
			var frame *gatev1.WatchGatesResponse
			if frame, err = stream.Recv(); frame.GetVerdict() != nil {
				offer(hints)
			}
		}
	})
	return hints
}

func offer(hints chan<- struct{}) {
	select {
	case hints <- struct{}{}:
	default:
	}
}

func (one *gateWait) answer(v *gatev1.Verdict, err error) {
	one.mu.Lock()
	defer one.mu.Unlock()
	one.verdict, one.err = v, err
	close(one.answered)
	one.answered = make(chan struct{})
}

// next returns a channel that is closed at the next answer.
func (one *gateWait) next() <-chan struct{} {
	one.mu.Lock()
	defer one.mu.Unlock()
	return one.answered
}

func (one *gateWait) last() (*gatev1.Verdict, error) {
	one.mu.Lock()
	defer one.mu.Unlock()
	return one.verdict, one.err
}

// await asks until the gate opens, cannot open any more, or the time is over.
func (g *Gateway) await(ctx context.Context, c check, authorization string) (*gatev1.Verdict, error) {
	v, err := g.gates.EvaluateGate(ctx, c.request)
	if err != nil || c.wait <= 0 || settled(v) {
		return v, err
	}
	over := time.NewTimer(c.wait)
	defer over.Stop()
	one, leave := g.gateWaits.join(waitKey{authorization: authorization, resource: c.request.GetResource(), purpose: c.request.GetPurpose()})
	defer leave()
	answered := one.next()
	offer(one.poke) // it may have turned between the question above and here
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-over.C:
			return v, nil
		case <-g.gateWaits.stopped:
			return v, nil
		case <-answered:
		}
		answered = one.next()
		if v, err = one.last(); err != nil || settled(v) {
			return v, err
		}
	}
}

// settled says that there is nothing to wait for: the gate is open, or cannot open any more.
func settled(v *gatev1.Verdict) bool {
	return opens(v) || v.GetState() == gatev1.Verdict_FAIL
}
