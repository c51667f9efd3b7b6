package program

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// The environment of a program in a slot.
const (
	envSlot      = "GOLIVE_AGENT_SLOT"
	envInstalled = "GOLIVE_AGENT_INSTALLED"
	envTrial     = "GOLIVE_AGENT_TRIAL"
)

const (
	// confirmed is what a program on trial says to the one before it.
	confirmed = "confirmed\n"
	// confirmFD is where; what was given as the standard input ends when the one before ends.
	confirmFD = 3
	// stopTime is how long a confirmed program has to end before the one before becomes it.
	stopTime = 20 * time.Second
	// versionTime is how long a program may take to say its version.
	versionTime = 10 * time.Second
	// tail is how much of what a failed program said is kept as the reason.
	tail = 500
)

// Self is what this process is.
type Self struct {
	Slot      Slot
	Installed string // stamp of the installed program
	Trial     bool
}

// Whoami reads it from the environment; a process without was started from what is installed.
func Whoami() (Self, error) {
	self := Self{Slot: Slot(os.Getenv(envSlot)), Installed: os.Getenv(envInstalled), Trial: os.Getenv(envTrial) != ""}
	for _, name := range []string{envSlot, envInstalled, envTrial} { // they are not for what it starts
		if err := os.Unsetenv(name); err != nil {
			return self, err
		}
	}
	if self.Trial {
		keepToSelf(confirmFD)
	}
	if self.Slot != Installed {
		return self, nil
	}
	path, err := os.Executable()
	if err != nil {
		return self, err
	}
	self.Installed, err = Stamp(path)
	return self, err
}

func (s Self) environ(slot Slot, trial bool) []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, envSlot+"=") && !strings.HasPrefix(e, envInstalled+"=") && !strings.HasPrefix(e, envTrial+"=") {
			env = append(env, e)
		}
	}
	env = append(env, envSlot+"="+string(slot), envInstalled+"="+s.Installed)
	if trial {
		env = append(env, envTrial+"=1")
	}
	return env
}

// Become replaces this process by the program of a slot, under the same process id. It returns only an error.
func (s *Store) Become(self Self, slot Slot, args []string) error {
	return replace(s.Path(slot), args, self.environ(slot, false))
}

// Version asks the program of a slot for its version, which also shows that it can be run here.
func (s *Store) Version(ctx context.Context, slot Slot) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, versionTime)
	defer cancel()
	for {
		out, err := exec.CommandContext(ctx, s.Path(slot), "version").Output() //nolint:gosec // it was verified
		if errors.Is(err, syscall.ETXTBSY) && ctx.Err() == nil {               // another fork still holds the descriptor that wrote it
			continue
		}
		if err != nil {
			return "", fmt.Errorf("the program cannot be run: %w", err)
		}
		fields := strings.Fields(string(out))
		if len(fields) == 0 {
			return "", errors.New("the program does not say its version")
		}
		return fields[len(fields)-1], nil
	}
}

// Try runs the trial as a child of this process until it is confirmed, and ends it. An error says why
// it is not; when it is that of ctx, nothing is known of the program.
func (s *Store) Try(ctx context.Context, self Self, trial *Trial, args []string, patience time.Duration) error {
	life, lifeline, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = lifeline.Close() }()
	word, report, err := os.Pipe()
	if err != nil {
		return errors.Join(err, life.Close())
	}
	defer func() { _ = word.Close() }()
	last := &lastWords{}
	child := exec.Command(s.Path(trial.Slot), args[1:]...) //nolint:noctx,gosec // it is ended in order, and was verified
	child.Env, child.Stdin, child.ExtraFiles = self.environ(trial.Slot, true), life, []*os.File{report}
	child.Stdout, child.Stderr = os.Stdout, io.MultiWriter(os.Stderr, last)
	err = child.Start()
	_, _ = life.Close(), report.Close()
	if err != nil {
		return fmt.Errorf("the program cannot be started: %w", err)
	}
	heard := make(chan struct{})
	go func() {
		if line, _ := bufio.NewReader(word).ReadString('\n'); line == confirmed {
			close(heard)
		}
	}()
	ended := make(chan struct{})
	go func() {
		_ = child.Wait() // ProcessState says how it ended
		close(ended)
	}()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	select {
	case <-ctx.Done():
		stop(child, ended)
		return ctx.Err()
	case <-heard:
		stop(child, ended)
		return nil
	case <-ended:
		return fmt.Errorf("it ended before it was welcomed, with %s%s", child.ProcessState, last)
	case <-deadline.C:
		stop(child, ended)
		return fmt.Errorf("it was not welcomed within %s%s", patience, last)
	}
}

// stop ends a process in order, and by force where it does not.
func stop(child *exec.Cmd, ended <-chan struct{}) {
	_ = child.Process.Signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(stopTime):
		_ = child.Process.Kill()
		<-ended
	}
}

// Announce tells the process before that this one, which is on trial, works.
func Announce() error {
	f := os.NewFile(confirmFD, "confirm")
	if f == nil {
		return errors.New("the process before does not listen")
	}
	_, err := f.WriteString(confirmed)
	return errors.Join(err, f.Close())
}

// Orphaned returns when the process before this one, which is on trial, is gone.
func Orphaned() { _, _ = io.Copy(io.Discard, os.Stdin) }

// lastWords keeps the end of what is written.
type lastWords struct{ b []byte }

func (l *lastWords) Write(p []byte) (int, error) {
	l.b = append(l.b, p...)
	if len(l.b) > tail {
		l.b = append([]byte(nil), l.b[len(l.b)-tail:]...)
	}
	return len(p), nil
}

func (l *lastWords) String() string {
	text := strings.TrimSpace(string(bytes.ToValidUTF8(l.b, nil)))
	if text == "" {
		return ""
	}
	return "; it said: " + text
}
