package sheet

import (
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// WriteTasks writes tasks as [Tasks] reads them.
func WriteTasks(tasks []*implementationv1.Task) []byte {
	header := make([]string, 0, len(taskFields()))
	for _, f := range taskFields() {
		header = append(header, f.Name)
	}
	w := NewWriter(header...)
	for _, t := range tasks {
		w.Row(taskRow(t)...)
	}
	return w.Bytes()
}

func taskRow(t *implementationv1.Task) []string {
	e := t.GetEstimate()
	row := map[TaskColumn]string{
		TaskID: last(t.GetName()), TaskName: t.GetDisplayName(), TaskStage: last(t.GetStage()),
		TaskPredecessors: linksText(t), TaskOwner: t.GetOwner(), TaskResources: sharesText(t),
		TaskEarliestStart: timeText(t.GetEarliestStartTime()), TaskDeadline: timeText(t.GetDeadline()),
		TaskDescription: t.GetDescription(),
	}
	if e != nil && e.OptimisticMinutes != nil {
		row[TaskOptimistic] = Duration(e.GetOptimisticMinutes())
	}
	if e != nil {
		row[TaskLikely] = Duration(e.GetLikelyMinutes())
	}
	if e != nil && e.PessimisticMinutes != nil {
		row[TaskPessimistic] = Duration(e.GetPessimisticMinutes())
	}
	if t.GetMilestone() {
		row[TaskMilestone] = "yes"
	}
	if p := t.GetPriority(); p != 0 {
		row[TaskPriority] = strconv.Itoa(int(p))
	}
	if minutes := t.GetEffortMinutes(); minutes != 0 {
		row[TaskEffort] = Duration(minutes)
	}
	if minor := t.GetFixedCostMinor(); minor != 0 {
		row[TaskFixedCost] = fmt.Sprintf("%d.%02d", minor/100, minor%100)
	}
	values := make([]string, len(taskFields()))
	for column, value := range row {
		values[column] = value
	}
	return values
}

func linksText(t *implementationv1.Task) string {
	parts := make([]string, len(t.GetDependencies()))
	for i, d := range t.GetDependencies() {
		text, kind := last(d.GetPredecessor()), "FS"
		for name, of := range linkTypes() {
			if of == d.GetType() {
				kind = name
			}
		}
		switch lag := d.GetLagMinutes(); {
		case lag > 0:
			text += " " + kind + "+" + Duration(lag)
		case lag < 0:
			text += " " + kind + "-" + Duration(-lag)
		case kind != "FS":
			text += " " + kind
		}
		parts[i] = text
	}
	return strings.Join(parts, "; ")
}

func sharesText(t *implementationv1.Task) string {
	parts := make([]string, len(t.GetAssignments()))
	for i, a := range t.GetAssignments() {
		parts[i] = last(a.GetResource())
		if a.GetUnits() != 0 {
			parts[i] += ":" + strconv.FormatFloat(a.GetUnits(), 'f', -1, 64)
		}
	}
	return strings.Join(parts, "; ")
}

func timeText(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return Time(t.AsTime())
}

// last is the last segment of a name.
func last(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
