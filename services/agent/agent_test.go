//go:build linux

package agent_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// busy is what a machine may add that runs other tests besides; on a quiet one
// the log shows about 60 ms beyond the deadline.
const busy = time.Second

func place(w *world) string { return filepath.Join(w.dir, "targets/test.t1/app") }

func TestInstallUpgradeAndSeal(t *testing.T) {
	t.Parallel()
	w := setup(t)
	v1, v2 := w.workload("1.0.0", ""), w.workload("2.0.0", "")
	first := w.up(1, v1, nil)
	w.only("1.0.0")
	steps := []string{}
	reports := w.on(first)
	for _, r := range reports {
		for _, s := range r.GetSteps() {
			require.True(t, s.GetSucceeded())
			require.False(t, s.GetEndTime().AsTime().Before(s.GetStartTime().AsTime()))
			steps = append(steps, s.GetStep())
		}
	}
	require.Equal(t, []string{"fetch", "unpack", "configure", "switch", "start", "probe"}, steps)
	require.LessOrEqual(t, len(reports), 3)
	require.Equal(t, deploymentv1.Installation_HEALTHY_NOW, w.end(first).GetHealth())
	conf, err := os.ReadFile(filepath.Join(place(w), "current/config/app.conf"))
	require.NoError(t, err)
	require.Equal(t, "version=1.0.0\n", string(conf))

	second := w.up(2, v2, v1)
	w.only("2.0.0")
	require.DirExists(t, filepath.Join(place(w), "instances/1"), "kept until the seal")
	for _, c := range []*agentv1.Command{first, second} { // late and repeated words change nothing
		w.tell(c)
	}
	third := w.up(3, w.workload("3.0.0", ""), v2)
	seal := follow(third, 4, agentv1.Command_SEAL)
	w.send(seal)
	require.Equal(t, deploymentv1.Installation_SEALED, w.end(seal).GetState())
	require.NoDirExists(t, filepath.Join(place(w), "instances/1"))
	require.DirExists(t, filepath.Join(place(w), "instances/2"), "the one before is kept")
	w.only("3.0.0")
	w.until("probe summaries", func() bool {
		var n int64
		for _, s := range w.summaries {
			n += s.GetSucceeded()
		}
		return n > 3 && w.beats > 2
	})
	w.until("the application's words", func() bool {
		for _, l := range w.logs {
			if l.GetSource() == "app stdout" && l.GetText() == "starting 3.0.0  " {
				return true
			}
		}
		return false
	})
}

func TestABadReleaseIsRevertedAtItsDeadline(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"bad", "crash", "stubborn-bad"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			v1 := w.workload("1.0.0", "")
			w.up(1, v1, nil)
			bad := w.workload("2.0.0", mode)
			bad.Run.HealthDeadline.Seconds = 1
			if mode == "stubborn-bad" {
				bad.Variables["mode"] = "stubborn"
				bad.Run.Probes[0].GetHttp().Contains = "never"
			}
			c := w.installation(2, bad, v1)
			begin := time.Now()
			w.send(c)
			r := w.report(c, deploymentv1.Installation_REVERTED)
			took := time.Since(begin)
			limit := time.Second + 300*time.Millisecond
			switch mode {
			case "bad":
				require.Equal(t, "PROBE_FAILED", r.GetCause())
				require.Contains(t, r.GetMessage(), "503")
			case "crash":
				require.Equal(t, "CRASHED", r.GetCause())
				require.Contains(t, r.GetMessage(), "exit code 3")
				limit = time.Second
				w.until("its last words", func() bool {
					for _, l := range w.logs {
						if l.GetText() == "cannot go on" && l.GetSource() == "app stderr" {
							return true
						}
					}
					return false
				})
			default:
				limit += 500 * time.Millisecond // its grace
			}
			t.Logf("%s: %v", mode, took)
			require.Less(t, took, limit+busy)
			require.Equal(t, deploymentv1.Installation_HEALTHY_NOW, r.GetHealth())
			w.only("1.0.0")
		})
	}
}
