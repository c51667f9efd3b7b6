package cli

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
)

// failed names a few targets on which a deployment that ended badly failed, and what went wrong there.
func (c *client) failed(ctx context.Context, m proto.Message) (lines []string) {
	d, ok := m.(*deploymentv1.Deployment)
	if s := d.GetState(); !ok || s != deploymentv1.Deployment_FAILED && s != deploymentv1.Deployment_ROLLBACK_FAILED {
		return nil
	}
	const most = 3
	for _, state := range []string{"REVERT_FAILED", "FAILED", "REVERTED"} { // the worst first
		found, _, err := c.all(ctx, mustFind("installation"), query{parent: d.GetName(), filter: "state = " + state, limit: 10 * most})
		if err != nil {
			c.note("what failed cannot be asked: %s", explain(err).what)
			return lines
		}
		for _, i := range as[*deploymentv1.Installation](found) {
			if i.GetCause() != "" && len(lines) < most {
				lines = append(lines, fmt.Sprintf("%s  %s  %s: %s", kind.ID(i.GetTarget()), state, i.GetCause(), i.GetMessage()))
			}
		}
	}
	return lines
}
