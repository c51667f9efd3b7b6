// Package hook runs a command of a release with a deadline, at which all of its
// process group is killed. Its output is passed on line by line, in limits.
package hook

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/golive-dev/golive/services/agent/internal/proc"
)

// The ways to fail; a [*ExitError] besides.
var (
	ErrTimeout = errors.New("the command did not end in time and was killed")
	ErrStart   = errors.New("the command cannot be started")
)

// ExitError says that the command ended with other than 0.
type ExitError struct{ Exit proc.Exit }

// Error implements error.
func (e *ExitError) Error() string {
	if e.Exit.Signal != 0 {
		return fmt.Sprintf("the command was ended by signal %d", e.Exit.Signal)
	}
	return fmt.Sprintf("the command ended with exit code %d", e.Exit.Code)
}

// Command is what to run.
type Command struct {
	Argv    []string
	Dir     string
	Env     []string
	Marker  string // finds what is left of it when the agent dies
	Timeout time.Duration
	// Leave takes the output of a command that leaves processes behind, which go on when it
	// ends with 0 and may hold it open. Without it nothing of the command's group is left.
	Leave *os.File
}

const (
	maxLine = 4096
	// drain is how long output is awaited after the end; a child left behind may hold the pipe.
	drain = time.Second
)

// Run runs a command to its end. lines is called for each line of its output.
// Nothing of its group is left when Run returns, but for Leave.
func Run(ctx context.Context, c Command, lines func(string)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.Timeout, ErrTimeout)
	defer cancel()
	if c.Leave != nil {
		process, err := begin(c, c.Leave)
		if err != nil {
			return err
		}
		defer func() { _ = process.Close() }()
		exit, err := wait(ctx, process, true)
		return verdict(ctx, exit, err)
	}
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()

	// The kernel kills the command when this thread ends, which is when the agent dies.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	process, err := begin(c, in)
	_ = in.Close()
	if err != nil {
		return err
	}
	defer func() { _ = process.Close() }()
	read := make(chan struct{})
	go func() { defer close(read); scan(out, lines) }()
	exit, err := wait(ctx, process, false)
	_ = out.SetReadDeadline(time.Now().Add(drain))
	<-read
	return verdict(ctx, exit, err)
}

func begin(c Command, out *os.File) (*proc.Process, error) {
	process, err := proc.Start(c.Argv, proc.Attr{
		Dir: c.Dir, Env: append(slices.Clip(c.Env), proc.Marker+"="+c.Marker),
		Files: []*os.File{nil, out, out}, DieWithParent: c.Leave == nil,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStart, err)
	}
	return process, nil
}

func verdict(ctx context.Context, exit proc.Exit, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	if exit.Code != 0 {
		return &ExitError{Exit: exit}
	}
	return nil
}

// wait waits for the end and kills the group when the context ends, or what the command left of it.
func wait(ctx context.Context, process *proc.Process, leave bool) (proc.Exit, error) {
	id, err := proc.Identify(process.PID())
	if err != nil { // it has ended already
		id = proc.ID{PID: process.PID(), Boot: proc.BootID()}
	}
	stop := context.AfterFunc(ctx, func() { proc.KillGroup(id) })
	defer stop()
	exit, err := process.Wait()
	if !leave || exit.Code != 0 || err != nil {
		proc.KillGroup(id)
	}
	return exit, err
}

// scan splits output into lines of limited length.
func scan(out io.Reader, line func(string)) {
	in := bufio.NewReaderSize(out, maxLine)
	for {
		text, _, err := in.ReadLine()
		if err != nil {
			return
		}
		line(string(text))
	}
}

// Sweep kills what is left of a command whose agent died.
func Sweep(marker string) {
	for _, id := range proc.Find(marker) {
		proc.KillGroup(id)
	}
}
