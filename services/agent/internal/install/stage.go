package install

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent/internal/cgroup"
	"github.com/golive-dev/golive/services/agent/internal/hook"
	"github.com/golive-dev/golive/services/agent/internal/journal"
	"github.com/golive-dev/golive/services/agent/internal/layout"
	"github.com/golive-dev/golive/services/agent/internal/ledger"
	"github.com/golive-dev/golive/services/agent/internal/render"
	"github.com/golive-dev/golive/services/agent/shim"
)

// stored is what an instance's folder keeps of its release, so that an agent
// that starts needs neither the server nor the secrets.
type stored struct {
	*render.Instance
	Workload []byte `json:"workload"` // without its configuration files
}

func (w *Worker) instanceFile(n int) string {
	return filepath.Join(w.place.Instance(n), "instance.json")
}

// prestage brings the content and touches nothing else.
func (w *Worker) prestage(ctx context.Context) error {
	inner, done := w.interruptible(ctx)
	_, err := w.trust(w.slot.Command.GetWorkload())
	if err == nil {
		err = w.content(inner, w.slot.Command.GetWorkload())
	}
	done()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if stopped(err) {
		return errSuperseded
	}
	w.slot.Phase = ledger.Idle
	report := w.report(deploymentv1.Installation_STATE_UNSPECIFIED)
	report.Prestaged = err == nil
	if err != nil { // no failure of the installation: INSTALL will try again and say
		f := failureOf(err)
		report.Cause, report.Message = f.cause, f.message(w)
	}
	return w.host.Ledger.Put(w.slot, report)
}

// content makes the release of a workload be there.
func (w *Worker) content(ctx context.Context, workload *agentv1.Workload) error {
	if workload.GetArtifact() == nil && workload.GetRun().GetExternal() != nil {
		return nil // all that it needs is on the host
	}
	patience := orElse(w.slot.Command.GetStepTimeout(), defaultStepTimeout)
	return w.host.Content.Ensure(ctx, workload.GetArtifact(), patience, func(name string, do func(context.Context) error) error {
		state := deploymentv1.Installation_FETCHING
		if name == "unpack" {
			state = deploymentv1.Installation_VERIFYING
			ctx, cancel := context.WithTimeoutCause(ctx, patience, errStepTimeout)
			defer cancel()
			return w.notes.step(state, name, workload.GetArtifact().GetSha256(), func() error { return do(ctx) })
		}
		return w.notes.step(state, name, workload.GetArtifact().GetSha256(), func() error { return do(ctx) })
	})
}

// stage makes an instance of a workload ready; it becomes the candidate.
func (w *Worker) stage(ctx context.Context, workload *agentv1.Workload) error {
	defer w.announce(deploymentv1.Installation_FETCHING)()
	counter, err := w.trust(workload)
	if err != nil {
		return err
	}
	if err := w.content(ctx, workload); err != nil {
		return err
	}
	n := w.slot.Numbers + 1
	var instance *render.Instance
	err = w.notes.step(deploymentv1.Installation_VERIFYING, "configure", "", func() (err error) {
		instance, err = w.configure(n, workload)
		return err
	})
	if err != nil {
		return err
	}
	w.slot.Numbers, w.slot.Candidate = n, n
	if w.slot.Instances == nil {
		w.slot.Instances = map[int]ledger.Instance{}
	}
	w.slot.Instances[n] = ledger.Instance{
		Installation: w.slot.Command.GetInstallation(), SHA256: workload.GetArtifact().GetSha256(),
		Digest: workload.GetConfigDigest(), Release: workload.GetRelease(), Version: workload.GetVersion(), Counter: counter,
		Port: w.freePort(workload), Adopted: w.adopts(workload),
	}
	hooks := workload.GetHooks()
	if err := w.hook(ctx, n, instance, "configure", instance.Hooks.Configure, hooks.GetConfigure(), deploymentv1.Installation_VERIFYING); err != nil {
		return err
	}
	if err := w.hook(ctx, n, instance, "pre_install", instance.Hooks.PreInstall, hooks.GetPreInstall(), deploymentv1.Installation_VERIFYING); err != nil {
		return err
	}
	return w.hook(ctx, n, instance, "test", instance.Hooks.Test, hooks.GetTest(), deploymentv1.Installation_VERIFYING)
}

// configure writes an instance's folder and makes it durable.
func (w *Worker) configure(n int, workload *agentv1.Workload) (*render.Instance, error) {
	release := w.host.Content.Path(workload.GetArtifact().GetSha256())
	if workload.GetArtifact() == nil {
		release = filepath.Join(w.place.Instance(n), "empty")
	}
	instance, err := render.Render(workload, render.Scope{
		Target: w.slot.Target, Facts: w.host.Facts(), Release: release, Config: w.place.Config(n), Shared: w.place.Shared(), Getenv: w.host.Getenv,
		Port: w.freePort(workload),
	})
	if err != nil {
		return nil, err
	}
	dir := w.place.Instance(n)
	if err := layout.RemoveTree(dir); err != nil { // of an agent that died before it wrote the number down
		return nil, err
	}
	if err := os.MkdirAll(w.place.Config(n), 0o700); err != nil {
		return nil, err
	}
	if workload.GetArtifact() == nil {
		if err := os.Mkdir(release, 0o700); err != nil {
			return nil, err
		}
	}
	if err := os.Symlink(release, filepath.Join(dir, "release")); err != nil {
		return nil, err
	}
	for _, f := range instance.Files {
		if err := writeConfig(filepath.Join(w.place.Config(n), f.Path), f); err != nil {
			return nil, err
		}
	}
	if workload.GetRun().GetExternal() == nil {
		spec := w.spec(n, instance, workload.GetRun())
		if err := spec.Write(w.place.Run(n)); err != nil {
			return nil, err
		}
	} else if err := os.Mkdir(w.place.Run(n), 0o700); err != nil {
		return nil, err
	}
	if err := w.store(n, instance, workload); err != nil {
		return nil, err
	}
	return instance, errors.Join(journal.SyncDir(w.place.Config(n)), journal.SyncDir(w.place.Run(n)), journal.SyncDir(dir), journal.SyncDir(filepath.Dir(dir)))
}

func writeConfig(path string, f render.File) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return writeSynced(path, f.Content, f.Mode)
}

func writeSynced(path string, content []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
}

func (w *Worker) spec(n int, instance *render.Instance, run *deploymentv1.RunSpec) shim.Spec {
	spec := shim.Spec{
		Argv: instance.Argv, Dir: instance.Dir, Env: instance.Env,
		StopSignal: int(signalOf(run.GetStopSignal())), Grace: orElse(run.GetStopGrace(), defaultStopGrace),
		Stdout: w.place.Stdout(n), Stderr: w.place.Stderr(n), LogLimit: w.host.LogLimit, LogFiles: w.host.LogFiles,
		BackoffMin: backoffMin, BackoffMax: backoffMax, Steady: steady, Notify: w.host.Supervisor.Socket(),
	}
	w.limit(n, &spec, run.GetLimits())
	return spec
}

// limit says what an instance may use of the host: together where there are control groups,
// each of its processes by itself where there are none. Processor time and the number of
// processes are not limited there: for one there is no means, the other counts all of a user's.
func (w *Worker) limit(n int, spec *shim.Spec, limits *deploymentv1.ResourceLimits) {
	spec.Limits = cgroup.Limits{Memory: limits.GetMemoryBytes(), CPU: int64(limits.GetCpuMillis()), Tasks: int64(limits.GetTasks())}
	spec.OpenFiles = limits.GetOpenFiles()
	spec.Group = w.host.Groups.Group(w.place.Name(n), spec.Limits)
	if spec.Group.Memory == "" {
		spec.Data = limits.GetMemoryBytes()
	}
}

func signalOf(name string) syscall.Signal {
	const usr1, usr2 = 0xa, 0xc // Linux; they are no constants on Windows
	switch name {
	case "SIGINT":
		return syscall.SIGINT
	case "SIGQUIT":
		return syscall.SIGQUIT
	case "SIGHUP":
		return syscall.SIGHUP
	case "SIGUSR1":
		return usr1
	case "SIGUSR2":
		return usr2
	default:
		return syscall.SIGTERM
	}
}

func (w *Worker) store(n int, instance *render.Instance, workload *agentv1.Workload) error {
	slim := agentv1.Workload{Release: workload.GetRelease(), Version: workload.GetVersion(), Run: workload.GetRun(), Hooks: workload.GetHooks()}
	raw, err := marshal(&slim)
	if err != nil {
		return err
	}
	text, err := json.Marshal(stored{Instance: instance, Workload: raw})
	if err != nil {
		return err
	}
	return writeSynced(w.instanceFile(n), text, 0o600)
}

// load reads an instance back.
func (w *Worker) load(n int) (*render.Instance, *agentv1.Workload, error) {
	text, err := os.ReadFile(w.instanceFile(n))
	if err != nil {
		return nil, nil, err
	}
	s := stored{Instance: &render.Instance{}}
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, nil, fmt.Errorf("read instance %d: %w", n, err)
	}
	workload := &agentv1.Workload{}
	return s.Instance, workload, unmarshal(s.Workload, workload)
}

// hook runs a command of a release if it has one. That it was begun is in the
// journal before, that it ended comes with the next entry.
func (w *Worker) hook(ctx context.Context, n int, instance *render.Instance, name string, argv []string, spec *deploymentv1.Hook, state deploymentv1.Installation_State) error {
	if spec == nil || len(argv) == 0 {
		return nil
	}
	w.slot.Hook = name
	if err := w.host.Ledger.Put(w.slot, nil); err != nil {
		return err
	}
	out := w.output(instance)
	err := w.notes.step(state, "hook "+name, "", func() error {
		return hook.Run(ctx, hook.Command{
			Argv: argv, Dir: instance.Dir, Env: instance.Env, Marker: w.marker(n),
			Timeout: orElse(spec.GetTimeout(), defaultHookTimeout),
		}, func(line string) { out.line("hook "+name, line, time.Now()) })
	})
	out.flush()
	w.slot.Hook = ""
	return err
}

// marker is how the processes of an instance's hooks are found.
func (w *Worker) marker(n int) string { return w.place.Instance(n) + "#hook" }

// failStaging ends a command before anything live was touched.
func (w *Worker) failStaging(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if stopped(err) {
		return errSuperseded
	}
	return w.fail(failureOf(err))
}

// fail reports FAILED and leaves what is live alone.
func (w *Worker) fail(f *failure) error {
	abandoned := w.slot.Candidate
	w.slot.Phase, w.slot.Candidate, w.slot.Hook = ledger.Idle, 0, ""
	delete(w.slot.Instances, abandoned)
	report := w.report(deploymentv1.Installation_FAILED)
	report.Cause, report.Message = f.cause, f.message(w)
	if err := w.host.Ledger.Put(w.slot, report); err != nil {
		return err
	}
	if abandoned != 0 {
		w.warn("remove candidate", w.place.Remove(abandoned))
	}
	return nil
}
