//go:build linux

package agent_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent"
	"github.com/golive-dev/golive/services/agent/internal/cgroup"
	"github.com/golive-dev/golive/services/agent/internal/journal"
	"github.com/golive-dev/golive/services/agent/internal/layout"
)

const soon = 20 * time.Second

// What TestMain builds once: the application as an archive, and the shim.
//
//nolint:gochecknoglobals // only read afterwards
var (
	archived []byte
	shimPath string
)

func TestMain(m *testing.M) {
	if os.Getenv("AGENT_DIR") != "" {
		os.Exit(agentProcess())
	}
	dir, err := os.MkdirTemp("", "golive-agent")
	if err == nil {
		shimPath = filepath.Join(dir, "golive-shim")
		if err = build(shimPath, "../cmd/golive-shim"); err == nil {
			archived, err = buildApp(filepath.Join(dir, "app"))
		}
	}
	code := 1
	if err == nil {
		code = m.Run()
	} else {
		fmt.Fprintln(os.Stderr, err)
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func build(path, command string) error {
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", path, command)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w: %s", command, err, out)
	}
	return nil
}

func buildApp(path string) ([]byte, error) {
	if err := build(path, "./testdata/app"); err != nil {
		return nil, err
	}
	program, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return pack(&tar.Header{Name: "bin/app", Mode: 0o755, Size: int64(len(program)), Typeflag: tar.TypeReg}, program)
}

func pack(h *tar.Header, content []byte) ([]byte, error) {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(h); err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	err := z.Close()
	return b.Bytes(), err
}

// agentProcess is an agent in a process of its own, which may kill itself at a write of its journal.
func agentProcess() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	config := agent.Config{
		DataDir: os.Getenv("AGENT_DIR"), Shim: []string{os.Getenv("AGENT_SHIM")},
		ReconnectMin: 5 * time.Millisecond, ReconnectMax: 20 * time.Millisecond,
	}
	at, _ := strconv.Atoi(os.Getenv("CRASH_AT"))
	stage, _ := strconv.Atoi(os.Getenv("CRASH_STAGE"))
	var n int
	config = config.WithHook(func(s journal.Stage) {
		if s == journal.Stage(stage) {
			if n++; n == at {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			}
		}
	})
	a, err := agent.New(config)
	if err == nil {
		err = a.Run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// world is a server, a data folder, and an agent that may be started and stopped.
type world struct {
	*server
	dir   string
	port  string
	ports []int32 // of versions side by side
	tune  func(*agent.Config)
	stop  func()
}

// place is the folder of the application on the first target.
func (w *world) place() string { return filepath.Join(w.dir, "targets", "test.t1", "app") }

func setup(tb testing.TB) *world {
	tb.Helper()
	w := &world{server: newServer(tb), dir: tb.TempDir(), port: freePort(tb)}
	w.blobs[digest(archived)] = archived
	w.enrol()
	w.start()
	tb.Cleanup(func() {
		w.stop()
		w.cleanup()
	})
	return w
}

func freePort(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	defer func() { require.NoError(tb, l.Close()) }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(tb, err)
	return port
}

func (w *world) config() agent.Config {
	config := agent.Config{
		DataDir: w.dir, Server: w.address, Version: "test", Shim: []string{shimPath},
		ReconnectMin: 5 * time.Millisecond, ReconnectMax: 20 * time.Millisecond,
	}
	if w.tune != nil {
		w.tune(&config)
	}
	return config
}

func (w *world) enrol() {
	w.t.Helper()
	config := w.config()
	config.JoinToken = w.token(time.Hour)
	name, err := agent.Enrol(w.t.Context(), config)
	require.NoError(w.t, err)
	require.Equal(w.t, agentName, name)
}

// start runs an agent in this process.
func (w *world) start() {
	w.t.Helper()
	w.startWith(w.config())
}

func (w *world) startWith(config agent.Config) {
	w.t.Helper()
	a, err := agent.New(config)
	require.NoError(w.t, err)
	ctx, cancel := context.WithCancel(context.Background()) // ended by stop
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	w.stop = func() {
		cancel()
		require.NoError(w.t, <-done)
		w.stop = func() {}
	}
}

// cleanup ends what the agent left running, as it should.
func (w *world) cleanup() {
	for range 3 {
		for _, p := range processes(w.dir) {
			_ = syscall.Kill(p, syscall.SIGKILL)
		}
	}
	require.Eventually(w.t, func() bool { return len(processes(w.dir)) == 0 }, soon, tick)
	at, err := layout.Open(w.dir)
	require.NoError(w.t, err)
	require.Eventually(w.t, func() bool { return cgroup.Detect(at.Name()).Remove() == nil }, soon, tick)
}

// processes returns all whose environment names the folder: shims and applications.
func processes(dir string) []int {
	var found []int
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		env, _ := os.ReadFile("/proc/" + e.Name() + "/environ")
		if bytes.Contains(env, []byte("GOLIVE_PROCESS="+dir)) {
			found = append(found, pid)
		}
	}
	return found
}

// apps returns the applications that run for a port.
func (w *world) apps(port string) []int {
	var found []int
	for _, pid := range processes(w.dir) {
		env, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
		exe, _ := os.Readlink("/proc/" + strconv.Itoa(pid) + "/exe")
		if strings.HasSuffix(strings.TrimSuffix(exe, " (deleted)"), "/bin/app") && bytes.Contains(env, []byte("PORT="+port+"\x00")) {
			found = append(found, pid)
		}
	}
	return found
}

// version asks the application.
func (w *world) version(port string) string {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://127.0.0.1:" + port)
	if err != nil {
		return ""
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(response.Body)
	return strings.TrimSpace(strings.TrimPrefix(string(body), "version "))
}

func (w *world) workload(version, mode string) *agentv1.Workload {
	return &agentv1.Workload{
		Release: "workspaces/default/applications/app/releases/" + version, Version: version,
		Artifact: &deploymentv1.Artifact{
			Os: "linux", Arch: "amd64", Format: deploymentv1.Artifact_TAR_GZ, Sha256: digest(archived), SizeBytes: int64(len(archived)),
		},
		ConfigFiles: []*deploymentv1.ConfigFile{{Path: "app.conf", Template: "version={{.release.version}}\n"}},
		Run: &deploymentv1.RunSpec{
			Command: []string{"bin/app"},
			Env:     map[string]string{"PORT": "{{.vars.port}}", "VERSION": "{{.release.version}}", "MODE": "{{.vars.mode}}"},
			Probes: []*deploymentv1.Probe{{
				Check:    &deploymentv1.Probe_Http_{Http: &deploymentv1.Probe_Http{Url: "http://127.0.0.1:{{.vars.port}}/", Contains: "{{.release.version}}"}},
				Interval: durationpb.New(50 * time.Millisecond),
			}},
			HealthDeadline: durationpb.New(3 * time.Second), StopGrace: durationpb.New(500 * time.Millisecond),
		},
		Variables: map[string]string{"port": w.port, "mode": mode}, ConfigDigest: version + mode,
	}
}

// installation returns an INSTALL; its epoch makes its name.
func (w *world) installation(epoch int64, workload, previous *agentv1.Workload) *agentv1.Command {
	return &agentv1.Command{
		Installation: "workspaces/default/applications/app/deployments/d" + strconv.FormatInt(epoch, 10) + "/installations/t1",
		Target:       target("t1"), Application: "workspaces/default/applications/app", Attempt: 1, Epoch: epoch,
		Action: agentv1.Command_INSTALL, Workload: workload, Previous: previous, RevertOnFailure: true,
		StepTimeout: durationpb.New(10 * time.Second),
	}
}

// follow returns another action on the same installation.
func follow(c *agentv1.Command, epoch int64, action agentv1.Command_Action) *agentv1.Command {
	return &agentv1.Command{
		Installation: c.GetInstallation(), Target: c.GetTarget(), Application: c.GetApplication(), Attempt: c.GetAttempt(),
		Epoch: epoch, Action: action, Workload: c.GetWorkload(), Previous: c.GetPrevious(), RevertOnFailure: true, StepTimeout: c.GetStepTimeout(),
	}
}

// up installs a version and waits until it is healthy.
func (w *world) up(epoch int64, workload, previous *agentv1.Workload) *agentv1.Command {
	w.t.Helper()
	c := w.installation(epoch, workload, previous)
	w.send(c)
	require.Equal(w.t, deploymentv1.Installation_HEALTHY, w.end(c).GetState(), "%v", w.end(c))
	return c
}

// only requires that exactly this version runs.
func (w *world) only(version string) {
	w.t.Helper()
	require.Equal(w.t, version, w.version(w.port))
	require.Len(w.t, w.apps(w.port), 1)
}

func contextFor(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}
