package install

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent/internal/hook"
	"github.com/golive-dev/golive/services/agent/internal/probe"
	"github.com/golive-dev/golive/services/agent/internal/render"
	"github.com/golive-dev/golive/services/agent/shim"
)

// live is the instance that runs, with what watches it.
type live struct {
	n        int
	instance *render.Instance
	run      *deploymentv1.RunSpec
	shim     runner
	service  *external // nil where it is a shim of the agent's
	probes   []probe.Probe
	prober   *probe.Prober
	restarts int // seen
	base     int // restarts that were before it counted
	healthy  bool
}

func (l *live) shimChanged() <-chan struct{} {
	if l == nil {
		return nil
	}
	return l.shim.Changed()
}

func (l *live) probesChanged() <-chan struct{} {
	if l == nil {
		return nil
	}
	return l.prober.Changed()
}

// watch makes sure that an instance runs, and makes it the one that is watched. It returns
// when its process was started. A service of the host is not started: others may have stopped it.
func (w *Worker) watch(ctx context.Context, n int) (*live, error) {
	w.unwatch()
	l, err := w.attach(ctx, n)
	if err == nil {
		w.regard(l)
	}
	return l, err
}

// attach makes sure that an instance runs, beside the one that is watched.
func (w *Worker) attach(ctx context.Context, n int) (*live, error) {
	instance, workload, err := w.load(n)
	if err != nil {
		return nil, &failure{cause: "START_FAILED", err: err}
	}
	l := &live{n: n, instance: instance, run: workload.GetRun(), probes: w.probes(n, instance, workload.GetRun())}
	if workload.GetRun().GetExternal() != nil {
		manager, done, err := w.manager(n, instance, workload)
		if err != nil {
			return nil, &failure{cause: "START_FAILED", err: err}
		}
		l.service = watchService(ctx, manager, l.pace(), done)
		l.shim = l.service
	} else if l.shim, err = w.host.Supervisor.Ensure(ctx, w.place.Run(n)); err != nil {
		return nil, &failure{cause: "START_FAILED", err: err}
	}
	l.prober = probe.Start(ctx, w.host.Probes, l.probes)
	return l, nil
}

// regard makes an instance the one that is watched.
func (w *Worker) regard(l *live) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.live = l
}

func (w *Worker) unwatch() {
	w.mu.Lock()
	l := w.live
	w.live = nil
	w.mu.Unlock()
	if l != nil {
		w.keep(l)
		l.close()
	}
}

// mostKept is how many summaries wait until they are asked for; no more are made in a while but by what crashes all the time.
const mostKept = 100

// keep keeps what the probes of an instance saw since they were asked last, for they are about to stop.
func (w *Worker) keep(l *live) {
	summary := w.summary(l.n, l.prober)
	if summary == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept = append(w.kept, summary)
	w.kept = w.kept[max(0, len(w.kept)-mostKept):]
}

// close ends the watching. What runs goes on.
func (l *live) close() {
	l.prober.Stop()
	if l.service != nil {
		l.service.stop()
	}
}

// pace is how often a service is asked for: as often as its probes.
func (l *live) pace() time.Duration {
	pace := defaultInterval
	for _, p := range l.probes {
		pace = min(pace, p.Interval)
	}
	return pace
}

// ended says why what was started does not run any more.
func (l *live) ended(s shim.State) error {
	if l.service != nil {
		return l.service.ended()
	}
	return crashed(s)
}

func (w *Worker) probes(n int, instance *render.Instance, run *deploymentv1.RunSpec) []probe.Probe {
	list := make([]probe.Probe, 0, len(instance.Probes))
	for i, filled := range instance.Probes {
		p := run.GetProbes()[i]
		one := probe.Probe{
			URL: filled.URL, Status: int(p.GetHttp().GetStatus()), Contains: filled.Contains, Address: filled.Address,
			Health: filled.Health, Service: p.GetGrpc().GetService(),
			Command:  hook.Command{Argv: filled.Command, Dir: instance.Dir, Env: instance.Env, Marker: w.marker(n)},
			Interval: orElse(p.GetInterval(), defaultInterval), Timeout: orElse(p.GetTimeout(), defaultProbeTimeout),
			Successes: max(1, int(p.GetSuccessThreshold())), Failures: int(p.GetFailureThreshold()),
		}
		if one.Failures == 0 {
			one.Failures = defaultFailures
		}
		list = append(list, one)
	}
	return list
}

// prove waits until the live instance is healthy for long enough. A process
// that ends on the way fails it at once: whoever wants another try says so.
func (w *Worker) prove(ctx context.Context, l *live, started time.Time, minimum time.Duration) error {
	goal := probe.Goal{Started: started, Deadline: orElse(l.run.GetHealthDeadline(), defaultHealthDeadline), Healthy: minimum}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		state, err := l.shim.State()
		if err == nil && (state.Phase == shim.Backoff || state.Restarts > l.base) {
			return l.ended(state)
		}
		status := l.prober.Status()
		decision, again := goal.Decide(status, time.Now())
		switch decision {
		case probe.Reached:
			l.healthy = true
			return nil
		case probe.Missed:
			return &failure{cause: "PROBE_FAILED", err: fmt.Errorf("not healthy within %v: %s", goal.Deadline, status.Failure)}
		case probe.Wait:
		}
		timer.Reset(min(time.Until(again), look))
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
		case <-l.shim.Changed():
		case <-l.prober.Changed():
		}
	}
}

// ill says what is wrong with an instance that was healthy; nil for nothing.
func (w *Worker) ill(l *live) error {
	state, err := l.shim.State()
	if err == nil && (state.Phase == shim.Backoff || state.Restarts > l.base) {
		return l.ended(state)
	}
	if status := l.prober.Status(); status.Known && !status.Healthy {
		return &failure{cause: "PROBE_FAILED", err: fmt.Errorf("not healthy any more: %s", status.Failure)}
	}
	return nil
}

func crashed(s shim.State) error {
	switch {
	case s.OutOfMemory:
		return &failure{cause: "OUT_OF_MEMORY", err: fmt.Errorf("the application was ended after %v because it used more memory than it may", ran(s))}
	case s.Err != "":
		return &failure{cause: "START_FAILED", err: fmt.Errorf("the application cannot be started: %s", s.Err)}
	case s.Exit.Signal != 0:
		return &failure{cause: "CRASHED", err: fmt.Errorf("the application was ended by signal %d after %v", s.Exit.Signal, ran(s))}
	case s.Exit.Code < 0:
		return &failure{cause: "CRASHED", err: fmt.Errorf("the application ended while nobody watched")}
	default:
		return &failure{cause: "CRASHED", err: fmt.Errorf("the application ended with exit code %d after %v", s.Exit.Code, ran(s))}
	}
}

func ran(s shim.State) time.Duration { return max(0, s.Exited.Sub(s.Started)).Round(time.Millisecond) }

// observe reports a change of the live instance's health.
func (w *Worker) observe(ctx context.Context) error {
	l := w.live
	if l == nil || w.slot.Last == nil && w.host.Ledger.Slot(w.slot.Key).Last == nil {
		return nil
	}
	state, err := l.shim.State()
	if err != nil {
		return nil //nolint:nilerr // the supervisor is restoring it; the next look tells
	}
	again := state.Restarts != l.restarts
	if again { // what its probes said was of the process before
		w.keep(l)
		l.prober.Stop()
		prober := probe.Start(ctx, w.host.Probes, l.probes)
		w.mu.Lock()
		l.prober = prober
		w.mu.Unlock()
	}
	status := l.prober.Status()
	healthy := state.Phase == shim.Running && status.Healthy
	if state.Phase == shim.Running && !status.Known {
		healthy = l.healthy && !again
	}
	if healthy == l.healthy && !again {
		return nil
	}
	l.healthy, l.restarts = healthy, state.Restarts
	if !healthy {
		w.tail(l.n, l.instance)
	}
	return w.host.Ledger.Tell(w.slot.Key, w.healthReport(l, state, again))
}

// healthReport repeats the newest state with the health of now.
func (w *Worker) healthReport(l *live, state shim.State, again bool) *agentv1.Report {
	last := w.host.Ledger.Slot(w.slot.Key).Last
	report := &agentv1.Report{
		Installation: last.GetInstallation(), Attempt: last.GetAttempt(), Epoch: last.GetEpoch(), State: last.GetState(),
		Prestaged: last.GetPrestaged(), Health: deploymentv1.Installation_UNHEALTHY, Time: timestamppb.Now(),
		Restarts: int32(min(state.Restarts-l.base, 1<<30)), //nolint:gosec // bounded
	}
	switch {
	case l.healthy:
		report.Health = healthyNow
	case again || state.Phase != shim.Running:
		f := failureOf(l.ended(state))
		report.Cause, report.Message = f.cause, f.message(w)
	default:
		report.Cause, report.Message = "PROBE_FAILED", w.notes.mask(l.prober.Status().Failure)
	}
	if w.drift.message != "" && settled(report.GetState()) {
		report.Drift, report.Message = changedOnHost, w.drift.message
	}
	return report
}

// Summaries returns what the probes of the live instance, and of those before it, saw since the last call.
func (w *Worker) Summaries() []*agentv1.ProbeSummary {
	w.mu.Lock()
	all, l := w.kept, w.live
	w.kept = nil
	var prober *probe.Prober
	if l != nil {
		prober = l.prober
	}
	w.mu.Unlock()
	if prober == nil {
		return all
	}
	if summary := w.summary(l.n, prober); summary != nil {
		all = append(all, summary)
	}
	return all
}

// summary is nil where nothing was seen.
func (w *Worker) summary(n int, prober *probe.Prober) *agentv1.ProbeSummary {
	s := prober.Summary()
	slot := w.host.Ledger.Slot(w.id)
	if s.Succeeded+s.Failed == 0 {
		return nil
	}
	return &agentv1.ProbeSummary{
		Installation: slot.Instances[n].Installation, StartTime: timestamppb.New(s.Start), EndTime: timestamppb.New(s.End),
		Succeeded: s.Succeeded, Failed: s.Failed, LatencySumUs: s.LatencySum.Microseconds(), LatencyMaxUs: s.LatencyMax.Microseconds(),
		LatencyCounts: s.Counts[:],
	}
}
