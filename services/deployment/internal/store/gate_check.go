package store

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/outbound"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/policy"
)

// CheckGates refuses gates of an expanded rollout that could never be judged, each by the path of its field, and
// those that reach into another workspace: the service that asks may read there, who deploys may not.
func CheckGates(owner string, expanded *deploymentv1.Rollout) error {
	for i, wave := range expanded.GetWaves() {
		for j, metric := range wave.GetAnalysis().GetMetrics() {
			if p := metric.GetPrometheus(); p != nil {
				if err := checkAddress(fmt.Sprintf("rollout.waves[%d].analysis.metrics[%d].prometheus.address", i, j), p.GetAddress()); err != nil {
					return err
				}
			}
		}
		for j, rule := range wave.GetGates() {
			if err := checkGate(fmt.Sprintf("rollout.waves[%d].gates[%d]", i, j), owner, rule); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkGate(path, owner string, rule *deploymentv1.GateRule) error {
	switch t := rule.GetType().(type) {
	case *deploymentv1.GateRule_Readiness:
		return SameWorkspace(path+".readiness.cohort_plan", owner, t.Readiness.GetCohortPlan())
	case *deploymentv1.GateRule_Decision:
		return SameWorkspace(path+".decision.decision", owner, t.Decision.GetDecision())
	case *deploymentv1.GateRule_PriorEnvironment:
		return reference(path+".prior_environment.environment", owner, "environments", t.PriorEnvironment.GetEnvironment())
	case *deploymentv1.GateRule_Dependency:
		if t.Dependency.GetApplication() == "" {
			return badGate(path+".dependency.application", "is required: the application that must be there first")
		}
		if t.Dependency.GetVersion() == "" {
			return badGate(path+".dependency.version", "is required: the least version, such as 1.2.3")
		}
		return reference(path+".dependency.application", owner, "applications", t.Dependency.GetApplication())
	case *deploymentv1.GateRule_Webhook:
		return checkAddress(path+".webhook.url", t.Webhook.GetUrl())
	case *deploymentv1.GateRule_Capacity:
		return checkCapacity(path+".capacity", t.Capacity)
	case *deploymentv1.GateRule_Feedback:
		if t.Feedback.GetMinRating() != 0 && t.Feedback.GetMinRating() < 1 {
			return badGate(path+".feedback.min_rating", "must be 0, which asks for none, or from 1 to 5")
		}
	case *deploymentv1.GateRule_Window:
		_, err := policy.NewWindows(t.Window.GetWindows(), path+".window.windows")
		return err
	case *deploymentv1.GateRule_Rule:
		_, err := policy.NewRule(t.Rule.GetExpression(), path+".rule.expression")
		return err
	default:
	}
	return nil
}

// CheckGateReferences refuses gates of a deployment to an environment that wait for what does not exist.
func CheckGateReferences(ctx context.Context, q sqldb.Queryer, environment *deploymentv1.Environment, expanded *deploymentv1.Rollout) error {
	for i, wave := range expanded.GetWaves() {
		for j, rule := range wave.GetGates() {
			path := fmt.Sprintf("rollout.waves[%d].gates[%d]", i, j)
			switch t := rule.GetType().(type) {
			case *deploymentv1.GateRule_Dependency:
				if err := Applications.Required(ctx, q, t.Dependency.GetApplication()); err != nil {
					return Referred(path+".dependency.application", err)
				}
			case *deploymentv1.GateRule_PriorEnvironment:
				path += ".prior_environment.environment"
				before := cmp.Or(t.PriorEnvironment.GetEnvironment(), environment.GetPromotedFrom())
				if before == "" {
					return badGate(path, "is required: "+environment.GetName()+" is promoted from no other environment")
				}
				if err := Environments.Required(ctx, q, before); err != nil {
					return Referred(path, err)
				}
			default:
			}
		}
	}
	return nil
}

func checkCapacity(path string, c *deploymentv1.CapacityGate) error {
	test := c.GetLoadTest()
	switch {
	case c.GetPeakPerInstance() == 0 && test == nil:
		return badGate(path, "needs peak_per_instance, or load_test to measure it")
	case c.GetPeakPerInstance() != 0 && test != nil:
		return badGate(path+".load_test", "must not be set together with peak_per_instance")
	case test != nil && test.GetMaxRate() != 0 && test.GetStartRate() > test.GetMaxRate():
		return badGate(path+".load_test.start_rate", "must be at most max_rate")
	case test != nil:
		return checkAddress(path+".load_test.url", test.GetUrl())
	default:
		return nil
	}
}

// checkAddress refuses an address that would be refused whenever it is asked, or that has a password in it: everybody reads plans.
func checkAddress(path, address string) error {
	if why := outbound.Unfit(address, false); why != "" {
		return badGate(path, "must be an address that golive may ask, and this is "+why)
	}
	return nil
}

// reference refuses what is no name of a resource directly in the workspace of the owner; empty is fine.
func reference(path, owner, collection, name string) error {
	if name == "" {
		return nil
	}
	parts := strings.Split(name, "/")
	if len(parts) != 4 || parts[0] != "workspaces" || parts[2] != collection || parts[1] == "" || parts[3] == "" {
		return badGate(path, fmt.Sprintf("must be a name such as %s/%s/prod", WorkspaceOf(owner), collection))
	}
	return SameWorkspace(path, owner, name)
}

func badGate(path, what string) error {
	return fault.Invalid("INVALID_ROLLOUT", "the rollout cannot be followed: %s %s; correct it and send the request again", path, what).Field(path, what)
}
