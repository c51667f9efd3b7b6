package e2e

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/demo"
)

// insideEnv says that a test runs in a network of its own already.
const insideEnv = "GOLIVE_E2E_NETWORK"

// Where the two services are on the cable between them.
const (
	here  = "10.93.0.1"
	there = "10.93.0.2"
)

// TestWavesAndAPartitionOfTheNetwork has the implementation service live in another network namespace, and pulls the cable. It takes
// no rights beyond user namespaces; where a machine gives nobody those, the black hole of the test above is the nearest there is.
func TestWavesAndAPartitionOfTheNetwork(t *testing.T) {
	if os.Getenv(insideEnv) != "" {
		cable(t).suffers(trouble{
			name: "partition", says: "did not answer within|cannot be reached",
			strike: func(w *pair) { w.plug("down") }, heal: func(w *pair) { w.plug("up") },
		})
		return
	}
	if out, err := exec.CommandContext(t.Context(), "unshare", "-Urn", "ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		t.Logf("this machine gives no user and network namespaces: %v: %s", err, out)
		return
	}
	inside := exec.CommandContext(t.Context(), "unshare", "-Urn", "--kill-child", "--fork", os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
	inside.Env = append(os.Environ(), insideEnv+"=1")
	inside.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := inside.CombinedOutput()
	require.NoError(t, err, "%s", tail(out, 20000))
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "after it was healed") {
			t.Log(strings.TrimSpace(line))
		}
	}
}

// cable is a pair whose implementation service is at the other end of one.
func cable(t *testing.T) *pair {
	t.Helper()
	run(t, "ip", "link", "set", "lo", "up")
	other := exec.CommandContext(context.WithoutCancel(t.Context()), "unshare", "-n", "sleep", "600")
	require.NoError(t, other.Start())
	t.Cleanup(func() {
		_ = other.Process.Kill()
		_ = other.Wait() // it was killed
	})
	pid := strconv.Itoa(other.Process.Pid)
	mine, err := os.Readlink("/proc/self/ns/net")
	require.NoError(t, err)
	eventually(t, "the other network", func() bool {
		theirs, err := os.Readlink("/proc/" + pid + "/ns/net")
		return err == nil && theirs != mine
	})
	enter := []string{"-t", pid, "-n"}
	run(t, "ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", pid)
	run(t, "ip", "addr", "add", here+"/24", "dev", "near")
	run(t, "ip", "link", "set", "near", "up")
	for _, command := range [][]string{{"addr", "add", there + "/24", "dev", "far"}, {"link", "set", "far", "up"}, {"link", "set", "lo", "up"}} {
		run(t, "nsenter", append(append(enter, "ip"), command...)...)
	}

	plane := newPlane(t)
	_, software, err := net.SplitHostPort(plane.addresses["deployment"])
	require.NoError(t, err)
	_, people, err := net.SplitHostPort(plane.addresses["implementation"])
	require.NoError(t, err)
	w := &pair{wire: lay(t, there+":"+people), witness: demo.NewWitness(), far: enter}
	plane.addresses["implementation"] = w.wire.address() // for those who are no service
	w.begin(t, plane, "", apart{
		software: []string{"--listen-deployment", "0.0.0.0:" + software, "--implementation", there + ":" + people, "--implementation-plaintext"},
		people:   []string{"--listen-implementation", there + ":" + people, "--deployment", here + ":" + software, "--deployment-plaintext"},
		move: func(p *process) {
			p.path, p.args = "nsenter", append(append(append([]string{}, enter...), p.path), p.args...)
		},
	})
	return w
}

// plug pulls the cable out at the far end, or plugs it in.
func (w *pair) plug(state string) {
	run(w.t, "nsenter", append(w.far, "ip", "link", "set", "far", state)...)
}

func run(t *testing.T, program string, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	require.NoError(t, err, "%s %v: %s", program, args, out)
}
