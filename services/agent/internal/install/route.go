package install

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent/internal/hook"
	"github.com/golive-dev/golive/services/agent/internal/ledger"
	"github.com/golive-dev/golive/services/agent/shim"
)

const (
	// bindPatience is how long a forwarder may take until it listens.
	bindPatience = 5 * time.Second
	// forwardGrace is what connections get when the forwarder goes.
	forwardGrace = 2 * time.Second
	// forwardRetry bounds the pause before a forwarder that ended is started again.
	forwardRetryMin, forwardRetryMax = 10 * time.Millisecond, time.Second
)

// freePort returns the port of a new instance: of the two of its release the one that the live version does not use.
func (w *Worker) freePort(workload *agentv1.Workload) int {
	for _, port := range workload.GetRun().GetBlueGreen().GetPorts() {
		if int(port) != w.slot.Instances[w.slot.Live].Port {
			return int(port)
		}
	}
	return 0
}

func (w *Worker) port(n int) int { return w.slot.Instances[n].Port }

// besides tells whether two instances can run side by side.
func (w *Worker) besides(a, b int) bool {
	return a != b && w.port(a) != 0 && w.port(b) != 0 && w.port(a) != w.port(b)
}

// route points traffic at an instance that is healthy; 0, or one without a port of its own, ends
// the handing on. Done twice it comes out the same.
func (w *Worker) route(ctx context.Context, n int) error {
	if n == 0 || w.port(n) == 0 {
		w.slot.Routed = 0
		return w.closeForwarder(ctx)
	}
	instance, workload, err := w.load(n)
	if err != nil {
		return err
	}
	rule := workload.GetRun().GetBlueGreen()
	w.slot.Routed = n
	if rule.GetListen() == "" {
		if err := w.closeForwarder(ctx); err != nil {
			return err
		}
		return w.switchBy(ctx, n, instance.Switch, instance.Dir, instance.Env, rule.GetSwitch())
	}
	return w.forward(ctx, rule.GetListen(), net.JoinHostPort("127.0.0.1", strconv.Itoa(w.port(n))))
}

// vacate ends the handing on before an instance starts that takes its connections itself.
func (w *Worker) vacate(ctx context.Context, n int) error {
	if w.port(n) != 0 {
		return nil
	}
	w.slot.Routed = 0
	return w.closeForwarder(ctx)
}

// switchBy points traffic by the release's command.
func (w *Worker) switchBy(ctx context.Context, n int, argv []string, dir string, env []string, spec *deploymentv1.Hook) error {
	var last string
	err := hook.Run(ctx, hook.Command{
		Argv: argv, Dir: dir, Env: env, Marker: w.marker(n), Timeout: orElse(spec.GetTimeout(), defaultHookTimeout),
	}, func(line string) { last = line })
	if err != nil {
		return &failure{cause: "SWITCH_FAILED", err: fmt.Errorf("switch to port %d: %w: %s", w.port(n), err, last)}
	}
	return nil
}

func (w *Worker) forwarder() shim.Forwarder { return shim.Forwarder{Dir: w.place.Forward()} }

// forward makes the forwarder run and sends new connections to an address.
func (w *Worker) forward(ctx context.Context, listen, target string) error {
	f := w.forwarder()
	if before := f.Listens(); before != "" && before != listen {
		if err := w.closeForwarder(ctx); err != nil {
			return err
		}
	}
	if f.Listens() == "" {
		if err := w.openForwarder(f, listen, target); err != nil {
			return err
		}
	}
	// Where it listens already, this is the switch: all of it, or nothing.
	if err := f.Point(target); err != nil {
		return err
	}
	return w.bound(ctx, f)
}

func (w *Worker) openForwarder(f shim.Forwarder, listen, target string) error {
	program := w.host.Supervisor.Program()
	spec := shim.Spec{
		Argv: append(slices.Clip(program), f.Args()...), Dir: "/", Env: []string{"GOMAXPROCS=2"},
		StopSignal: int(syscall.SIGTERM), Grace: forwardGrace, Stdout: w.place.ForwardLog(), Stderr: w.place.ForwardLog(), LogLimit: forwardLogLimit,
		BackoffMin: forwardRetryMin, BackoffMax: forwardRetryMax, Steady: steady, Notify: w.host.Supervisor.Socket(),
	}
	if err := spec.Write(f.Dir); err != nil {
		return err
	}
	if err := f.Point(target); err != nil {
		return err
	}
	return f.Listen(listen) // last: what has it is whole
}

// forwardLogLimit bounds what a forwarder has to say.
const forwardLogLimit = 64 << 10

// bound waits until the forwarder takes connections.
func (w *Worker) bound(ctx context.Context, f shim.Forwarder) error {
	sh, err := w.host.Supervisor.Ensure(ctx, f.Dir)
	if err != nil {
		return &failure{cause: "SWITCH_FAILED", err: err}
	}
	deadline := time.After(bindPatience)
	for {
		state, err := sh.State()
		if err == nil && state.Phase == shim.Running && f.Bound() == state.App.PID {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-deadline:
			said, _ := tailOf(w.place.ForwardLog(), tailBytes)
			return &failure{cause: "SWITCH_FAILED", err: fmt.Errorf("the forwarder cannot take connections on %s: %s", f.Listens(), lastLine(said))}
		case <-sh.Changed():
		case <-time.After(boundLook):
		}
	}
}

// boundLook is how often the forwarder is looked at, which tells nobody that it listens.
const boundLook = 2 * time.Millisecond

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// closeForwarder ends the forwarder if there is one.
func (w *Worker) closeForwarder(ctx context.Context) error {
	f := w.forwarder()
	if _, err := os.Stat(f.Dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err := w.host.Supervisor.Stop(ctx, f.Dir); err != nil {
		return err
	}
	return f.Remove()
}

// keepForwarder makes the forwarder that an earlier agent started be watched again.
func (w *Worker) keepForwarder(ctx context.Context) error {
	f := w.forwarder()
	if f.Listens() == "" {
		return nil
	}
	if w.slot.Phase == ledger.Idle && w.port(w.slot.Live) != 0 { // others may have changed where it points
		return w.route(ctx, w.slot.Live)
	}
	_, err := w.host.Supervisor.Ensure(ctx, f.Dir)
	return err
}
