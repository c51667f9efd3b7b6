package store

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
	"github.com/golive-dev/golive/services/implementation/internal/waiting"
)

// The reasons of faults about tasks.
const (
	ReasonEstimateOrder       = "ESTIMATE_ORDER"
	ReasonMilestoneDuration   = "MILESTONE_DURATION"
	ReasonDependencyDuplicate = "DEPENDENCY_DUPLICATE"
	ReasonAssignmentDuplicate = "ASSIGNMENT_DUPLICATE"
	ReasonPlanTooLarge        = "PLAN_TOO_LARGE"
)

// MaxTasks is how many tasks one plan may have.
const MaxTasks = 10_000

// taskRows is the kind without its hooks, which could not speak of it otherwise.
var taskRows = resource.Define(resource.Spec[*implementationv1.Task]{
	Table: "tasks",
	Columns: []resource.Column[*implementationv1.Task]{
		{Field: "display_name"},
		{Field: "stage"},
		{Field: "owner"},
		{Field: "state"},
		{Field: "milestone"},
		{Field: "priority"},
		{Field: "deadline"},
		{Field: "labels"},
		{Name: "waiting_since", Time: waiting.SinceTask, Internal: true},
	},
	Parent: Implementations.RequiredLater,
})

// Tasks is the kind of tasks. What a task depends on and who does it are rows
// of their own too, so that SQL sees them.
var Tasks = taskRows.With(resource.Hooks[*implementationv1.Task]{
	Default: func(_ context.Context, _ *sqldb.Tx, t *implementationv1.Task) error {
		t.State = implementationv1.Task_TODO
		return nil
	},
	Validate: validateTask,
	AfterWrite: func(ctx context.Context, tx *sqldb.Tx, old, t *implementationv1.Task) error {
		return writeLinks(ctx, tx, old, t)
	},
	BeforeDelete: func(ctx context.Context, tx *sqldb.Tx, old *implementationv1.Task) error {
		err := unused(ctx, tx, old.GetName(), "SELECT task FROM task_links WHERE predecessor = $1 ORDER BY task LIMIT 1", old.GetName())
		if err != nil {
			return err
		}
		if err := removeLinks(ctx, tx, old.GetName()); err != nil {
			return err
		}
		return removeComments(ctx, tx, old.GetName())
	},
})

func validateTask(ctx context.Context, tx *sqldb.Tx, old, t *implementationv1.Task) error {
	if err := checkTask(t, "task"); err != nil {
		return err
	}
	if err := openPlanOf(ctx, tx, t.GetName()); err != nil {
		return err
	}
	if old == nil {
		if err := roomFor(ctx, tx, parent(t.GetName()), 1); err != nil {
			return err
		}
	}
	if t.GetStage() != old.GetStage() {
		if err := reference(ctx, tx, Stages, t.GetName(), "task.stage", t.GetStage()); err != nil {
			return err
		}
	}
	if relinked := !sameList(old.GetDependencies(), t.GetDependencies()); relinked || t.GetStage() != old.GetStage() {
		if err := checkDependencies(ctx, tx, t); err != nil {
			return err
		}
		if err := checkOrder(ctx, tx, old, t); err != nil {
			return err
		}
	}
	if !sameList(old.GetAssignments(), t.GetAssignments()) {
		return checkAssignments(ctx, tx, "task", t)
	}
	return nil
}

// checkTask holds a task against what needs no other resource. The field is
// where the task stands in the request.
func checkTask(t *implementationv1.Task, field string) error {
	if err := samePlan(Stages, t.GetName(), field+".stage", t.GetStage()); err != nil {
		return err
	}
	if err := checkEstimate(t, field); err != nil {
		return err
	}
	type key struct {
		predecessor string
		kind        implementationv1.Dependency_Type
	}
	seen := make(map[key]bool, len(t.GetDependencies()))
	for i, d := range t.GetDependencies() {
		at := fmt.Sprintf("%s.dependencies[%d].predecessor", field, i)
		if err := samePlan(taskRows, t.GetName(), at, d.GetPredecessor()); err != nil {
			return err
		}
		if d.GetPredecessor() == t.GetName() {
			return circleFault(ReasonTaskCycle, at, []string{t.GetName(), t.GetName()})
		}
		if k := (key{d.GetPredecessor(), linkType(d)}); seen[k] {
			return fault.Invalid(ReasonDependencyDuplicate, "%s names %s, to which there is a link of this type already; remove one of them", at, quoted(d.GetPredecessor())).
				Field(at, "is linked twice")
		} else {
			seen[k] = true
		}
	}
	resources := make(map[string]bool, len(t.GetAssignments()))
	for i, a := range t.GetAssignments() {
		at := fmt.Sprintf("%s.assignments[%d].resource", field, i)
		if err := shape(Resources, t.GetName(), at, a.GetResource()); err != nil {
			return err
		}
		if resources[a.GetResource()] {
			return fault.Invalid(ReasonAssignmentDuplicate, "%s names %s, which is assigned already; give it more units instead", at, quoted(a.GetResource())).
				Field(at, "is assigned twice")
		}
		resources[a.GetResource()] = true
	}
	return nil
}

// checkEstimate wants optimistic ≤ likely ≤ pessimistic, and nothing of it of a milestone.
func checkEstimate(t *implementationv1.Task, field string) error {
	e := t.GetEstimate()
	low, high := e.GetLikelyMinutes(), e.GetLikelyMinutes()
	if e != nil && e.OptimisticMinutes != nil {
		low = e.GetOptimisticMinutes()
	}
	if e != nil && e.PessimisticMinutes != nil {
		high = e.GetPessimisticMinutes()
	}
	field += ".estimate"
	switch {
	case t.GetMilestone() && (low != 0 || e.GetLikelyMinutes() != 0 || high != 0):
		return fault.Invalid(ReasonMilestoneDuration, "%s is not 0, and the task is a milestone, which takes no time; remove the one or the other", field).
			Field(field, "must be 0 for a milestone")
	case low > e.GetLikelyMinutes():
		return fault.Invalid(ReasonEstimateOrder, "%s.optimistic_minutes %d is above likely_minutes %d; write optimistic ≤ likely ≤ pessimistic", field, low, e.GetLikelyMinutes()).
			Field(field+".optimistic_minutes", "must not be above likely_minutes")
	case high < e.GetLikelyMinutes():
		return fault.Invalid(ReasonEstimateOrder, "%s.pessimistic_minutes %d is below likely_minutes %d; write optimistic ≤ likely ≤ pessimistic", field, high, e.GetLikelyMinutes()).
			Field(field+".pessimistic_minutes", "must not be below likely_minutes")
	default:
		return nil
	}
}

// linkType is the type of a link; FINISH_TO_START where it says none.
func linkType(d *implementationv1.Dependency) implementationv1.Dependency_Type {
	if d.GetType() == implementationv1.Dependency_TYPE_UNSPECIFIED {
		return implementationv1.Dependency_FINISH_TO_START
	}
	return d.GetType()
}

// roomFor refuses more tasks than a plan may have.
func roomFor(ctx context.Context, tx *sqldb.Tx, plan string, more int) error {
	var count int
	if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM tasks WHERE parent = $1", plan).Scan(&count); err != nil {
		return fmt.Errorf("count tasks of %s: %w", plan, err)
	}
	if count+more > MaxTasks {
		return fault.Exhausted(ReasonPlanTooLarge, "%s would have %d tasks; a plan has at most %d, so make two of it", plan, count+more, MaxTasks)
	}
	return nil
}

func predecessors(t *implementationv1.Task) []string {
	names := make([]string, len(t.GetDependencies()))
	for i, d := range t.GetDependencies() {
		names[i] = d.GetPredecessor()
	}
	return names
}

// checkDependencies wants the predecessors there.
func checkDependencies(ctx context.Context, tx *sqldb.Tx, t *implementationv1.Task) error {
	names := predecessors(t)
	found, err := existing(ctx, tx, "tasks", names)
	if err != nil {
		return err
	}
	for i, name := range names {
		if !found[name] {
			return dangling(fmt.Sprintf("task.dependencies[%d].predecessor", i), name)
		}
	}
	return nil
}

// checkOrder refuses a task that would wait for itself, by its links or because
// of its stage. A task that is new and depends on tasks of its stage, or of
// stages that this one waits for, cannot, as nothing links to it: so a plan that
// is written from its beginning costs no walk.
func checkOrder(ctx context.Context, tx *sqldb.Tx, old, t *implementationv1.Task) error {
	if old == nil {
		harmless, err := downward(ctx, tx, t)
		if err != nil || harmless {
			return err
		}
	}
	// Whoever orders tasks of the plan does so one after the other, or two could close a circle together.
	if _, err := Implementations.Lock(ctx, tx, parent(t.GetName())); err != nil {
		return err
	}
	o, err := orderOf(ctx, tx, parent(t.GetName()))
	if err != nil {
		return err
	}
	o.put(t)
	if path := o.circle(t.GetName()); path != nil {
		return circleFault(ReasonTaskCycle, "task.dependencies", path)
	}
	return nil
}

// downward says that a task depends on nothing but tasks of its own stage, or of stages before it.
func downward(ctx context.Context, tx *sqldb.Tx, t *implementationv1.Task) (bool, error) {
	names := predecessors(t)
	if len(names) == 0 {
		return true, nil
	}
	of, err := stagesOf(ctx, tx, "WHERE name IN ("+sqldb.Marks(1, len(names))+")", sqldb.Texts(names)...)
	if err != nil {
		return false, err
	}
	var stages map[string][]string
	for _, stage := range of {
		if stage == t.GetStage() {
			continue
		}
		if stages == nil {
			all, err := stageRows.Select(ctx, tx, "WHERE parent = $1", parent(t.GetName()))
			if err != nil {
				return false, err
			}
			stages = before(all)
		}
		if !above(stages, t.GetStage(), stage) {
			return false, nil
		}
	}
	return true, nil
}

// checkAssignments wants the resources there, and a minute in which all of them work.
func checkAssignments(ctx context.Context, tx *sqldb.Tx, field string, t *implementationv1.Task) error {
	if len(t.GetAssignments()) == 0 {
		return nil
	}
	names := assigned(t)
	if _, err := existing(ctx, tx, "resources", names); err != nil { // keeps them until the commit
		return err
	}
	found, err := Resources.LoadMany(ctx, tx, names)
	if err != nil {
		return err
	}
	for i, name := range names {
		if found[name] == nil {
			return dangling(fmt.Sprintf("%s.assignments[%d].resource", field, i), name)
		}
	}
	if len(names) == 1 {
		return nil // each one works at some time, as it was made
	}
	plan, err := Implementations.Load(ctx, tx, parent(t.GetName()))
	if err != nil {
		return err
	}
	return together(plan.GetCalendar(), names, found, field+".assignments")
}

// together refuses resources that never work at the same time.
func together(plan *implementationv1.Calendar, names []string, resources map[string]*implementationv1.Resource, field string) error {
	all := make([]*calendar.Calendar, 0, len(names))
	for _, name := range names {
		of := resources[name].GetCalendar()
		if of == nil {
			of = plan
		}
		one, err := calendar.New(of)
		if err != nil {
			return at(field, err)
		}
		all = append(all, one)
	}
	_, err := calendar.Intersect(all...)
	return at(field, err)
}

func sameList[M proto.Message](a, b []M) bool {
	return slices.EqualFunc(a, b, func(x, y M) bool { return proto.Equal(x, y) })
}
