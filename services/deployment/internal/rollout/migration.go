package rollout

import (
	"fmt"
	"slices"
	"time"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// Migrations is where an environment stands with what a deployment has to migrate there. What is
// finished is left out; the rest stands in its order.
type Migrations struct {
	// Before is made (in a rollback: taken back) by one elected target before anything is activated.
	Before []Migration
	// After is made once every target runs the release.
	After []Migration
	// Behind names targets that run another release still, which After would break.
	Behind []string
}

// Migration is one of them.
type Migration struct {
	// Name is that of its run in the environment, ID that in the release.
	Name, ID string
	// Down says that it is to be taken back.
	Down bool
	// State is where it stands; NOT_RUN where nobody ever asked for it.
	State deploymentv1.MigrationRun_State
	// Ours says that this deployment asked for it last. What failed for another one is tried
	// again: the new deployment is the decision of a person to do so.
	Ours bool
	// Runner is the installation that was elected; Message what it said last.
	Runner, Message string
	// LeaseUntil is when the outcome must have been heard.
	LeaseUntil time.Time
}

// stuck says that only a person can tell how it goes on.
func (m Migration) stuck() bool {
	return m.State == deploymentv1.MigrationRun_INTERRUPTED || m.State == deploymentv1.MigrationRun_FAILED && m.Ours
}

func (f *Facts) before() []Migration {
	if f.Migrations == nil {
		return nil
	}
	return f.Migrations.Before
}

// migrate sees to what must be migrated before anything of the wave is activated. It elects one
// runner and lets everybody else wait; waits says that the wave can do nothing else now.
//
//	nobody was asked      one installation is claimed, and it is the runner
//	a runner is at work   the others may fetch their files meanwhile
//	its outcome is lost   a person says what became of it
//	it failed             so has the wave
func migrate(s *State, w *deploymentv1.Wave, f *Facts, e *Effects) (waits bool) {
	todo := f.before()
	if len(todo) == 0 {
		return false
	}
	if failed := slices.IndexFunc(todo, func(m Migration) bool { return m.State == deploymentv1.MigrationRun_FAILED && m.Ours }); failed >= 0 {
		m := todo[failed]
		s.moveWave(w, f, deploymentv1.Wave_FAILED, "MIGRATION_FAILED", fmt.Sprintf("migration %s failed: %s", m.ID, m.Message))
		return true
	}
	if wantsPrestage(f.counts(w)) {
		e.Prestage = w.GetName()
	}
	for _, m := range todo {
		if m.State == deploymentv1.MigrationRun_RUNNING {
			e.wakeAt(m.LeaseUntil)
			return true
		}
	}
	if slices.ContainsFunc(todo, Migration.stuck) {
		return true
	}
	if claimable(w, f.counts(w)) == 0 {
		return false // nobody is there who could, and nobody who would have to wait
	}
	e.Prestage = ""
	e.Claim = &Claim{Wave: w.GetName(), Limit: 1, Elect: true}
	return true
}

// contract sees to what must be migrated once every target runs the release; waits says that
// the deployment cannot end yet.
func contract(s *State, f *Facts, e *Effects) (waits bool) {
	if s.rollback() || f.Migrations == nil || len(f.Migrations.After) == 0 {
		return false
	}
	m := f.Migrations.After[0]
	switch {
	case m.State == deploymentv1.MigrationRun_RUNNING:
		if !m.LeaseUntil.IsZero() {
			e.wakeAt(m.LeaseUntil)
		}
	case m.stuck(), len(f.Migrations.Behind) > 0:
	case s.allowed(nil, f, e).Allowed(): // it is a change like that of a wave
		e.Migrate = m.ID
	}
	return true
}

// freezes says what happens with a wave that fails, by the rule found before the first wave.
func freezes(d *deploymentv1.Deployment) bool {
	return d.GetRollout().GetOnFailure() == deploymentv1.Rollout_FREEZE || d.GetRollbackPath().GetRule() == deploymentv1.RollbackPath_FREEZE
}

// RollbackRule says what happens with a wave that fails. AUTO, unless the plan wants to freeze, or
// the release brings a CONTRACT migration that cannot be taken back: who would be reverted might
// find its data gone. Those in done were made here before this deployment; what runs lives with them already.
func RollbackRule(plan *deploymentv1.Rollout, migrations []*deploymentv1.Migration, done map[string]bool) (deploymentv1.RollbackPath_Rule, []string) {
	var reasons []string
	if plan.GetOnFailure() == deploymentv1.Rollout_FREEZE {
		reasons = append(reasons, "the plan says on_failure FREEZE")
	}
	for _, m := range migrations {
		if m.GetPhase() == deploymentv1.Migration_CONTRACT && !m.GetReversible() && !done[m.GetId()] {
			reasons = append(reasons, fmt.Sprintf("migration %s is CONTRACT and not reversible", m.GetId()))
		}
	}
	if len(reasons) > 0 {
		return deploymentv1.RollbackPath_FREEZE, reasons
	}
	return deploymentv1.RollbackPath_AUTO, []string{"every migration is EXPAND, reversible, or was made before"}
}

// TakenBack splits the CONTRACT migrations of a release that were made in the environment into those
// that a rollback takes back, newest first, and those that nobody can. EXPAND ones may stay: the old version works with them.
func TakenBack(migrations []*deploymentv1.Migration, done map[string]bool) (down, never []*deploymentv1.Migration) {
	for _, m := range slices.Backward(migrations) {
		switch {
		case m.GetPhase() != deploymentv1.Migration_CONTRACT || !done[m.GetId()]:
		case m.GetReversible():
			down = append(down, m)
		default:
			never = append(never, m)
		}
	}
	return down, never
}

// OncePerEnvironment reports whether one elected target makes a migration for all.
func OncePerEnvironment(m *deploymentv1.Migration) bool {
	return m.GetScope() != deploymentv1.Migration_PER_TARGET
}

// beforeReasons says how a migration holds up a wave that has started; none where none does.
func beforeReasons(w *deploymentv1.Wave, f *Facts) []*gatev1.BlockedBy {
	if w.GetState() != deploymentv1.Wave_RUNNING {
		return nil
	}
	for _, m := range f.before() {
		if m.State == deploymentv1.MigrationRun_RUNNING || m.stuck() {
			return migrationReasons(m)
		}
	}
	return nil
}

func migrationReasons(m Migration) []*gatev1.BlockedBy {
	verb := "made"
	if m.Down {
		verb = "taken back"
	}
	r := &gatev1.BlockedBy{Kind: gatev1.BlockedBy_MIGRATION, Resource: m.Name, Required: fmt.Sprintf("migration %s %s", m.ID, verb), Owner: "agents", Command: "golive describe " + m.Name}
	switch {
	case m.State == deploymentv1.MigrationRun_INTERRUPTED:
		r.Current, r.Owner = "whether it was "+verb+" is not known: "+m.Message, "operators"
		r.Command = "golive resolve " + m.Name
	case m.stuck():
		r.Current, r.Owner, r.Command = "it failed: "+m.Message, "operators", "golive resolve "+m.Name
	case m.State == deploymentv1.MigrationRun_RUNNING && m.Runner == "":
		r.Current = "every target is running it"
	case m.State == deploymentv1.MigrationRun_RUNNING:
		r.Current, r.Eta = fmt.Sprintf("%s is running it", lastSegment(m.Runner)), stamp(m.LeaseUntil)
	default:
		r.Current = "it waits for a connected target that has nothing else to do"
	}
	return []*gatev1.BlockedBy{r}
}

// finalReasons says why a deployment whose waves are sealed has not ended.
func finalReasons(s *State, f *Facts) []*gatev1.BlockedBy {
	if f.Migrations == nil || len(f.Migrations.After) == 0 {
		return []*gatev1.BlockedBy{engineReason(s.Deployment.GetName(), "checked within seconds")}
	}
	m := f.Migrations.After[0]
	if policies := f.policies(s, nil).Reasons; len(policies) > 0 && m.State != deploymentv1.MigrationRun_RUNNING {
		return policies
	}
	if n := len(f.Migrations.Behind); n > 0 && m.State != deploymentv1.MigrationRun_RUNNING && !m.stuck() {
		return []*gatev1.BlockedBy{{
			Kind: gatev1.BlockedBy_TARGET, Resource: f.Migrations.Behind[0], Owner: "operators",
			Current:  fmt.Sprintf("%d targets run another release, %s among them; migration %s would break it", n, lastSegment(f.Migrations.Behind[0]), m.ID),
			Required: "all of them run " + lastSegment(s.Deployment.GetRelease()) + ", or are in maintenance",
			Command:  "golive describe " + f.Migrations.Behind[0],
		}}
	}
	return migrationReasons(m)
}
