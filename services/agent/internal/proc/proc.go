// Package proc starts, watches and ends processes in groups of their own.
//
// On Linux a process is held by a pidfd: a signal never reaches a stranger that
// inherited the number, and waiting for the end costs a poller's entry instead
// of a thread. Elsewhere the plain means of the os package do.
//
// The package imports the standard library alone and little of it: the shim,
// of which a host runs one for every application, is made of it.
package proc

import (
	"errors"
	"os"
	"time"
)

// Marker is the environment variable by which processes are found again whose
// number was lost, because whoever started them died before writing it down.
const Marker = "GOLIVE_PROCESS"

// Busy executables: a file that was just written may be held open by a child
// that another goroutine is forking at this moment (ETXTBSY, go issue 22315).
const (
	busyTries = 100
	busyPause = 10 * time.Millisecond
)

// ErrGone says that a process has ended, or that its number is now another's.
var ErrGone = errors.New("process is gone")

// ID names one process for ever, which its number alone does not.
type ID struct {
	PID int
	// Start is when it started, in the kernel's ticks since boot; 0 where the system does not tell.
	Start uint64
	// Boot is the boot of the machine it belongs to; empty where the system does not tell.
	Boot string
}

// Exit is how a process ended.
type Exit struct {
	// Code is its exit code; -1 when a signal ended it or when nobody can know.
	Code int
	// Signal is the signal that ended it, or 0.
	Signal int
}

// Attr says how to start a process.
type Attr struct {
	Dir   string
	Env   []string
	Files []*os.File // standard input, output and error; nil is the null device
	// DieWithParent kills the process when the thread that started it ends.
	// The caller must keep its goroutine locked to that thread meanwhile.
	DieWithParent bool
	// Group is the folder of the version 2 control group that it starts in; nil for that of its parent.
	Group *os.File
}

// Start starts a program in a session and a process group of its own, whose
// number is that of the process. A busy executable is tried again for a second.
func Start(argv []string, attr Attr) (*Process, error) {
	for try := 0; ; try++ {
		p, err := start(argv, attr)
		if err == nil || try == busyTries || !busy(err) {
			return p, err
		}
		<-time.After(busyPause)
	}
}

// stdio completes a list of standard files with the null device.
func stdio(given []*os.File) (files []*os.File, null *os.File, err error) {
	null, err = os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, nil, err
	}
	files = []*os.File{null, null, null}
	for i, f := range given {
		if f != nil {
			files[i] = f
		}
	}
	return files, null, nil
}
