package rpc

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sony/gobreaker/v2"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/fault"
)

const (
	// defaultPatience is how long a call takes at most whose caller sets no deadline.
	defaultPatience = 5 * time.Second
	// tolerated is how many calls in a row may find nobody before the next ones are not made at all.
	tolerated = 5
	// shortestPause and longestPause bound for how long none is made then. Each process draws its own, so that
	// replicas do not try again together.
	shortestPause, longestPause = time.Second, 3 * time.Second
	// fair is the least time a call must have had for its deadline to say something of the other side, and not of a caller
	// who had used up its own time before.
	fair = time.Second
)

// errHasty tells the circuit of a call that ended because it had no fair time.
var errHasty = errors.New("the caller left too little time")

// GuardConfig says how one service calls another. Only Peer is required.
type GuardConfig struct {
	Peer       string                // Who is called, in metrics, logs and errors: implementation.
	Patience   time.Duration         // How long a call takes at most whose caller sets no deadline; 5 s when 0.
	Registerer prometheus.Registerer // Gets the metrics; nowhere when nil.
	Logger     *zap.Logger           // Silent when nil.
}

// Guard is a connection from one service to another that costs little while nobody answers. Every unary call has a
// deadline. After five in a row that found nobody, or nobody in time, calls fail at once with PEER_SILENT, of the kind of the last
// fault, until a single one, tried after one to three seconds, is answered. A deadline that left less than a second counts for nothing.
//
//	closed ──5 in a row unanswered──▶ open ──pause──▶ half-open ──answered──▶ closed
//	                                   ◀──unanswered──────┘
//
// An error that the other side decided on is an answer. Calls are repeated by [Dial] alone, and streams by who reads them.
func Guard(conn grpc.ClientConnInterface, cfg GuardConfig) (grpc.ClientConnInterface, error) {
	if cfg.Logger == nil {
		cfg.Logger = zap.NewNop()
	}
	labels := prometheus.Labels{"peer": cfg.Peer}
	b := &breaker{
		ClientConnInterface: conn, cfg: cfg, patience: orDefault(cfg.Patience, defaultPatience),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "golive_peer_calls_total", Help: "Calls to the other service: answered, unanswered, refused while it was known not to answer.", ConstLabels: labels,
		}, []string{"outcome"}),
		open: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "golive_peer_open", Help: "1 while calls to the other service are not made because it did not answer, else 0.", ConstLabels: labels,
		}),
	}
	pause := shortestPause + rand.N(longestPause-shortestPause) //nolint:gosec // G404: jitter is no secret
	b.circuit = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name: cfg.Peer, Timeout: pause, IsSuccessful: answered,
		ReadyToTrip:   func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= tolerated },
		IsExcluded:    func(err error) bool { return errors.Is(err, errHasty) || fault.Is(err, fault.KindCancelled) }, // the caller gave up, which says nothing of the other side
		OnStateChange: b.changed,
	})
	if cfg.Registerer != nil {
		if err := errors.Join(cfg.Registerer.Register(b.calls), cfg.Registerer.Register(b.open)); err != nil {
			return nil, fmt.Errorf("metrics of the connection to the %s service: %w", cfg.Peer, err)
		}
	}
	return b, nil
}

// answered reports whether the other side said something, be it no.
func answered(err error) bool {
	return !fault.Is(err, fault.KindUnavailable) && !fault.Is(err, fault.KindDeadline)
}

// breaker passes streams on as they are.
type breaker struct {
	grpc.ClientConnInterface

	cfg      GuardConfig
	patience time.Duration
	circuit  *gobreaker.CircuitBreaker[struct{}]
	last     atomic.Pointer[fault.Error] // of the last call that was not answered
	calls    *prometheus.CounterVec
	open     prometheus.Gauge
}

// Invoke makes a unary call.
func (b *breaker) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	until, set := ctx.Deadline()
	hasty := set && time.Until(until) < fair
	if !set {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, b.patience)
		defer cancel()
	}
	var err error
	_, circuit := b.circuit.Execute(func() (struct{}, error) {
		err = b.ClientConnInterface.Invoke(ctx, method, args, reply, opts...)
		switch {
		case hasty && fault.Is(err, fault.KindDeadline):
			return struct{}{}, errHasty
		case !answered(err):
			b.last.Store(fault.From(err))
		}
		return struct{}{}, err
	})
	switch {
	case errors.Is(circuit, gobreaker.ErrOpenState), errors.Is(circuit, gobreaker.ErrTooManyRequests):
		b.calls.WithLabelValues("refused").Inc()
		return b.silence()
	case answered(err):
		b.calls.WithLabelValues("answered").Inc()
	default:
		b.calls.WithLabelValues("unanswered").Inc()
	}
	return err
}

// silence is what a call gets that is not made: of the kind of the last that was, so that who asks can say what is the matter.
func (b *breaker) silence() error {
	const reason, text = "PEER_SILENT", "the %s service did not answer the last calls; it is tried again within seconds"
	if last := b.last.Load(); last != nil && last.Kind() == fault.KindDeadline {
		return fault.Deadline(reason, text, b.cfg.Peer).RetryAfter(longestPause)
	}
	return fault.Unavailable(reason, text, b.cfg.Peer).RetryAfter(longestPause)
}

// changed tells operators, once each time.
func (b *breaker) changed(_ string, before, after gobreaker.State) {
	switch {
	case after == gobreaker.StateClosed:
		b.open.Set(0)
		b.cfg.Logger.Info("the other service answers again", zap.String("peer", b.cfg.Peer))
	case before == gobreaker.StateClosed:
		b.open.Set(1)
		b.cfg.Logger.Warn("the other service does not answer; calls fail at once until it does", zap.String("peer", b.cfg.Peer), zap.Error(b.last.Load()))
	}
}
