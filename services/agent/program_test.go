//go:build linux

package agent_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// installedAgent is a host with golive-agent installed, and the archives of others.
type installedAgent struct {
	*world
	path  string // of the installed program
	cmd   *exec.Cmd
	ended chan error
}

// newInstalled builds the agent in version 1.0.0 and installs it.
func newInstalled(t *testing.T) *installedAgent {
	t.Helper()
	w := setup(t)
	w.stop()
	a := &installedAgent{world: w, path: filepath.Join(t.TempDir(), "golive-agent")}
	require.NoError(t, os.WriteFile(a.path, builtAgent(t, "1.0.0"), 0o700))
	t.Cleanup(func() {
		if a.cmd != nil {
			_ = a.cmd.Process.Kill()
			<-a.ended
		}
	})
	return a
}

// builtAgent returns the real program in a version; each is built once.
func builtAgent(t *testing.T, version string) []byte {
	t.Helper()
	path := filepath.Join(filepath.Dir(shimPath), "golive-agent-"+version)
	if program, err := os.ReadFile(path); err == nil {
		return program
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-s -w -X main.version="+version, "-o", path, "../cmd/golive-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	program, err := os.ReadFile(path)
	require.NoError(t, err)
	return program
}

// archive packs an agent and a shim.
func programArchive(t *testing.T, program []byte) []byte {
	t.Helper()
	shim, err := os.ReadFile(shimPath)
	require.NoError(t, err)
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	w := tar.NewWriter(z)
	for name, content := range map[string][]byte{"golive-agent": program, "golive-shim": shim} {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg}))
		_, err := w.Write(content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	return b.Bytes()
}

// desire makes the server tell the agent to run a program.
func (a *installedAgent) desire(version string, program []byte, generation int64) {
	a.t.Helper()
	archive := programArchive(a.t.(*testing.T), program)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.blobs[digest(archive)] = archive
	a.program = &agentv1.AgentProgram{Version: version, Generation: generation, Artifact: &deploymentv1.Artifact{
		Os: "linux", Arch: "amd64", Format: deploymentv1.Artifact_TAR_GZ, Sha256: digest(archive), SizeBytes: int64(len(archive)),
	}}
	a.hellos = nil
	if a.stream != nil {
		require.NoError(a.t, a.stream.Send(&agentv1.ConnectResponse{Message: &agentv1.ConnectResponse_Welcome{Welcome: a.welcome()}}))
	}
}

// run starts what is installed, as systemd does.
func (a *installedAgent) run(args ...string) {
	a.t.Helper()
	a.cmd = exec.Command(a.path, append([]string{"run", "--data-dir", a.dir, "--server", a.address, "--shim", shimPath, "--trial", "5s"}, args...)...)
	a.cmd.Stderr = os.Stderr
	require.NoError(a.t, a.cmd.Start())
	a.ended = make(chan error, 1)
	go func() { a.ended <- a.cmd.Wait() }()
}

// kill ends it as a crash would, and waits until nobody is connected.
func (a *installedAgent) kill() {
	a.t.Helper()
	require.NoError(a.t, a.cmd.Process.Kill())
	<-a.ended
	a.until("nobody", func() bool { return a.stream == nil })
}

// says waits until the agent that is connected is of a version.
func (a *installedAgent) says(version string) *agentv1.Hello {
	a.t.Helper()
	var hello *agentv1.Hello
	a.until("version "+version, func() bool {
		if a.stream == nil || len(a.hellos) == 0 {
			return false
		}
		hello = a.hellos[len(a.hellos)-1]
		return hello.GetAgentVersion() == version
	})
	return hello
}

// settled waits until a version is connected from the process that was started, and no other agent is left.
func (a *installedAgent) settled(version string) {
	a.t.Helper()
	a.says(version)
	require.Eventually(a.t, func() bool {
		exe, err := os.Readlink("/proc/" + strconv.Itoa(a.cmd.Process.Pid) + "/exe")
		if err != nil {
			return false
		}
		out, _ := exec.CommandContext(context.Background(), exe, "version").Output()
		return strings.TrimSpace(string(out)) == "golive-agent "+version
	}, soon, 20*time.Millisecond, "the same process runs it")
}

func (a *installedAgent) refused() string {
	a.t.Helper()
	why := ""
	a.until("a refusal", func() bool {
		if len(a.hellos) == 0 || a.stream == nil {
			return false
		}
		why = a.hellos[len(a.hellos)-1].GetUpdateError()
		return why != "" && a.hellos[len(a.hellos)-1].GetAgentVersion() == "1.0.0"
	})
	return why
}

func script(version, run string) []byte {
	return []byte("#!/bin/sh\nif [ \"$1\" = version ]; then echo golive-agent " + version + "; exit; fi\n" + run + "\n")
}

func TestAnAgentReplacesItsProgramAndTheApplicationsRunOn(t *testing.T) {
	a := newInstalled(t)
	two := builtAgent(t, "2.0.0")
	a.run()
	a.says("1.0.0")
	a.up(1, a.workload("1.0.0", ""), nil)
	before := a.apps(a.port)

	a.desire("2.0.0", two, 1)
	a.settled("2.0.0")
	require.Empty(t, a.says("2.0.0").GetUpdateError())
	require.Equal(t, before, a.apps(a.port), "the application is the same process")
	a.up(2, a.workload("2.0.0", ""), a.workload("1.0.0", ""))
	a.only("2.0.0")

	a.kill() // confirmed is confirmed
	a.run()
	a.settled("2.0.0")

	a.desire("1.0.0", builtAgent(t, "1.0.0"), 2) // and back
	a.settled("1.0.0")
	a.only("2.0.0")
	exe, err := os.Readlink("/proc/" + strconv.Itoa(a.cmd.Process.Pid) + "/exe")
	require.NoError(t, err)
	require.Contains(t, exe, "/program/b/")

	// Somebody installs another one on the host: that is run from now on.
	a.mu.Lock()
	a.program = nil
	a.mu.Unlock()
	require.NoError(t, a.cmd.Process.Signal(syscall.SIGTERM))
	<-a.ended
	require.NoError(t, os.Remove(a.path))
	require.NoError(t, os.WriteFile(a.path, two, 0o700))
	a.run()
	a.settled("2.0.0")
}

func TestAProgramThatDoesNotWorkLeavesTheOneBefore(t *testing.T) {
	a := newInstalled(t)
	a.run()
	a.says("1.0.0")
	a.up(1, a.workload("1.0.0", ""), nil)
	generation := int64(0)
	for name, test := range map[string]struct {
		program []byte
		why     string
	}{
		"crashes":        {script("2.0.0", "echo boom >&2; exit 3"), "boom"},
		"never connects": {script("2.0.0", "exec sleep 60"), "not welcomed"},
		"lies":           {script("9.9.9", "exit 0"), "says that it is version 9.9.9"},
		"is no program":  {[]byte("nothing"), "cannot be run"},
	} {
		generation++
		t.Run(name, func(t *testing.T) {
			a.desire("2.0.0", test.program, generation)
			a.until("this refusal", func() bool {
				return len(a.hellos) > 0 && a.stream != nil && strings.Contains(a.hellos[len(a.hellos)-1].GetUpdateError(), test.why)
			})
			require.Contains(t, a.refused(), test.why)
			a.settled("1.0.0")
			a.only("1.0.0")
		})
	}
	a.mu.Lock()
	n := len(a.hellos)
	a.mu.Unlock()
	require.Never(t, func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return len(a.hellos) > n
	}, time.Second, 50*time.Millisecond, "it is not tried again by itself")
}

func TestAnUpdateSurvivesAKillInEveryPhase(t *testing.T) {
	two := builtAgent(t, "2.0.0")
	for name, phase := range map[string]func(a *installedAgent){
		"while it is fetched": func(a *installedAgent) {
			a.until("a download", func() bool { return len(a.offsets) > 0 })
		},
		"when it is staged":    func(a *installedAgent) { a.file(`"trial"`) },
		"while it is tried":    func(a *installedAgent) { a.file(`"starts": 1`) },
		"once it is confirmed": func(a *installedAgent) { a.file(`"current": "a"`) },
	} {
		t.Run(name, func(t *testing.T) {
			a := newInstalled(t)
			a.run()
			a.says("1.0.0")
			a.up(1, a.workload("1.0.0", ""), nil)
			a.desire("2.0.0", two, 1)
			phase(a)
			require.NoError(t, a.cmd.Process.Kill())
			<-a.ended
			a.run()
			a.settled("2.0.0")
			a.only("1.0.0")
		})
	}
}

// file waits until the state of the program holds a text.
func (a *installedAgent) file(text string) {
	a.t.Helper()
	require.Eventually(a.t, func() bool {
		state, _ := os.ReadFile(filepath.Join(a.dir, "program", "state.json"))
		return strings.Contains(string(state), text)
	}, soon, time.Millisecond, text)
}
