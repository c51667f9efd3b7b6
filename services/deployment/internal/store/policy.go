package store

import (
	"context"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/policy"
	"github.com/golive-dev/golive/services/deployment/internal/waits"
)

// Policies say what a workspace allows, and when.
var Policies = resource.Define(resource.Spec[*deploymentv1.Policy]{
	Table:   "policies",
	Columns: append([]resource.Column[*deploymentv1.Policy]{{Field: "display_name"}}, waitingColumns(waits.Policy)...),
	Hooks:   resource.Hooks[*deploymentv1.Policy]{Validate: CheckPolicy},
})

// PoliciesOf returns all policies of a workspace as they are now, by name.
func PoliciesOf(ctx context.Context, q sqldb.Queryer, workspace string) ([]*deploymentv1.Policy, error) {
	return Policies.Select(ctx, q, `WHERE parent = $1 ORDER BY name`, workspace)
}

// DeploymentsUnderWay names the deployments of a workspace that have not ended.
func DeploymentsUnderWay(ctx context.Context, q sqldb.Queryer, workspace string) ([]string, error) {
	prefix := workspace + "/applications/"
	rows, err := q.QueryContext(ctx, `SELECT name FROM deployments WHERE terminal = 0 AND name >= $1 AND name < $2 ORDER BY name`, prefix, prefix+"~")
	return sqldb.Collect(rows, err, scanText)
}

// CheckPolicy refuses a policy that could never be evaluated, and keeps the stopped line, which has verbs of its own.
func CheckPolicy(_ context.Context, _ *sqldb.Tx, old, p *deploymentv1.Policy) error {
	was := old.GetStopLine()
	if p.GetStopLine() != nil || was.GetEngaged() {
		p.StopLine = &deploymentv1.StopLine{
			Engaged: was.GetEngaged(), Reason: was.GetReason(), EngagedBy: was.GetEngagedBy(), EngageTime: was.GetEngageTime(),
			HotfixExempt: p.GetStopLine().GetHotfixExempt(),
		}
	}
	_, err := policy.New(p)
	return err
}
