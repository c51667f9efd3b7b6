package engine

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// Decide records the approval or rejection of a wave by the person who calls.
func (e *Engine) Decide(ctx context.Context, req commandRequest, approved bool) (*deploymentv1.Wave, error) {
	return e.onWave(ctx, req, func(ctx context.Context, tx *sqldb.Tx, l *loaded, w *deploymentv1.Wave) error {
		gates := approvalGates(w)
		if len(gates) == 0 {
			return fault.Precondition("NO_APPROVAL_GATE", "%s waits for no approval; see what it waits for with `golive why %s`", w.GetName(), w.GetName())
		}
		if w.GetState() != deploymentv1.Wave_PENDING && w.GetState() != deploymentv1.Wave_GATED {
			return fault.Precondition(rollout.ReasonStateForbids, "%s is %s; approvals are given before a wave starts", w.GetName(), w.GetState())
		}
		person := auth.Actor(ctx)
		if approved && person == l.Deployment.GetCreator() {
			return fault.Denied("SELF_APPROVAL", "%s created the deployment and cannot approve it too; ask another person", person)
		}
		if digest := digestOf(req); digest != "" && digest != w.GetApprovalDigest() {
			return fault.Conflict("DIGEST_MISMATCH", "%s is not what was looked at: its digest is %s; look at it again and approve that", w.GetName(), w.GetApprovalDigest()).
				Meta("digest", w.GetApprovalDigest()).Field("digest", "must be "+w.GetApprovalDigest())
		}
		if approved {
			if err := e.allow(ctx, tx, deploymentv1.Verb_APPROVE, l.Deployment, w); err != nil {
				return err
			}
		}
		said, err := store.Approvals(ctx, tx, l.Deployment.GetName())
		if err != nil {
			return fmt.Errorf("read approvals: %w", err)
		}
		now := e.store.Now()
		before := slices.IndexFunc(said[w.GetName()], func(a *deploymentv1.Approval) bool { return a.GetPrincipal() == person })
		// Who approved may still reject, and may approve again what does not count any more for some gate.
		replace := before >= 0 && (!approved || slices.ContainsFunc(gates, func(g *deploymentv1.ApprovalGate) bool {
			return rollout.Void(w, g, said[w.GetName()][before], now) != ""
		}))
		return store.AddApproval(ctx, tx, w.GetName(), &deploymentv1.Approval{
			Principal: person, Approved: approved, Reason: req.GetReason(), Time: timestamppb.New(now), Digest: w.GetApprovalDigest(), Roles: rolesOf(ctx, w.GetName()),
		}, replace)
	})
}

// approvalGates returns the approvals that a wave waits for.
func approvalGates(w *deploymentv1.Wave) []*deploymentv1.ApprovalGate {
	var gates []*deploymentv1.ApprovalGate
	for _, g := range w.GetRule().GetGates() {
		if g.GetApproval() != nil {
			gates = append(gates, g.GetApproval())
		}
	}
	return gates
}

func digestOf(req commandRequest) string {
	if with, ok := req.(interface{ GetDigest() string }); ok {
		return with.GetDigest()
	}
	return ""
}

// rolesOf returns the roles that the caller holds now in the workspace of a resource, as an approval keeps them.
func rolesOf(ctx context.Context, name string) []string {
	p, ok := auth.FromContext(ctx)
	if !ok {
		return nil
	}
	ids, err := store.Waves.Parse(name)
	if err != nil {
		return nil
	}
	var out []string
	for _, role := range []auth.Role{auth.Operator, auth.Approver, auth.Admin} {
		if p.Holds(ids[0], role) {
			out = append(out, string(role))
		}
	}
	return out
}

// bind gives each wave the digest of what an approval of it is about: the plan, the release, and its targets with
// their configuration. It is taken once, of what is stored in the same transaction, and only compared afterwards.
func bind(plan string, waves []*deploymentv1.Wave, installations []*store.Installation) {
	members := map[string][]rollout.Member{}
	for _, i := range installations {
		members[i.GetWave()] = append(members[i.GetWave()], rollout.Member{Target: i.GetTarget(), Wave: i.GetWave(), Release: i.GetToRelease(), ConfigDigest: i.ConfigDigest})
	}
	for _, w := range waves {
		w.ApprovalDigest = rollout.SnapshotDigest(plan, members[w.GetName()])
	}
}
