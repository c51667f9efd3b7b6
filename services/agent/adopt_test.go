//go:build linux

package agent_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// legacy is software that was on the host before any agent: a program that something else starts,
// stops and knows, by a script that takes start, stop, is-active and a name.
type legacy struct {
	*world
	dir    string
	script string
}

// manage is what stands in for systemd where it does not run, and is the manager behind commands.
// Its program reads which version it is from the configuration of the release that is current.
const manage = `#!/bin/sh
[ "$1" = --no-ask-password ] && shift
pid=%[1]s/pid
runs() { [ -e $pid ] && readlink "/proc/$(cat $pid)/exe" >/dev/null; } # a zombie has none
case $1 in
start)
	runs && exit 0
	rm -f $pid
	[ -e %[1]s/broken ] && { echo it is broken; exit 6; }
	VERSION=legacy; [ -e %[2]s/current/config/version ] && VERSION=$(cat %[2]s/current/config/version)
	echo started $VERSION >> %[1]s/log
	export PORT=%[3]s VERSION
	setsid sh -c 'echo $$ > %[1]s/new; mv %[1]s/new %[1]s/pid; exec %[1]s/app' >/dev/null 2>&1 &
	while ! [ -e $pid ]; do :; done ;;
stop)
	echo stopped >> %[1]s/log
	runs && kill "$(cat $pid)"; while runs; do :; done; rm -f $pid ;;
is-active)
	if runs; then echo active; exit 0; fi
	if [ -e $pid ]; then echo failed; else echo inactive; fi; exit 3 ;;
*) echo "no such verb $1"; exit 1 ;;
esac
`

func setupLegacy(t *testing.T, name string) *legacy {
	t.Helper()
	l := &legacy{world: setup(t), dir: t.TempDir()}
	l.script = filepath.Join(l.dir, name)
	require.NoError(t, os.WriteFile(l.script, fmt.Appendf(nil, manage, l.dir, l.place(), l.port), 0o700))
	require.NoError(t, build(filepath.Join(l.dir, "app"), "./testdata/app"))
	t.Cleanup(func() { _ = exec.Command(l.script, "stop").Run() }) // it may not run
	return l
}

// workload is a release of the service: its configuration, and no archive.
func (l *legacy) release(version string, systemd bool) *agentv1.Workload {
	v := l.workload(version, "")
	v.Artifact, v.Run.Command, v.Run.Env = nil, nil, nil
	v.ConfigFiles = []*deploymentv1.ConfigFile{{Path: "version", Template: "{{.release.version}}"}}
	v.Run.Probes[0].GetHttp().Contains = ""
	v.Run.HealthDeadline = durationpb.New(time.Second)
	v.Run.External = &deploymentv1.ExternalService{Adopt: true, Manager: &deploymentv1.ExternalService_SystemdUnit{SystemdUnit: "crm.service"}}
	if !systemd {
		command := func(verb string) *deploymentv1.Hook { return &deploymentv1.Hook{Command: []string{l.script, verb}} }
		v.Run.External.Manager = &deploymentv1.ExternalService_Commands{
			Commands: &deploymentv1.ServiceCommands{Start: command("start"), Stop: command("stop"), Status: command("is-active")},
		}
	}
	return v
}

// pid is the service's process; 0 when it does not run.
func (l *legacy) pid() int {
	text, err := os.ReadFile(filepath.Join(l.dir, "pid"))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(l.t, err)
	return pid
}

func (l *legacy) by(verb string) { require.NoError(l.t, exec.Command(l.script, verb).Run()) }

func (l *legacy) runs(version string) {
	l.t.Helper()
	require.Eventually(l.t, func() bool { return l.version(l.port) == version }, soon, tick, version)
}

func TestWhatRunsAlreadyIsAdopted(t *testing.T) {
	for name, systemd := range map[string]bool{"a systemd unit": true, "a process behind commands": false} {
		t.Run(name, func(t *testing.T) {
			l := setupLegacy(t, "systemctl")
			t.Setenv("PATH", l.dir+":"+os.Getenv("PATH"))
			l.by("start")
			l.runs("legacy")
			before := l.pid()

			first := l.release("1.0.0", systemd)
			adopted := l.up(1, first, nil)
			require.Equal(t, before, l.pid(), "without a restart")
			l.runs("legacy")
			l.send(follow(adopted, 2, agentv1.Command_SEAL))

			second := l.release("2.0.0", systemd)
			c := l.up(3, second, first)
			require.NotEqual(t, before, l.pid())
			l.runs("2.0.0")

			l.by("stop")
			l.until("that it was stopped", func() bool {
				last := l.reports[len(l.reports)-1]
				told := !systemd || last.GetDrift() == "CHANGED_ON_HOST" && strings.Contains(last.GetMessage(), "stopped by somebody else")
				return told && last.GetHealth() == deploymentv1.Installation_UNHEALTHY
			})
			l.by("start")
			l.until("that it is well again", func() bool {
				last := l.reports[len(l.reports)-1]
				return last.GetHealth() == deploymentv1.Installation_HEALTHY_NOW && last.GetDrift() == ""
			})

			bad := l.release("3.0.0", systemd)
			bad.Run.Probes[0].GetHttp().Contains = "another version"
			b := l.installation(4, bad, second)
			l.send(b)
			r := l.report(b, deploymentv1.Installation_REVERTED)
			require.Equal(t, "PROBE_FAILED", r.GetCause())
			l.runs("2.0.0")

			l.stop() // it needs no agent
			l.runs("2.0.0")
			pid := l.pid()
			l.start()
			undo := follow(c, 5, agentv1.Command_REVERT)
			l.send(undo)
			l.report(undo, deploymentv1.Installation_REVERTED)
			require.NotEqual(t, pid, l.pid())
			l.runs("1.0.0")

			down := l.installation(6, nil, first)
			l.send(down)
			l.report(down, deploymentv1.Installation_HEALTHY)
			require.Zero(t, l.pid(), "taken off the target")
		})
	}
}

func TestAdoptionLeavesAloneWhatItCannotTakeOver(t *testing.T) {
	t.Parallel()
	l := setupLegacy(t, "crmctl")
	c := l.installation(1, l.release("1.0.0", false), nil)
	l.send(c)
	r := l.report(c, deploymentv1.Installation_REVERTED)
	require.Equal(t, "START_FAILED", r.GetCause())
	require.Contains(t, r.GetMessage(), "is not running")
	require.Zero(t, l.pid(), "it was not started")

	l.by("start")
	l.runs("legacy")
	before := l.pid()
	ill := l.release("1.0.1", false)
	ill.Run.Probes[0].GetHttp().Contains = "another version"
	c = l.installation(2, ill, nil)
	l.send(c)
	r = l.report(c, deploymentv1.Installation_REVERTED)
	require.Equal(t, "PROBE_FAILED", r.GetCause())
	require.Equal(t, before, l.pid(), "nor was it stopped")
	l.runs("legacy")

	// Without adopt it is started anew, so that it takes the release's configuration.
	owned := l.release("2.0.0", false)
	owned.Run.External.Adopt = false
	l.up(3, owned, nil)
	require.NotEqual(t, before, l.pid())
	l.runs("2.0.0")

	require.NoError(t, os.WriteFile(filepath.Join(l.dir, "broken"), nil, 0o600))
	c = l.installation(4, l.release("3.0.0", false), owned)
	l.send(c)
	r = l.report(c, deploymentv1.Installation_REVERT_FAILED)
	require.Contains(t, r.GetMessage(), "it is broken")
}
