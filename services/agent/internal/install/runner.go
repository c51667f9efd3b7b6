package install

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent/internal/hook"
	"github.com/golive-dev/golive/services/agent/internal/render"
	"github.com/golive-dev/golive/services/agent/internal/service"
	"github.com/golive-dev/golive/services/agent/shim"
)

// runner is what keeps an instance running: a shim of the agent's, or a service of the host's.
type runner interface {
	// State is read anew with every call.
	State() (shim.State, error)
	// Changed receives after the state may have changed.
	Changed() <-chan struct{}
}

// start makes an instance run that is not live yet, and watches it. A service that is adopted
// is left as it is: it must run already.
func (w *Worker) start(ctx context.Context, n int, adopt bool) error {
	instance, workload, err := w.load(n)
	if err != nil {
		return &failure{cause: "START_FAILED", err: err}
	}
	if workload.GetRun().GetExternal() != nil {
		if err := w.startService(ctx, n, instance, workload, adopt); err != nil {
			return &failure{cause: "START_FAILED", err: err}
		}
	}
	_, err = w.watch(ctx, n)
	return err
}

// halt makes an instance not run any more. Where it does not run it does nothing.
func (w *Worker) halt(ctx context.Context, n int) error {
	instance, workload, err := w.load(n)
	if err == nil && workload.GetRun().GetExternal() != nil {
		manager, done, err := w.manager(n, instance, workload)
		if err != nil {
			return err
		}
		defer done()
		return stopService(ctx, manager)
	}
	return w.host.Supervisor.Stop(ctx, w.place.Run(n)) // it needs no more than the run folder
}

// manager returns who supervises an instance's service, and what to call when it is not needed any more.
func (w *Worker) manager(n int, instance *render.Instance, workload *agentv1.Workload) (m service.Manager, done func(), err error) {
	external := workload.GetRun().GetExternal()
	if unit := external.GetSystemdUnit(); unit != "" {
		return service.Unit{Unit: unit, Env: instance.Env, Marker: w.marker(n)}, func() {}, nil
	}
	// What a service says that was started by a command goes where its start said it.
	out, err := os.OpenFile(w.place.Stdout(n), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nil, err
	}
	command := func(argv []string, spec *deploymentv1.Hook) hook.Command {
		return hook.Command{
			Argv: argv, Dir: instance.Dir, Env: instance.Env, Marker: w.marker(n), Timeout: orElse(spec.GetTimeout(), defaultHookTimeout),
		}
	}
	c := external.GetCommands()
	commands := service.Commands{
		StartWith: command(instance.Start, c.GetStart()), StopWith: command(instance.Stop, c.GetStop()), AskWith: command(instance.Status, c.GetStatus()),
	}
	commands.StartWith.Leave = out
	return commands, func() { _ = out.Close() }, nil
}

// startService starts a service anew, so that it takes the release's configuration.
func (w *Worker) startService(ctx context.Context, n int, instance *render.Instance, workload *agentv1.Workload, adopt bool) error {
	manager, done, err := w.manager(n, instance, workload)
	if err != nil {
		return err
	}
	defer done()
	if adopt {
		status, err := manager.Status(ctx)
		if err == nil && status != service.Running {
			err = fmt.Errorf("it is to be adopted, but %s is %v; start it, or do without adopt", manager.Name(), status)
		}
		return err
	}
	if err := stopService(ctx, manager); err != nil {
		return err
	}
	return manager.Start(ctx)
}

// stopService stops a service that runs, or of which nobody knows.
func stopService(ctx context.Context, manager service.Manager) error {
	status, err := manager.Status(ctx)
	if err == nil && (status == service.Stopped || status == service.Failed) {
		return nil
	}
	if err := manager.Stop(ctx); err != nil {
		return &failure{cause: "STOP_FAILED", err: err}
	}
	status, err = manager.Status(ctx)
	if err == nil && status == service.Running {
		return &failure{cause: "STOP_FAILED", err: fmt.Errorf("%s was stopped and runs still", manager.Name())}
	}
	return nil
}

// adopts tells whether a workload takes over what runs already: only where the agent runs nothing yet.
func (w *Worker) adopts(workload *agentv1.Workload) bool {
	return workload.GetRun().GetExternal().GetAdopt() && w.slot.Live == 0 && w.slot.Back == 0
}

// external watches a service by asking its manager at an interval.
type external struct {
	manager service.Manager
	changed chan struct{}
	cancel  context.CancelFunc
	group   sync.WaitGroup

	mu     sync.Mutex
	state  shim.State
	status service.Status
	err    error // why nobody answers
}

// outage is how often in a row nobody may answer before the service counts as ended.
const outage = 3

func watchService(ctx context.Context, manager service.Manager, interval time.Duration, done func()) *external {
	ctx, cancel := context.WithCancel(ctx)
	e := &external{manager: manager, changed: make(chan struct{}, 1), cancel: cancel, state: shim.State{Phase: shim.Running, Started: time.Now()}}
	e.group.Go(func() {
		defer done()
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		silent := 0
		for {
			status, err := manager.Status(ctx)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				silent++
			} else {
				silent = 0
			}
			e.note(status, err, silent)
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	})
	return e
}

// note keeps an answer. That nobody knows changes nothing, unless it lasts.
func (e *external) note(status service.Status, err error, silent int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.err = err
	if status == service.Unknown && silent < outage {
		return
	}
	if status == e.status {
		return
	}
	runs, ran := status == service.Running, e.state.Phase == shim.Running
	switch {
	case runs && !ran:
		e.state.Phase, e.state.Started = shim.Running, time.Now()
		e.state.Restarts++
	case !runs && ran:
		e.state.Phase, e.state.Exited, e.state.Exit.Code = shim.Backoff, time.Now(), -1
	}
	e.status = status
	select {
	case e.changed <- struct{}{}:
	default:
	}
}

// State implements runner.
func (e *external) State() (shim.State, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state, nil
}

// Changed implements runner.
func (e *external) Changed() <-chan struct{} { return e.changed }

// ended says why the service does not run.
func (e *external) ended() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	err := e.err
	if err == nil {
		err = errors.New(e.status.String())
	}
	return &failure{cause: "CRASHED", err: fmt.Errorf("%s is not running: %w", e.manager.Name(), err)}
}

// stoppedByOthers tells whether somebody stopped it who is not the agent.
func (e *external) stoppedByOthers() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.status == service.Stopped
}

func (e *external) stop() {
	e.cancel()
	e.group.Wait()
}
