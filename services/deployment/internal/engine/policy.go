package engine

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/policy"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// binding returns what binds an application in an environment now: policies and overrides are never
// copied into a deployment, they are read where something is about to happen. Nil binds nothing.
func (e *Engine) binding(ctx context.Context, q sqldb.Queryer, application, environment, release string, now time.Time) (*policy.Set, error) {
	workspace := store.WorkspaceOf(application)
	specs, err := store.PoliciesOf(ctx, q, workspace)
	if err != nil {
		return nil, fmt.Errorf("read policies: %w", err)
	}
	overrides, err := store.LiveOverrides(ctx, q, workspace, now)
	if err != nil {
		return nil, fmt.Errorf("read overrides: %w", err)
	}
	if len(specs) == 0 && len(overrides) == 0 {
		return nil, nil //nolint:nilnil // a nil set is one that binds nothing
	}
	set := policy.NewSet(e.policies.Get(specs), overrides, application, environment)
	if set.HasRules() {
		return set, e.ruleFacts(ctx, q, set, release)
	}
	return set, nil
}

// ruleFacts reads what only rules look at.
func (e *Engine) ruleFacts(ctx context.Context, q sqldb.Queryer, set *policy.Set, release string) error {
	var err error
	if set.Facts.Application, err = store.Applications.Load(ctx, q, set.Application); err != nil {
		return fmt.Errorf("load the application for rules: %w", err)
	}
	if set.Facts.Environment, err = store.Environments.Load(ctx, q, set.Environment); err != nil {
		return fmt.Errorf("load the environment for rules: %w", err)
	}
	releases, err := e.releases.get(ctx, q, []string{release})
	if err != nil {
		return fmt.Errorf("load the release for rules: %w", err)
	}
	set.Facts.Release = releases[release]
	return nil
}

// bound is binding for a deployment. A rollback is bound by nothing.
func (e *Engine) bound(ctx context.Context, q sqldb.Queryer, d *deploymentv1.Deployment, now time.Time) (*policy.Set, error) {
	if d.GetRollbackOf() != "" {
		return nil, nil //nolint:nilnil // a nil set is one that binds nothing
	}
	return e.binding(ctx, q, applicationOf(d.GetName()), d.GetEnvironment(), d.GetRelease(), now)
}

// allow refuses, as POLICY_VIOLATED, what the caller wants of a deployment, or of one of its waves, unless every
// policy agrees. It reads them in the transaction that will act.
func (e *Engine) allow(ctx context.Context, tx *sqldb.Tx, verb deploymentv1.Verb, d *deploymentv1.Deployment, w *deploymentv1.Wave) error {
	now := e.store.Now()
	set, err := e.bound(ctx, tx, d, now)
	if err != nil {
		return err
	}
	return set.Ask(policy.Question{Verb: verb, Deployment: d, Wave: w, Counts: w.GetCounts(), Principal: auth.Actor(ctx), Now: now}).Fault(verb)
}

// policyKind is the kind with what follows from a change: every deployment under way looks again.
func (e *Engine) policyKind() *resource.Kind[*deploymentv1.Policy] {
	return store.Policies.With(resource.Hooks[*deploymentv1.Policy]{
		Validate: store.CheckPolicy,
		AfterWrite: func(ctx context.Context, tx *sqldb.Tx, _, p *deploymentv1.Policy) error {
			return e.lookAgain(ctx, tx, p.GetName())
		},
		BeforeDelete: func(ctx context.Context, tx *sqldb.Tx, old *deploymentv1.Policy) error {
			return e.lookAgain(ctx, tx, old.GetName())
		},
	})
}

// lookAgain wakes the deployments of the workspace of a resource, so that a change of what binds them takes
// effect now and not with the next sweep.
func (e *Engine) lookAgain(ctx context.Context, tx *sqldb.Tx, changed string) error {
	names, err := store.DeploymentsUnderWay(ctx, tx, store.WorkspaceOf(changed))
	if err != nil {
		return fmt.Errorf("name what is under way: %w", err)
	}
	for _, name := range names {
		if err := e.wake(ctx, tx, name, e.store.Now()); err != nil {
			return err
		}
	}
	return nil
}

// CreatePolicy stores a policy; it holds from now on.
func (e *Engine) CreatePolicy(ctx context.Context, req *deploymentv1.CreatePolicyRequest) (*deploymentv1.Policy, error) {
	return e.policyKind().Create(ctx, e.store.Resources, req)
}

// UpdatePolicy changes a policy; the change holds from now on.
func (e *Engine) UpdatePolicy(ctx context.Context, req *deploymentv1.UpdatePolicyRequest) (*deploymentv1.Policy, error) {
	return e.policyKind().Update(ctx, e.store.Resources, req)
}

// DeletePolicy removes a policy; what it held goes on.
func (e *Engine) DeletePolicy(ctx context.Context, req *deploymentv1.DeletePolicyRequest) (*emptypb.Empty, error) {
	return e.policyKind().Delete(ctx, e.store.Resources, req)
}

// StopLine engages or releases the switch of a policy.
func (e *Engine) StopLine(ctx context.Context, req commandRequest, engage bool) (*deploymentv1.Policy, error) {
	return resource.Do(ctx, e.store.Resources, req, func(ctx context.Context, tx *sqldb.Tx) (*deploymentv1.Policy, error) {
		row, err := store.Policies.LockRow(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		p, verb := row.Message, "released"
		if err := checkEtag(p.GetName(), req.GetEtag(), p.GetEtag()); err != nil {
			return nil, err
		}
		line := p.GetStopLine()
		switch {
		case engage && line.GetEngaged():
			return nil, fault.Precondition("LINE_STOPPED", "%s stopped the line already: %s; release it first to give another reason", line.GetEngagedBy(), line.GetReason())
		case !engage && !line.GetEngaged():
			return nil, fault.Precondition("LINE_NOT_STOPPED", "the line of %s is not stopped; see what holds a deployment with `golive why`", p.GetName())
		}
		p.StopLine = &deploymentv1.StopLine{HotfixExempt: line.GetHotfixExempt()}
		if engage {
			verb = "engaged"
			p.StopLine.Engaged, p.StopLine.Reason, p.StopLine.EngagedBy, p.StopLine.EngageTime = true, req.GetReason(), auth.Actor(ctx), timestamppb.New(e.store.Now())
		}
		if err := store.Policies.Save(ctx, tx, e.store.Resources, p, row.Revision, resource.Meta{Verb: verb, Cause: req.GetReason()}); err != nil {
			return nil, err
		}
		return p, e.lookAgain(ctx, tx, p.GetName())
	})
}

// How far from now a question about policies may lie.
const (
	askBack  = 366 * 24 * time.Hour
	askAhead = 10 * askBack
)

// EvaluatePolicies answers what the policies say about something that is not done.
func (e *Engine) EvaluatePolicies(ctx context.Context, req *deploymentv1.EvaluatePoliciesRequest) (*deploymentv1.EvaluatePoliciesResponse, error) {
	q, at := e.store.DB.Read(), e.store.Now()
	if t := req.GetTime(); t != nil {
		if asked := t.AsTime(); asked.Before(at.Add(-askBack)) || asked.After(at.Add(askAhead)) {
			return nil, fault.Invalid("TIME_OUT_OF_RANGE", "policies are evaluated up to ten years ahead and one back; ask about a time nearer to now").
				Field("time", "must be at most ten years ahead and one back")
		}
		at = t.AsTime()
	}
	verb := max(req.GetVerb(), deploymentv1.Verb_CREATE)
	for field, name := range map[string]string{"application": req.GetApplication(), "environment": req.GetEnvironment(), "release": req.GetRelease()} {
		if name == "" {
			continue
		}
		if err := store.SameWorkspace(field, req.GetParent(), name); err != nil {
			return nil, err
		}
	}
	if err := store.Applications.Required(ctx, q, req.GetApplication()); err != nil {
		return nil, err
	}
	if err := store.Environments.Required(ctx, q, req.GetEnvironment()); err != nil {
		return nil, err
	}
	if req.GetRelease() != "" {
		if err := store.Releases.Required(ctx, q, req.GetRelease()); err != nil {
			return nil, err
		}
	}
	set, err := e.binding(ctx, q, req.GetApplication(), req.GetEnvironment(), req.GetRelease(), at)
	if err != nil {
		return nil, err
	}
	answer := set.Ask(policy.Question{
		Verb: verb, Principal: auth.Actor(ctx), Now: at,
		Deployment: &deploymentv1.Deployment{Release: req.GetRelease(), Environment: req.GetEnvironment(), Hotfix: req.GetHotfix(), Creator: auth.Actor(ctx)},
	})
	out := &deploymentv1.EvaluatePoliciesResponse{Allowed: answer.Allowed(), BlockedBy: answer.Reasons, Overrides: answer.Overrides, Time: timestamppb.New(at)}
	if !answer.Next.IsZero() {
		out.NextChange = timestamppb.New(answer.Next)
	}
	return out, nil
}
