package install

import (
	"context"
	"errors"
	"time"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent/internal/ledger"
)

const (
	activating = deploymentv1.Installation_ACTIVATING
	probing    = deploymentv1.Installation_PROBING
	reverting  = deploymentv1.Installation_REVERTING
	healthyNow = deploymentv1.Installation_HEALTHY_NOW
)

// install brings a release up, or takes the application down where there is none.
func (w *Worker) install(ctx context.Context) error {
	if w.slot.Command.GetWorkload() == nil {
		w.slot.Candidate = 0
		if err := w.migrate(ctx); err != nil {
			return w.failStaging(ctx, err)
		}
		return w.activate(ctx, true)
	}
	inner, done := w.interruptible(ctx)
	err := w.stage(inner, w.slot.Command.GetWorkload())
	if err == nil {
		err = context.Cause(inner) // the last moment to be called off
	}
	done()
	if err == nil {
		err = w.migrate(ctx)
	}
	if err != nil {
		return w.failStaging(ctx, err)
	}
	return w.activate(ctx, true)
}

// activate replaces what is live by the candidate. From here on nothing but its
// own deadlines ends it. fresh is false when an agent completes what another began.
func (w *Worker) activate(ctx context.Context, fresh bool) error {
	if w.besides(w.slot.Live, w.slot.Candidate) {
		return w.handOver(ctx, fresh)
	}
	end := w.announce(activating)
	err := w.exchange(ctx, fresh)
	end()
	if err != nil {
		return w.failActive(ctx, err)
	}
	if w.slot.Live == 0 {
		w.slot.Phase = ledger.Idle
		return w.host.Ledger.Put(w.slot, w.report(deploymentv1.Installation_HEALTHY))
	}
	if !fresh {
		return w.proveAgain(ctx)
	}
	return w.probation(ctx, time.Time{})
}

// exchange is intent, stop, switch, start, done.
func (w *Worker) exchange(ctx context.Context, fresh bool) error {
	old := w.slot.Live
	w.slot.Phase = ledger.Activating
	if fresh {
		if err := w.preStop(ctx, old); err != nil {
			return err
		}
	}
	if old != 0 && old != w.slot.Candidate {
		w.unwatch()
		err := w.notes.step(activating, "stop", w.slot.Instances[old].SHA256, func() error {
			return w.halt(ctx, old)
		})
		if err != nil {
			return err
		}
	}
	// From here on the candidate is what is to run, whatever becomes of it.
	n := w.slot.Candidate
	if !w.slot.Unproven {
		w.slot.Back = old
	}
	w.slot.Live, w.slot.Candidate, w.slot.Down = n, 0, ""
	if n == 0 {
		w.slot.Down = w.slot.Command.GetInstallation()
	}
	err := w.notes.step(activating, "switch", "", func() error { return errors.Join(w.vacate(ctx, n), w.place.Switch(n)) })
	if err != nil {
		return err
	}
	if n == 0 {
		return nil
	}
	w.slot.Unproven = true
	err = w.notes.step(activating, "start", w.slot.Instances[n].SHA256, func() error {
		return w.start(ctx, n, old == 0 && w.slot.Instances[n].Adopted)
	})
	if err != nil {
		return err
	}
	w.slot.Phase = ledger.Probing
	return w.host.Ledger.Put(w.slot, nil)
}

// preStop writes the intent down and runs the old version's hook.
func (w *Worker) preStop(ctx context.Context, old int) error {
	if old != 0 {
		instance, workload, err := w.load(old)
		if err == nil && len(instance.Hooks.PreStop) > 0 {
			return w.hook(ctx, old, instance, "pre_stop", instance.Hooks.PreStop, workload.GetHooks().GetPreStop(), activating)
		}
		w.warn("read the old instance", err) // it is stopped without its hook
	}
	return w.host.Ledger.Put(w.slot, nil)
}

// probation waits until what was started is healthy. since is when it was started; zero for just now.
func (w *Worker) probation(ctx context.Context, since time.Time) error {
	if since.IsZero() {
		since = startOf(w.live, time.Now())
	}
	l := w.live
	inner, done := w.interruptible(ctx)
	end := w.announce(probing)
	err := w.notes.step(probing, "probe", "", func() error {
		return w.prove(inner, l, since, orElse(l.run.GetMinHealthyTime(), 0))
	})
	if err == nil && w.port(l.n) != 0 {
		err = w.notes.step(probing, "switch", "", func() error { return w.route(inner, l.n) })
	}
	if err == nil {
		err = w.postActivate(inner, l)
	}
	end()
	done()
	if err != nil {
		return w.failActive(ctx, err)
	}
	w.silent = !w.tail(l.n, l.instance)
	w.slot.Phase, w.slot.Unproven = ledger.Idle, false
	report := w.report(deploymentv1.Installation_HEALTHY)
	report.Health = deploymentv1.Installation_HEALTHY_NOW
	return w.host.Ledger.Put(w.slot, report)
}

// startOf returns when the process of an instance was started, or now where that is not known.
func startOf(l *live, now time.Time) time.Time {
	if state, err := l.shim.State(); err == nil && !state.Started.IsZero() && state.Started.Before(now) {
		return state.Started
	}
	return now
}

func (w *Worker) postActivate(ctx context.Context, l *live) error {
	_, workload, err := w.load(l.n)
	if err != nil {
		return err
	}
	return w.hook(ctx, l.n, l.instance, "post_activate", l.instance.Hooks.PostActivate, workload.GetHooks().GetPostActivate(), probing)
}

// failActive handles a failure after activation began: it goes back at once, or
// leaves the new version in place, as the command says.
func (w *Worker) failActive(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if stopped(err) {
		return errSuperseded
	}
	f := failureOf(err)
	if l := w.live; l != nil && l.n == w.slot.Live {
		w.tail(l.n, l.instance)
	}
	w.slot.Hook = ""
	if !w.slot.Command.GetRevertOnFailure() {
		return w.leave(f)
	}
	if candidate := w.slot.Candidate; candidate != 0 { // it was never started
		w.slot.Live, w.slot.Back, w.slot.Candidate, w.slot.Unproven = candidate, w.slot.Live, 0, true
	}
	if w.slot.Command.GetWorkload() == nil && w.slot.Live != 0 { // it was to go, and is still there
		w.slot.Back = w.slot.Live
	}
	w.slot.Phase, w.slot.Cause, w.slot.Message = ledger.Reverting, f.cause, f.message(w)
	report := w.report(reverting)
	report.Health, report.Cause, report.Message = deploymentv1.Installation_UNHEALTHY, f.cause, w.slot.Message
	if err := w.host.Ledger.Put(w.slot, report); err != nil {
		return err
	}
	return w.revert(ctx)
}

// leave reports the failure and lets the new version be as it is, for whoever comes to look.
func (w *Worker) leave(f *failure) error {
	w.slot.Phase, w.slot.Candidate = ledger.Idle, 0
	report := w.report(deploymentv1.Installation_FAILED)
	report.Health, report.Cause, report.Message = deploymentv1.Installation_UNHEALTHY, f.cause, f.message(w)
	return w.host.Ledger.Put(w.slot, report)
}

// revert makes Back live again. Done twice it comes out the same.
func (w *Worker) revert(ctx context.Context) error {
	bad, good := w.slot.Live, w.slot.Back
	err := w.restore(ctx, bad, good)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	state := deploymentv1.Installation_REVERTED
	cause, message := w.slot.Cause, w.slot.Message
	if err != nil {
		f := failureOf(err)
		state, cause = deploymentv1.Installation_REVERT_FAILED, f.cause
		message = f.message(w)
		if w.slot.Cause != "" {
			message += " (it was to be reverted because of " + w.slot.Cause + ": " + w.slot.Message + ")"
		}
	}
	if !errors.Is(err, errStillRuns) {
		w.slot.Live, w.slot.Back, w.slot.Unproven, w.slot.Down = good, 0, false, ""
	}
	w.slot.Phase, w.slot.Candidate, w.slot.Cause, w.slot.Message = ledger.Idle, 0, "", ""
	report := w.report(state)
	report.Cause, report.Message = cause, message
	if good != 0 {
		report.Health = deploymentv1.Installation_HEALTHY_NOW
		if err != nil {
			report.Health = deploymentv1.Installation_UNHEALTHY
		}
	}
	return w.host.Ledger.Put(w.slot, report)
}

// errStillRuns says that the version that was to go could not be stopped, so the other was not started.
var errStillRuns = errors.New("the version that was to go still runs")

// mayStop is false for what ran before any agent knew of it, when nothing takes its place.
func (w *Worker) mayStop(bad, good int) bool { return good != 0 || !w.slot.Instances[bad].Adopted }

func (w *Worker) restore(ctx context.Context, bad, good int) error {
	if w.besides(bad, good) {
		return w.restoreBeside(ctx, bad, good)
	}
	if bad != good {
		w.unwatch()
	}
	if bad != good && bad != 0 && w.mayStop(bad, good) {
		err := w.notes.step(reverting, "stop", w.slot.Instances[bad].SHA256, func() error {
			return w.halt(ctx, bad)
		})
		if err != nil {
			return errors.Join(errStillRuns, err)
		}
	}
	err := w.notes.step(reverting, "switch", "", func() error { return errors.Join(w.vacate(ctx, good), w.place.Switch(good)) })
	if err != nil {
		return err
	}
	if good == 0 {
		return nil
	}
	started := time.Now()
	err = w.notes.step(reverting, "start", w.slot.Instances[good].SHA256, func() error {
		return w.start(ctx, good, false)
	})
	if err != nil {
		return err
	}
	w.settle(w.live)
	err = w.notes.step(reverting, "probe", "", func() error { return w.prove(ctx, w.live, started, 0) })
	if err == nil && w.port(good) != 0 {
		err = w.notes.step(reverting, "switch", "", func() error { return w.route(ctx, good) })
	}
	return err
}

// settle makes the restarts of the past not count.
func (w *Worker) settle(l *live) {
	if state, err := l.shim.State(); err == nil {
		l.base, l.restarts = state.Restarts, state.Restarts
	}
}
