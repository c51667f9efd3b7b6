//go:build linux

package agent_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent/internal/journal"
)

// notebook is a file in which migrations write what they did.
type notebook struct {
	t    *testing.T
	path string
}

func newNotebook(t *testing.T) *notebook {
	t.Helper()
	return &notebook{t: t, path: filepath.Join(t.TempDir(), "done")}
}

// step is a migration that writes its id, and then does what script says.
func (n *notebook) step(id, script string) *agentv1.MigrationStep {
	return &agentv1.MigrationStep{Id: id, Command: &deploymentv1.Hook{
		Command: []string{"/bin/sh", "-c", "echo " + id + " $VERSION >> " + n.path + "; " + script}, Timeout: durationpb.New(soon),
	}}
}

func (n *notebook) lines() []string {
	n.t.Helper()
	text, err := os.ReadFile(n.path)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(n.t, err)
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// outcomes lists what was told of migrations on a command.
func (w *world) outcomes(c *agentv1.Command) []string {
	var all []string
	for _, r := range w.on(c) {
		for _, o := range r.GetMigrations() {
			all = append(all, fmt.Sprintf("%s %s", o.GetId(), o.GetState()))
		}
	}
	return all
}

func TestMigrationsRunBeforeTheNewVersionStarts(t *testing.T) {
	t.Parallel()
	w, done := setup(t), newNotebook(t)
	v1, v2 := w.workload("1.0.0", ""), w.workload("2.0.0", "")
	w.up(1, v1, nil)
	c := w.installation(2, v2, v1)
	c.Migrations = []*agentv1.MigrationStep{done.step("one", "test -x bin/app"), done.step("two", "")}
	w.send(c)
	require.Equal(t, deploymentv1.Installation_HEALTHY, w.end(c).GetState())
	require.Equal(t, []string{"one 2.0.0", "two 2.0.0"}, done.lines(), "in the environment of the release that comes")
	require.Equal(t, []string{"one STARTED", "one SUCCEEDED", "two STARTED", "two SUCCEEDED"}, w.outcomes(c))
	w.only("2.0.0")

	// What goes back takes back with the commands of what is there, first.
	back := w.installation(3, v1, v2)
	down := done.step("two", "")
	down.Down = true
	back.Migrations = []*agentv1.MigrationStep{down}
	w.send(back)
	require.Equal(t, deploymentv1.Installation_HEALTHY, w.end(back).GetState())
	require.Equal(t, "two 2.0.0", done.lines()[2])
	w.only("1.0.0")
}

func TestAFailedMigrationLeavesTheOldVersionAlone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ script, says string }{
		"a bad exit": {"echo no such column; exit 3", "exit code 3"},
		"no end":     {"exec sleep 600", "did not end in time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, done := setup(t), newNotebook(t)
			v1 := w.workload("1.0.0", "")
			w.up(1, v1, nil)
			c := w.installation(2, w.workload("2.0.0", ""), v1)
			bad := done.step("bad", test.script)
			bad.Command.Timeout = durationpb.New(tick * 20)
			c.Migrations = []*agentv1.MigrationStep{done.step("good", ""), bad, done.step("never", "")}
			w.send(c)
			r := w.end(c)
			require.Equal(t, deploymentv1.Installation_FAILED, r.GetState())
			require.Equal(t, "MIGRATION_FAILED", r.GetCause())
			require.Contains(t, r.GetMessage(), test.says)
			require.Equal(t, []string{"good STARTED", "good SUCCEEDED", "bad STARTED", "bad FAILED"}, w.outcomes(c))
			require.Equal(t, []string{"good 2.0.0", "bad 2.0.0"}, done.lines())
			w.only("1.0.0")
		})
	}
}

// TestAMigrationIsNeverRunTwice kills the agent before and after each write of its journal while a release with a
// migration comes. The migration runs at most once, and where nobody can know whether it ran the agent says so.
func TestAMigrationIsNeverRunTwice(t *testing.T) {
	t.Parallel()
	for _, stage := range []journal.Stage{journal.BeforeWrite, journal.AfterSync} {
		t.Run(fmt.Sprintf("stage %d", stage), func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			v1 := w.workload("1.0.0", "")
			w.up(1, v1, nil)
			w.stop()
			last, interrupted := v1, 0
			for at, epoch := 1, int64(2); ; at, epoch = at+1, epoch+1 {
				done := newNotebook(t)
				next := w.workload(fmt.Sprintf("2.0.%d", at), "")
				c := w.installation(epoch, next, last)
				c.Migrations = []*agentv1.MigrationStep{done.step("once", "")}
				w.send(c)
				alive := w.survived(w.spawn(at, stage, nil), c)
				if !alive {
					w.start()
				}
				r := w.end(c)
				require.LessOrEqual(t, len(done.lines()), 1, "died at write %d: %v", at, w.on(c))
				told := w.outcomes(c)
				switch r.GetState() {
				case deploymentv1.Installation_HEALTHY:
					require.Len(t, done.lines(), 1)
					require.Contains(t, told, "once SUCCEEDED")
					last = next
				case deploymentv1.Installation_FAILED:
					require.Equal(t, "INTERRUPTED", r.GetCause())
					require.Contains(t, told, "once INTERRUPTED")
					require.NotContains(t, told, "once SUCCEEDED")
					interrupted++
				default:
					require.Failf(t, "unexpected", "%v", r)
				}
				w.only(last.GetVersion())
				if alive {
					require.Positive(t, interrupted, "some death was in its middle")
					w.start()
					return
				}
				w.stop()
			}
		})
	}
}

func TestAnAgentThatIsStoppedEndsItsMigrationFirst(t *testing.T) {
	t.Parallel()
	w, done := setup(t), newNotebook(t)
	v1 := w.workload("1.0.0", "")
	w.up(1, v1, nil)
	c := w.installation(2, w.workload("2.0.0", ""), v1)
	c.Migrations = []*agentv1.MigrationStep{done.step("slow", "sleep 0.5; echo end >> "+done.path)}
	w.send(c)
	require.Eventually(t, func() bool { return len(done.lines()) == 1 }, soon, tick)
	w.stop()
	require.Equal(t, []string{"slow 2.0.0", "end"}, done.lines(), "it was not cut off")
	w.start()
	require.Equal(t, deploymentv1.Installation_HEALTHY, w.end(c).GetState())
	require.Len(t, done.lines(), 2, "and not run again")
}

func TestEveryTargetRemembersItsOwnMigrations(t *testing.T) {
	t.Parallel()
	w, done := setup(t), newNotebook(t)
	step := func(down bool) []*agentv1.MigrationStep {
		s := done.step("mine", "")
		s.PerTarget, s.Down = true, down
		return []*agentv1.MigrationStep{s}
	}
	v1, v2 := w.workload("1.0.0", ""), w.workload("2.0.0", "")
	first := w.installation(1, v1, nil)
	first.Migrations = step(false)
	w.send(first)
	require.Equal(t, deploymentv1.Installation_HEALTHY, w.end(first).GetState())
	require.Len(t, done.lines(), 1)
	w.stop()
	w.start()

	second := w.installation(2, v2, v1)
	second.Migrations = step(false)
	w.send(second)
	require.Equal(t, deploymentv1.Installation_HEALTHY, w.end(second).GetState())
	require.Len(t, done.lines(), 1, "it was made by the release before")
	require.Equal(t, []string{"mine SUCCEEDED"}, w.outcomes(second))

	for epoch := int64(3); epoch < 5; epoch++ { // taken back once, and not once more
		back := w.installation(epoch, v1, v2)
		back.Migrations = step(true)
		w.send(back)
		require.Equal(t, deploymentv1.Installation_HEALTHY, w.end(back).GetState())
		require.Len(t, done.lines(), 2)
	}
}

func TestToMigrateTouchesNothingLive(t *testing.T) {
	t.Parallel()
	w, done := setup(t), newNotebook(t)
	c := w.up(1, w.workload("1.0.0", ""), nil)
	seal := follow(c, 2, agentv1.Command_SEAL)
	w.send(seal)
	w.sealing(seal)
	app := w.apps(w.port)
	for _, test := range []struct {
		epoch         int64
		script, cause string
	}{{3, "true", ""}, {4, "exit 4", "MIGRATION_FAILED"}} {
		m := follow(c, test.epoch, agentv1.Command_MIGRATE)
		m.Migrations = []*agentv1.MigrationStep{done.step(fmt.Sprintf("drop-%d", test.epoch), test.script)}
		w.send(m)
		r := w.sealing(m)
		require.Equal(t, test.cause, r.GetCause())
		require.Equal(t, deploymentv1.Installation_HEALTHY_NOW, r.GetHealth())
	}
	require.Equal(t, []string{"drop-3 1.0.0", "drop-4 1.0.0"}, done.lines())
	require.Equal(t, app, w.apps(w.port), "the application did not notice")
}
