package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Installation is the row of one installation: the message people see, and what only
// the service needs.
type Installation struct {
	*deploymentv1.Installation
	// Deployment and Application say what it belongs to.
	Deployment, Application string
	// Action is what its agent should do now; ACTION_UNSPECIFIED when there is nothing.
	Action agentv1.Command_Action
	// Active is true while the deployment holds the target; at most one row of a target
	// and application is, and an index sees to it.
	Active bool
	// Overlay and FromOverlay are agentv1.Workload messages with only variables and secrets:
	// what of the environment and the target was frozen for the new and the old release.
	Overlay, FromOverlay []byte
	// ConfigDigest identifies release and overlay together; FromConfigDigest that of what ran before.
	ConfigDigest, FromConfigDigest string
}

// Installations knows names, filters and order of installations; their rows hold no message.
var Installations = resource.Define(resource.Spec[*deploymentv1.Installation]{
	Table: "installations",
	Columns: []resource.Column[*deploymentv1.Installation]{
		{Field: "state"}, {Field: "health"}, {Field: "wave"}, {Field: "target"}, {Field: "cause"}, {Field: "attempt"}, {Field: "prestaged"},
	},
})

const installationColumns = `name, parent, target, wave, application, from_release, to_release, state, health, attempt, epoch, revision,
	cause, message, prestaged, restarts, update_time, action, active, overlay, from_overlay, config_digest, from_config_digest`

func scanInstallation(rows *sql.Rows) (*Installation, error) {
	i := &Installation{Installation: &deploymentv1.Installation{}}
	var micros int64
	err := rows.Scan(&i.Name, &i.Deployment, &i.Target, &i.Wave, &i.Application, &i.FromRelease, &i.ToRelease, &i.State, &i.Health, &i.Attempt, &i.Epoch, &i.Revision,
		&i.Cause, &i.Message, &i.Prestaged, &i.Restarts, &micros, &i.Action, &i.Active, &i.Overlay, &i.FromOverlay, &i.ConfigDigest, &i.FromConfigDigest)
	i.UpdateTime = timestamppb.New(time.UnixMicro(micros))
	return i, err
}

// ListInstallations answers one page.
func (s *Store) ListInstallations(ctx context.Context, req *deploymentv1.ListInstallationsRequest) ([]*deploymentv1.Installation, string, error) {
	return Installations.ListRows(ctx, s.Resources, req, `SELECT `+installationColumns+` FROM installations`, func(rows *sql.Rows) (*deploymentv1.Installation, error) {
		i, err := scanInstallation(rows)
		return i.Installation, err
	})
}

// insertBatch is how many rows one INSERT carries; 23 columns times this stays far below
// the 32 766 parameters that both databases take.
const insertBatch = 200

// InsertInstallations stores new installations. A target that another active deployment
// of the application holds is a unique violation of installations_active.
func InsertInstallations(ctx context.Context, tx *sqldb.Tx, now time.Time, all []*Installation) error {
	for len(all) > 0 {
		n := min(insertBatch, len(all))
		args := make([]any, 0, n*23)
		for _, i := range all[:n] {
			args = append(args, i.GetName(), i.Deployment, i.GetTarget(), i.GetWave(), i.Application, i.GetFromRelease(), i.GetToRelease(), int64(i.GetState()), int64(i.GetHealth()),
				i.GetAttempt(), i.GetEpoch(), i.GetRevision(), i.GetCause(), i.GetMessage(), flag(i.GetPrestaged()), i.GetRestarts(), now.UnixMicro(),
				int64(i.Action), flag(i.Active), i.Overlay, i.FromOverlay, i.ConfigDigest, i.FromConfigDigest)
		}
		query := `INSERT INTO installations (` + installationColumns + `) VALUES ` + sqldb.Tuples(n, 23)
		if _, err := tx.ExecContext(ctx, query, args...); err != nil {
			return fmt.Errorf("insert installations: %w", err)
		}
		all = all[n:]
	}
	return nil
}

// LoadInstallations returns the installations of these names, in the order of their names, locked
// for change on PostgreSQL (SQLite has one writer). Unknown names are left out.
func LoadInstallations(ctx context.Context, tx *sqldb.Tx, names []string) ([]*Installation, error) {
	query := `SELECT ` + installationColumns + ` FROM installations WHERE name IN (` + sqldb.Marks(1, len(names)) + `) ORDER BY name`
	if tx.Dialect() == sqldb.Postgres {
		query += ` FOR UPDATE`
	}
	rows, err := tx.QueryContext(ctx, query, sqldb.Texts(names)...)
	return sqldb.Collect(rows, err, scanInstallation)
}

// SelectInstallations returns the installations that a condition finds.
func SelectInstallations(ctx context.Context, q sqldb.Queryer, where string, args ...any) ([]*Installation, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+installationColumns+` FROM installations WHERE `+where, args...)
	return sqldb.Collect(rows, err, scanInstallation)
}

// InstallationEvents returns the records of changed installations.
func InstallationEvents(all []*Installation, verb, actor string, now time.Time) []feed.Record {
	records := make([]feed.Record, 0, len(all))
	for _, i := range all {
		records = append(records, feed.Record{
			Resource: i.GetName(), Type: "deployment.installation." + verb, Revision: i.GetRevision(), Actor: actor,
			Cause: i.GetCause(), After: i.Installation, Time: now,
		})
	}
	return records
}

// flag is how both databases store a bool.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
