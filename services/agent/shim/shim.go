// Package shim keeps one application running, apart from the agent.
//
// The agent starts one shim for each application and may then die: the shim
// goes on, starts the application again when it ends, takes its output, and is
// found again by the next agent. All that the two share is a run folder:
//
//	spec    what to run; written by the agent before it starts the shim
//	lock    held by the living shim: an application is never started twice
//	state   what happened; replaced by the shim at every change
//	out err pipes that outlive the shim, so that its death does not break the application's output
//
// SIGTERM tells the shim to stop the application and end. A shim that finds
// the application of a dead predecessor still running adopts it.
//
// The package imports as little as it can, because a host runs many of it.
package shim

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/golive-dev/golive/services/agent/internal/proc"
)

// The exit codes of a shim.
const (
	ExitOK     = 0
	ExitFailed = 1
	ExitUsage  = 2
	ExitHeld   = 75 // another shim has the folder
	ExitStage  = 76 // the application could not be limited or started
)

// garbage is how much the heap of a shim may grow, in percent; it is small anyway.
const garbage = 10

// Main runs the shim of a run folder until it is told to stop. It returns the exit code.
func Main(args []string, stderr io.Writer) int {
	if len(args) == 2 && args[0] == stageCommand {
		_, _ = fmt.Fprintln(stderr, "golive-shim:", stage(args[1])) // it returns only when it fails
		return ExitStage
	}
	if len(args) == 2 && args[0] == forwardCommand {
		if err := (Forwarder{Dir: args[1]}).run(); err != nil {
			_, _ = fmt.Fprintln(stderr, "golive-shim:", err)
			return ExitFailed
		}
		return ExitOK
	}
	if len(args) != 1 {
		_, _ = fmt.Fprintln(stderr, "usage: golive-shim RUN-FOLDER (it is started by golive-agent)")
		return ExitUsage
	}
	debug.SetGCPercent(garbage)
	lock, err := Acquire(args[0])
	if errors.Is(err, ErrHeld) {
		return ExitHeld
	}
	if err == nil {
		defer func() { _ = lock.Close() }()
		err = run(args[0])
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "golive-shim:", err)
		return ExitFailed
	}
	return ExitOK
}

// shim is one at work.
type shim struct {
	dir   string
	spec  Spec
	state State
	out   *capture
	err   *capture

	app    *proc.Process    // nil while none runs
	exited chan proc.Exit   // from the one goroutine that waits for app
	retry  <-chan time.Time // when to start it again
	kill   <-chan time.Time // when its grace ends
	tries  int              // exits in a row without a steady run between
	killed int64            // processes of the group that had run out of memory before app was started
}

func run(dir string) error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	signal.Ignore(syscall.SIGHUP)

	spec, err := ReadSpec(dir)
	if err != nil {
		return err
	}
	s := &shim{dir: dir, spec: spec, exited: make(chan proc.Exit, 1)}
	if s.out, err = s.capture("out", spec.Stdout); err != nil {
		return err
	}
	if s.err, err = s.capture("err", spec.Stderr); err != nil {
		return err
	}
	if err := s.begin(); err != nil {
		return err
	}
	for s.state.Phase != Stopped {
		select {
		case exit := <-s.exited:
			err = s.ended(exit)
		case <-s.retry:
			s.state.Restarts++
			err = s.launch()
		case <-stop:
			err = s.stop()
		case <-s.kill:
			proc.KillGroup(s.state.App)
			s.spec.Group.Kill()
		}
		if err != nil {
			return err // without its state written down a shim must not go on
		}
	}
	return nil
}

func (s *shim) capture(pipe, path string) (*capture, error) {
	log, err := openRing(path, s.spec.LogLimit, s.spec.LogFiles)
	if err != nil {
		return nil, err
	}
	return openCapture(s.dir, pipe, log)
}

// begin adopts the application of a dead predecessor, or starts it.
func (s *shim) begin() error {
	before, err := ReadState(s.dir)
	if err != nil || before.Phase == Stopped {
		return s.launch()
	}
	if before.Phase == Starting {
		// The predecessor died between fork and writing the number down. Whatever it
		// started is moments old and found by its marker: end it, so that one runs.
		for _, id := range proc.Find(s.dir) {
			if id.PID != os.Getpid() {
				proc.KillGroup(id)
			}
		}
		s.spec.Group.Kill()
		return s.launch()
	}
	s.state = before
	if before.Phase == Backoff {
		return s.pause()
	}
	if app, err := proc.Open(before.App); err == nil {
		s.killed = s.spec.Group.Killed()
		return s.hold(app)
	}
	proc.KillGroup(before.App) // what the leader may have left
	s.spec.Group.Kill()
	if before.Phase == Stopping || before.App.Boot != proc.BootID() {
		return s.launch() // it did not fail: it was stopped, or the machine was
	}
	return s.ended(proc.Exit{Code: -1})
}

// launch starts the application. That it will is written down before, so that
// a successor knows to look for what it cannot know.
func (s *shim) launch() error {
	s.retry = nil
	s.state.Phase, s.state.App, s.state.Err, s.state.Started, s.state.OutOfMemory = Starting, proc.ID{}, "", time.Now(), false
	if err := s.save(); err != nil {
		return err
	}
	app, err := s.start()
	if err != nil {
		s.state.Err, s.state.Exited, s.state.Exit = err.Error(), time.Now(), proc.Exit{Code: -1}
		return s.pause()
	}
	if id, err := proc.Identify(app.PID()); err == nil {
		s.state.App = id
	} else { // it has ended already, and waits to be reaped
		s.state.App = proc.ID{PID: app.PID(), Boot: proc.BootID()}
	}
	return s.hold(app)
}

// hold watches a running application.
func (s *shim) hold(app *proc.Process) error {
	s.app = app
	go func() {
		exit, err := app.Wait()
		if err != nil {
			exit = proc.Exit{Code: -1}
		}
		s.exited <- exit
	}()
	if s.state.Phase == Stopping {
		return s.stop()
	}
	s.state.Phase = Running
	return s.save()
}

// ended takes note of the end of the application and plans what follows.
func (s *shim) ended(exit proc.Exit) error {
	s.out.drain()
	s.err.drain()
	if s.app != nil {
		_ = s.app.Close()
		s.app = nil
	}
	proc.KillGroup(s.state.App)
	s.state.OutOfMemory = s.spec.Group.Killed() > s.killed
	s.spec.Group.Kill()
	s.state.Exit, s.state.Exited, s.state.App = exit, time.Now(), proc.ID{}
	if s.state.Phase == Stopping {
		return s.end()
	}
	if s.state.Exited.Sub(s.state.Started) >= s.spec.Steady {
		s.tries = 0
	}
	return s.pause()
}

// pause waits before the application is started again.
func (s *shim) pause() error {
	s.state.Phase = Backoff
	wait := s.spec.BackoffMin << min(s.tries, 16)
	s.tries++
	s.retry = time.After(min(wait, s.spec.BackoffMax))
	return s.save()
}

// stop asks the application to end and sets its deadline.
func (s *shim) stop() error {
	if s.app == nil {
		s.retry = nil
		return s.end()
	}
	if s.kill == nil {
		s.kill = time.After(s.spec.Grace)
	}
	_ = proc.SignalGroup(s.state.App.PID, syscall.Signal(s.spec.StopSignal))
	s.state.Phase = Stopping
	return s.save()
}

// end is the end: nothing of the application is left.
func (s *shim) end() error {
	_ = s.spec.Group.Remove() // an empty group does no harm
	s.state.Phase = Stopped
	return s.save()
}

func (s *shim) save() error {
	s.state.Shim = os.Getpid()
	if err := s.state.write(s.dir); err != nil {
		return err
	}
	notify(s.spec.Notify, s.dir)
	return nil
}
