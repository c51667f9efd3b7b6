//go:build !linux

package proc

import (
	"errors"
	"os"
	"sync"
	"syscall"
)

// Process is a running process, a child or not.
type Process struct {
	process *os.Process
	once    sync.Once
	closed  chan struct{}
}

func start(argv []string, attr Attr) (*Process, error) {
	files, null, err := stdio(attr.Files)
	if err != nil {
		return nil, err
	}
	defer func() { _ = null.Close() }()
	p, err := os.StartProcess(argv[0], argv, &os.ProcAttr{Dir: attr.Dir, Env: attr.Env, Files: files, Sys: ownGroup()})
	if err != nil {
		return nil, err
	}
	return &Process{process: p, closed: make(chan struct{})}, nil
}

// Open takes hold of a process that somebody else started.
func Open(id ID) (*Process, error) {
	p, err := os.FindProcess(id.PID)
	if err != nil {
		return nil, ErrGone
	}
	return &Process{process: p, closed: make(chan struct{})}, nil
}

// PID returns the number of the process.
func (p *Process) PID() int { return p.process.Pid }

// Wait waits for the end. After Close the error is os.ErrClosed.
func (p *Process) Wait() (Exit, error) {
	type result struct {
		exit Exit
		err  error
	}
	done := make(chan result, 1)
	go func() {
		state, err := p.process.Wait()
		if err != nil {
			done <- result{err: err}
			return
		}
		done <- result{exit: Exit{Code: state.ExitCode()}}
	}()
	select {
	case r := <-done:
		return r.exit, r.err
	case <-p.closed:
		return Exit{}, os.ErrClosed
	}
}

// Signal sends a signal to the process alone.
func (p *Process) Signal(sig syscall.Signal) error {
	err := p.process.Signal(sig)
	if errors.Is(err, os.ErrProcessDone) {
		return ErrGone
	}
	return err
}

// Close lets the process go, and ends Wait.
func (p *Process) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// KillGroup ends the process and, where there are groups, its group.
func KillGroup(id ID) { _ = SignalGroup(id.PID, syscall.SIGKILL) }

// Identify returns what is known of a process: its number.
func Identify(pid int) (ID, error) { return ID{PID: pid}, nil }

// Alive tells whether the process can be found.
func (id ID) Alive() bool { return found(id.PID) }

// Held is not known here.
func (id ID) Held() bool { return false }

// BootID is not known here.
func BootID() string { return "" }

// Find finds nothing here.
func Find(string) []ID { return nil }
