// Package service drives a service that is on the host and that something else
// supervises: a systemd unit, or a process behind commands that start, stop and ask.
package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/golive-dev/golive/services/agent/internal/hook"
)

// Status is how a service stands.
type Status int

// The statuses.
const (
	// Unknown is when it could not be asked, or is on its way from one to another.
	Unknown Status = iota
	Running
	// Stopped is when it was stopped as somebody told it.
	Stopped
	// Failed is when it ended by itself, or when its manager cannot tell.
	Failed
)

// String returns the status in a word.
func (s Status) String() string {
	return [...]string{"in a state that is not known", "running", "stopped", "not running"}[s]
}

// Manager is who supervises a service. Each call returns when it is done.
type Manager interface {
	// Name names the service for people.
	Name() string
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	// Status asks; an error means that nobody answered.
	Status(ctx context.Context) (Status, error)
}

// How long systemctl may take. A unit's own deadlines are shorter, unless somebody made them longer.
const (
	unitPatience = 5 * time.Minute
	askPatience  = 10 * time.Second
)

// Unit is a systemd unit. Whoever runs the agent must be allowed to manage it.
type Unit struct {
	Unit string
	// Env is systemctl's environment, and Marker finds what is left of it when the agent dies.
	Env    []string
	Marker string
}

// Name implements Manager.
func (u Unit) Name() string { return u.Unit }

// Start implements Manager.
func (u Unit) Start(ctx context.Context) error {
	_, err := u.systemctl(ctx, unitPatience, "start")
	return err
}

// Stop implements Manager.
func (u Unit) Stop(ctx context.Context) error {
	_, err := u.systemctl(ctx, unitPatience, "stop")
	return err
}

// Status implements Manager.
func (u Unit) Status(ctx context.Context) (Status, error) {
	word, err := u.systemctl(ctx, askPatience, "is-active")
	if _, ended := errors.AsType[*hook.ExitError](err); err != nil && !ended {
		return Unknown, err
	}
	switch word { // it says so with exit codes besides, which differ by version
	case "active", "reloading", "refreshing":
		return Running, nil
	case "inactive":
		return Stopped, nil
	case "failed":
		return Failed, nil
	case "activating", "deactivating", "maintenance":
		return Unknown, nil
	}
	return Unknown, fmt.Errorf("systemctl is-active %s: %w: %s", u.Unit, err, word)
}

// systemctl returns the last line that it said.
func (u Unit) systemctl(ctx context.Context, patience time.Duration, verb string) (string, error) {
	program, err := exec.LookPath("systemctl")
	if err != nil {
		return "", fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	}
	return run(ctx, hook.Command{
		Argv: []string{program, "--no-ask-password", verb, u.Unit}, Dir: "/", Env: u.Env, Marker: u.Marker, Timeout: patience,
	})
}

// Commands are a process behind commands.
type Commands struct{ StartWith, StopWith, AskWith hook.Command }

// Name implements Manager.
func (c Commands) Name() string { return strings.Join(c.StartWith.Argv, " ") }

// Start implements Manager.
func (c Commands) Start(ctx context.Context) error {
	_, err := run(ctx, c.StartWith)
	if err != nil && c.StartWith.Leave != nil {
		err = fmt.Errorf("%w%s", err, lastWords(c.StartWith.Leave.Name()))
	}
	return err
}

// lastWords returns the last line of a file.
func lastWords(path string) string {
	const most = 2 << 10
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Seek(-most, io.SeekEnd); err != nil { // it is shorter
		_, _ = f.Seek(0, io.SeekStart)
	}
	text, _ := io.ReadAll(io.LimitReader(f, most)) // what can be read
	said := strings.TrimSpace(string(text))
	return said[strings.LastIndexByte(said, '\n')+1:]
}

// Stop implements Manager.
func (c Commands) Stop(ctx context.Context) error {
	_, err := run(ctx, c.StopWith)
	return err
}

// Status implements Manager.
func (c Commands) Status(ctx context.Context) (Status, error) {
	_, err := run(ctx, c.AskWith)
	if err == nil {
		return Running, nil
	}
	if _, ended := errors.AsType[*hook.ExitError](err); ended {
		return Failed, nil
	}
	return Unknown, err
}

// run runs a command and returns the last line that it said, with which an error ends, too.
func run(ctx context.Context, command hook.Command) (string, error) {
	var last string
	err := hook.Run(ctx, command, func(line string) {
		if line = strings.TrimSpace(line); line != "" {
			last = line
		}
	})
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", strings.Join(command.Argv, " "), err, last)
	}
	return last, err
}
