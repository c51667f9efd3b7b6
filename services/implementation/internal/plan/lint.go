package plan

import (
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// lintSource is where the points are from.
const lintSource = "DCMA-EA PAM 200.1, Earned Value Management System Program Analysis Pamphlet, section 4, 14 Point Schedule Metrics (October 2012)"

// A working day is 480 minutes, and what the pamphlet calls high is more than 44 of them, two months.
const (
	workingDay   = 480
	highMinutes  = 44 * workingDay
	mostOffences = 100
)

// verdicts that a point which does not hold may have.
const (
	warning = implementationv1.LintPoint_WARNING
	failure = implementationv1.LintPoint_ERROR
)

// Lint looks at a plan with the 14 points of the DCMA. Errors are what makes a schedule no promise: it
// cannot be computed, has no tasks or no durations, misses its own target or deadlines, has dates that cannot be, or
// hangs together so badly that a delay does not move its end. The rest are warnings: they say how far to trust it.
func Lint(in Input) *implementationv1.LintReport {
	report := &implementationv1.LintReport{Implementation: in.Implementation.GetName(), Source: lintSource}
	if !in.Now.IsZero() {
		report.AsOf = timestamppb.New(in.Now)
	}
	p, err := New(in)
	if err != nil {
		words := fault.Tell(err)
		report.Points = []*implementationv1.LintPoint{{
			Id: "schedule", Title: "The plan has a schedule", Count: 1, Denominator: 1, Value: new(1.0), Verdict: failure, Message: words.String(),
		}}
		report.ErrorCount = 1
		return report
	}
	l := newLinter(p)
	report.Points = []*implementationv1.LintPoint{
		l.tasksPoint(), l.estimatesPoint(),
		l.logicPoint(), l.leadsPoint(), l.lagsPoint(), l.relationshipsPoint(), l.constraintsPoint(), l.highFloatPoint(), l.negativeFloatPoint(),
		l.highDurationPoint(), l.datesPoint(), l.resourcesPoint(), l.missedPoint(), l.criticalPathPoint(), l.lengthPoint(), l.executionPoint(),
	}
	for _, point := range report.GetPoints() {
		switch point.GetVerdict() {
		case failure:
			report.ErrorCount++
		case warning:
			report.WarningCount++
		default:
		}
		switch point.GetId() {
		case "critical-path-length-index":
			report.CriticalPathLengthIndex = point.Value
		case "baseline-execution-index":
			report.BaselineExecutionIndex = point.Value
		}
	}
	return report
}

// linter is a plan with what several points look at.
type linter struct {
	plan *Plan
	open []int // tasks that are not done: what the points are about
}

func newLinter(p *Plan) *linter {
	l := &linter{plan: p}
	for i := range p.net.Tasks {
		if n := &p.net.Tasks[i]; n.Task != nil && !n.Done {
			l.open = append(l.open, i)
		}
	}
	return l
}

// check counts those of some tasks that offend; at most a share of them may.
func (l *linter) check(number int32, id, title string, most float64, bad implementationv1.LintPoint_Verdict, tasks []int, offends func(i int, n *Node) bool) *implementationv1.LintPoint {
	point := &implementationv1.LintPoint{Number: number, Id: id, Title: title, Threshold: most, Denominator: int64(len(tasks))}
	for _, i := range tasks {
		if offends(i, &l.plan.net.Tasks[i]) {
			point.Count++
			if len(point.GetOffenders()) < mostOffences {
				point.Offenders = append(point.Offenders, l.plan.net.Tasks[i].Name)
			}
		}
	}
	judge(point, bad)
	return point
}

// judge holds the share of a point against its threshold.
func judge(point *implementationv1.LintPoint, bad implementationv1.LintPoint_Verdict) {
	if point.GetDenominator() == 0 {
		point.Verdict, point.Message = implementationv1.LintPoint_NOT_APPLICABLE, "there is nothing to look at"
		return
	}
	share := float64(point.GetCount()) / float64(point.GetDenominator())
	point.Value = new(share)
	point.Verdict = implementationv1.LintPoint_PASS
	if share > point.GetThreshold() && !point.GetAtLeast() || share < point.GetThreshold() && point.GetAtLeast() {
		point.Verdict = bad
	}
	word := "at most"
	if point.GetAtLeast() {
		word = "at least"
	}
	point.Message = fmt.Sprintf("%d of %d; %s %.0f %%", point.GetCount(), point.GetDenominator(), word, 100*point.GetThreshold())
}

func (l *linter) tasksPoint() *implementationv1.LintPoint {
	point := &implementationv1.LintPoint{Id: "tasks", Title: "The plan has tasks", Count: 1, Denominator: 1, AtLeast: true, Threshold: 1}
	if len(l.plan.net.Tasks) == 0 {
		point.Count = 0
	}
	judge(point, failure)
	if point.GetVerdict() == failure {
		point.Message = "there is no task that is to be done"
	}
	return point
}

func (l *linter) estimatesPoint() *implementationv1.LintPoint {
	return l.check(0, "estimates", "Tasks that are no milestones have an estimate", 0, failure, l.open, func(_ int, n *Node) bool {
		return n.Duration == 0 && !n.Task.GetMilestone()
	})
}
