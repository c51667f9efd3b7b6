package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent/shim"
)

// Host is one machine of the demonstration: a folder, and an agent that lives in it.
type Host struct {
	// ID is the agent's id.
	ID string
	// Dir holds everything of the host.
	Dir string
	// Targets are the ids of those it serves.
	Targets []string

	program string
	server  string
	log     *os.File
	mu      sync.Mutex
	agent   *exec.Cmd
}

// startHosts enrols one agent a cohort and waits until all targets are connected.
func (d *Demo) startHosts(ctx context.Context) error {
	for _, c := range d.cfg.Cohorts {
		h := &Host{ID: "host-" + c.ID, Dir: d.hostDir(c.ID), Targets: c.Targets, program: d.cfg.AgentProgram, server: d.cfg.AgentAddress}
		d.Hosts = append(d.Hosts, h)
		if err := d.enrol(ctx, h, c); err != nil {
			return fmt.Errorf("enrol %s: %w", h.ID, err)
		}
		if err := h.Start(ctx); err != nil {
			return err
		}
	}
	return d.until(ctx, "all agents to connect", func() (bool, error) {
		list, err := d.targets.ListTargets(ctx, &deploymentv1.ListTargetsRequest{Parent: Environment})
		if err != nil {
			return false, err
		}
		for _, t := range list.GetTargets() {
			if !t.GetConnected() {
				return false, nil
			}
		}
		return true, nil
	})
}

// enrol redeems a join token, as an operator would on the host.
func (d *Demo) enrol(ctx context.Context, h *Host, c Cohort) error {
	if err := os.MkdirAll(h.Dir, 0o700); err != nil {
		return err
	}
	req := &deploymentv1.CreateJoinTokenRequest{Parent: Workspace, AgentId: h.ID}
	for _, t := range c.Targets {
		req.Targets = append(req.Targets, Environment+"/targets/"+t)
	}
	token, err := d.agents.CreateJoinToken(ctx, req)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, h.program, "enrol", "--server", h.server, "--data-dir", h.Dir) //nolint:gosec // G204: the program is ours
	cmd.Env = append(os.Environ(), "GOLIVE_JOIN_TOKEN="+token.GetToken())                          // not in the process list
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// Start starts the agent. What it supervises may be running already.
func (h *Host) Start(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	log, err := os.OpenFile(filepath.Join(h.Dir, "agent.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	// The agent outlives the call that starts it: Kill and Close end it.
	h.agent = exec.CommandContext(context.WithoutCancel(ctx), h.program, "run", "--server", h.server, "--data-dir", h.Dir) //nolint:gosec // G204: the program is ours
	h.agent.Stdout, h.agent.Stderr, h.log = log, log, log
	if err := h.agent.Start(); err != nil {
		return errors.Join(fmt.Errorf("start the agent of %s: %w", h.ID, err), log.Close())
	}
	return nil
}

// Kill ends the agent as a crash would: at once, without a word.
func (h *Host) Kill() error { return h.signal(syscall.SIGKILL) }

func (h *Host) signal(s syscall.Signal) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.agent == nil {
		return nil
	}
	err := h.agent.Process.Signal(s)
	_ = h.agent.Wait() // it was told to end; how does not matter
	h.agent = nil
	return errors.Join(err, h.log.Close())
}

// Starts counts how often the application was started on a target, by its own log.
func (h *Host) Starts(target, version string) (int, error) {
	logs, err := filepath.Glob(filepath.Join(h.Dir, "targets", "*."+target, "*", "logs", "*"))
	if err != nil {
		return 0, err
	}
	n := 0
	for _, name := range logs {
		text, err := os.ReadFile(name)
		if err != nil {
			return 0, err
		}
		n += strings.Count(string(text), "start version="+version+" ")
	}
	return n, nil
}

// AgentPIDs are the process numbers of the agents that run.
func (d *Demo) AgentPIDs() (pids []int) {
	for _, h := range d.Hosts {
		h.mu.Lock()
		if h.agent != nil {
			pids = append(pids, h.agent.Process.Pid)
		}
		h.mu.Unlock()
	}
	return pids
}

// Close ends the agent and everything that runs on the host.
func (h *Host) Close() {
	_ = h.Kill() // it may have been killed already
	runs, err := filepath.Glob(filepath.Join(h.Dir, "targets", "*", "*", "instances", "*", "run"))
	if err != nil {
		return // only a malformed pattern is an error
	}
	for _, run := range runs {
		state, err := shim.ReadState(run)
		if err != nil {
			continue // it never ran
		}
		if state.Phase != shim.Stopped && state.Shim > 0 {
			_ = syscall.Kill(state.Shim, syscall.SIGTERM) // it stops the application and ends
		}
	}
}
