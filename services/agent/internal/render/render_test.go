package render_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent/internal/render"
)

func scope() render.Scope {
	env := map[string]string{"PATH": "/bin", "DB_PASSWORD": "hunter2", "SHELL": "/bin/zsh"}
	return render.Scope{
		Target: "workspaces/w/environments/e/targets/till-1", Facts: &deploymentv1.HostFacts{Os: "linux", Cpus: 4},
		Release: "/rel", Config: "/conf", Shared: "/shared",
		Getenv: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
	}
}

func workload() *agentv1.Workload {
	return &agentv1.Workload{
		Release: "workspaces/w/applications/a/releases/r", Version: "2.0.0",
		Variables: map[string]string{"port": "8080"},
		Secrets: map[string]*deploymentv1.SecretReference{
			"db":     {Source: &deploymentv1.SecretReference_Env{Env: "DB_PASSWORD"}},
			"absent": {Source: &deploymentv1.SecretReference_Env{Env: "NOT_SET"}},
		},
		Run: &deploymentv1.RunSpec{
			Command: []string{"bin/app", "--config={{.dir.config}}/app.conf"},
			Env:     map[string]string{"DB": "{{.secrets.db}}", "WHO": "{{.target.id}} on {{.facts.os}}"},
			Probes: []*deploymentv1.Probe{{Check: &deploymentv1.Probe_Http_{Http: &deploymentv1.Probe_Http{
				Url: "http://127.0.0.1:{{.vars.port}}/", Contains: "{{.release.version}}",
			}}}},
		},
		ConfigFiles: []*deploymentv1.ConfigFile{{Path: "sub/app.conf", Template: "port={{.vars.port}}\nshared={{.dir.shared}}\n", Mode: "0600"}},
		Hooks:       &deploymentv1.Hooks{Test: &deploymentv1.Hook{Command: []string{"/bin/true", "{{.facts.cpus}}"}}},
	}
}

func TestAWorkloadIsFilled(t *testing.T) {
	t.Parallel()
	i, err := render.Render(workload(), scope())
	require.NoError(t, err)
	require.Equal(t, []string{"/rel/bin/app", "--config=/conf/app.conf"}, i.Argv)
	require.Equal(t, []string{"DB=hunter2", "PATH=/bin", "WHO=till-1 on linux"}, i.Env, "nothing else is inherited")
	require.Equal(t, []render.File{{Path: "sub/app.conf", Mode: 0o600, Content: []byte("port=8080\nshared=/shared\n")}}, i.Files)
	require.Equal(t, []render.Probe{{URL: "http://127.0.0.1:8080/", Contains: "2.0.0"}}, i.Probes)
	require.Equal(t, []string{"/bin/true", "4"}, i.Hooks.Test)
	require.Equal(t, []string{"hunter2"}, i.Secrets)
}

func TestWhatCannotBeFilledFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(w *agentv1.Workload)
		err    error
	}{
		"unknown variable":  {func(w *agentv1.Workload) { w.Run.Env["X"] = "{{.vars.prot}}" }, render.ErrConfig},
		"unknown root":      {func(w *agentv1.Workload) { w.Run.Env["X"] = "{{.vras}}" }, render.ErrConfig},
		"broken template":   {func(w *agentv1.Workload) { w.ConfigFiles[0].Template = "{{" }, render.ErrConfig},
		"absent secret":     {func(w *agentv1.Workload) { w.Run.Env["X"] = "{{.secrets.absent}}" }, render.ErrSecret},
		"unknown secret":    {func(w *agentv1.Workload) { w.Run.Env["X"] = "{{.secrets.other}}" }, render.ErrConfig},
		"path out":          {func(w *agentv1.Workload) { w.ConfigFiles[0].Path = "../app.conf" }, render.ErrConfig},
		"absolute path":     {func(w *agentv1.Workload) { w.ConfigFiles[0].Path = "/etc/passwd" }, render.ErrConfig},
		"program out":       {func(w *agentv1.Workload) { w.Run.Command[0] = "../sh" }, render.ErrConfig},
		"no program":        {func(w *agentv1.Workload) { w.Run.Command = nil }, render.ErrConfig},
		"endless output":    {func(w *agentv1.Workload) { w.ConfigFiles[0].Template = `{{printf "%9999999d" 1}}` }, render.ErrConfig},
		"name with equals":  {func(w *agentv1.Workload) { w.Run.Env["A=B"] = "x" }, render.ErrConfig},
		"method of a value": {func(w *agentv1.Workload) { w.Run.Env["X"] = "{{.facts.ProtoReflect}}" }, render.ErrConfig},
		"mode of something": {func(w *agentv1.Workload) { w.ConfigFiles[0].Mode = "99" }, render.ErrConfig},
	} {
		w := workload()
		test.change(w)
		_, err := render.Render(w, scope())
		require.ErrorIs(t, err, test.err, name)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestSecretsComeFromFilesToo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(path, []byte("s3cret\n"), 0o600))
	w := workload()
	w.Secrets["f"] = &deploymentv1.SecretReference{Source: &deploymentv1.SecretReference_File{File: path}}
	w.Run.Env = map[string]string{"F": "{{.secrets.f}}"}
	i, err := render.Render(w, scope())
	require.NoError(t, err)
	require.Contains(t, i.Env, "F=s3cret")
	w.Secrets["f"].GetSource().(*deploymentv1.SecretReference_File).File = filepath.Dir(path)
	_, err = render.Render(w, scope())
	require.ErrorIs(t, err, render.ErrSecret)
}

func TestMasking(t *testing.T) {
	t.Parallel()
	m := render.NewMasker([]string{"hunter2", "hunter2-long", "ab", "", "line one\nline two"})
	require.Equal(t, "a ***** and ***** ab *****", m.Text("a hunter2 and hunter2-long ab line two"))
	require.Equal(t, "x", (*render.Masker)(nil).Text("x"))
}
