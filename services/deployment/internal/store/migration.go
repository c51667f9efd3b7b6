package store

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// MigrationRuns say what was migrated where. Only the engine writes them.
var MigrationRuns = resource.Define(resource.Spec[*deploymentv1.MigrationRun]{
	Table: "migration_runs",
	Columns: append([]resource.Column[*deploymentv1.MigrationRun]{
		{Field: "application"}, {Field: "migration_id"}, {Field: "state"}, {Field: "phase"}, {Field: "deployment"}, {Field: "runner"},
	}, waitingColumns(listedMigrationRun)...),
})

// MigrationRunName names a migration of an application in an environment. An application's id holds no full stop, so the
// two parts can always be told apart.
func MigrationRunName(environment, application, id string) string {
	return environment + "/migrationRuns/" + application[strings.LastIndexByte(application, '/')+1:] + "." + id
}

// MigrationRun is one with its revision.
type MigrationRun struct {
	*deploymentv1.MigrationRun

	Revision int64
}

// LoadMigrationRuns returns what is known of these migrations, by name; what never ran is not there.
func LoadMigrationRuns(ctx context.Context, q sqldb.Queryer, names []string) (map[string]*MigrationRun, error) {
	return selectRuns(ctx, q, `WHERE name IN (`+sqldb.Marks(1, len(names))+`)`, sqldb.Texts(names)...)
}

// OpenMigrations returns the migrations that these installations are told to run and whose outcome is not known,
// by name: also those whose runner is believed to be cut off, for it may come to hear of them only now.
func OpenMigrations(ctx context.Context, q sqldb.Queryer, runners []string) (map[string]*MigrationRun, error) {
	out := map[string]*MigrationRun{}
	err := inChunks(runners, func(marks string, args []any) error {
		some, err := selectRuns(ctx, q, `WHERE `+in("state", deploymentv1.MigrationRun_RUNNING, deploymentv1.MigrationRun_INTERRUPTED)+` AND runner IN (`+marks+`)`, args...)
		maps.Copy(out, some)
		return err
	})
	return out, err
}

// RunningEverywhere returns the migrations that all targets of these deployments are told to run, by name.
func RunningEverywhere(ctx context.Context, q sqldb.Queryer, deployments []string) (map[string]*MigrationRun, error) {
	return selectRuns(ctx, q, `WHERE state = `+number(deploymentv1.MigrationRun_RUNNING)+` AND runner = '' AND deployment IN (`+sqldb.Marks(1, len(deployments))+`)`, sqldb.Texts(deployments)...)
}

func selectRuns(ctx context.Context, q sqldb.Queryer, where string, args ...any) (map[string]*MigrationRun, error) {
	rows, err := MigrationRuns.SelectRows(ctx, q, where, args...)
	out := make(map[string]*MigrationRun, len(rows))
	for _, r := range rows {
		out[r.Message.GetName()] = &MigrationRun{MigrationRun: r.Message, Revision: r.Revision}
	}
	return out, err
}

// PutMigrationRun stores a run, the first time or the next, by compare-and-swap.
func (s *Store) PutMigrationRun(ctx context.Context, tx *sqldb.Tx, run *MigrationRun, cause string) error {
	meta := resource.Meta{Verb: strings.ToLower(run.GetState().String()), Cause: cause}
	if run.Revision == 0 {
		run.Revision = 1
		return MigrationRuns.Insert(ctx, tx, s.Resources, run.MigrationRun, meta)
	}
	err := MigrationRuns.Save(ctx, tx, s.Resources, run.MigrationRun, run.Revision, meta)
	run.Revision++
	return err
}

// Behind names the targets of an environment that run another release of the application, and are not in maintenance:
// a CONTRACT migration would break them. Whoever takes a target into maintenance answers for it.
func Behind(ctx context.Context, q sqldb.Queryer, application, environment, release string) ([]string, error) {
	prefix := environment + "/targets/"
	rows, err := q.QueryContext(ctx, `SELECT s.target FROM slots s JOIN targets t ON t.name = s.target
		WHERE s.application = $1 AND s.target >= $2 AND s.target < $3 AND s.release <> $4 AND t.maintenance = 0 ORDER BY s.target`,
		application, prefix, prefix+"~", release)
	return sqldb.Collect(rows, err, scanText)
}

// ActiveIn returns the deployments of an application in an environment that have not ended.
func ActiveIn(ctx context.Context, q sqldb.Queryer, application, environment string) ([]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT name FROM deployments WHERE parent = $1 AND environment = $2 AND terminal = 0 ORDER BY name`, application, environment)
	return sqldb.Collect(rows, err, scanText)
}

// checkMigrations refuses migrations that could not be told apart, or not be taken back as they promise.
func checkMigrations(r *deploymentv1.Release) error {
	seen := map[string]bool{}
	for _, m := range r.GetMigrations() {
		why := ""
		switch {
		case seen[m.GetId()]:
			why = "two migrations have the id " + m.GetId()
		case m.GetReversible() && m.GetDown() == nil:
			why = "migration " + m.GetId() + " is reversible but has no down"
		}
		if why != "" {
			return fault.Invalid(resource.ReasonInvalidField, "%s; correct it and create the release again", why).Field("release.migrations", why)
		}
		seen[m.GetId()] = true
	}
	return nil
}

// Migrate tells one installation of a deployment that runs its release to migrate, or all of them. None is
// told while some still has something else to do.
func Migrate(ctx context.Context, tx *sqldb.Tx, now time.Time, deployment string, one bool) ([]*Installation, error) {
	tell := set("action", agentv1.Command_MIGRATE) + `, epoch = ` + nextEpoch
	runs := in("i.state", deploymentv1.Installation_SEALED, deploymentv1.Installation_SKIPPED) + ` AND i.action = 0 AND i.to_release <> ''`
	if one {
		return change(ctx, tx, now, tell, `name IN (SELECT i.name FROM installations i WHERE i.parent = $3 AND `+runs+` AND `+available+` ORDER BY i.name LIMIT 1)`,
			now.UnixMicro(), deployment)
	}
	return change(ctx, tx, now, tell, `name IN (SELECT i.name FROM installations i WHERE i.parent = $2 AND `+runs+`)
		AND NOT EXISTS (SELECT 1 FROM installations o WHERE o.parent = $2 AND o.action <> 0)`, deployment)
}

// Migrating counts the installations of a deployment that are told to migrate and have not answered.
func Migrating(ctx context.Context, q sqldb.Queryer, deployment string) (n int, err error) {
	err = q.QueryRowContext(ctx, `SELECT COUNT(*) FROM installations WHERE parent = $1 AND `+in("action", agentv1.Command_MIGRATE), deployment).Scan(&n)
	return n, err
}

// PutBack lets a runner stand in the queue again whose word does not count any more. Whatever its agent still does
// for it is fenced off by the epoch of the next claim.
func PutBack(ctx context.Context, tx *sqldb.Tx, now time.Time, runner string, epoch int64) ([]*Installation, error) {
	return change(ctx, tx, now, set("state", deploymentv1.Installation_QUEUED)+`, action = 0, health = 0, cause = 'MIGRATION_RESOLVED', message = ''`,
		`name = $2 AND epoch = $3 AND active = 1 AND `+in("action", agentv1.Command_INSTALL)+` AND `+in("state", append(rollout.InProgress(), deploymentv1.Installation_UNKNOWN)...), runner, epoch)
}

// Outlived tells whether the agent of an installation has answered to a newer command than that of an
// epoch: what it had not begun by then, it never will.
func Outlived(ctx context.Context, q sqldb.Queryer, runner string, epoch int64) (bool, error) {
	answered := append(rollout.InProgress(), deploymentv1.Installation_HEALTHY, deploymentv1.Installation_SEALED,
		deploymentv1.Installation_FAILED, deploymentv1.Installation_REVERTED, deploymentv1.Installation_REVERT_FAILED)
	answered = slices.DeleteFunc(answered, func(s deploymentv1.Installation_State) bool { return s == deploymentv1.Installation_CLAIMED })
	var n int
	err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM installations n JOIN installations r ON r.target = n.target AND r.application = n.application
		WHERE r.name = $1 AND n.name <> r.name AND n.epoch > $2 AND `+in("n.state", answered...), runner, epoch).Scan(&n)
	return n > 0, err
}
