package plan

import (
	"fmt"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
)

// Missing logic: every task but the first and the last of a plan needs something before and after it.
func (l *linter) logicPoint() *implementationv1.LintPoint {
	first, last := l.ends()
	point := l.check(1, "missing-logic", "Tasks with a predecessor and a successor", .05, warning, l.open, func(i int, n *Node) bool {
		return len(n.Links) == 0 && i != first && !n.Started || len(l.plan.links[i]) == 0 && i != last
	})
	point.Message += "; the first and the last task need none"
	return point
}

// ends are the tasks that begin and end a plan: of those without a predecessor the one that begins first, of those
// without a successor the one that ends last.
func (l *linter) ends() (first, last int) {
	first, last = -1, -1
	d := l.plan.dates
	for _, i := range l.open {
		if len(l.plan.net.Tasks[i].Links) == 0 && (first < 0 || d.start[i] < d.start[first]) {
			first = i
		}
		if len(l.plan.links[i]) == 0 && (last < 0 || d.end[i] > d.end[last] || d.end[i] == d.end[last] && l.plan.net.Tasks[i].Task.GetMilestone()) {
			last = i
		}
	}
	return first, last
}

// overLinks counts the links of open tasks that offend.
func (l *linter) overLinks(number int32, id, title string, limit float64, offends func(Link) bool) *implementationv1.LintPoint {
	point := &implementationv1.LintPoint{Number: number, Id: id, Title: title, Threshold: limit}
	for _, i := range l.open {
		n, offender := &l.plan.net.Tasks[i], false
		for _, link := range n.Links {
			if l.plan.net.Tasks[link.From].Task == nil {
				continue // the order of stages is no link that a person wrote
			}
			point.Denominator++
			if offends(link) {
				point.Count++
				offender = true
			}
		}
		if offender && len(point.GetOffenders()) < mostOffences {
			point.Offenders = append(point.Offenders, n.Name)
		}
	}
	judge(point, warning)
	return point
}

func (l *linter) leadsPoint() *implementationv1.LintPoint {
	return l.overLinks(2, "leads", "Links without a lead", 0, func(link Link) bool { return link.Lag < 0 })
}

func (l *linter) lagsPoint() *implementationv1.LintPoint {
	return l.overLinks(3, "lags", "Links without a lag", .05, func(link Link) bool { return link.Lag > 0 })
}

func (l *linter) relationshipsPoint() *implementationv1.LintPoint {
	point := l.overLinks(4, "relationship-types", "Links from finish to start", .1, func(link Link) bool { return !link.FromFinish() || link.ToFinish() })
	// The pamphlet counts those that are as they should be.
	point.Count, point.Threshold, point.AtLeast = point.GetDenominator()-point.GetCount(), .9, true
	judge(point, warning)
	return point
}

// Hard constraints stop a task from moving with what it depends on. There are none here but for a task whose earliest start and
// deadline leave no minute.
func (l *linter) constraintsPoint() *implementationv1.LintPoint {
	return l.check(5, "hard-constraints", "Tasks that may move", .05, warning, l.open, func(_ int, n *Node) bool {
		early := n.Task.GetEarliestStartTime()
		return early.IsValid() && n.Deadline != never && n.Calendar.Count(calendar.MinuteAfter(early.AsTime()), n.Deadline) <= n.Duration
	})
}

func (l *linter) highFloatPoint() *implementationv1.LintPoint {
	return l.check(6, "high-float", "Tasks with at most 44 days of float", .05, warning, l.open, func(i int, _ *Node) bool {
		return l.plan.dates.float[i] > highMinutes
	})
}

func (l *linter) negativeFloatPoint() *implementationv1.LintPoint {
	return l.check(7, "negative-float", "Tasks without negative float", 0, failure, l.open, func(i int, _ *Node) bool {
		return l.plan.dates.float[i] < 0
	})
}

func (l *linter) highDurationPoint() *implementationv1.LintPoint {
	return l.check(8, "high-duration", "Tasks of at most 44 days", .05, warning, l.open, func(_ int, n *Node) bool {
		return n.Duration > highMinutes
	})
}

// Invalid dates: what has happened lies in the future. What has not cannot lie in the past, as schedules are computed here.
func (l *linter) datesPoint() *implementationv1.LintPoint {
	all := make([]int, 0, len(l.plan.net.Tasks))
	for i := range l.plan.net.Tasks {
		if l.plan.net.Tasks[i].Task != nil {
			all = append(all, i)
		}
	}
	now := l.plan.net.Status
	return l.check(9, "invalid-dates", "Tasks without actual dates in the future", 0, failure, all, func(_ int, n *Node) bool {
		return now != noStatus && (n.Started && n.Start > now || n.Done && n.Finish > now)
	})
}

func (l *linter) resourcesPoint() *implementationv1.LintPoint {
	var work []int
	for _, i := range l.open {
		if l.plan.net.Tasks[i].Duration >= workingDay {
			work = append(work, i)
		}
	}
	return l.check(10, "resources", "Tasks of a day or more that somebody is assigned to", 0, warning, work, func(_ int, n *Node) bool {
		return len(n.Task.GetAssignments()) == 0
	})
}

// Missed tasks should have been done by the baseline, and were later or are not.
func (l *linter) missedPoint() *implementationv1.LintPoint {
	due := l.due()
	was := l.plan.variances()
	return l.check(11, "missed-tasks", "Tasks that were done by their baseline", .05, warning, due, func(i int, n *Node) bool {
		end := calendar.MinuteOf(was.tasks[n.Name].GetEndTime().AsTime())
		return n.Calendar.Count(end, l.plan.dates.end[i]) > 0
	})
}

// due are the tasks that should be done by now according to the baseline.
func (l *linter) due() []int {
	var due []int
	was := l.plan.variances()
	for i := range l.plan.net.Tasks {
		b, ok := was.tasks[l.plan.net.Tasks[i].Name]
		if ok && b.GetEndTime().IsValid() && calendar.MinuteOf(b.GetEndTime().AsTime()) <= l.plan.net.Status {
			due = append(due, i)
		}
	}
	return due
}

// Critical path test: a task of the longest path is made 600 days longer; the end has to move as much.
func (l *linter) criticalPathPoint() *implementationv1.LintPoint {
	const delay = 600 * workingDay
	point := &implementationv1.LintPoint{
		Number: 12, Id: "critical-path-test", Title: "A delay on the critical path delays the end", Count: 1, AtLeast: true, Threshold: 1,
	}
	longest := l.plan.longest(l.plan.dates)
	at := -1
	for _, i := range longest {
		if n := &l.plan.net.Tasks[i]; n.Task != nil && n.Left > 0 {
			at = i
			break
		}
	}
	if at < 0 {
		judge(point, failure)
		return point
	}
	point.Denominator = 1
	delayed := *l.plan
	net := *l.plan.net
	net.Tasks = append([]Node(nil), net.Tasks...)
	net.Tasks[at].Left += delay
	delayed.net = &net
	after, err := delayed.schedule()
	own := l.plan.net.Tasks[at].Calendar
	if err != nil || own.Count(l.plan.dates.finish, after.finish) < delay*9/10 {
		point.Count, point.Offenders = 0, []string{l.plan.net.Tasks[at].Name}
	}
	judge(point, failure)
	point.Message = fmt.Sprintf("600 more days of %s move the end", id(l.plan.net.Tasks[at].Name))
	if point.GetCount() == 0 {
		point.Message = fmt.Sprintf("600 more days of %s do not move the end by as much; links are missing", id(l.plan.net.Tasks[at].Name))
	}
	return point
}

// Critical path length index: how much of the remaining length there is time for until the target, or until the end of the baseline.
func (l *linter) lengthPoint() *implementationv1.LintPoint {
	p, target := l.plan, l.plan.net.Target
	if end := p.in.Baseline.GetEndTime(); target == never && end.IsValid() {
		target = calendar.MinuteOf(end.AsTime())
	}
	length := p.net.Calendar.Count(max(p.net.Status, p.net.Begin), p.dates.finish)
	if len(l.open) == 0 || target == never {
		length = 0
	}
	return index(13, "critical-path-length-index", "The time until the target is enough for the critical path",
		length+p.net.Calendar.Count(p.dates.finish, min(target, lastDate)), length, "minutes until the target, %d, over minutes of the critical path, %d")
}

// Baseline execution index: what is done, of what should be.
func (l *linter) executionPoint() *implementationv1.LintPoint {
	done := int64(0)
	was := l.plan.variances()
	for i := range l.plan.net.Tasks {
		if _, planned := was.tasks[l.plan.net.Tasks[i].Name]; planned && l.plan.net.Tasks[i].Done {
			done++
		}
	}
	return index(14, "baseline-execution-index", "As many tasks are done as should be by the baseline", done, int64(len(l.due())),
		"tasks that are done, %d, over tasks that should be, %d")
}

// index is a point that is a quotient of at least .95.
func index(number int32, id, title string, over, under int64, message string) *implementationv1.LintPoint {
	point := &implementationv1.LintPoint{Number: number, Id: id, Title: title, Count: over, Denominator: max(0, under), Threshold: .95, AtLeast: true}
	judge(point, warning)
	if point.GetDenominator() > 0 {
		point.Message = fmt.Sprintf("%.2f: ", float64(over)/float64(under)) + fmt.Sprintf(message, over, under) + "; at least 0.95"
	} else {
		point.Count = 0
	}
	return point
}
