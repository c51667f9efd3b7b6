// Package render makes a workload concrete for one place: it fills its
// templates with the target's facts, variables and secrets.
//
// A name that does not exist fails; nothing is ever rendered as "<no value>".
// Secrets are read here, on the host, from where the contract refers to, and a
// [Masker] takes them out of all that leaves the host again.
package render

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/template"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// maxOutput bounds what one template may become.
const maxOutput = 4 << 20

// The ways to fail.
var (
	ErrConfig = errors.New("configuration cannot be rendered")
	ErrSecret = errors.New("secret is missing")
)

// Scope is what templates see besides the workload.
type Scope struct {
	Target  string
	Facts   *deploymentv1.HostFacts
	Release string // folders
	Config  string
	Shared  string
	Getenv  func(string) (string, bool)
	Port    int // the instance's own, of two that take turns; 0 is none
}

// Instance is a workload with every template filled. It holds secrets: its file is 0600.
type Instance struct {
	Argv    []string `json:"argv"`
	Env     []string `json:"env"`
	Dir     string   `json:"dir"`
	Files   []File   `json:"-"`
	Probes  []Probe  `json:"probes,omitempty"`
	Hooks   Hooks    `json:"hooks"`
	Secrets []string `json:"secrets,omitempty"`
	// Switch points traffic at the instance, where a command does it.
	Switch []string `json:"switch,omitempty"`
	// Start, Stop and Status drive a service that is on the host, where commands do it.
	Start  []string `json:"start,omitempty"`
	Stop   []string `json:"stop,omitempty"`
	Status []string `json:"status,omitempty"`
}

// File is a rendered configuration file.
type File struct {
	Path    string
	Mode    fs.FileMode
	Content []byte
}

// Probe is a probe with its texts filled; the rest stands in the contract's message.
type Probe struct {
	URL      string `json:"url,omitempty"`
	Contains string `json:"contains,omitempty"`
	Address  string `json:"address,omitempty"`
	// Health is the address of a server that speaks grpc.health.v1.
	Health  string   `json:"health,omitempty"`
	Command []string `json:"command,omitempty"`
}

// Hooks are the commands of the release; an absent one is empty.
type Hooks struct {
	PreInstall   []string `json:"pre_install,omitempty"`
	Test         []string `json:"test,omitempty"`
	PostActivate []string `json:"post_activate,omitempty"`
	PreStop      []string `json:"pre_stop,omitempty"`
	Configure    []string `json:"configure,omitempty"`
	Verify       []string `json:"verify,omitempty"`
}

// Render fills a workload.
func Render(w *agentv1.Workload, scope Scope) (*Instance, error) {
	secrets, missing := readSecrets(w.GetSecrets(), scope.Getenv)
	r := &renderer{scope: scope, missing: missing, data: data(w, scope, secrets)}
	i := &Instance{Dir: scope.Release, Secrets: slices.Sorted(maps.Values(secrets))}
	var err error
	if w.GetRun().GetExternal() == nil {
		if i.Argv, err = r.command("command", w.GetRun().GetCommand()); err != nil {
			return nil, err
		}
	}
	if i.Env, err = r.env(w.GetRun().GetEnv()); err != nil {
		return nil, err
	}
	for _, f := range w.GetConfigFiles() {
		file, err := r.file(f)
		if err != nil {
			return nil, err
		}
		i.Files = append(i.Files, file)
	}
	for n, p := range w.GetRun().GetProbes() {
		probe, err := r.probe("probe "+strconv.Itoa(n+1), p)
		if err != nil {
			return nil, err
		}
		i.Probes = append(i.Probes, probe)
	}
	return i, r.hooks(i, w)
}

// hooks fills the commands beside the application's own.
func (r *renderer) hooks(i *Instance, w *agentv1.Workload) (err error) {
	service := w.GetRun().GetExternal().GetCommands()
	for _, hook := range []struct {
		name string
		hook *deploymentv1.Hook
		to   *[]string
	}{
		{"switch", w.GetRun().GetBlueGreen().GetSwitch(), &i.Switch},
		{"start", service.GetStart(), &i.Start},
		{"stop", service.GetStop(), &i.Stop},
		{"status", service.GetStatus(), &i.Status},
		{"hook pre_install", w.GetHooks().GetPreInstall(), &i.Hooks.PreInstall},
		{"hook test", w.GetHooks().GetTest(), &i.Hooks.Test},
		{"hook post_activate", w.GetHooks().GetPostActivate(), &i.Hooks.PostActivate},
		{"hook pre_stop", w.GetHooks().GetPreStop(), &i.Hooks.PreStop},
		{"hook configure", w.GetHooks().GetConfigure(), &i.Hooks.Configure},
		{"hook verify", w.GetHooks().GetVerify(), &i.Hooks.Verify},
	} {
		if hook.hook == nil {
			continue
		}
		if *hook.to, err = r.command(hook.name, hook.hook.GetCommand()); err != nil {
			return err
		}
	}
	return nil
}

type renderer struct {
	scope   Scope
	data    map[string]any
	missing map[string]error
}

func data(w *agentv1.Workload, scope Scope, secrets map[string]string) map[string]any {
	f := scope.Facts
	vars := w.GetVariables()
	if vars == nil {
		vars = map[string]string{}
	}
	all := map[string]any{
		"target": map[string]string{"name": scope.Target, "id": scope.Target[strings.LastIndexByte(scope.Target, '/')+1:]},
		"facts": map[string]any{
			"os": f.GetOs(), "arch": f.GetArch(), "os_version": f.GetOsVersion(), "hostname": f.GetHostname(),
			"memory_bytes": f.GetMemoryBytes(), "disk_free_bytes": f.GetDiskFreeBytes(), "cpus": f.GetCpus(),
		},
		"vars": vars, "secrets": secrets,
		"release": map[string]string{"name": w.GetRelease(), "version": w.GetVersion()},
		"dir":     map[string]string{"release": scope.Release, "config": scope.Config, "shared": scope.Shared},
	}
	if scope.Port != 0 {
		all["port"] = scope.Port
	}
	return all
}

// text fills one template; what names it for errors.
func (r *renderer) text(what, text string) (string, error) {
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	t, err := template.New(what).Option("missingkey=error").Parse(text)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrConfig, err)
	}
	var out limited
	if err := t.Execute(&out, r.data); err != nil {
		for name, cause := range r.missing {
			if strings.Contains(err.Error(), strconv.Quote(name)) {
				return "", fmt.Errorf("%w: %s needs %q: %w", ErrSecret, what, name, cause)
			}
		}
		return "", fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return out.String(), nil
}

// limited is a buffer that refuses to grow without end.
type limited struct{ strings.Builder }

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxOutput {
		return 0, fmt.Errorf("more than %d bytes", maxOutput)
	}
	return l.Builder.Write(p)
}

// command fills arguments. The program is the release's own, or absolute.
func (r *renderer) command(what string, args []string) ([]string, error) {
	filled := make([]string, 0, len(args))
	for _, arg := range args {
		text, err := r.text(what, arg)
		if err != nil {
			return nil, err
		}
		filled = append(filled, text)
	}
	if len(filled) == 0 || filled[0] == "" {
		return nil, fmt.Errorf("%w: %s names no program", ErrConfig, what)
	}
	program := filepath.FromSlash(filled[0])
	if !filepath.IsAbs(program) {
		if !filepath.IsLocal(program) {
			return nil, fmt.Errorf("%w: %s leads out of the release: %s", ErrConfig, what, filled[0])
		}
		program = filepath.Join(r.scope.Release, program)
	}
	filled[0] = program
	return filled, nil
}

// inherited is all that an application gets of the agent's environment.
var inherited = [...]string{"PATH", "HOME", "LANG", "SYSTEMROOT"} //nolint:gochecknoglobals // a constant that Go cannot say

func (r *renderer) env(given map[string]string) ([]string, error) {
	all := map[string]string{}
	for _, name := range inherited {
		if value, ok := r.scope.Getenv(name); ok {
			all[name] = value
		}
	}
	for name, value := range given {
		text, err := r.text("env "+name, value)
		if err != nil {
			return nil, err
		}
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.ContainsRune(text, 0) {
			return nil, fmt.Errorf("%w: env %q is no name", ErrConfig, name)
		}
		all[name] = text
	}
	env := make([]string, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		env = append(env, name+"="+all[name])
	}
	return env, nil
}

func (r *renderer) file(f *deploymentv1.ConfigFile) (File, error) {
	path := filepath.FromSlash(f.GetPath())
	if !filepath.IsLocal(path) {
		return File{}, fmt.Errorf("%w: path %q leads out of the configuration folder", ErrConfig, f.GetPath())
	}
	content, err := r.text(f.GetPath(), f.GetTemplate())
	if err != nil {
		return File{}, err
	}
	mode := uint64(0o644)
	if f.GetMode() != "" {
		if mode, err = strconv.ParseUint(f.GetMode(), 8, 32); err != nil || mode > 0o777 {
			return File{}, fmt.Errorf("%w: mode %q of %q", ErrConfig, f.GetMode(), f.GetPath())
		}
	}
	return File{Path: path, Mode: fs.FileMode(mode), Content: []byte(content)}, nil
}

func (r *renderer) probe(what string, p *deploymentv1.Probe) (filled Probe, err error) {
	for _, field := range []struct {
		text string
		to   *string
	}{
		{p.GetHttp().GetUrl(), &filled.URL},
		{p.GetHttp().GetContains(), &filled.Contains},
		{p.GetTcp().GetAddress(), &filled.Address},
		{p.GetGrpc().GetAddress(), &filled.Health},
	} {
		if *field.to, err = r.text(what, field.text); err != nil {
			return Probe{}, err
		}
	}
	if p.GetCommand() != nil {
		if filled.Command, err = r.command(what, p.GetCommand().GetCommand()); err != nil {
			return Probe{}, err
		}
	}
	return filled, nil
}

// readSecrets reads what can be read. A secret that cannot is an error only of
// the template that names it: an environment may list more than a host has.
func readSecrets(refs map[string]*deploymentv1.SecretReference, getenv func(string) (string, bool)) (values map[string]string, missing map[string]error) {
	values, missing = map[string]string{}, map[string]error{}
	for name, ref := range refs {
		value, err := readSecret(ref, getenv)
		if err != nil {
			missing[name] = err
			continue
		}
		values[name] = value
	}
	return values, missing
}

// maxSecret bounds a secret's file.
const maxSecret = 1 << 20

func readSecret(ref *deploymentv1.SecretReference, getenv func(string) (string, bool)) (string, error) {
	switch ref.GetSource().(type) {
	case *deploymentv1.SecretReference_Env:
		value, ok := getenv(ref.GetEnv())
		if !ok {
			return "", fmt.Errorf("the agent has no environment variable %s", ref.GetEnv())
		}
		return value, nil
	case *deploymentv1.SecretReference_File:
		if !filepath.IsAbs(ref.GetFile()) {
			return "", fmt.Errorf("path %s is not absolute", ref.GetFile())
		}
		info, err := os.Stat(ref.GetFile())
		if err != nil {
			return "", err
		}
		if !info.Mode().IsRegular() || info.Size() > maxSecret {
			return "", fmt.Errorf("file %s is not a regular file of at most 1 MiB", ref.GetFile())
		}
		value, err := os.ReadFile(ref.GetFile())
		return strings.TrimRight(string(value), "\r\n"), err
	default:
		return "", errors.New("the reference names neither env nor file")
	}
}
