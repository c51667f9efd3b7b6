package install

import (
	"context"
	"errors"
	"time"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent/internal/ledger"
	"github.com/golive-dev/golive/services/agent/shim"
)

// defaultDrain is how long the old version goes on after the switch.
const defaultDrain = 5 * time.Second

// handOver replaces what is live by a candidate that runs beside it:
//
//	start the new on its port → probe it there → switch → post_activate → drain → pre_stop → stop the old
//
// The old version serves until the switch and stays as it is until the new one
// has had the traffic for the drain. On a failure the traffic goes back to it,
// and only then the new one ends. An agent that dies on the way begins again:
// each step comes out the same when it is done twice, but for the hook, of
// which Activated tells.
func (w *Worker) handOver(ctx context.Context, fresh bool) error {
	w.slot.Phase = ledger.Activating
	if err := w.host.Ledger.Put(w.slot, nil); err != nil {
		return err
	}
	inner, done := w.interruptible(ctx)
	l, err := w.takeOver(inner, fresh)
	done()
	if err != nil {
		return w.withdraw(ctx, l, err)
	}
	if err := w.retire(ctx, w.slot.Live); err != nil {
		return w.withdraw(ctx, l, err)
	}
	w.unwatch()
	w.regard(l)
	w.silent = !w.tail(l.n, l.instance)
	if !w.slot.Unproven {
		w.slot.Back = w.slot.Live
	}
	w.slot.Live, w.slot.Candidate, w.slot.Down = l.n, 0, ""
	w.slot.Phase, w.slot.Unproven, w.slot.Activated = ledger.Idle, false, false
	report := w.report(deploymentv1.Installation_HEALTHY)
	report.Health = healthyNow
	return w.host.Ledger.Put(w.slot, report)
}

// takeOver brings the candidate up, gives it the traffic and sees it through the drain. The
// instance that it returns is watched, even when it failed.
func (w *Worker) takeOver(ctx context.Context, fresh bool) (l *live, err error) {
	n := w.slot.Candidate
	end := w.announce(activating)
	err = w.notes.step(activating, "start", w.slot.Instances[n].SHA256, func() (err error) {
		l, err = w.attach(ctx, n)
		return err
	})
	end()
	if err != nil {
		return l, err
	}
	defer w.announce(probing)()
	since := startOf(l, time.Now())
	minimum := orElse(l.run.GetMinHealthyTime(), 0)
	if !fresh { // another agent may have waited long enough; that it is healthy now is what counts
		w.settle(l)
		since, minimum = time.Now(), 0
	}
	if err := w.notes.step(probing, "probe", "", func() error { return w.prove(ctx, l, since, minimum) }); err != nil {
		return l, err
	}
	err = w.notes.step(probing, "switch", "", func() error {
		w.slot.Routed = n
		if err := w.host.Ledger.Put(w.slot, nil); err != nil {
			return err
		}
		return errors.Join(w.route(ctx, n), w.place.Switch(n))
	})
	if err != nil {
		return l, err
	}
	if !w.slot.Activated {
		if err := w.postActivate(ctx, l); err != nil {
			return l, err
		}
		w.slot.Activated = true
		if err := w.host.Ledger.Put(w.slot, nil); err != nil {
			return l, err
		}
	}
	drain := orElse(l.run.GetBlueGreen().GetDrain(), defaultDrain)
	return l, w.notes.step(probing, "drain", "", func() error { return w.endure(ctx, l, drain) })
}

// endure waits while an instance stays healthy.
func (w *Worker) endure(ctx context.Context, l *live, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		if err := w.ill(l); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
			return w.ill(l)
		case <-l.shim.Changed():
		case <-l.prober.Changed():
		}
	}
}

// retire ends the old version, which has no traffic any more.
func (w *Worker) retire(ctx context.Context, old int) error {
	if instance, workload, err := w.load(old); err != nil {
		w.warn("read the old instance", err) // it is stopped without its hook
	} else if err := w.hook(ctx, old, instance, "pre_stop", instance.Hooks.PreStop, workload.GetHooks().GetPreStop(), probing); err != nil {
		return err
	}
	return w.notes.step(probing, "stop", w.slot.Instances[old].SHA256, func() error { return w.halt(ctx, old) })
}

// withdraw takes the traffic back from a candidate that failed, or that a newer command calls
// off, and ends it. The old version never stopped.
func (w *Worker) withdraw(ctx context.Context, l *live, err error) error {
	if ctx.Err() != nil { // the agent ends; the next one goes on
		if l != nil {
			l.close()
		}
		return context.Cause(ctx)
	}
	if l != nil {
		w.tail(l.n, l.instance)
		l.close()
	}
	w.slot.Activated = false
	if !stopped(err) && w.slot.Command.GetRevertOnFailure() {
		return w.failActive(ctx, err)
	}
	good, candidate := w.slot.Live, w.slot.Candidate
	back := errors.Join(w.routeBack(ctx, candidate, good), w.halt(ctx, candidate))
	if stopped(err) {
		w.warn("take the traffic back", back)
		w.slot.Phase, w.slot.Candidate, w.slot.Hook = ledger.Idle, 0, ""
		if err := w.host.Ledger.Put(w.slot, nil); err != nil {
			return err
		}
		return errSuperseded
	}
	return w.leave(failureOf(errors.Join(err, back)))
}

// restoreBeside makes good live again beside bad: it is brought up first, then given the
// traffic, and only then bad ends. If it cannot be brought up, bad goes on, unless good has
// the traffic.
func (w *Worker) restoreBeside(ctx context.Context, bad, good int) error {
	var l *live
	started := time.Now()
	err := w.notes.step(reverting, "start", w.slot.Instances[good].SHA256, func() (err error) {
		l, err = w.attach(ctx, good)
		return err
	})
	if err == nil {
		w.settle(l)
		err = w.notes.step(reverting, "probe", "", func() error { return w.prove(ctx, l, started, 0) })
	}
	if ctx.Err() != nil {
		if l != nil {
			l.close()
		}
		return context.Cause(ctx)
	}
	if err != nil && w.slot.Routed != good {
		if l != nil {
			l.close()
		}
		return errors.Join(errStillRuns, err, w.route(ctx, bad), w.halt(ctx, good))
	}
	w.unwatch()
	if l != nil {
		w.regard(l)
	}
	err = errors.Join(err, w.notes.step(reverting, "switch", "", func() error { return w.routeBack(ctx, bad, good) }))
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(err, w.notes.step(reverting, "stop", w.slot.Instances[bad].SHA256, func() error { return w.halt(ctx, bad) }))
}

// routeBack gives the traffic to good and lets bad answer what it has begun, for a while: its
// drain, which a way back does not wait for longer than usual.
func (w *Worker) routeBack(ctx context.Context, bad, good int) error {
	had := w.slot.Routed != good
	if err := errors.Join(w.route(ctx, good), w.place.Switch(good)); err != nil || !had {
		return err
	}
	_, workload, err := w.load(bad)
	if err != nil {
		return nil //nolint:nilerr // what is not there any more answers nothing
	}
	if state, err := shim.ReadState(w.place.Run(bad)); err != nil || state.Phase != shim.Running {
		return nil //nolint:nilerr // nor does what does not run
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(min(defaultDrain, orElse(workload.GetRun().GetBlueGreen().GetDrain(), defaultDrain))):
		return nil
	}
}
