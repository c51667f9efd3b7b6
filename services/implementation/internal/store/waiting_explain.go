package store

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/sqldb"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/implementation/internal/waiting"
)

// reasons are why things of a page wait, read for all of one kind at once.
type reasons struct {
	blocked map[string][]*gatev1.BlockedBy
	state   map[string]string
	display map[string]string
}

// explainRows says why each row waits. What was deleted meanwhile is left out, and what waits no longer too.
func (s *Store) explainRows(ctx context.Context, rows []waitingRow) ([]*waitingv1.Waiting, error) {
	names := map[string][]string{}
	for _, r := range rows {
		names[r.kind] = append(names[r.kind], r.name)
	}
	all := &reasons{blocked: map[string][]*gatev1.BlockedBy{}, state: map[string]string{}, display: map[string]string{}}
	for _, read := range []func(context.Context, *reasons, map[string][]string) error{
		s.waitingImplementations, s.waitingStages, s.waitingTasks, s.waitingCohortPlans, s.waitingDecisions, s.waitingChallenges, s.waitingOutcomes,
	} {
		if err := read(ctx, all, names); err != nil {
			return nil, err
		}
	}
	page := make([]*waitingv1.Waiting, 0, len(rows))
	for _, r := range rows {
		if len(all.blocked[r.name]) == 0 {
			continue
		}
		w := &waitingv1.Waiting{
			Resource: r.name, Kind: r.kind, DisplayName: all.display[r.name], State: all.state[r.name], Owner: r.owner, Group: r.group,
			Since: timestamppb.New(time.UnixMicro(r.since)), BlockedBy: all.blocked[r.name],
		}
		waiting.Complete(w)
		w.Eta = waiting.Eta(w)
		page = append(page, w)
	}
	return page, nil
}

// put files what is known of one thing.
func (r *reasons) put(m proto.Message, state string, blocked []*gatev1.BlockedBy) {
	fields := m.ProtoReflect().Descriptor().Fields()
	text := func(name protoreflect.Name) string {
		if f := fields.ByName(name); f != nil {
			return m.ProtoReflect().Get(f).String()
		}
		return ""
	}
	name := text("name")
	r.blocked[name], r.state[name], r.display[name] = blocked, state, text("display_name")
}

func (s *Store) waitingImplementations(ctx context.Context, all *reasons, names map[string][]string) error {
	found, err := Implementations.LoadMany(ctx, s.DB().Read(), names["implementation"])
	if err != nil {
		return err
	}
	var sustaining []any
	for _, i := range found {
		if i.GetState() == implementationv1.Implementation_SUSTAINING {
			sustaining = append(sustaining, i.GetName())
		}
	}
	open, err := s.openOutcomes(ctx, sustaining...)
	if err != nil {
		return err
	}
	for name, i := range found {
		// The lint of a draft takes its whole plan, which an explanation reads, and a list does not.
		all.put(i, i.GetState().String(), waiting.Implementation(i, waiting.Facts{Outcomes: open[name]}))
	}
	return nil
}

// openOutcomes are those without a verdict, by implementation.
func (s *Store) openOutcomes(ctx context.Context, implementations ...any) (map[string][]*implementationv1.Outcome, error) {
	open := map[string][]*implementationv1.Outcome{}
	for part := range slices.Chunk(implementations, chunk) {
		all, err := Outcomes.Select(ctx, s.DB().Read(), "WHERE verdict = 0 AND parent IN ("+sqldb.Marks(1, len(part))+") ORDER BY name", part...)
		if err != nil {
			return nil, err
		}
		for _, o := range all {
			open[parent(o.GetName())] = append(open[parent(o.GetName())], o)
		}
	}
	return open, nil
}

func (s *Store) waitingStages(ctx context.Context, all *reasons, names map[string][]string) error {
	found, err := Stages.LoadMany(ctx, s.DB().Read(), names["stage"])
	if err != nil {
		return err
	}
	stages := inOrder(found)
	if err := s.blockStages(ctx, stages); err != nil {
		return err
	}
	for _, stage := range stages {
		all.put(stage, stage.GetState().String(), stage.GetBlockedBy())
	}
	return nil
}

// blockStages fills blocked_by. An ACTIVE stage waits for what its review will look at.
func (s *Store) blockStages(ctx context.Context, stages []*implementationv1.Stage) error {
	asked := make([]*implementationv1.Stage, len(stages))
	for n, stage := range stages {
		asked[n] = stage
		if stage.GetState() == implementationv1.Stage_ACTIVE {
			asked[n] = proto.CloneOf(stage)
			asked[n].State = implementationv1.Stage_GATE_REVIEW
		}
	}
	if err := s.StageBlockedBy(ctx, asked); err != nil {
		return err
	}
	for n, stage := range stages {
		stage.BlockedBy = asked[n].GetBlockedBy()
		if stage.GetState() == implementationv1.Stage_ACTIVE {
			stage.BlockedBy = slices.DeleteFunc(stage.GetBlockedBy(), func(b *gatev1.BlockedBy) bool {
				return b.GetKind() == gatev1.BlockedBy_OPERATOR && b.GetResource() == stage.GetName()
			})
		}
		if len(stage.GetBlockedBy()) == 0 {
			stage.BlockedBy = waiting.Stage(stage)
		}
	}
	return nil
}

func (s *Store) waitingTasks(ctx context.Context, all *reasons, names map[string][]string) error {
	found, err := Tasks.LoadMany(ctx, s.DB().Read(), names["task"])
	if err != nil {
		return err
	}
	tasks := inOrder(found)
	if err := s.blockTasks(ctx, tasks); err != nil {
		return err
	}
	for _, t := range tasks {
		all.put(t, t.GetState().String(), t.GetBlockedBy())
	}
	return nil
}

// blockTasks fills blocked_by; a task that nothing keeps waits for who is to begin or end it.
func (s *Store) blockTasks(ctx context.Context, tasks []*implementationv1.Task) error {
	if err := s.TaskBlockedBy(ctx, tasks); err != nil {
		return err
	}
	for _, t := range tasks {
		if len(t.GetBlockedBy()) == 0 {
			t.BlockedBy = waiting.Task(t)
		}
	}
	return nil
}

func (s *Store) waitingCohortPlans(ctx context.Context, all *reasons, names map[string][]string) error {
	found, err := CohortPlans.LoadMany(ctx, s.DB().Read(), names["cohortPlan"])
	if err != nil {
		return err
	}
	// The last verdicts, which are judged anew with every change and every few minutes; now only where there is none.
	verdicts, err := s.lastVerdicts(ctx, names["cohortPlan"])
	if err != nil {
		return err
	}
	var missing []string
	for name := range found {
		if verdicts[name] == nil {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		judged, err := s.Verdicts(ctx, missing)
		if err != nil {
			return err
		}
		maps.Copy(verdicts, judged)
	}
	for name, plan := range found {
		all.put(plan, verdicts[name].GetState().String(), waiting.CohortPlan(plan, verdicts[name]))
	}
	return nil
}

func (s *Store) waitingDecisions(ctx context.Context, all *reasons, names map[string][]string) error {
	found, err := Decisions.LoadMany(ctx, s.DB().Read(), names["decision"])
	if err != nil {
		return err
	}
	decisions := inOrder(found)
	if err := s.DecisionBlockedBy(ctx, decisions); err != nil {
		return err
	}
	for _, d := range decisions {
		if len(d.GetBlockedBy()) == 0 && d.GetState() != implementationv1.Decision_CONDITIONAL_GO { // all its conditions are met
			d.BlockedBy = waiting.Decision(d)
		}
		all.put(d, d.GetState().String(), d.GetBlockedBy())
	}
	return nil
}

func (s *Store) waitingChallenges(ctx context.Context, all *reasons, names map[string][]string) error {
	found, err := Challenges.LoadMany(ctx, s.DB().Read(), names["challenge"])
	for _, c := range found {
		all.put(c, c.GetState().String(), waiting.Challenge(c))
	}
	return err
}

func (s *Store) waitingOutcomes(ctx context.Context, all *reasons, names map[string][]string) error {
	found, err := Outcomes.LoadMany(ctx, s.DB().Read(), names["outcome"])
	for _, o := range found {
		all.put(o, "OPEN", waiting.Outcome(o))
	}
	return err
}

// inOrder are the values by name, so that what is asked with them is asked in one order.
func inOrder[M interface{ GetName() string }](found map[string]M) []M {
	all := make([]M, 0, len(found))
	for _, m := range found {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b M) int { return strings.Compare(a.GetName(), b.GetName()) })
	return all
}
