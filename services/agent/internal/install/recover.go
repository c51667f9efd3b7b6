package install

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/services/agent/internal/hook"
	"github.com/golive-dev/golive/services/agent/internal/ledger"
)

// recover makes the place be as its journal says, and goes on where it ends.
func (w *Worker) recover(ctx context.Context) error {
	w.notes.logged = time.Now().Unix() // above whatever the predecessor used; the gap is the truth
	allowed := ledger.Runs(w.slot)
	numbers, err := w.place.Instances()
	if err != nil {
		return err
	}
	for _, n := range numbers {
		if !allowed[n] {
			w.warn("stop an instance that should not run", w.host.Supervisor.Stop(ctx, w.place.Run(n)))
		}
	}
	w.warn("watch the forwarder", w.keepForwarder(ctx))
	cut := w.slot.Hook
	if cut != "" {
		for _, n := range numbers {
			hook.Sweep(w.marker(n))
		}
	}
	resume := ledger.Recover(w.slot)
	if resume != ledger.ResumeIdle {
		w.logger.Info("the journal ends in the middle of a command", zap.String("phase", string(w.slot.Phase)), zap.String("hook", cut))
	}
	switch resume {
	case ledger.ResumeForward:
		return superseded(w.activate(ctx, false))
	case ledger.ResumeProbe:
		return superseded(w.proveAgain(ctx))
	case ledger.ResumeRevert:
		if w.slot.Phase == ledger.Reverting {
			return w.revert(ctx)
		}
		if w.besides(w.slot.Live, w.slot.Candidate) {
			return superseded(w.withdraw(ctx, nil, interrupted(cut)))
		}
		return superseded(w.failActive(ctx, interrupted(cut)))
	case ledger.ResumeIdle, ledger.ResumeAgain, ledger.ResumeFail:
	}
	if err := w.reassert(ctx); err != nil {
		return err
	}
	switch resume {
	case ledger.ResumeAgain:
		return w.do(ctx)
	case ledger.ResumeFail:
		return w.failCut(ctx, cut)
	default:
		return w.observe(ctx)
	}
}

func superseded(err error) error {
	if err == errSuperseded { //nolint:errorlint // it is passed on as it is
		return nil
	}
	return err
}

// reassert makes what is live run and be current.
func (w *Worker) reassert(ctx context.Context) error {
	w.warn("switch current", w.place.Switch(w.slot.Live))
	if w.slot.Live == 0 {
		return nil
	}
	l, err := w.watch(ctx, w.slot.Live)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil { // the server hears of it when it asks for something else
		w.logger.Error("the live instance cannot be supervised", zap.Error(err))
		return nil
	}
	w.settle(l)
	last := w.slot.Last.GetHealth()
	l.healthy = last == healthyNow
	return nil
}

// proveAgain goes on with a probation that another agent began.
func (w *Worker) proveAgain(ctx context.Context) error {
	w.warn("switch current", w.place.Switch(w.slot.Live))
	l, err := w.watch(ctx, w.slot.Live)
	if err != nil {
		return w.failActive(ctx, err)
	}
	since := time.Now()
	if state, err := l.shim.State(); err == nil && !state.Started.IsZero() {
		since = state.Started
	}
	// Its deadline may have passed while nobody could look.
	deadline := orElse(l.run.GetHealthDeadline(), defaultHealthDeadline)
	if floor := time.Now().Add(min(patienceAfterRestart, deadline) - deadline); since.Before(floor) {
		since = floor
	}
	return w.probation(ctx, since)
}
