package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	"github.com/golive-dev/golive/services/agent/internal/ledger"
	"github.com/golive-dev/golive/services/agent/internal/program"
)

const (
	// defaultTrial is how long a new program has to be welcomed.
	defaultTrial = 2 * time.Minute
	// handover is how long a process waits for the one before to let go of the data folder.
	handover = 10 * time.Second
	// programPatience is how long the download of a program may make no progress.
	programPatience = time.Minute
)

// errProgram ends an agent whose successor is ready.
var errProgram = errors.New("another program of the agent is ready")

// updater is how an agent replaces its own program.
type updater struct {
	slots *program.Store
	self  program.Self
}

// Work runs an agent with all that concerns its own program: args are those of this process, with which
// the program of a slot is started. It tries what was staged, becomes what was confirmed, and runs the
// agent from the program that this process is. The applications know nothing of it: their shims are processes of their own.
func Work(ctx context.Context, config Config, args []string) error {
	config = config.withDefaults()
	self, err := program.Whoami()
	if err != nil {
		return fmt.Errorf("find the agent's program: %w", err)
	}
	config.updater = &updater{slots: program.Open(config.DataDir), self: self}
	if self.Trial {
		return config.updater.prove(ctx, config)
	}
	for {
		if err := config.updater.choose(ctx, config, args); err != nil {
			return err
		}
		if err := runOnce(ctx, config); !errors.Is(err, errProgram) {
			return err
		}
	}
}

// choose tries a program that is staged, and becomes the current one if that is another. It returns when this one is to run.
func (u *updater) choose(ctx context.Context, config Config, args []string) error {
	trial, err := u.slots.Begin()
	if err != nil {
		return err
	}
	if trial != nil {
		config.Logger.Info("trying another program of the agent", zap.String("version", trial.Version))
		err := u.slots.Try(ctx, u.self, trial, args, config.Trial)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the agent ends; the trial begins anew with the next
		}
		if err != nil {
			config.Logger.Error("the new program of the agent does not work; going on with the one before", zap.String("version", trial.Version), zap.Error(err))
			if err := u.slots.Fail(err.Error()); err != nil {
				return err
			}
		}
	}
	state, err := u.slots.Load()
	if err != nil || state.Current == u.self.Slot {
		return err
	}
	if u.self.Slot == program.Installed && state.Installed != u.self.Installed {
		config.Logger.Info("another program of the agent was installed on this host; it is run from now on")
		return u.slots.Forget()
	}
	err = u.slots.Become(u.self, state.Current, args)
	config.Logger.Error("the program of the agent cannot be run; going on with this one", zap.Error(err))
	return nil
}

// prove is an agent on trial: it works, and its first Welcome confirms it.
func (u *updater) prove(ctx context.Context, config Config) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		program.Orphaned()
		cancel()
	}()
	return runOnce(ctx, config)
}

// runOnce runs an agent once the one before has let go of the folder.
func runOnce(ctx context.Context, config Config) error {
	state, err := config.updater.slots.Load()
	if err != nil {
		return err
	}
	patience := time.Duration(0)
	if state.Trial != nil {
		patience = handover
	}
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		a, err := New(config)
		if err == nil {
			return a.Run(ctx)
		}
		if !errors.Is(err, ErrRunning) {
			return err
		}
		select {
		case <-deadline:
			return err
		case <-tick.C:
		}
	}
}

// welcomed confirms a program on trial.
func (u *updater) welcomed() error {
	if u == nil || !u.self.Trial {
		return nil
	}
	state, err := u.slots.Load()
	if err != nil || state.Trial == nil {
		return err
	}
	if err := u.slots.Confirm(u.self.Installed); err != nil {
		return err
	}
	return program.Announce()
}

// failure is why the last program does not run; empty where it does.
func (u *updater) failure() string {
	if u == nil {
		return ""
	}
	state, err := u.slots.Load()
	if err != nil {
		return err.Error()
	}
	if state.Failed == nil {
		return ""
	}
	return fmt.Sprintf("version %s does not run: %s", state.Failed.Version, state.Failed.Why)
}

// wants tells whether a program is to be fetched.
func (u *updater) wants(p *agentv1.AgentProgram, running string) bool {
	if u == nil || u.self.Trial || p == nil || p.GetVersion() == running {
		return false
	}
	state, err := u.slots.Load()
	return err == nil && (state.Failed == nil || state.Failed.Generation < p.GetGeneration())
}

// update waits for programs that it should run, and ends the agent when one is staged.
func (a *Agent) update(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case p := <-a.programs:
			if !a.config.updater.wants(p, a.config.Version) {
				continue
			}
			a.config.Logger.Info("fetching another program of the agent", zap.String("version", p.GetVersion()))
			err := a.stage(ctx, p)
			if ctx.Err() != nil {
				return nil //nolint:nilerr // it is fetched again by the next agent
			}
			if err == nil {
				return a.rest(ctx)
			}
			a.config.Logger.Error("the agent's program cannot be replaced", zap.String("version", p.GetVersion()), zap.Error(err))
			if err := a.config.updater.slots.Refuse(program.Failure{Version: p.GetVersion(), Generation: p.GetGeneration(), Why: err.Error()}); err != nil {
				return err
			}
			a.reopen() // so that the server hears of it
		}
	}
}

// stage fetches, verifies and unpacks a program into the slot that is not run.
func (a *Agent) stage(ctx context.Context, p *agentv1.AgentProgram) error {
	u := a.config.updater
	err := a.host.Content.Ensure(ctx, p.GetArtifact(), programPatience, func(_ string, do func(context.Context) error) error { return do(ctx) })
	if err != nil {
		return err
	}
	slot := u.self.Slot.Other()
	if err := u.slots.Fill(slot, a.host.Content.Path(p.GetArtifact().GetSha256())); err != nil {
		return err
	}
	version, err := u.slots.Version(ctx, slot)
	if err != nil {
		return err
	}
	if version != p.GetVersion() {
		return fmt.Errorf("the program says that it is version %s", version)
	}
	return u.slots.Stage(program.Trial{Slot: slot, Version: version, Generation: p.GetGeneration()})
}

// rest takes no more commands and returns when nothing is under way: a hook that is cut off would fail its installation.
func (a *Agent) rest(ctx context.Context) error {
	a.mu.Lock()
	a.resting = true
	a.mu.Unlock()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		busy := false
		for _, slot := range a.ledger.Slots() {
			busy = busy || slot.Phase != ledger.Idle
		}
		if !busy {
			return errProgram
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
