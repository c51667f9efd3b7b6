package store

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/waits"
)

// What something would wait for by its plan, also where it does not wait for that now: the edges along which
// circles are searched. What has begun waits for nobody but its own targets.

// WaveDependsOn names what a wave that has not begun waits for by its plan: the waves before it, what its gates ask the implementation
// service about, and the deployments that bring what its gates need of other applications and environments.
func WaveDependsOn(ctx context.Context, q sqldb.Queryer, d *deploymentv1.Deployment, w *deploymentv1.Wave, all []*deploymentv1.Wave) ([]string, error) {
	if w.GetState() != deploymentv1.Wave_PENDING && w.GetState() != deploymentv1.Wave_GATED {
		return nil, nil
	}
	var names []string
	for _, other := range all {
		if other.GetOrdinal() < w.GetOrdinal() && !rollout.WaveEnded(other.GetState()) {
			names = append(names, other.GetName())
		}
	}
	for i, rule := range w.GetRule().GetGates() {
		if i < len(w.GetGates()) && w.GetGates()[i].GetVerdict().GetState() == gatev1.Verdict_WAIVED {
			continue // somebody answers for not waiting
		}
		if asked := rollout.AskedOf(rule); asked != "" {
			names = append(names, asked)
		}
		application, environment, err := needed(ctx, q, d, rule)
		if err != nil {
			return nil, err
		}
		if application == "" {
			continue
		}
		bringing, err := ActiveIn(ctx, q, application, environment)
		if err != nil {
			return nil, err
		}
		names = append(names, bringing...)
	}
	return names, nil
}

// needed is the application that a gate needs somewhere else, or of somebody else, and the environment; empty for gates that need none.
func needed(ctx context.Context, q sqldb.Queryer, d *deploymentv1.Deployment, rule *deploymentv1.GateRule) (application, environment string, err error) {
	switch t := rule.GetType().(type) {
	case *deploymentv1.GateRule_Dependency:
		return t.Dependency.GetApplication(), d.GetEnvironment(), nil
	case *deploymentv1.GateRule_PriorEnvironment:
		if environment = t.PriorEnvironment.GetEnvironment(); environment == "" {
			e, err := Environments.Load(ctx, q, d.GetEnvironment())
			if err != nil {
				return "", "", err
			}
			environment = e.GetPromotedFrom()
		}
		return waits.ApplicationOf(d.GetName()), environment, nil
	default:
		return "", "", nil
	}
}

// WavesInNeed names the waves that have not begun and whose gates need what a deployment brings that is not stored yet.
func WavesInNeed(ctx context.Context, q sqldb.Queryer, brings *deploymentv1.Deployment) ([]string, error) {
	application := waits.ApplicationOf(brings.GetName())
	moving, err := Deployments.Select(ctx, q, `WHERE terminal = 0 AND (environment = $1 OR parent = $2) ORDER BY name LIMIT 200`, brings.GetEnvironment(), application)
	if err != nil {
		return nil, err
	}
	of, err := WavesOf(ctx, q, namesOf(moving)...)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, d := range moving {
		for _, w := range of[d.GetName()] {
			for _, rule := range w.GetRule().GetGates() {
				needs, where, err := needed(ctx, q, d, rule)
				if err != nil {
					return nil, err
				}
				if needs == application && where == brings.GetEnvironment() && (w.GetState() == deploymentv1.Wave_PENDING || w.GetState() == deploymentv1.Wave_GATED) {
					names = append(names, w.GetName())
				}
			}
		}
	}
	return names, nil
}

// DeploymentDependsOn names the waves of a deployment that have not ended, and the deployments that stand in line before it.
func DeploymentDependsOn(d *deploymentv1.Deployment, waves []*deploymentv1.Wave) []string {
	if rollout.Ended(d.GetState()) {
		return nil
	}
	var names []string
	for _, w := range waves {
		if !rollout.WaveEnded(w.GetState()) {
			names = append(names, w.GetName())
		}
	}
	for _, b := range d.GetBlockedBy() {
		if b.GetKind() == gatev1.BlockedBy_DEPLOYMENT && b.GetResource() != d.GetName() {
			names = append(names, b.GetResource())
		}
	}
	return names
}

// MovingIn returns the deployments that have not ended and go to an environment, or are of an application: one of the two is empty.
func MovingIn(ctx context.Context, q sqldb.Queryer, environment, application string) ([]*deploymentv1.Deployment, error) {
	column, of := "environment", environment
	if environment == "" {
		column, of = "parent", application
	}
	return Deployments.Select(ctx, q, `WHERE `+column+` = $1 AND terminal = 0 ORDER BY name LIMIT 100`, of)
}

// WavesOf returns the waves of deployments by deployment, in the order of the rollout.
func WavesOf(ctx context.Context, q sqldb.Queryer, deployments ...string) (map[string][]*deploymentv1.Wave, error) {
	out := map[string][]*deploymentv1.Wave{}
	err := inChunks(deployments, func(marks string, args []any) error {
		some, err := Waves.Select(ctx, q, `WHERE parent IN (`+marks+`)`, args...)
		for _, w := range some {
			of := rollout.DeploymentOf(w.GetName())
			out[of] = append(out[of], w)
		}
		return err
	})
	for _, waves := range out {
		slices.SortFunc(waves, func(a, b *deploymentv1.Wave) int { return cmp.Compare(a.GetOrdinal(), b.GetOrdinal()) })
	}
	return out, err
}

// GatesBehind returns the waves whose gates a verdict on a wave or a deployment takes in; none for anything else.
func (s *Store) GatesBehind(ctx context.Context, name string) ([]*deploymentv1.Wave, error) {
	switch strings.Count(name, "/") {
	case 5:
		of, err := WavesOf(ctx, s.DB.Read(), name)
		return of[name], err
	case 7:
		return Waves.Select(ctx, s.DB.Read(), `WHERE name = $1`, name)
	default:
		return nil, nil
	}
}
