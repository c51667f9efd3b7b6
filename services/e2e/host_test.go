package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestHostsFromOutside walks what hosts do, with the programs as they are shipped: through the command line, with two
// agents, and with nothing known of them but what they answer.
func TestHostsFromOutside(t *testing.T) {
	y := newYard(t)
	y.join("left", "front/targets/f1")
	y.join("right", "back/targets/b1")
	y.sideBySide()
	y.adopted()
	y.changedByHand()
	y.killed()
	y.badUpdate()
	y.twins()
	y.revoked()
}

// yard is a control plane with hosts, and a folder for what they need.
type yard struct {
	*plane

	t      *testing.T
	dir    string
	port   map[string]string
	agents map[string]*process
}

func newYard(t *testing.T) *yard {
	t.Helper()
	return newYardOn(t, onePlane(t))
}

func newYardOn(t *testing.T, p *plane) *yard {
	t.Helper()
	y := &yard{plane: p, t: t, dir: t.TempDir(), port: map[string]string{}, agents: map[string]*process{}}
	for _, name := range []string{"blue", "green", "front", "back"} {
		_, y.port[name], _ = net.SplitHostPort(address(t, &y.ports))
	}
	for _, version := range []string{"1.0.0", "2.0.0"} {
		bin := y.write("bin-"+version+"/app", "")
		content, err := os.ReadFile(program(t, "demo/crm-"+version))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(bin, content, 0o700))
		y.pack("app-"+version, filepath.Dir(bin), "app")
	}
	y.run(0, "apply", "-f", y.write("yard.yaml", `
{name: applications/shop}
---
{name: applications/ledger}
---
{name: environments/front}
---
{name: environments/front/targets/f1}
---
{name: environments/back, variables: {workers: "2"}}
---
{name: environments/back/targets/b1}
`))
	return y
}

// write writes a file below the folder of the yard and returns where it is.
func (y *yard) write(name, text string) string {
	y.t.Helper()
	path := filepath.Join(y.dir, name)
	require.NoError(y.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(y.t, os.WriteFile(path, []byte(text), 0o700))
	return path
}

// pack makes an archive of files of a folder.
func (y *yard) pack(name, from string, files ...string) {
	y.t.Helper()
	out, err := exec.CommandContext(y.t.Context(), "tar", append([]string{"-czf", filepath.Join(y.dir, name+".tar.gz"), "-C", from}, files...)...).CombinedOutput()
	require.NoError(y.t, err, "%s", out)
}

// run runs golive, which has to end with a code, and returns what it printed.
func (y *yard) run(code int, args ...string) string {
	y.t.Helper()
	got, out := y.try(args...)
	require.Equal(y.t, code, got, "golive %v: %s", args, out)
	return out
}

func (y *yard) try(args ...string) (int, string) {
	y.t.Helper()
	cmd := exec.CommandContext(y.t.Context(), program(y.t, "golive"), args...)
	cmd.Env = y.environment()
	out, err := cmd.CombinedOutput()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		require.NoError(y.t, err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// out is what golive prints for programs.
func (y *yard) out(args ...string) string {
	y.t.Helper()
	cmd := exec.CommandContext(y.t.Context(), program(y.t, "golive"), args...)
	cmd.Env = y.environment()
	out, err := cmd.Output()
	require.NoError(y.t, err, "golive %v", args)
	return string(out)
}

// says waits until a command ends with a code and prints a text.
func (y *yard) says(code int, text string, args ...string) string {
	y.t.Helper()
	var got int
	var out string
	defer func() {
		if y.t.Failed() {
			y.t.Logf("golive %v said last, with %d:\n%s", args, got, out)
		}
	}()
	require.Eventually(y.t, func() bool {
		got, out = y.try(args...)
		return got == code && strings.Contains(out, text)
	}, 30*time.Second, 50*time.Millisecond, "golive %v should say %q with %d", args, text, code)
	return out
}

// join enrols a host and starts its agent.
func (y *yard) join(name, target string) {
	y.t.Helper()
	data := filepath.Join(y.dir, name)
	token := y.out("agent", "token", name, "--target", target)
	out, err := exec.CommandContext(y.t.Context(), program(y.t, "golive-agent"), "enrol", "--server", y.plane.agents, "--data-dir", data, "--token", strings.TrimSpace(token)).CombinedOutput()
	require.NoError(y.t, err, "%s", out)
	y.t.Cleanup(func() { endApplications(y.t, data) })
	y.agents[name] = y.agent(data)
	y.agents[name].start()
	y.says(0, "CONNECTED", "get", "agents", name)
	require.NotContains(y.t, y.run(0, "events", target), "services/unknown")
}

func (y *yard) agent(data string) *process {
	return &process{tb: y.t, path: program(y.t, "golive-agent"), log: data + ".log", args: []string{"run", "--server", y.plane.agents, "--data-dir", data}}
}

// release registers a version of an application, which is brought from an archive where one is named.
func (y *yard) release(application, version, archive, spec string) {
	y.t.Helper()
	args := []string{"release", "create", application, version, "-f", y.write(application+"-"+version+".yaml", spec)}
	if archive != "" {
		args = append(args, "--artifact", "linux/amd64="+filepath.Join(y.dir, archive+".tar.gz"))
	}
	y.run(0, args...)
}

// sideBySide asks an application without a break while it is upgraded, upgraded badly, and rolled back.
func (y *yard) sideBySide() {
	spec := fmt.Sprintf(`run:
  command: [app]
  env: {ADDRESS: "127.0.0.1:{{.port}}", GREETING: hello}
  blueGreen: {ports: [%s, %s], listen: "127.0.0.1:%s", drain: 0.3s}
  healthDeadline: 1s
  probes: [{http: {url: "http://127.0.0.1:{{.port}}/healthz", contains: "{{.release.version}}"}, interval: 0.1s}]
`, y.port["blue"], y.port["green"], y.port["front"])
	y.release("shop", "1.0.0", "app-1.0.0", spec)
	y.release("shop", "2.0.0", "app-2.0.0", spec)
	y.release("shop", "3.0.0", "app-2.0.0", spec) // it says that it is another than it is: never healthy
	y.run(0, "deploy", "shop", "1.0.0", "--to", "front", "--watch")

	answered, failed, done := y.keepAsking("front")
	y.run(0, "deploy", "shop", "2.0.0", "--to", "front", "--id", "good", "--watch")
	require.Equal(y.t, "2.0.0", y.serves("front"))
	y.run(6, "deploy", "shop", "3.0.0", "--to", "front", "--id", "bad", "--watch")
	y.says(0, "f1  REVERTED  PROBE_FAILED", "why", "shop/deployments/bad")
	require.Equal(y.t, "2.0.0", y.serves("front"))
	require.Contains(y.t, y.run(0, "rollback", "shop/deployments/good", "--preview"), "at once")
	y.run(0, "rollback", "shop/deployments/good", "--reason", "as it was", "--yes")
	y.run(0, "watch", "shop", "--timeout", "20s")
	require.Equal(y.t, "1.0.0", y.serves("front"))
	done()
	require.Zero(y.t, failed.Load(), "of %d requests", answered.Load())
	require.Greater(y.t, answered.Load(), int64(100))
}

// keepAsking asks without a break, each time over a connection of its own, until it is told to end.
func (y *yard) keepAsking(name string) (answered, failed *atomic.Int64, done func()) {
	answered, failed = &atomic.Int64{}, &atomic.Int64{}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-end:
				return
			default:
			}
			if _, err := fetch(client, y.port[name]); err != nil {
				failed.Add(1)
				y.t.Log(err)
			}
			answered.Add(1)
		}
	}()
	return answered, failed, func() {
		close(end)
		<-ended
	}
}

func fetch(client *http.Client, port string) (string, error) {
	answer, err := client.Get("http://127.0.0.1:" + port + "/version")
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("answered %s", answer.Status)
	}
	return strings.TrimSpace(string(text)), err
}

// serves is the version that answers.
func (y *yard) serves(name string) string {
	version, err := fetch(http.DefaultClient, y.port[name])
	if err != nil {
		return err.Error()
	}
	return version
}

// adopted takes over a process that is there already, without a restart, and then brings it a release.
func (y *yard) adopted() {
	pid := filepath.Join(y.dir, "ledger.pid")
	control := y.write("ledgerctl", fmt.Sprintf(`#!/bin/sh
case $1 in
start) ADDRESS=127.0.0.1:%s GREETING=hello setsid %s </dev/null >/dev/null 2>&1 & echo $! >%s ;;
stop) kill $(cat %[3]s); while kill -0 $(cat %[3]s); do :; done; rm %[3]s ;;
status) kill -0 $(cat %[3]s) ;;
esac
`, y.port["back"], filepath.Join(y.dir, "bin-1.0.0", "app"), pid))
	out, err := exec.CommandContext(y.t.Context(), control, "start").CombinedOutput()
	require.NoError(y.t, err, "%s", out)
	y.t.Cleanup(func() { _ = exec.Command(control, "stop").Run() })
	process := func() string { text, _ := os.ReadFile(pid); return string(text) }
	before := process()
	spec := fmt.Sprintf(`configFiles: [{path: ledger.conf, template: "workers={{.vars.workers}}"}]
run:
  external:
    adopt: true
    commands: {start: {command: [%[1]s, start]}, stop: {command: [%[1]s, stop]}, status: {command: [%[1]s, status]}}
  probes: [{http: {url: "http://127.0.0.1:%s/healthz"}, interval: 0.1s}]
`, control, y.port["back"])
	y.release("ledger", "1.0.0", "", spec)
	y.release("ledger", "1.1.0", "", spec)
	y.run(0, "deploy", "ledger", "1.0.0", "--to", "back", "--watch")
	require.Equal(y.t, before, process(), "it was only looked at")
	y.run(0, "deploy", "ledger", "1.1.0", "--to", "back", "--watch")
	require.NotEqual(y.t, before, process())
	config, err := os.ReadFile(filepath.Join(y.dir, "right", "targets", "back.b1", "ledger", "current", "config", "ledger.conf"))
	require.NoError(y.t, err)
	require.Equal(y.t, "workers=2", string(config))

	require.NoError(y.t, exec.CommandContext(y.t.Context(), control, "stop").Run())
	y.says(7, "NOT_RUNNING", "drift", "back")
	y.run(0, "deploy", "ledger", "1.1.0", "--to", "back", "--kind", "reapply", "--watch")
	y.says(0, "as it should", "drift", "back")
	require.Equal(y.t, "1.0.0", y.serves("back"))
}

// changedByHand changes a host behind its agent's back, and has it put right.
func (y *yard) changedByHand() {
	current := filepath.Join(y.dir, "left", "targets", "front.f1", "shop", "current")
	require.NoError(y.t, os.Remove(current))
	y.says(7, "CHANGED_ON_HOST", "drift", "front")
	require.Contains(y.t, y.run(7, "drift", "front"), "link current")
	y.run(0, "deploy", "shop", "1.0.0", "--to", "front", "--kind", "reapply", "--watch")
	y.says(0, "as it should", "drift", "front")
	require.FileExists(y.t, filepath.Join(current, "release", "app"))
}

// killed kills agent and server in the middle of a deployment.
func (y *yard) killed() {
	y.run(0, "deploy", "shop", "2.0.0", "--to", "front", "--id", "cut", "--detach")
	y.says(7, "", "why", "shop/deployments/cut")
	y.agents["left"].kill()
	y.processes["golive"].kill()
	y.processes["golive"].start()
	y.agents["left"].start()
	y.answers(y.t, y.deployment)
	y.run(0, "watch", "shop/deployments/cut", "--timeout", "30s")
	require.Equal(y.t, "2.0.0", y.serves("front"))
}

// badUpdate hands an agent a program that does not run.
func (y *yard) badUpdate() {
	broken := y.write("update/golive-agent", "#!/bin/sh\n[ \"$1\" = version ] && echo golive-agent 99.0.0 && exit\nexit 3\n")
	y.write("update/golive-shim", "#!/bin/sh\n")
	y.pack("update", filepath.Dir(broken), "golive-agent", "golive-shim")
	y.run(0, "agent", "upgrade", "right", "99.0.0", "--artifact", "linux/amd64="+filepath.Join(y.dir, "update.tar.gz"))
	y.says(7, "exit status 3", "why", "agents/right")
	y.says(0, "CONNECTED", "get", "agents", "right")
}

// twins starts a second agent from a copy of the first one's disk.
func (y *yard) twins() {
	left := filepath.Join(y.dir, "left")
	out, err := exec.CommandContext(y.t.Context(), "sh", "-c", `mkdir "$1-twin" && cp "$1/identity.pem" "$1-twin"`, "sh", left).CombinedOutput()
	require.NoError(y.t, err, "%s", out)
	twin := y.agent(left + "-twin")
	twin.start()
	y.says(0, "QUARANTINED", "get", "agents", "left")
	y.run(0, "deploy", "shop", "1.0.0", "--to", "front", "--id", "held", "--detach")
	y.says(7, "golive agent release", "why", "shop/deployments/held")
	twin.kill()
	y.run(0, "agent", "release", "left")
	y.run(0, "watch", "shop/deployments/held", "--timeout", "30s")
	require.Equal(y.t, "1.0.0", y.serves("front"))
}

// revoked cuts an agent off; what it brought goes on.
func (y *yard) revoked() {
	y.run(0, "agent", "revoke", "right", "--reason", "stolen")
	begin := time.Now()
	y.says(0, "REVOKED", "list", "agents")
	log := func() string { text, _ := os.ReadFile(y.agents["right"].log); return string(text) }
	require.Eventually(y.t, func() bool { return strings.Contains(log(), "AGENT_REVOKED") }, 5*time.Second, 10*time.Millisecond)
	require.Less(y.t, time.Since(begin), 5*time.Second)
	y.says(7, "golive agent token right", "why", "agents/right")
	require.Equal(y.t, "1.0.0", y.serves("back"))
	require.Contains(y.t, y.run(0, "events", "agents/right"), "deployment.agent.revoked")
	require.NoError(y.t, y.agents["right"].cmd.Process.Signal(syscall.Signal(0)), "it waits to be let in again")
}
