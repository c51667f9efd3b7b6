package cli

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
)

// addAgent says why an agent is not heard, and how it is again.
func (e *explanation) addAgent(a *deploymentv1.Agent) {
	if state, reason := notHeard(a); reason != nil {
		e.State = state
		e.add([]*gatev1.BlockedBy{reason})
	}
}

// notHeard is why an agent is not heard although it calls; nil where it would be.
func notHeard(a *deploymentv1.Agent) (string, *gatev1.BlockedBy) {
	switch {
	case a.GetRevokeTime() != nil:
		return "REVOKED", &gatev1.BlockedBy{
			Kind: gatev1.BlockedBy_OPERATOR, Resource: a.GetName(), Current: "revoked", Required: "a new enrolment of this host",
			Owner: "operators", Since: a.GetRevokeTime(), Command: "golive agent token " + kind.ID(a.GetName()),
		}
	case a.GetQuarantineReason() != "":
		return "QUARANTINED", &gatev1.BlockedBy{
			Kind: gatev1.BlockedBy_OPERATOR, Resource: a.GetName(), Current: a.GetQuarantineReason(), Required: "one process with this identity",
			Owner: "operators", Command: "golive agent release " + a.GetName(),
		}
	}
	return "", nil
}

// askAgents walks one step further, from installations that wait for their targets to the agents that are not heard.
func (c *client) askAgents(ctx context.Context, e *explanation) {
	i := slices.IndexFunc(e.Reasons, func(r reason) bool { return r.blocked.GetKind() == gatev1.BlockedBy_TARGET })
	if i < 0 {
		return
	}
	const most = 200 // so many say enough
	deployment, _, _ := strings.Cut(e.Reasons[i].blocked.GetResource(), "/waves/")
	queued, _, err := c.all(ctx, mustFind("installation"), query{parent: deployment, filter: "state = QUEUED", limit: most})
	if err == nil {
		var away []proto.Message
		away, _, err = c.all(ctx, mustFind("agent"), query{parent: "workspaces/" + c.workspace, filter: "connected = false", limit: most})
		for _, a := range as[*deploymentv1.Agent](away) {
			_, reason := notHeard(a)
			waits := func(i *deploymentv1.Installation) bool { return slices.Contains(a.GetTargets(), i.GetTarget()) }
			if reason != nil && slices.ContainsFunc(as[*deploymentv1.Installation](queued), waits) {
				e.add([]*gatev1.BlockedBy{reason}, e.Name)
			}
		}
	}
	if err != nil {
		c.note("the agents behind it cannot be asked: %s", explain(err).what)
	}
}

// addUpdate says that an agent does not run the program that it should.
func (e *explanation) addUpdate(a *deploymentv1.Agent) {
	if a.GetUpdateError() == "" || a.GetDesiredVersion() == a.GetVersion() {
		return
	}
	e.add([]*gatev1.BlockedBy{{
		Kind: gatev1.BlockedBy_OPERATOR, Resource: a.GetName(), Current: a.GetUpdateError(), Required: "version " + a.GetDesiredVersion() + " of its program",
		Owner: "operators", Command: "golive agent upgrade " + kind.ID(a.GetName()) + " VERSION",
	}})
}
