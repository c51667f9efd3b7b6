package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// AddApproval records the word of one person on one wave. A person has one word: a
// second one is ALREADY_APPROVED, unless replace says that the first does not count any more.
func AddApproval(ctx context.Context, tx *sqldb.Tx, wave string, a *deploymentv1.Approval, replace bool) error {
	if replace {
		if _, err := tx.ExecContext(ctx, `DELETE FROM approvals WHERE wave = $1 AND principal = $2`, wave, a.GetPrincipal()); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO approvals (wave, principal, approved, reason, time, digest, roles) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		wave, a.GetPrincipal(), flag(a.GetApproved()), a.GetReason(), a.GetTime().AsTime().UnixMicro(), a.GetDigest(), strings.Join(a.GetRoles(), ","))
	if sqldb.IsUnique(err) {
		return fault.AlreadyExists("ALREADY_APPROVED", "%s has already answered for this wave; another person has to", a.GetPrincipal())
	}
	return err
}

// Approvals returns what approvers said about the waves of a deployment, by wave, oldest first.
func Approvals(ctx context.Context, q sqldb.Queryer, deployment string) (map[string][]*deploymentv1.Approval, error) {
	type row struct {
		wave     string
		approval *deploymentv1.Approval
	}
	rows, err := q.QueryContext(ctx, `SELECT a.wave, a.principal, a.approved, a.reason, a.time, a.digest, a.roles FROM approvals a JOIN waves w ON w.name = a.wave WHERE w.parent = $1 ORDER BY a.time, a.principal`, deployment)
	all, err := sqldb.Collect(rows, err, func(r *sql.Rows) (row, error) {
		var out row
		var micros int64
		var roles string
		out.approval = &deploymentv1.Approval{}
		err := r.Scan(&out.wave, &out.approval.Principal, &out.approval.Approved, &out.approval.Reason, &micros, &out.approval.Digest, &roles)
		out.approval.Time = timestamppb.New(time.UnixMicro(micros))
		out.approval.Roles = strings.FieldsFunc(roles, func(r rune) bool { return r == ',' })
		return out, err
	})
	byWave := map[string][]*deploymentv1.Approval{}
	for _, a := range all {
		byWave[a.wave] = append(byWave[a.wave], a.approval)
	}
	return byWave, err
}
