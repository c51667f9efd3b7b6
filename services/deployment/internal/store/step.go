package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// InsertSteps appends the steps of reports to the history of their installations. A
// report that comes twice adds nothing.
func InsertSteps(ctx context.Context, tx *sqldb.Tx, reports []*agentv1.Report) error {
	const columns = 12
	var rows [][]any
	for _, r := range reports {
		for n, s := range r.GetSteps() {
			rows = append(rows, []any{
				r.GetInstallation(), r.GetAttempt(), r.GetSequence(), n, int64(s.GetState()), s.GetStep(),
				s.GetStartTime().AsTime().UnixMicro(), s.GetEndTime().AsTime().UnixMicro(), flag(s.GetSucceeded()), s.GetExitCode(), s.GetSha256(), s.GetMessage(),
			})
		}
	}
	return sized(rows, func(part [][]any) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO installation_steps (installation, attempt, sequence, ordinal, state, step, start_time, end_time, succeeded, exit_code, sha256, message)
			VALUES `+sqldb.Tuples(len(part), columns)+` ON CONFLICT DO NOTHING`, slices.Concat(part...)...)
		return err
	})
}

// Attempts returns the history of an installation.
func Attempts(ctx context.Context, q sqldb.Queryer, installation string) ([]*deploymentv1.InstallationAttempt, error) {
	type row struct {
		attempt int32
		step    *deploymentv1.InstallationStep
	}
	rows, err := q.QueryContext(ctx, `SELECT attempt, state, step, start_time, end_time, succeeded, exit_code, sha256, message
		FROM installation_steps WHERE installation = $1 ORDER BY attempt, sequence, ordinal`, installation)
	all, err := sqldb.Collect(rows, err, func(r *sql.Rows) (row, error) {
		out := row{step: &deploymentv1.InstallationStep{}}
		var start, end int64
		err := r.Scan(&out.attempt, &out.step.State, &out.step.Step, &start, &end, &out.step.Succeeded, &out.step.ExitCode, &out.step.Sha256, &out.step.Message)
		out.step.StartTime, out.step.EndTime = timestamppb.New(time.UnixMicro(start)), timestamppb.New(time.UnixMicro(end))
		return out, err
	})
	var attempts []*deploymentv1.InstallationAttempt
	for _, r := range all {
		if len(attempts) == 0 || attempts[len(attempts)-1].GetAttempt() != r.attempt {
			attempts = append(attempts, &deploymentv1.InstallationAttempt{Attempt: r.attempt})
		}
		last := attempts[len(attempts)-1]
		last.Steps = append(last.Steps, r.step)
	}
	return attempts, err
}
