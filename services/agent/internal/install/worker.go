package install

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	"github.com/golive-dev/golive/services/agent/internal/layout"
	"github.com/golive-dev/golive/services/agent/internal/ledger"
)

// Worker does the work on one place.
type Worker struct {
	host   *Host
	id     ledger.Key
	place  layout.Place
	logger *zap.Logger
	wake   chan struct{}
	notes  notes

	mu        sync.Mutex
	kept      []*agentv1.ProbeSummary // of instances that are no longer watched
	newest    *agentv1.Command        // accepted, or waiting in next
	next      *agentv1.Command
	interrupt context.CancelCauseFunc // ends what may be ended; nil while nothing may
	live      *live

	slot   *ledger.Slot // of the goroutine in Run
	silent bool         // the application had said nothing when it was healthy
	drift  drift
}

// NewWorker returns the worker of a place. The names must be of the contract's form.
func NewWorker(host *Host, key ledger.Key) (*Worker, error) {
	place, err := host.Layout.Place(key.Target, key.Application)
	if err != nil {
		return nil, err
	}
	slot := host.Ledger.Slot(key)
	return &Worker{
		host: host, id: key, place: place, slot: slot, newest: slot.Command, wake: make(chan struct{}, 1),
		logger: host.Logger.With(zap.String("target", key.Target), zap.String("application", key.Application)),
	}, nil
}

// Offer hands over a command. It never waits.
func (w *Worker) Offer(command *agentv1.Command) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch ledger.Judge(w.newest, command) {
	case ledger.Stale:
		w.logger.Info("refused a command that is older than the newest", zap.Int64("epoch", command.GetEpoch()), zap.Int64("newest", w.newest.GetEpoch()))
	case ledger.Repeat:
		if last := w.host.Ledger.Slot(w.id).Last; last != nil && w.next == nil {
			w.host.Resend(last)
		}
	case ledger.Accept:
		w.newest, w.next = command, command
		if w.interrupt != nil {
			w.interrupt(errSuperseded)
		}
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// take returns the command that waits, if one does.
func (w *Worker) take() *agentv1.Command {
	w.mu.Lock()
	defer w.mu.Unlock()
	command := w.next
	w.next = nil
	return command
}

// interruptible returns a context that ends when a newer command comes.
func (w *Worker) interruptible(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.interrupt = cancel
	if w.next != nil {
		cancel(errSuperseded)
	}
	return ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.interrupt = nil
		cancel(nil)
	}
}

// Run recovers what was cut off, then works until the context ends. The
// applications go on. An error means that the journal cannot be written.
func (w *Worker) Run(ctx context.Context) error {
	defer w.unwatch()
	if err := w.place.Make(); err != nil {
		return fmt.Errorf("make folders of %s: %w", w.slot.Application, err)
	}
	if w.slot.Command != nil {
		if err := w.recover(ctx); err != nil {
			return w.ended(ctx, err)
		}
	}
	ticker := time.NewTicker(min(look, w.host.InspectEvery))
	defer ticker.Stop()
	for ctx.Err() == nil {
		if command := w.take(); command != nil {
			if err := w.begin(ctx, command); err != nil {
				return w.ended(ctx, err)
			}
			continue
		}
		select {
		case <-ctx.Done():
		case <-w.wake:
		case <-w.live.shimChanged():
		case <-w.live.probesChanged():
		case <-ticker.C:
		}
		if err := w.observe(ctx); err != nil {
			return w.ended(ctx, err)
		}
		if err := w.inspect(ctx); err != nil {
			return w.ended(ctx, err)
		}
	}
	return nil
}

// ended tells the end of the agent from a failure.
func (w *Worker) ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && stopped(err) {
		return nil
	}
	return fmt.Errorf("work on %s for %s: %w", w.slot.Application, w.slot.Target, err)
}

// begin accepts a command and does it.
func (w *Worker) begin(ctx context.Context, command *agentv1.Command) error {
	phase := ledger.Staging
	if command.GetAction() == agentv1.Command_SEAL {
		phase = ledger.Sealing
	}
	w.slot.Phase, w.slot.Candidate, w.slot.Hook, w.slot.Cause, w.slot.Message = phase, 0, "", "", ""
	w.slot.Activated, w.drift = false, drift{}
	w.slot.Migrations = nil
	if err := w.host.Ledger.Accept(w.slot, command); err != nil {
		return err
	}
	w.notes.reset()
	return w.do(ctx)
}

// do does the newest command from its begin. What it returns is a failure of
// the agent; a failure of the installation becomes a report.
func (w *Worker) do(ctx context.Context) error {
	command := w.slot.Command
	w.logger.Info("begin", zap.Stringer("action", command.GetAction()), zap.String("installation", command.GetInstallation()),
		zap.Int32("attempt", command.GetAttempt()), zap.Int64("epoch", command.GetEpoch()))
	var err error
	switch command.GetAction() {
	case agentv1.Command_PRESTAGE:
		err = w.prestage(ctx)
	case agentv1.Command_INSTALL:
		err = w.install(ctx)
	case agentv1.Command_REVERT, agentv1.Command_CANCEL:
		err = w.back(ctx)
	case agentv1.Command_SEAL:
		err = w.seal(ctx)
	case agentv1.Command_MIGRATE:
		err = w.migrateOnly(ctx)
	default:
		err = w.fail(&failure{cause: "UNSUPPORTED", err: fmt.Errorf("this agent knows no action %d; update it", command.GetAction())})
	}
	if err == errSuperseded { //nolint:errorlint // it is passed on as it is
		return nil // the newer command says what becomes of this one
	}
	return err
}
