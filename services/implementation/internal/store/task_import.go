package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/sheet"
)

// ImportTasks reads tasks of a plan from a file: all of them or none. Rows that
// say what is known already change nothing.
func (s *Store) ImportTasks(ctx context.Context, req *implementationv1.ImportTasksRequest) (*implementationv1.ImportResult, error) {
	if _, err := Implementations.Parse(req.GetParent()); err != nil {
		return nil, err
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.ImportResult, error) {
		if _, err := openPlan(ctx, tx, req.GetParent()); err != nil {
			return nil, err
		}
		file, err := sheet.Tasks(req.GetCsv(), req.GetColumns())
		if err != nil {
			return nil, err
		}
		i := &taskImport{plan: req.GetParent(), file: file, createStages: req.GetCreateStages()}
		if err := i.read(ctx, tx); err != nil {
			return nil, err
		}
		if err := i.check(ctx, tx); err != nil {
			return nil, err
		}
		if file.Problems.Any() {
			return rejected(file.File), nil
		}
		return s.storeTasks(ctx, tx, i)
	})
}

// taskImport is a file of tasks on its way into a plan.
type taskImport struct {
	plan         string
	file         *sheet.TaskFile
	createStages bool

	known  map[string]resource.Row[*implementationv1.Task] // the tasks that are there
	stages map[string]*implementationv1.Stage              // those that are there, and new ones
	added  []*implementationv1.Stage                       // new ones, in the order of the file
	fresh  []*implementationv1.Task
	edited []*implementationv1.Task // of known
	lines  map[string]int           // where each of fresh and edited stands
}

// read makes tasks of the rows, over what the plan has.
func (i *taskImport) read(ctx context.Context, tx *sqldb.Tx) error {
	rows, err := taskRows.SelectRows(ctx, tx, "WHERE parent = $1", i.plan)
	if err != nil {
		return err
	}
	stages, err := stageRows.Select(ctx, tx, "WHERE parent = $1", i.plan)
	if err != nil {
		return err
	}
	i.known = make(map[string]resource.Row[*implementationv1.Task], len(rows))
	for _, row := range rows {
		i.known[row.Message.GetName()] = row
	}
	i.stages = make(map[string]*implementationv1.Stage, len(stages))
	for _, stage := range stages {
		i.stages[stage.GetName()] = stage
	}
	i.lines = make(map[string]int, len(i.file.Tasks))
	for _, row := range i.file.Tasks {
		i.merge(row)
	}
	if len(i.stages) > maxStages {
		return fault.Exhausted(ReasonPlanTooLarge, "%s would have %d stages; a plan has at most %d", i.plan, len(i.stages), maxStages)
	}
	return nil
}

// merge makes what a row says of a task that is there, or of a new one.
func (i *taskImport) merge(row sheet.Task) {
	name := Tasks.Name(i.plan, row.ID)
	before, known := i.known[name]
	t := &implementationv1.Task{Name: name, State: implementationv1.Task_TODO}
	if known {
		t = proto.CloneOf(before.Message)
	}
	i.file.Apply(row, t)
	if !i.place(row, t, known) {
		return
	}
	if i.file.Has(sheet.TaskPredecessors) {
		links := make([]*implementationv1.Dependency, len(row.Links))
		for n, l := range row.Links {
			links[n] = &implementationv1.Dependency{Predecessor: Tasks.Name(i.plan, l.Predecessor), Type: l.Type, LagMinutes: l.Lag}
		}
		if !sameLinks(links, t.GetDependencies()) {
			t.Dependencies = links
		}
	}
	if i.file.Has(sheet.TaskResources) {
		t.Assignments = make([]*implementationv1.Assignment, len(row.Shares))
		for n, share := range row.Shares {
			t.Assignments[n] = &implementationv1.Assignment{Resource: Resources.Name(Workspace(i.plan), share.Resource), Units: share.Units}
		}
	}
	switch {
	case !known:
		i.fresh = append(i.fresh, t)
	case !proto.Equal(t, before.Message):
		i.edited = append(i.edited, t)
	default:
		return
	}
	i.lines[name] = row.Line
}

// place puts a task into the stage that its row names; false where that is a problem.
func (i *taskImport) place(row sheet.Task, t *implementationv1.Task, known bool) bool {
	if row.Stage == "" {
		if !known || i.file.Has(sheet.TaskStage) {
			i.file.Problems.Add(row.Line, i.file.Name(sheet.TaskStage), "VALUE_MISSING", "%s is empty; a task belongs to a stage", i.file.Name(sheet.TaskStage))
			return false
		}
		return true
	}
	t.Stage = Stages.Name(i.plan, row.Stage)
	if i.stages[t.GetStage()] != nil {
		return true
	}
	if !i.createStages {
		i.file.Problems.Add(row.Line, i.file.Name(sheet.TaskStage), ReasonReferenceNotFound, "stage %s is not known; create it, or set create_stages", row.Stage)
		return false
	}
	stage := &implementationv1.Stage{Name: t.GetStage(), DisplayName: row.StageName, Position: count(len(i.stages) + 1)}
	lifecycle.Settle(stage, nil, true)
	i.stages[stage.GetName()], i.added = stage, append(i.added, stage)
	return true
}

// check holds the rows against each other and against what the plan has.
func (i *taskImport) check(ctx context.Context, tx *sqldb.Tx) error {
	if err := roomFor(ctx, tx, i.plan, len(i.fresh)); err != nil {
		return err
	}
	changed := slices.Concat(i.fresh, i.edited)
	if len(changed) == 0 {
		return nil
	}
	named, err := lookUp(ctx, tx, changed)
	if err != nil {
		return err
	}
	for name := range i.stages {
		named.stages[name] = true
	}
	for _, t := range changed {
		err := checkTask(t, "task")
		if err == nil {
			err = named.check(t, "task")
		}
		if err != nil {
			i.problem(t, err)
		}
	}
	return i.circles(ctx, tx, changed)
}

// maxCircles is how many circles of a file are told.
const maxCircles = 100

// circles looks for them through the whole plan, as the file may link what was there before.
func (i *taskImport) circles(ctx context.Context, tx *sqldb.Tx, changed []*implementationv1.Task) error {
	o, err := orderOf(ctx, tx, i.plan)
	if err != nil {
		return err
	}
	for _, t := range changed {
		o.put(t)
		o.links[t.GetName()] = slices.DeleteFunc(predecessors(t), func(name string) bool { return name == t.GetName() }) // told already
	}
	edges := o.edges()
	for range maxCircles {
		path := anyCircle(edges)
		if path == nil {
			return nil
		}
		i.tell(path)
		last := path[len(path)-2] // without the link that closes this circle, the next one is found
		edges[last] = slices.DeleteFunc(slices.Clone(edges[last]), func(name string) bool { return name == path[0] })
	}
	return nil
}

// tell notes a circle at the last of its lines.
func (i *taskImport) tell(path []string) {
	steps, line := make([]string, len(path)), 0
	for n, name := range path {
		steps[len(path)-1-n] = label(name, path)
		if at, inFile := i.lines[name]; inFile {
			steps[len(path)-1-n] += fmt.Sprintf(" (line %d)", at)
			line = max(line, at)
		}
	}
	i.file.Problems.Add(line, i.file.Name(sheet.TaskPredecessors), ReasonTaskCycle, "these would wait for each other: %s", shortened(steps))
}

// problem tells a fault of a row where the file has it.
func (i *taskImport) problem(t *implementationv1.Task, err error) {
	f := fault.From(err)
	column := ""
	for _, field := range f.Fields() {
		for part, of := range map[string]sheet.TaskColumn{
			"task.stage": sheet.TaskStage, "task.estimate.optimistic": sheet.TaskOptimistic, "task.estimate.pessimistic": sheet.TaskPessimistic,
			"task.dependencies": sheet.TaskPredecessors, "task.assignments": sheet.TaskResources,
		} {
			if strings.HasPrefix(field.GetField(), part) {
				column = i.file.Name(of)
			}
		}
		if field.GetField() == "task.estimate" {
			column = i.file.Name(sheet.TaskLikely)
		}
	}
	i.file.Problems.Add(i.lines[t.GetName()], column, f.Reason(), "%s", f.Message())
}

// storeTasks writes what an import found to be new or different.
func (s *Store) storeTasks(ctx context.Context, tx *sqldb.Tx, i *taskImport) (*implementationv1.ImportResult, error) {
	for _, stage := range i.added {
		if err := Stages.Insert(ctx, tx, s.Store, stage, resource.Meta{}); err != nil {
			return nil, err
		}
	}
	if err := Tasks.InsertMany(ctx, tx, s.Store, i.fresh); err != nil {
		return nil, err
	}
	if err := insertLinks(ctx, tx, i.fresh); err != nil {
		return nil, err
	}
	for _, t := range i.edited {
		before := i.known[t.GetName()]
		if err := Tasks.Save(ctx, tx, s.Store, t, before.Revision, resource.Meta{}); err != nil {
			return nil, err
		}
		if err := writeLinks(ctx, tx, before.Message, t); err != nil {
			return nil, err
		}
	}
	result := readResult(i.file.File)
	result.CreatedCount, result.UpdatedCount = count(len(i.fresh)), count(len(i.edited))
	result.UnchangedCount = count(i.file.RowCount - len(i.fresh) - len(i.edited))
	if len(i.fresh)+len(i.edited)+len(i.added) == 0 {
		return result, nil
	}
	return result, s.tell(ctx, tx, feed.Record{Resource: i.plan + "/tasks", Type: "implementation.task.imported", After: result})
}

// ExportTasks writes the tasks of a plan, stage by stage, as [Store.ImportTasks] reads them.
func (s *Store) ExportTasks(ctx context.Context, req *implementationv1.ExportTasksRequest) (*implementationv1.ExportResult, error) {
	if _, err := Implementations.Parse(req.GetParent()); err != nil {
		return nil, err
	}
	q := s.DB().Read()
	if err := Implementations.Required(ctx, q, req.GetParent()); err != nil {
		return nil, err
	}
	all, err := Tasks.Select(ctx, q, `WHERE parent = $1 ORDER BY
		(SELECT s.position FROM stages s WHERE s.name = tasks.stage), stage, create_time, name`, req.GetParent())
	return &implementationv1.ExportResult{Csv: sheet.WriteTasks(all), RowCount: count(len(all))}, err
}

// sameLinks compares links by what they mean: one without a type is FINISH_TO_START.
func sameLinks(a, b []*implementationv1.Dependency) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].GetPredecessor() != b[i].GetPredecessor() || linkType(a[i]) != linkType(b[i]) || a[i].GetLagMinutes() != b[i].GetLagMinutes() {
			return false
		}
	}
	return true
}
