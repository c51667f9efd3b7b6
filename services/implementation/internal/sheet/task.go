package sheet

import (
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// TaskColumn is a column of a file of tasks.
type TaskColumn int

// The columns, in the order in which they are written.
const (
	TaskID TaskColumn = iota
	TaskName
	TaskStage
	TaskOptimistic
	TaskLikely
	TaskPessimistic
	TaskPredecessors
	TaskOwner
	TaskResources
	TaskMilestone
	TaskEarliestStart
	TaskDeadline
	TaskPriority
	TaskEffort
	TaskFixedCost
	TaskDescription
)

func taskFields() []Field {
	all := []string{
		"id", "name", "stage", "optimistic", "likely", "pessimistic", "predecessors", "owner", "resources", "milestone",
		"earliest_start", "deadline", "priority", "effort", "fixed_cost", "description",
	}
	fields := make([]Field, len(all))
	for i, name := range all {
		fields[i] = Field{Name: name}
	}
	return fields
}

// Task is one row of a file of tasks. What it names are ids, not full names.
type Task struct {
	Line int
	// ID is the task's, made of its name where the file has no id.
	ID string
	// Stage is the id of its stage, and StageName what the file calls it.
	Stage, StageName string
	// Links are what it depends on.
	Links []Link
	// Shares are who does it.
	Shares []Share
	// Task holds everything else; its estimate is never nil.
	Task *implementationv1.Task
}

// Link is a dependency on a task.
type Link struct {
	Predecessor string
	Type        implementationv1.Dependency_Type
	Lag         int32 // working minutes
}

// Share is how much of a resource a task takes; 0 units are all of one.
type Share struct {
	Resource string
	Units    float64
}

// TaskFile is a file of tasks.
type TaskFile struct {
	*File
	Tasks []Task
}

// Has says that the file has a column.
func (f *TaskFile) Has(c TaskColumn) bool { return len(f.at) > 0 && f.at[c] >= 0 }

// Name is what the file calls a column.
func (f *TaskFile) Name(c TaskColumn) string { return f.Column(int(c)) }

// Tasks reads a file of tasks. What names other things is not looked up here,
// but a task that is there twice is found, and one that is in two stages named as that.
func Tasks(data []byte, columns map[string]string) (*TaskFile, error) {
	file, err := Read(data, taskFields(), columns)
	if err != nil {
		return nil, err
	}
	f := &TaskFile{File: file, Tasks: make([]Task, 0, len(file.Rows))}
	if len(f.at) > 0 && !f.Has(TaskID) && !f.Has(TaskName) {
		f.Problems.Add(1, "", "COLUMN_MISSING", "the header has neither a column id nor a column name; a task needs one of them")
		return f, nil
	}
	seen := make(map[string]int, len(file.Rows))
	for _, row := range file.Rows {
		t, good := f.task(row)
		if !good {
			continue
		}
		if i, twice := seen[t.ID]; twice {
			f.twice(t, f.Tasks[i])
			continue
		}
		seen[t.ID] = len(f.Tasks)
		f.Tasks = append(f.Tasks, t)
	}
	return f, nil
}

func (f *TaskFile) twice(t, first Task) {
	if t.Stage != first.Stage {
		f.Problems.Add(t.Line, f.Name(TaskStage), "TASK_IN_TWO_STAGES", "task %s is in stage %s here and in stage %s in line %d; a task is in exactly one", t.ID, t.Stage, first.Stage, first.Line)
		return
	}
	column := f.Name(TaskID)
	if !f.Has(TaskID) {
		column = f.Name(TaskName)
	}
	f.Problems.Add(t.Line, column, "DUPLICATE_ROW", "task %s is in line %d already", t.ID, first.Line)
}

// task reads a row; every bad value of it is a problem of its own.
func (f *TaskFile) task(row Row) (Task, bool) {
	r := reader{file: f, row: row, good: true}
	t := Task{Line: row.Line, StageName: row.Value(int(TaskStage)), Stage: ID(row.Value(int(TaskStage)))}
	t.ID = r.id()
	if t.StageName != "" && t.Stage == "" {
		r.bad(TaskStage, "ID_INVALID", "%s has no letter or digit to make an id of", describe(t.StageName))
	}
	e := &implementationv1.Estimate{OptimisticMinutes: r.optional(TaskOptimistic)}
	if likely := r.optional(TaskLikely); likely != nil {
		e.LikelyMinutes = *likely
	}
	e.PessimisticMinutes = r.optional(TaskPessimistic)
	t.Links, t.Shares = r.links(), r.shares()
	t.Task = &implementationv1.Task{
		DisplayName: r.text(TaskName, 200), Description: r.text(TaskDescription, 5000), Owner: r.text(TaskOwner, 200),
		Estimate:          e,
		Milestone:         r.flag(TaskMilestone),
		EarliestStartTime: r.time(TaskEarliestStart), Deadline: r.time(TaskDeadline),
		Priority:       int32(r.number(TaskPriority, 1000)), //nolint:gosec // at most 1000
		FixedCostMinor: r.amount(TaskFixedCost),
	}
	if effort := r.optional(TaskEffort); effort != nil {
		t.Task.EffortMinutes = *effort
	}
	return t, r.good
}

// Apply gives a task what the file says of it; what the file has no column for stays.
func (f *TaskFile) Apply(row Task, t *implementationv1.Task) {
	from := row.Task
	set := map[TaskColumn]func(){
		TaskName:          func() { t.DisplayName = from.GetDisplayName() },
		TaskDescription:   func() { t.Description = from.GetDescription() },
		TaskOwner:         func() { t.Owner = from.GetOwner() },
		TaskMilestone:     func() { t.Milestone = from.GetMilestone() },
		TaskEarliestStart: func() { t.EarliestStartTime = from.GetEarliestStartTime() },
		TaskDeadline:      func() { t.Deadline = from.GetDeadline() },
		TaskPriority:      func() { t.Priority = from.GetPriority() },
		TaskEffort:        func() { t.EffortMinutes = from.GetEffortMinutes() },
		TaskFixedCost:     func() { t.FixedCostMinor = from.GetFixedCostMinor() },
		TaskOptimistic:    func() { estimate(t).OptimisticMinutes = from.GetEstimate().OptimisticMinutes },
		TaskLikely:        func() { estimate(t).LikelyMinutes = from.GetEstimate().GetLikelyMinutes() },
		TaskPessimistic:   func() { estimate(t).PessimisticMinutes = from.GetEstimate().PessimisticMinutes },
	}
	for column, apply := range set {
		if f.Has(column) {
			apply()
		}
	}
	if e := t.GetEstimate(); e != nil && e.OptimisticMinutes == nil && e.PessimisticMinutes == nil && e.GetLikelyMinutes() == 0 {
		t.Estimate = nil // as a task that was made without one
	}
}

func estimate(t *implementationv1.Task) *implementationv1.Estimate {
	if t.GetEstimate() == nil {
		t.Estimate = &implementationv1.Estimate{}
	}
	return t.GetEstimate()
}

// ID makes an id of what people write: `Go live!` is go-live, `12` is t-12.
// What is an id already stays. It is empty where there is nothing to make one of.
func ID(text string) string {
	const most = 63
	var b strings.Builder
	gap := false
	for _, r := range norm.NFD.String(text) {
		switch r = unicode.ToLower(r); {
		case unicode.Is(unicode.Mn, r): // the accent of the letter before
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			if b.Len() == 0 && r <= '9' {
				b.WriteString("t-")
			}
			b.WriteRune(r)
			gap = false
		default:
			gap = true
		}
		if b.Len() >= most {
			break
		}
	}
	id := b.String()
	return strings.TrimRight(id[:min(most, len(id))], "-")
}

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
