package engine

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/policy"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// CreateOverride opens a gate, or sets a policy aside, in the name of the caller and for a time.
func (e *Engine) CreateOverride(ctx context.Context, req *deploymentv1.CreateOverrideRequest) (*deploymentv1.Override, error) {
	kind := store.Overrides.With(resource.Hooks[*deploymentv1.Override]{
		Validate: func(ctx context.Context, tx *sqldb.Tx, _, o *deploymentv1.Override) error {
			o.Person = auth.Actor(ctx)
			return e.checkOverride(ctx, tx, o)
		},
		AfterWrite: func(ctx context.Context, tx *sqldb.Tx, _, o *deploymentv1.Override) error {
			return e.lookAgain(ctx, tx, o.GetName())
		},
	})
	return kind.Create(ctx, e.store.Resources, req)
}

func (e *Engine) checkOverride(ctx context.Context, tx *sqldb.Tx, o *deploymentv1.Override) error {
	now, until := e.store.Now(), o.GetExpireTime().AsTime()
	if !until.After(now) || until.After(now.Add(policy.MaxOverride)) {
		return fault.Invalid("OVERRIDE_EXPIRY", "an override ends within 24 hours from now; give an expire_time before %s", now.Add(policy.MaxOverride).Format("2006-01-02T15:04:05Z07:00")).
			Field("override.expire_time", "must be within 24 hours from now")
	}
	if err := store.SameWorkspace("override.subject", o.GetName(), o.GetSubject()); err != nil {
		return err
	}
	if err := subjectExists(ctx, tx, o.GetSubject()); err != nil {
		return err
	}
	if o.GetPolicy() != "" {
		return checkPolicyOverride(ctx, tx, o)
	}
	if len(o.GetVerbs()) > 0 {
		return fault.Invalid("INVALID_FIELD", "verbs are those of a policy; leave them out where a gate is opened").Field("override.verbs", "must be empty together with gate")
	}
	return checkGateOverride(ctx, tx, o)
}

func subjectExists(ctx context.Context, tx *sqldb.Tx, subject string) error {
	switch {
	case strings.Contains(subject, "/waves/"):
		return store.Waves.Required(ctx, tx, subject)
	case strings.Contains(subject, "/deployments/"):
		return store.Deployments.Required(ctx, tx, subject)
	case strings.Contains(subject, "/applications/"):
		return store.Applications.Required(ctx, tx, subject)
	default:
		return store.Environments.Required(ctx, tx, subject)
	}
}

// checkPolicyOverride asks for one of the roles that the policy names.
func checkPolicyOverride(ctx context.Context, tx *sqldb.Tx, o *deploymentv1.Override) error {
	if err := store.SameWorkspace("override.policy", o.GetName(), o.GetPolicy()); err != nil {
		return err
	}
	p, err := store.Policies.Load(ctx, tx, o.GetPolicy())
	if err != nil {
		return err
	}
	_, workspace, _ := strings.Cut(store.WorkspaceOf(o.GetName()), "/")
	roles := p.GetOverrideRoles()
	principal, known := auth.FromContext(ctx)
	if len(roles) == 0 || known && slices.ContainsFunc(roles, func(role string) bool { return principal.Holds(workspace, auth.Role(role)) }) {
		return nil // any role that may create overrides will do where the policy names none
	}
	return fault.Denied("OVERRIDE_ROLE", "%s may be overridden by %s only; ask one of them", p.GetName(), strings.Join(roles, " or ")).Meta("roles", strings.Join(roles, ","))
}

// checkGateOverride refuses a gate that the subject does not have, and the approval gate of one's own deployment.
// An override of an application or an environment may come before the deployments it is for.
func checkGateOverride(ctx context.Context, tx *sqldb.Tx, o *deploymentv1.Override) error {
	if !strings.Contains(o.GetSubject(), "/deployments/") {
		return nil
	}
	deployment := rollout.DeploymentOf(o.GetSubject())
	d, err := store.Deployments.Load(ctx, tx, deployment)
	if err != nil {
		return err
	}
	_, wave, _ := strings.Cut(o.GetSubject(), "/waves/")
	var found *deploymentv1.GateRule
	for _, w := range d.GetRollout().GetWaves() {
		for _, g := range w.GetGates() {
			if (wave == "" || w.GetId() == wave) && g.GetId() == o.GetGate() {
				found = g
			}
		}
	}
	switch {
	case found == nil:
		return fault.Precondition("GATE_UNKNOWN", "%s has no gate %q; see its gates with `golive describe %s`", o.GetSubject(), o.GetGate(), deployment).
			Subject("GATE_UNKNOWN", o.GetSubject(), "has no gate "+o.GetGate())
	case found.GetApproval() != nil && o.GetPerson() == d.GetCreator():
		return fault.Denied("SELF_OVERRIDE", "%s created the deployment and cannot open its approval gate; ask another person", o.GetPerson())
	default:
		return nil
	}
}

// RevokeOverride ends an override now.
func (e *Engine) RevokeOverride(ctx context.Context, req *deploymentv1.RevokeOverrideRequest) (*deploymentv1.Override, error) {
	return resource.Do(ctx, e.store.Resources, req, func(ctx context.Context, tx *sqldb.Tx) (*deploymentv1.Override, error) {
		row, err := store.Overrides.LockRow(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		o := row.Message
		if err := checkEtag(o.GetName(), req.GetEtag(), o.GetEtag()); err != nil {
			return nil, err
		}
		if !policy.Live(o, e.store.Now()) {
			return nil, fault.Precondition("OVERRIDE_ENDED", "%s has ended; it opens nothing any more", o.GetName())
		}
		o.RevokeTime, o.RevokedBy, o.RevokeReason = timestamppb.New(e.store.Now()), auth.Actor(ctx), req.GetReason()
		if err := store.Overrides.Save(ctx, tx, e.store.Resources, o, row.Revision, resource.Meta{Verb: "revoked", Cause: req.GetReason()}); err != nil {
			return nil, err
		}
		return o, e.lookAgain(ctx, tx, o.GetName())
	})
}
