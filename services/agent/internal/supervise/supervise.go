// Package supervise is the agent's side of the shims: it starts them, finds
// those that outlived an agent, hears from them, and restores one that died.
//
// What is true stands in the run folder of a shim. The socket carries hints
// alone; who waits looks again by itself now and then.
package supervise

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golive-dev/golive/services/agent/internal/proc"
	"github.com/golive-dev/golive/services/agent/shim"
)

const (
	// startTimeout bounds how long a shim may take until it has written its state.
	startTimeout = 10 * time.Second
	// look is how often a state is read that should change at any moment; hints come first.
	look = 10 * time.Millisecond
	// margin is what a shim gets on top of the application's grace.
	margin = 2 * time.Second
	// restore bounds the pause before a shim that died is started again.
	restoreMin, restoreMax = 10 * time.Millisecond, 5 * time.Second
)

// ErrStop says that an application could not be stopped.
var ErrStop = errors.New("the application could not be stopped")

// Supervisor knows the shims of one agent.
type Supervisor struct {
	command []string // the shim and its first arguments
	socket  string
	hints   *hints

	mu     sync.Mutex
	shims  map[string]*Shim
	closed chan struct{}
	group  sync.WaitGroup
}

// New returns a supervisor that starts shims with a command, to which the run
// folder is appended, and listens on a socket file.
func New(command []string, socket string) (*Supervisor, error) {
	s := &Supervisor{command: command, socket: socket, shims: map[string]*Shim{}, closed: make(chan struct{})}
	var err error
	if s.hints, err = listen(socket); err != nil {
		return nil, fmt.Errorf("listen for shims on %s: %w", socket, err)
	}
	s.group.Go(func() { s.hints.read(s.hint) })
	return s, nil
}

// Program returns the shim's program with its first arguments.
func (s *Supervisor) Program() []string { return slices.Clone(s.command) }

// Socket is what a specification names as Notify.
func (s *Supervisor) Socket() string { return s.socket }

// Processes returns the applications that run, as far as they are known: all of one that has a
// control group, else the one that was started.
func (s *Supervisor) Processes() []int {
	s.mu.Lock()
	shims := slices.Collect(maps.Values(s.shims))
	s.mu.Unlock()
	var all []int
	for _, sh := range shims {
		if state, err := sh.State(); err == nil && state.App.PID != 0 {
			all = append(all, state.App.PID)
		}
		if spec, err := shim.ReadSpec(sh.dir); err == nil {
			all = append(all, spec.Group.Procs()...)
		}
	}
	return all
}

// Close stops watching. The shims and their applications go on.
func (s *Supervisor) Close() {
	close(s.closed)
	s.hints.close()
	s.mu.Lock()
	shims := slices.Collect(maps.Values(s.shims))
	s.mu.Unlock()
	for _, sh := range shims {
		sh.op.Lock()
		if sh.holding != nil {
			_ = sh.holding.process.Close() // ends the waiting
		}
		sh.op.Unlock()
	}
	s.group.Wait()
}

func (s *Supervisor) hint(dir string) {
	s.mu.Lock()
	sh := s.shims[dir]
	s.mu.Unlock()
	if sh != nil {
		sh.wake()
	}
}

// Shim is one shim that the agent watches.
type Shim struct {
	dir     string
	changed chan struct{}

	op      sync.Mutex // serialises starting, restoring and stopping
	holding *holding
	stopped bool // nobody may restore it
}

// holding is a shim's process and its end.
type holding struct {
	process *proc.Process
	ended   chan struct{} // closed when it has ended, or when the supervisor closes
	exit    proc.Exit
}

// Changed receives after the state may have changed.
func (sh *Shim) Changed() <-chan struct{} { return sh.changed }

// State reads what the shim wrote last.
func (sh *Shim) State() (shim.State, error) { return shim.ReadState(sh.dir) }

func (sh *Shim) wake() {
	select {
	case sh.changed <- struct{}{}:
	default:
	}
}

func (s *Supervisor) hold(sh *Shim, process *proc.Process) *holding {
	h := &holding{process: process, ended: make(chan struct{})}
	s.group.Go(func() {
		h.exit, _ = process.Wait()
		close(h.ended)
		sh.wake()
	})
	return h
}

func (s *Supervisor) lookup(dir string) *Shim {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh := s.shims[dir]
	if sh == nil {
		sh = &Shim{dir: dir, changed: make(chan struct{}, 1)}
		s.shims[dir] = sh
	}
	return sh
}

func (s *Supervisor) forget(sh *Shim) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.shims, sh.dir)
}

// Ensure makes sure that the shim of a run folder runs and is watched: one that
// runs is adopted, else one is started. It returns when its state is known.
func (s *Supervisor) Ensure(ctx context.Context, dir string) (*Shim, error) {
	sh := s.lookup(dir)
	sh.op.Lock()
	defer sh.op.Unlock()
	if sh.holding != nil {
		return sh, nil
	}
	if err := s.acquire(ctx, sh); err != nil {
		s.forget(sh)
		return nil, fmt.Errorf("start shim in %s: %w", dir, err)
	}
	s.group.Go(func() { s.watch(sh) })
	return sh, nil
}

// acquire adopts or starts until one of the two is done.
func (s *Supervisor) acquire(ctx context.Context, sh *Shim) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		process, err := adopt(sh.dir)
		if err == nil {
			sh.holding = s.hold(sh, process)
			return nil
		}
		if !shim.Held(sh.dir) {
			if err = s.spawn(ctx, sh); !errors.Is(err, shim.ErrHeld) {
				return err
			}
		}
		select { // somebody has the folder and has not written its number yet
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-sh.changed:
		case <-time.After(look):
		}
	}
}

// adopt takes hold of the shim that has the folder.
func adopt(dir string) (*proc.Process, error) {
	if !shim.Held(dir) {
		return nil, proc.ErrGone
	}
	state, err := shim.ReadState(dir)
	if err != nil {
		return nil, err
	}
	id, err := proc.Identify(state.Shim)
	if err != nil {
		return nil, err
	}
	process, err := proc.Open(id)
	if err != nil {
		return nil, err
	}
	// The holder of the lock writes its number first of all. If that number is still
	// written while we hold its pidfd and the lock is held, it is the holder's.
	again, err := shim.ReadState(dir)
	if err != nil || again.Shim != state.Shim || !shim.Held(dir) {
		_ = process.Close()
		return nil, proc.ErrGone
	}
	return process, nil
}

// spawn starts a shim and waits for its first word.
func (s *Supervisor) spawn(ctx context.Context, sh *Shim) error {
	diary, err := os.OpenFile(filepath.Join(sh.dir, "shim.log"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = diary.Close() }()
	process, err := proc.Start(append(slices.Clip(s.command), sh.dir), proc.Attr{
		Dir: "/", Env: []string{"GOMAXPROCS=1", proc.Marker + "=" + sh.dir}, Files: []*os.File{nil, diary, diary},
	})
	if err != nil {
		return err
	}
	sh.holding = s.hold(sh, process)
	for {
		state, err := shim.ReadState(sh.dir)
		if err == nil && state.Shim == process.PID() && state.Phase != shim.Starting {
			return nil
		}
		select {
		case <-sh.holding.ended:
			exit := sh.holding.exit
			sh.letGo()
			if exit.Code == shim.ExitHeld {
				return shim.ErrHeld
			}
			said, _ := os.ReadFile(diary.Name())
			return fmt.Errorf("the shim ended with %d: %s", exit.Code, strings.TrimSpace(string(said)))
		case <-ctx.Done():
			sh.letGo()
			return ctx.Err()
		case <-sh.changed:
		case <-time.After(look):
		}
	}
}

func (sh *Shim) letGo() {
	if sh.holding != nil {
		_ = sh.holding.process.Close()
		sh.holding = nil
	}
}

// watch waits for the end of a shim and restores it unless it was told to stop.
func (s *Supervisor) watch(sh *Shim) {
	pause := restoreMin
	for {
		sh.op.Lock()
		h, stopped := sh.holding, sh.stopped
		sh.op.Unlock()
		if stopped {
			return
		}
		if h != nil {
			since := time.Now()
			<-h.ended
			if time.Since(since) > restoreMax {
				pause = restoreMin
			}
		}
		select {
		case <-s.closed:
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, restoreMax)
		s.restore(sh)
	}
}

// restore starts a shim again that died, unless somebody stopped it meanwhile.
func (s *Supervisor) restore(sh *Shim) {
	sh.op.Lock()
	defer sh.op.Unlock()
	if sh.stopped {
		return
	}
	sh.letGo()
	if s.acquire(context.Background(), sh) == nil {
		sh.wake()
	}
}

// Stop stops the application of a run folder with all of its group, and its
// shim. Where nothing runs it does nothing. It takes at most the
// specification's grace and a margin.
func (s *Supervisor) Stop(ctx context.Context, dir string) error {
	spec, err := shim.ReadSpec(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	sh := s.lookup(dir)
	sh.op.Lock()
	defer sh.op.Unlock()
	sh.stopped = true
	defer s.forget(sh)
	if sh.holding == nil && shim.Held(dir) {
		if err := s.acquire(ctx, sh); err != nil {
			return err
		}
	}
	if h := sh.holding; h != nil {
		if err := h.process.Signal(stopSignal); err != nil && !errors.Is(err, proc.ErrGone) {
			_ = h.process.Signal(killSignal)
		}
		select {
		case <-h.ended:
		case <-time.After(spec.Grace + margin):
			_ = h.process.Signal(killSignal)
			<-h.ended
		}
		sh.letGo()
	}
	err = stopOrphan(dir, spec) // what a shim that died could not do
	spec.Group.Kill()
	_ = spec.Group.Remove() // an empty group does no harm
	return err
}

// stopOrphan ends an application whose shim is gone.
func stopOrphan(dir string, spec shim.Spec) error {
	state, err := shim.ReadState(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if state.Phase == shim.Starting {
		for _, id := range proc.Find(dir) {
			proc.KillGroup(id)
		}
		return nil
	}
	app, err := proc.Open(state.App)
	if state.App.PID == 0 || errors.Is(err, proc.ErrGone) {
		if state.App.PID > 1 && runtime.GOOS == "linux" {
			proc.KillGroup(state.App)
		}
		return nil
	}
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { _, _ = app.Wait(); close(ended) }()
	defer func() { _ = app.Close() }()
	if state.Phase != shim.Stopping {
		_ = proc.SignalGroup(state.App.PID, signalOf(spec.StopSignal))
	}
	select {
	case <-ended:
	case <-time.After(spec.Grace):
	}
	proc.KillGroup(state.App)
	select {
	case <-ended:
		return nil
	case <-time.After(margin):
		return ErrStop
	}
}
