//go:build linux

package agent_test

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/pkg/fault"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent"
)

const tick = 2 * time.Millisecond

func TestFailuresBeforeAnythingLiveIsTouched(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(w *world, v *agentv1.Workload)
		cause  string
	}{
		"no such blob": {func(_ *world, v *agentv1.Workload) { v.Artifact.Sha256 = digest(nil) }, "FETCH_FAILED"},
		"other bytes": {func(w *world, v *agentv1.Workload) {
			other := append([]byte(nil), archived...)
			other[len(other)/2] ^= 1
			v.Artifact.Sha256 = digest([]byte("promised"))
			w.blobs[v.GetArtifact().GetSha256()] = other
		}, "DIGEST_MISMATCH"},
		"longer than said": {func(w *world, v *agentv1.Workload) {
			w.offer(v, slices.Concat(archived, []byte{0}))
			v.Artifact.SizeBytes--
		}, "SIZE_MISMATCH"},
		"hostile archive": {func(w *world, v *agentv1.Workload) {
			hostile, err := pack(&tar.Header{Name: "../../evil", Size: 1, Typeflag: tar.TypeReg}, []byte("x"))
			require.NoError(w.t, err)
			w.offer(v, hostile)
		}, "ARCHIVE_UNSAFE"},
		"no archive":                {func(w *world, v *agentv1.Workload) { w.offer(v, []byte("hello")) }, "ARCHIVE_INVALID"},
		"nothing for this platform": {func(_ *world, v *agentv1.Workload) { v.Artifact = nil }, "UNSUPPORTED"},
		"archive of tomorrow":       {func(_ *world, v *agentv1.Workload) { v.Artifact.Format = 99 }, "UNSUPPORTED"},
		"unknown variable":          {func(_ *world, v *agentv1.Workload) { v.ConfigFiles[0].Template = "{{.vars.nope}}" }, "CONFIG_INVALID"},
		"absent secret": {func(_ *world, v *agentv1.Workload) {
			v.Secrets = map[string]*deploymentv1.SecretReference{"s": {Source: &deploymentv1.SecretReference_File{File: "/not/there"}}}
			v.Run.Env["S"] = "{{.secrets.s}}"
		}, "SECRET_MISSING"},
		"failing test": {func(_ *world, v *agentv1.Workload) {
			v.Hooks = &deploymentv1.Hooks{Test: &deploymentv1.Hook{Command: []string{"/bin/sh", "-c", "echo no good; exit 9"}}}
		}, "HOOK_FAILED"},
		"hanging hook": {func(_ *world, v *agentv1.Workload) {
			v.Hooks = &deploymentv1.Hooks{PreInstall: &deploymentv1.Hook{
				Command: []string{"/bin/sh", "-c", `trap "" TERM; sleep 600 & wait`}, Timeout: durationpb.New(100 * time.Millisecond),
			}}
		}, "HOOK_TIMEOUT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			v1 := w.workload("1.0.0", "")
			w.up(1, v1, nil)
			app := w.apps(w.port)
			v2 := w.workload("2.0.0", "")
			w.mu.Lock()
			test.change(w, v2)
			w.mu.Unlock()
			c := w.installation(2, v2, v1)
			w.send(c)
			r := w.end(c)
			require.Equal(t, deploymentv1.Installation_FAILED, r.GetState())
			require.Equal(t, test.cause, r.GetCause(), r.GetMessage())
			require.NotEmpty(t, r.GetMessage())
			require.Equal(t, app, w.apps(w.port), "the old version never stopped")
			w.only("1.0.0")
			v3 := w.up(3, w.workload("3.0.0", ""), v1)
			require.LessOrEqual(t, len(w.on(v3)), 3, "and the next one works")
			w.only("3.0.0")
		})
	}
}

// offer makes bytes the artifact of a workload.
func (w *world) offer(v *agentv1.Workload, blob []byte) {
	v.Artifact.Sha256, v.Artifact.SizeBytes = digest(blob), int64(len(blob))
	w.blobs[v.GetArtifact().GetSha256()] = blob
}

func TestFailuresAfterActivation(t *testing.T) {
	t.Parallel()
	failing := &deploymentv1.Hook{Command: []string{"/bin/sh", "-c", "exit 9"}}
	for name, test := range map[string]struct {
		change  func(v1, v2 *agentv1.Workload)
		cause   string
		version string
		stay    bool
	}{
		"post_activate":       {func(_, v2 *agentv1.Workload) { v2.Hooks = &deploymentv1.Hooks{PostActivate: failing} }, "HOOK_FAILED", "1.0.0", false},
		"pre_stop of the old": {func(v1, _ *agentv1.Workload) { v1.Hooks = &deploymentv1.Hooks{PreStop: failing} }, "HOOK_FAILED", "1.0.0", false},
		"no such program":     {func(_, v2 *agentv1.Workload) { v2.Run.Command[0] = "bin/nope" }, "START_FAILED", "1.0.0", false},
		"dies while ripening": {func(_, v2 *agentv1.Workload) {
			v2.Variables["mode"] = "die-after=300ms"
			v2.Run.MinHealthyTime = durationpb.New(2 * time.Second)
		}, "CRASHED", "1.0.0", false},
		"left in place": {func(_, v2 *agentv1.Workload) {
			v2.Variables["mode"] = "bad"
			v2.Run.HealthDeadline = durationpb.New(300 * time.Millisecond)
		}, "PROBE_FAILED", "2.0.0", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			v1, v2 := w.workload("1.0.0", ""), w.workload("2.0.0", "")
			test.change(v1, v2)
			w.up(1, v1, nil)
			c := w.installation(2, v2, v1)
			c.RevertOnFailure = !test.stay
			w.send(c)
			r := w.end(c)
			want := deploymentv1.Installation_REVERTED
			if test.stay {
				want = deploymentv1.Installation_FAILED
			}
			require.Equal(t, want, r.GetState(), r.GetMessage())
			require.Equal(t, test.cause, r.GetCause(), r.GetMessage())
			w.only(test.version)
		})
	}
}

func TestAFirstReleaseThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.installation(1, w.workload("1.0.0", "crash"), nil)
	w.send(c)
	r := w.end(c)
	require.Equal(t, deploymentv1.Installation_REVERTED, r.GetState())
	require.Equal(t, "CRASHED", r.GetCause())
	require.Empty(t, w.apps(w.port))
	require.NoFileExists(t, filepath.Join(place(w), "current"))
}

func TestCancelRevertAndRemove(t *testing.T) {
	t.Parallel()
	w := setup(t)
	v1, v2 := w.workload("1.0.0", ""), w.workload("2.0.0", "")
	w.up(1, v1, nil)

	// Called off while it fetches.
	slow := w.workload("3.0.0", "")
	w.mu.Lock()
	w.hang = make(chan struct{})
	w.offer(slow, slices.Concat(archived, []byte{0}))
	w.mu.Unlock()
	c := w.installation(2, slow, v1)
	w.send(c)
	w.until("a fetch", func() bool { return len(w.offsets) == 2 })
	w.report(c, deploymentv1.Installation_FETCHING) // it lasts, so it is told
	cancel := follow(c, 3, agentv1.Command_CANCEL)
	w.send(cancel)
	require.Equal(t, deploymentv1.Installation_CANCELLED, w.end(cancel).GetState())
	w.only("1.0.0")
	w.mu.Lock()
	close(w.hang)
	w.hang = nil
	w.mu.Unlock()

	// Called off while it ripens.
	ripening := w.workload("2.5.0", "")
	ripening.Run.MinHealthyTime = durationpb.New(time.Hour)
	c = w.installation(4, ripening, v1)
	w.send(c)
	w.report(c, deploymentv1.Installation_PROBING)
	cancel = follow(c, 5, agentv1.Command_CANCEL)
	w.send(cancel)
	require.Equal(t, deploymentv1.Installation_REVERTED, w.end(cancel).GetState())
	w.only("1.0.0")

	// Healthy, then taken back.
	healthy := w.up(6, v2, v1)
	revert := follow(healthy, 7, agentv1.Command_REVERT)
	w.send(revert)
	require.Equal(t, deploymentv1.Installation_REVERTED, w.end(revert).GetState())
	w.only("1.0.0")
	again := follow(healthy, 8, agentv1.Command_REVERT)
	w.send(again)
	require.Equal(t, deploymentv1.Installation_REVERTED, w.end(again).GetState(), "nothing to take back is no failure")

	// Removed, and the removal taken back.
	remove := w.installation(9, nil, v1)
	w.send(remove)
	require.Equal(t, deploymentv1.Installation_HEALTHY, w.end(remove).GetState())
	require.Empty(t, w.apps(w.port))
	revert = follow(remove, 10, agentv1.Command_REVERT)
	w.send(revert)
	require.Equal(t, deploymentv1.Installation_REVERTED, w.end(revert).GetState())
	w.only("1.0.0")

	// A way back to what is no longer kept.
	sealed := w.up(11, v2, v1)
	w.send(follow(sealed, 12, agentv1.Command_SEAL))
	old := w.workload("0.9.0", "")
	revert = follow(sealed, 13, agentv1.Command_REVERT)
	revert.Previous = old
	w.send(revert)
	require.Equal(t, deploymentv1.Installation_REVERTED, w.end(revert).GetState())
	w.only("0.9.0")
}

func TestPrestagingTouchesNothingAndMakesActivationShort(t *testing.T) {
	t.Parallel()
	w := setup(t)
	v1 := w.workload("1.0.0", "")
	w.up(1, v1, nil)
	v2 := w.workload("2.0.0", "")
	repacked, err := pack(&tar.Header{Name: "bin/app", Mode: 0o755, Size: int64(len(program(t))), Typeflag: tar.TypeReg, Uname: "other"}, program(t))
	require.NoError(t, err)
	w.mu.Lock()
	w.offer(v2, repacked)
	w.mu.Unlock()
	c := w.installation(3, v2, v1)
	stage := follow(c, 2, agentv1.Command_PRESTAGE)
	w.send(stage)
	w.until("prestaged", func() bool {
		for _, r := range w.reports {
			if r.GetPrestaged() && r.GetEpoch() == 2 {
				return true
			}
		}
		return false
	})
	w.only("1.0.0")
	w.send(c)
	for _, s := range w.end(c).GetSteps() {
		require.NotContains(t, []string{"fetch", "unpack"}, s.GetStep())
	}
	w.only("2.0.0")
}

func program(tb testing.TB) []byte {
	tb.Helper()
	path, err := filepath.Glob(filepath.Join(os.TempDir(), "golive-agent*", "app"))
	require.NoError(tb, err)
	require.NotEmpty(tb, path)
	content, err := os.ReadFile(path[len(path)-1])
	require.NoError(tb, err)
	return content
}

func TestOneStuckTargetBlocksOnlyItself(t *testing.T) {
	t.Parallel()
	w := setup(t)
	stuck := w.workload("1.0.0", "")
	stuck.Hooks = &deploymentv1.Hooks{PreInstall: &deploymentv1.Hook{Command: []string{"/bin/sleep", "600"}, Timeout: durationpb.New(time.Hour)}}
	c := w.installation(1, stuck, nil)
	w.send(c)
	w.report(c, deploymentv1.Installation_FETCHING)
	w.neighbour(t)
	cancel := follow(c, 2, agentv1.Command_CANCEL)
	w.send(cancel)
	require.Equal(t, deploymentv1.Installation_CANCELLED, w.end(cancel).GetState())
}

func TestResultsAreKeptUntilTheyAreAcknowledged(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.mu.Lock()
	w.silent = true
	w.mu.Unlock()
	c := w.up(1, w.workload("1.0.0", ""), nil)
	first := w.end(c)
	w.stop()
	w.mu.Lock()
	w.reports = nil
	w.mu.Unlock()
	w.start() // another process, the same result
	require.Equal(t, first.GetSequence(), w.end(c).GetSequence())
	w.mu.Lock()
	w.silent, w.reports = false, nil
	w.mu.Unlock()
	w.server.stop() // another connection, the same again
	w.restart()
	require.Equal(t, first.GetSequence(), w.end(c).GetSequence())
	// Acknowledged: it is sent again only because its command is.
	sent := len(w.on(c))
	w.tell(c)
	w.until("an answer", func() bool { return len(w.reports) > sent })
	stale := clone(c)
	stale.Epoch, stale.Installation = 0, "stale"
	w.tell(stale)
	w.only("1.0.0")
	foreign := clone(c)
	foreign.Target, foreign.Epoch = target("t9"), 99
	w.tell(foreign)
	next := w.up(2, w.workload("2.0.0", ""), w.workload("1.0.0", ""))
	require.LessOrEqual(t, len(w.on(next)), 3)
	require.NoDirExists(t, filepath.Join(w.dir, "targets/test.t9"), "not a target of this agent")
}

func TestAnAgentWorksWithoutItsServer(t *testing.T) {
	t.Parallel()
	w := setup(t)
	v1 := w.workload("1.0.0", "")
	w.up(1, v1, nil)
	slow := w.workload("2.0.0", "")
	slow.Run.MinHealthyTime = durationpb.New(300 * time.Millisecond)
	c := w.installation(2, slow, v1)
	w.send(c)
	require.Eventually(t, func() bool { return w.version(w.port) == "2.0.0" }, soon, tick)
	w.server.stop()
	<-time.After(600 * time.Millisecond) // it ripens while nobody listens
	require.NoError(t, syscall.Kill(w.apps(w.port)[0], syscall.SIGKILL))
	require.Eventually(t, func() bool { return w.version(w.port) == "2.0.0" }, soon, tick, "supervised all the same")
	w.restart()
	require.Equal(t, deploymentv1.Installation_HEALTHY, w.end(c).GetState())
	w.until("the restart", func() bool {
		for _, r := range w.reports {
			if r.GetRestarts() == 1 {
				return true
			}
		}
		return false
	})
	w.only("2.0.0")
}

func TestAFetchGoesOnWhereItBroke(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.mu.Lock()
	w.breakAt = len(archived)/3 + 1
	w.mu.Unlock()
	w.up(1, w.workload("1.0.0", ""), nil)
	require.Equal(t, []int64{0, int64(w.breakAt), int64(2 * w.breakAt)}, w.offsets)
}

func TestSecretsStayOnTheHost(t *testing.T) {
	t.Parallel()
	w := setup(t)
	path := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(path, []byte("hunter2-hunter2\n"), 0o600))
	v := w.workload("1.0.0", "")
	v.Secrets = map[string]*deploymentv1.SecretReference{"token": {Source: &deploymentv1.SecretReference_File{File: path}}}
	v.Run.Env["TOKEN"] = "{{.secrets.token}}"
	v.Hooks = &deploymentv1.Hooks{PostActivate: &deploymentv1.Hook{Command: []string{"/bin/sh", "-c", "echo token is $TOKEN; echo {{.secrets.token}} >&2; exit 1"}}}
	c := w.installation(1, v, nil)
	w.send(c)
	w.end(c)
	w.until("output", func() bool {
		var all strings.Builder
		for _, l := range w.logs {
			all.WriteString(l.GetSource() + ": " + l.GetText() + "\n")
		}
		return strings.Contains(all.String(), "hook post_activate: token is *****\n") && strings.Contains(all.String(), "app stdout: starting 1.0.0  *****\n")
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.logs {
		require.NotContains(t, l.GetText(), "hunter2")
	}
	for _, r := range w.reports {
		require.NotContains(t, r.String(), "hunter2")
	}
	require.NoError(t, filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		require.NoError(t, err)
		if d.Type().IsRegular() {
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			info, err := d.Info()
			require.NoError(t, err)
			if bytes.Contains(content, []byte("hunter2")) {
				require.Zero(t, info.Mode().Perm()&0o077, "%s", path)
			}
		}
		return nil
	}))
}

func TestNoProbesAndNoHealthyTime(t *testing.T) {
	t.Parallel()
	w := setup(t)
	v := w.workload("1.0.0", "")
	v.Run.Probes = nil
	v.Run.MinHealthyTime = durationpb.New(0)
	w.up(1, v, nil)
	require.Eventually(t, func() bool { return w.version(w.port) == "1.0.0" }, soon, tick)
}

func TestEnrolment(t *testing.T) {
	t.Parallel()
	w := setup(t)
	info, err := os.Stat(filepath.Join(w.dir, "identity.pem"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())

	config := w.config()
	config.DataDir = t.TempDir()
	config.JoinToken = w.token(-time.Minute)
	_, err = agent.Enrol(t.Context(), config)
	require.Equal(t, "JOIN_TOKEN_EXPIRED", fault.ReasonOf(err))
	config.JoinToken = "nonsense"
	_, err = agent.Enrol(t.Context(), config)
	require.Equal(t, "JOIN_TOKEN_INVALID", fault.ReasonOf(err))

	other := newServer(t) // somebody in the middle, with an authority of its own
	config.JoinToken = w.token(time.Hour)
	config.Server = other.address
	ctx, cancel := contextFor(t, 500*time.Millisecond)
	defer cancel()
	_, err = agent.Enrol(ctx, config)
	require.ErrorContains(t, err, "does not show the authority")
	require.Empty(t, other.keys)
	require.NoFileExists(t, filepath.Join(config.DataDir, "identity.pem"))

	// An agent that lost the answer asks with the same key.
	config.Server = w.address
	_, err = agent.Enrol(t.Context(), config)
	require.NoError(t, err)
	_, err = agent.New(w.config())
	require.ErrorIs(t, err, agent.ErrRunning, "two agents in one folder")
}

func TestACertificateIsRenewedAtTwoThirdsOfItsLife(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.stop()
	w.mu.Lock()
	w.life = 2 * time.Second
	w.mu.Unlock()
	w.enrol()
	w.start()
	w.until("two renewals", func() bool { return len(w.keys) >= 4 && len(w.hellos) >= 3 })
	require.NotEqual(t, w.keys[2], w.keys[3], "with a new key")
	w.mu.Lock()
	w.life = time.Hour
	w.mu.Unlock()
	w.up(1, w.workload("1.0.0", ""), nil)
}
