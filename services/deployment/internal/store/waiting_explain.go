package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/waits"
)

// ExplainWaiting says what one resource waits for, as far as this service knows: the other service, or whoever joins
// both, goes on from the resources that its reasons name. A resource that waits for nothing is answered
// without reasons; WAITING_UNSUPPORTED is a kind that never waits.
func (s *Store) ExplainWaiting(ctx context.Context, name string) (*waitingv1.Explanation, error) {
	parts := strings.Split(name, "/")
	below := func(length int, collection string) bool { return len(parts) == length && parts[length-2] == collection }
	switch {
	case below(6, "deployments"):
		return s.explainDeployment(ctx, name)
	case below(8, "waves"):
		return s.explainWave(ctx, name)
	case below(8, "installations"):
		return s.explainInstallation(ctx, name)
	case below(6, "targets"):
		return s.explainTarget(ctx, name)
	case below(6, "migrationRuns"):
		run, err := MigrationRuns.Load(ctx, s.DB.Read(), name)
		return &waitingv1.Explanation{Waiting: waits.MigrationRun(run)}, err
	case below(4, "agents"):
		return s.explainAgent(ctx, name)
	case below(4, "policies"):
		p, err := Policies.Load(ctx, s.DB.Read(), name)
		return &waitingv1.Explanation{Waiting: waits.Policy(p)}, err
	case below(4, "environments"):
		if err := Environments.Required(ctx, s.DB.Read(), name); err != nil {
			return nil, err
		}
		return s.explainPlace(ctx, waits.KindEnvironment, name, "")
	case below(4, "applications"):
		if err := Applications.Required(ctx, s.DB.Read(), name); err != nil {
			return nil, err
		}
		return s.explainPlace(ctx, waits.KindApplication, "", name)
	default:
		return nil, fault.Invalid("WAITING_UNSUPPORTED", "%q is of a kind that never waits; ask about a deployment, wave, installation, target, agent, "+
			"environment, application, migration run or policy", strings.ToValidUTF8(name[:min(len(name), 200)], "")).Field("resource", "never waits")
	}
}

func (s *Store) explainDeployment(ctx context.Context, name string) (*waitingv1.Explanation, error) {
	q := s.DB.Read()
	d, err := Deployments.Load(ctx, q, name)
	if err != nil {
		return nil, err
	}
	of, err := WavesOf(ctx, q, name)
	if err != nil {
		return nil, fmt.Errorf("read the waves of %s: %w", name, err)
	}
	e := &waitingv1.Explanation{Waiting: waits.Deployment(d), DependsOn: DeploymentDependsOn(d, of[name])}
	if rollout.Ended(d.GetState()) {
		return e, nil
	}
	for _, w := range of[name] {
		if line := waits.Wave(w); w.GetState() != deploymentv1.Wave_PENDING && len(line.GetBlockedBy()) > 0 {
			e.Behind = append(e.Behind, line)
		}
	}
	return e, s.addUnheard(ctx, e, `i.parent = $1`, name)
}

func (s *Store) explainWave(ctx context.Context, name string) (*waitingv1.Explanation, error) {
	q := s.DB.Read()
	w, err := Waves.Load(ctx, q, name)
	if err != nil {
		return nil, err
	}
	deployment := rollout.DeploymentOf(name)
	d, err := Deployments.Load(ctx, q, deployment)
	if err != nil {
		return nil, err
	}
	of, err := WavesOf(ctx, q, deployment)
	if err != nil {
		return nil, fmt.Errorf("read the waves of %s: %w", deployment, err)
	}
	e := &waitingv1.Explanation{Waiting: waits.Wave(w)}
	if e.DependsOn, err = WaveDependsOn(ctx, q, d, w, of[deployment]); err != nil {
		return nil, fmt.Errorf("find what %s depends on: %w", name, err)
	}
	return e, s.addUnheard(ctx, e, `i.wave = $1`, name)
}

// unheardMost is how many agents an explanation looks at; so many say enough.
const unheardMost = 200

// addUnheard goes one step further where targets are waited for, by a deployment or by its waves: to the agents that
// call and are not heard.
func (s *Store) addUnheard(ctx context.Context, e *waitingv1.Explanation, which, of string) error {
	forTarget := func(w *waitingv1.Waiting) bool {
		return slices.ContainsFunc(w.GetBlockedBy(), func(b *gatev1.BlockedBy) bool { return b.GetKind() == gatev1.BlockedBy_TARGET })
	}
	if !forTarget(e.GetWaiting()) && !slices.ContainsFunc(e.GetBehind(), forTarget) {
		return nil
	}
	agents, err := Agents.Select(ctx, s.DB.Read(), `WHERE name IN (SELECT t.agent FROM installations i JOIN targets t ON t.name = i.target
		WHERE `+which+` AND `+in("i.state", deploymentv1.Installation_QUEUED)+`) ORDER BY name LIMIT `+fmt.Sprint(unheardMost), of)
	if err != nil {
		return fmt.Errorf("find the agents behind %s: %w", of, err)
	}
	for _, a := range agents {
		if line := waits.Agent(a); len(line.GetBlockedBy()) > 0 {
			e.Behind = append(e.Behind, line)
		}
	}
	return nil
}

func (s *Store) explainInstallation(ctx context.Context, name string) (*waitingv1.Explanation, error) {
	if _, err := Installations.Parse(name); err != nil {
		return nil, err
	}
	found, err := SelectInstallations(ctx, s.DB.Read(), `name = $1`, name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(found) == 0 {
		return nil, Installations.NotFound(name)
	}
	i := found[0]
	if err := s.DescribeInstallations(ctx, i.Installation); err != nil {
		return nil, err
	}
	e := &waitingv1.Explanation{Waiting: waits.Installation(i.Installation)}
	if i.Active && i.GetState() == deploymentv1.Installation_QUEUED {
		e.DependsOn = []string{i.GetWave()}
	}
	return e, nil
}

func (s *Store) explainTarget(ctx context.Context, name string) (*waitingv1.Explanation, error) {
	t, err := Targets.Load(ctx, s.DB.Read(), name)
	if err != nil {
		return nil, err
	}
	hosts, err := s.hosts(ctx, []string{name})
	if err != nil {
		return nil, err
	}
	host := hosts[name]
	since := host.LastSeen
	if host.Maintenance || since.IsZero() {
		since = t.GetUpdateTime().AsTime()
	}
	reasons := waits.TargetReasons(name, host, since)
	for _, r := range reasons {
		if host.Agent != "" && !host.Maintenance {
			r.Resource, r.Command = host.Agent, "golive describe "+host.Agent
		}
	}
	return &waitingv1.Explanation{Waiting: waits.Waiting(waits.KindTarget, name, t.GetDisplayName(), "", "", reasons)}, nil
}

func (s *Store) explainAgent(ctx context.Context, name string) (*waitingv1.Explanation, error) {
	a, err := Agents.Load(ctx, s.DB.Read(), name)
	if err != nil {
		return nil, err
	}
	if err := s.DescribeAgents(ctx, a); err != nil {
		return nil, err
	}
	line := waits.Agent(a)
	if len(line.GetBlockedBy()) == 0 && !a.GetConnected() {
		current, since := "it was never heard", a.GetCreateTime()
		if a.GetLastSeenTime().AsTime().Unix() > 0 {
			since = a.GetLastSeenTime()
			current = "it was heard last at " + since.AsTime().UTC().Format(time.RFC3339)
		}
		line = waits.Waiting(waits.KindAgent, name, "", "AWAY", "", []*gatev1.BlockedBy{{
			Kind: gatev1.BlockedBy_TARGET, Resource: name, Current: current, Required: "connected", Owner: "operators", Since: since, Command: "golive describe " + name,
		}})
	}
	return &waitingv1.Explanation{Waiting: line}, nil
}

// explainPlace is about an environment, or an application: it is not still while a deployment moves there.
func (s *Store) explainPlace(ctx context.Context, kind, environment, application string) (*waitingv1.Explanation, error) {
	moving, err := MovingIn(ctx, s.DB.Read(), environment, application)
	if err != nil {
		return nil, fmt.Errorf("find what moves in %s%s: %w", environment, application, err)
	}
	e := &waitingv1.Explanation{}
	var reasons []*gatev1.BlockedBy
	for _, d := range moving {
		e.DependsOn = append(e.DependsOn, d.GetName())
		e.Behind = append(e.Behind, waits.Deployment(d))
		reasons = append(reasons, &gatev1.BlockedBy{
			Kind: gatev1.BlockedBy_DEPLOYMENT, Resource: d.GetName(), Current: "a deployment is " + d.GetState().String(), Required: "that it has ended",
			Owner: d.GetCreator(), Since: since(d), Command: "golive why " + d.GetName(),
		})
	}
	state := "STILL"
	if len(moving) > 0 {
		state = "MOVING"
	}
	e.Waiting = waits.Waiting(kind, environment+application, "", state, application, reasons)
	return e, nil
}

func since(d *deploymentv1.Deployment) *timestamppb.Timestamp {
	if d.GetStartTime() != nil {
		return d.GetStartTime()
	}
	return d.GetCreateTime()
}
