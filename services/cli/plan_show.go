package cli

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

// printSchedule is a table with a chart of bars, stage by stage.
func (c *client) printSchedule(s *implementationv1.Schedule) error {
	if c.format == show.Name {
		names := make([]string, len(s.GetTasks()))
		for i, t := range s.GetTasks() {
			names[i] = t.GetName()
		}
		return c.printNames(names)
	}
	if err := c.printEnd(s); err != nil || len(s.GetTasks()) == 0 {
		return err
	}
	chart := newChart(s)
	rows := [][]string{append(c.heads("TASK", "STATE", "START", "END", "TAKES", "FLOAT"), chart.head(c.style), c.style.Bold("SEEN"))}
	for _, stage := range c.byStage(s) {
		rows = append(rows, []string{c.style.Bold(stage.title), "", onDay(stage.start), onDay(stage.end), "", "", chart.line(stage.start, stage.end, nil, "─"), c.seenWords(stage.seen)})
		for _, t := range stage.tasks {
			rows = append(rows, c.taskRow(t, chart))
		}
	}
	return show.Rows(c.out, rows)
}

func (c *client) taskRow(t *implementationv1.TaskSchedule, on chart) []string {
	task, bar := "  "+ident(t.GetName()), on.bar(t)
	if t.GetCritical() {
		task, bar = c.style.Bold(task), c.style.Bold(bar)
	}
	float := show.Work(t.GetTotalFloatMinutes())
	if t.GetState() == implementationv1.Task_DONE {
		float = ""
	}
	return []string{
		task, c.style.State(t.GetState().String()), onDay(t.GetEarlyStartTime()), onDay(t.GetEarlyEndTime()), show.Work(t.GetDurationMinutes()), float,
		bar, c.seenWords(t.GetConditions()),
	}
}

// stageRows are the tasks of a stage, with what stands over them.
type stageRows struct {
	title      string
	seen       []*implementationv1.PlanCondition
	start, end *timestamppb.Timestamp
	tasks      []*implementationv1.TaskSchedule
}

// byStage groups the tasks: stages in their order, then what has none.
func (c *client) byStage(s *implementationv1.Schedule) []*stageRows {
	var out []*stageRows
	at := map[string]*stageRows{}
	for _, stage := range s.GetStages() {
		at[stage.GetName()] = &stageRows{
			title: cmp.Or(stage.GetDisplayName(), ident(stage.GetName())), seen: stage.GetConditions(),
			start: stage.GetStartTime(), end: stage.GetEndTime(),
		}
		out = append(out, at[stage.GetName()])
	}
	for _, t := range s.GetTasks() {
		if at[t.GetStage()] == nil {
			at[t.GetStage()] = &stageRows{title: "no stage", start: t.GetEarlyStartTime(), end: t.GetEarlyEndTime()}
			out = append(out, at[t.GetStage()])
		}
		at[t.GetStage()].tasks = append(at[t.GetStage()].tasks, t)
	}
	return slices.DeleteFunc(out, func(r *stageRows) bool { return len(r.tasks) == 0 })
}

// chart is a piece of time drawn into some columns.
type chart struct {
	from, to time.Time
	today    int // column; -1 where it is outside
}

const chartWidth = 48

func newChart(s *implementationv1.Schedule) chart {
	ch := chart{from: s.GetStartTime().AsTime(), to: s.GetEndTime().AsTime(), today: -1}
	for _, t := range s.GetTasks() {
		ch.from = earliest(ch.from, t.GetEarlyStartTime().AsTime())
	}
	if s.GetAsOf() != nil && !s.GetAsOf().AsTime().Before(ch.from) && !s.GetAsOf().AsTime().After(ch.to) {
		ch.today = ch.column(s.GetAsOf().AsTime())
	}
	return ch
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// column is where a moment is drawn.
func (ch chart) column(t time.Time) int {
	all := ch.to.Sub(ch.from)
	if all <= 0 {
		return 0
	}
	return min(chartWidth-1, max(0, int(float64(chartWidth)*float64(t.Sub(ch.from))/float64(all))))
}

func (ch chart) head(style show.Style) string {
	from, to := onDay(timestamppb.New(ch.from)), onDay(timestamppb.New(ch.to))
	return style.Bold(from + strings.Repeat(" ", max(1, chartWidth-len(from)-len(to))) + to)
}

// bar is a task: what it takes, and after that how much later it may end.
func (ch chart) bar(t *implementationv1.TaskSchedule) string {
	fill := "▒"
	switch {
	case t.GetMilestone():
		fill = "◆"
	case t.GetState() == implementationv1.Task_DONE:
		fill = "░"
	case t.GetCritical():
		fill = "█"
	}
	late := t.GetLateEndTime()
	if t.GetTotalFloatMinutes() <= 0 { // the night or weekend up to when the next may begin is no float
		late = nil
	}
	return ch.line(t.GetEarlyStartTime(), t.GetEarlyEndTime(), late, fill)
}

// line is a bar of one glyph, a column at least.
func (ch chart) line(start, end, late *timestamppb.Timestamp, fill string) string {
	cells := slices.Repeat([]string{" "}, chartWidth)
	if ch.today >= 0 {
		cells[ch.today] = "│"
	}
	if start == nil || end == nil {
		return strings.Join(cells, "")
	}
	first, last := ch.column(start.AsTime()), ch.column(end.AsTime().Add(-time.Minute))
	if late != nil {
		for i := last + 1; i <= ch.column(late.AsTime().Add(-time.Minute)); i++ {
			if cells[i] == " " {
				cells[i] = "·"
			}
		}
	}
	for i := first; i <= max(first, last); i++ {
		cells[i] = fill
	}
	return strings.TrimRight(strings.Join(cells, ""), " ")
}

// ident is the last segment of a name.
func ident(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// idents are the last segments of some names, at most a few.
func idents(names []string) string {
	const most = 12
	short := make([]string, 0, most+1)
	for i, name := range names {
		if i == most {
			short = append(short, "…")
			break
		}
		short = append(short, ident(name))
	}
	return strings.Join(short, ", ")
}

// seenWords are conditions that hold: which, beside a chart, and the whole sentences in a wide table.
func (c *client) seenWords(all []*implementationv1.PlanCondition) string {
	if c.format == show.Wide {
		return conditionWords(all)
	}
	return strings.Join(conditionNames(all), ", ")
}

func conditionNames(all []*implementationv1.PlanCondition) (names []string) {
	for _, condition := range all {
		if condition.GetStatus() == implementationv1.PlanCondition_TRUE {
			names = append(names, strings.ToLower(strings.ReplaceAll(condition.GetType().String(), "_", " ")))
		}
	}
	return names
}

// conditionWords are conditions that hold, in words.
func conditionWords(all []*implementationv1.PlanCondition) string {
	var words []string
	for _, condition := range all {
		if condition.GetStatus() == implementationv1.PlanCondition_TRUE {
			words = append(words, strings.ToLower(strings.ReplaceAll(condition.GetType().String(), "_", " "))+": "+condition.GetMessage())
		}
	}
	return strings.Join(words, "; ")
}
