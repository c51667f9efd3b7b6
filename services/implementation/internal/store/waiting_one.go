package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
	"github.com/golive-dev/golive/services/implementation/internal/waiting"
)

// ExplainWaiting says why one thing waits, and what it would wait for by its plan. What does not wait has no reasons.
func (s *Store) ExplainWaiting(ctx context.Context, name string) (*waitingv1.Explanation, error) {
	for _, one := range []struct {
		kind  string
		parse func(string) ([]string, error)
		load  func(context.Context, string) (*waitingOne, error)
	}{
		{"implementation", Implementations.Parse, s.oneImplementation},
		{"stage", Stages.Parse, s.oneStage},
		{"task", Tasks.Parse, s.oneTask},
		{"cohortPlan", CohortPlans.Parse, s.oneCohortPlan},
		{"decision", Decisions.Parse, s.oneDecision},
		{"challenge", Challenges.Parse, oneOf(s, Challenges, waiting.SinceChallenge, nil)},
		{"outcome", Outcomes.Parse, oneOf(s, Outcomes, waiting.SinceOutcome, nil)},
	} {
		if _, err := one.parse(name); err != nil {
			continue
		}
		found, err := one.load(ctx, name)
		if err != nil {
			return nil, err
		}
		return s.explainOne(ctx, one.kind, found)
	}
	return nil, fault.Invalid("WAITING_UNSUPPORTED", "%s is of a kind that waits for nothing; ask about an implementation, or a stage, task, cohort plan, decision, challenge or outcome of one", quoted(name)).
		Field("resource", "never waits")
}

// waitingOne is a thing of any kind, as far as it may wait.
type waitingOne struct {
	message interface {
		proto.Message
		GetName() string
		GetOwner() string
		GetCreateTime() *timestamppb.Timestamp
	}
	since time.Time
	// more adds what a list leaves out, to what it says.
	more    func(ctx context.Context, w *waitingv1.Waiting) error
	depends []string
}

// oneOf loads a thing and says since when it waits; depends are what it would wait for.
func oneOf[M interface {
	proto.Message
	GetName() string
	GetOwner() string
	GetCreateTime() *timestamppb.Timestamp
}](s *Store, kind *resource.Kind[M], since func(M) time.Time, depends func(M) []string) func(context.Context, string) (*waitingOne, error) {
	return func(ctx context.Context, name string) (*waitingOne, error) {
		m, err := kind.Load(ctx, s.DB().Read(), name)
		if err != nil {
			return nil, err
		}
		one := &waitingOne{message: m, since: since(m)}
		if depends != nil {
			one.depends = depends(m)
		}
		return one, nil
	}
}

func (s *Store) explainOne(ctx context.Context, kind string, one *waitingOne) (*waitingv1.Explanation, error) {
	m := one.message
	i, isPlan := m.(*implementationv1.Implementation)
	if !isPlan {
		var err error
		if i, err = Implementations.Load(ctx, s.DB().Read(), parent(m.GetName())); err != nil {
			return nil, err
		}
	}
	if one.since.IsZero() {
		one.since = m.GetCreateTime().AsTime()
	}
	row := waitingRow{kind: kind, name: m.GetName(), group: i.GetName(), owner: cmp.Or(m.GetOwner(), i.GetOwner(), waiting.Anybody), since: micros(one.since)}
	w := &waitingv1.Waiting{Resource: row.name, Kind: kind, Owner: row.owner, Group: row.group}
	e := &waitingv1.Explanation{Waiting: w, DependsOn: one.depends}
	all, err := s.explainRows(ctx, []waitingRow{row})
	if err != nil {
		return nil, err
	}
	if len(all) > 0 {
		e.Waiting = all[0]
	} else {
		w.State = stateWord(m.ProtoReflect())
	}
	if lifecycle.ImplementationEnded(i) {
		e.Waiting.BlockedBy, e.Waiting.Since = nil, nil // a record: nobody acts on it any more
		return e, nil
	}
	if one.more != nil {
		err = one.more(ctx, e.GetWaiting())
	}
	waiting.Complete(e.GetWaiting())
	e.Waiting.Eta = waiting.Eta(e.GetWaiting())
	return e, err
}

func (s *Store) oneImplementation(ctx context.Context, name string) (*waitingOne, error) {
	i, err := Implementations.Load(ctx, s.DB().Read(), name)
	if err != nil {
		return nil, err
	}
	plans, err := CohortPlans.Select(ctx, s.DB().Read(), "WHERE parent = $1 AND live_time = 0 ORDER BY name", name)
	if err != nil {
		return nil, err
	}
	one := &waitingOne{message: i, since: waiting.SinceImplementation(i)}
	if one.since.IsZero() && i.GetStateTime() != nil {
		one.since = i.GetStateTime().AsTime()
	}
	for _, p := range plans {
		one.depends = append(one.depends, p.GetName())
	}
	one.more = func(ctx context.Context, w *waitingv1.Waiting) error {
		facts := waiting.Facts{NotLive: plans}
		switch i.GetState() {
		case implementationv1.Implementation_DRAFT:
			in, err := s.PlanInput(ctx, name)
			if err != nil {
				return err
			}
			facts.Lint = plan.Lint(in).GetPoints()
		case implementationv1.Implementation_ACTIVE:
			if facts.Stages, err = Stages.Select(ctx, s.DB().Read(), fmt.Sprintf("WHERE parent = $1 AND state IN (%d, %d, %d) ORDER BY position, name",
				implementationv1.Stage_READY, implementationv1.Stage_ACTIVE, implementationv1.Stage_GATE_REVIEW), name); err != nil {
				return err
			}
		default:
			return nil // the list says all of it
		}
		w.BlockedBy, w.State = waiting.Implementation(i, facts), i.GetState().String()
		w.Since = timestamppb.New(one.since)
		return nil
	}
	return one, nil
}

// stateWord is the state of a thing as its contract words it; empty where it has none.
func stateWord(m protoreflect.Message) string {
	state := m.Descriptor().Fields().ByName("state")
	if state == nil || state.Enum() == nil {
		return ""
	}
	if value := state.Enum().Values().ByNumber(m.Get(state).Enum()); value != nil {
		return string(value.Name())
	}
	return ""
}

func (s *Store) oneStage(ctx context.Context, name string) (*waitingOne, error) {
	return oneOf(s, Stages, waiting.SinceStage, func(stage *implementationv1.Stage) []string {
		all := slices.Clone(stage.GetPredecessors())
		for _, c := range stage.GetWaitsFor() {
			all = append(all, c.GetResource())
		}
		for _, c := range stage.GetExitCriteria() {
			if p := c.GetReadiness().GetCohortPlan(); p != "" {
				all = append(all, p)
			}
		}
		return all
	})(ctx, name)
}

// oneTask waits since its stage began, if that is later than what it says itself, as a list has it.
func (s *Store) oneTask(ctx context.Context, name string) (*waitingOne, error) {
	one, err := oneOf(s, Tasks, waiting.SinceTask, func(t *implementationv1.Task) []string { return append(predecessors(t), t.GetStage()) })(ctx, name)
	if err != nil {
		return nil, err
	}
	t, _ := one.message.(*implementationv1.Task)
	stage, err := Stages.Load(ctx, s.DB().Read(), t.GetStage())
	if err != nil {
		return nil, err
	}
	begun := stage.GetState() == implementationv1.Stage_ACTIVE || stage.GetState() == implementationv1.Stage_GATE_REVIEW
	if began := waiting.SinceStage(stage); begun && !one.since.IsZero() && began.After(one.since) {
		one.since = began
	}
	return one, nil
}

// oneCohortPlan is judged now: whoever asks why wants no word of some minutes ago.
func (s *Store) oneCohortPlan(ctx context.Context, name string) (*waitingOne, error) {
	one, err := oneOf(s, CohortPlans, waiting.SinceCohortPlan, func(p *implementationv1.CohortPlan) (all []string) {
		for _, c := range p.GetReadinessPolicy().GetCriteria() {
			if gated := c.GetTechnical().GetResource(); gated != "" {
				all = append(all, gated)
			}
		}
		return all
	})(ctx, name)
	if err != nil {
		return nil, err
	}
	p, _ := one.message.(*implementationv1.CohortPlan)
	critical, err := texts(ctx, s.DB().Read(), fmt.Sprintf("SELECT name FROM challenges WHERE parent = $1 AND critical = 1 AND state IN (%d, %d) AND cohort IN ('', $2) ORDER BY name LIMIT 50",
		implementationv1.Challenge_OPEN, implementationv1.Challenge_MITIGATING), parent(name), p.GetCohort())
	if err != nil {
		return nil, fmt.Errorf("read the critical challenges of %s: %w", name, err)
	}
	one.depends = append(one.depends, critical...)
	one.more = func(ctx context.Context, w *waitingv1.Waiting) error {
		verdicts, err := s.Verdicts(ctx, []string{name})
		if err != nil {
			return err
		}
		w.State, w.BlockedBy = verdicts[name].GetState().String(), waiting.CohortPlan(p, verdicts[name])
		if p.GetLiveTime() == nil {
			w.Since = p.GetCreateTime()
		}
		return nil
	}
	return one, nil
}

func (s *Store) oneDecision(ctx context.Context, name string) (*waitingOne, error) {
	return oneOf(s, Decisions, waiting.SinceDecision, func(d *implementationv1.Decision) []string {
		return slices.Concat(d.GetCohortPlans(), d.GetTechnical())
	})(ctx, name)
}
