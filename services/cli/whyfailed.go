package cli

import (
	"context"
	"fmt"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
)

// askFailed names a few targets on which a deployment that ended badly failed, and what went wrong there.
func (c *client) askFailed(ctx context.Context, e *explanation, d *deploymentv1.Deployment) {
	if s := d.GetState(); s != deploymentv1.Deployment_FAILED && s != deploymentv1.Deployment_ROLLBACK_FAILED {
		return
	}
	const most = 3
	for _, state := range []string{"REVERT_FAILED", "FAILED", "REVERTED"} { // the worst first
		found, _, err := c.all(ctx, mustFind("installation"), query{parent: d.GetName(), filter: "state = " + state, limit: 10 * most})
		if err != nil {
			c.note("what failed cannot be asked: %s", explain(err).what)
			return
		}
		for _, i := range as[*deploymentv1.Installation](found) {
			if i.GetCause() != "" && len(e.Failed) < most {
				e.Failed = append(e.Failed, fmt.Sprintf("%s  %s  %s: %s", kind.ID(i.GetTarget()), state, i.GetCause(), i.GetMessage()))
			}
		}
	}
}
