// Package comparison sets the two halves of one go-live side by side, attribute by attribute: the deployment, which makes software
// available, and the implementation, which makes people use it. It is pure: what both halves are comes in, a table goes out.
//
// The attributes and their order are those in which the two are told apart in books; what is special here is that every
// cell is filled with what is true now. Where the deployment service did not answer, its column says so and the other is whole.
package comparison

import (
	"cmp"
	"path"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// mostItems is how many parts of a cell are told.
const mostItems = 50

// Facts are both halves at one moment.
type Facts struct {
	Implementation *implementationv1.Implementation
	Machines       *deploymentv1.Measures // nil where the deployment service did not answer
	Silent         string                 // why it did not
	Card           *implementationv1.Scorecard
	Plans          []*implementationv1.CohortPlan
	People         map[string]int64          // members by cohort
	Stages         []*implementationv1.Stage // in their order, with what each waits for
	Decisions      []*implementationv1.Decision
	Challenges     []*implementationv1.Challenge // those that are open, the worst first
	Schedule       *implementationv1.Schedule    // nil where the plan cannot be computed
	Forecast       *implementationv1.Forecast    // the newest; nil without one
	Now            time.Time
}

type (
	side = implementationv1.ComparisonSide
	item = implementationv1.ComparisonItem
)

// Compute fills the table.
func Compute(f Facts) *implementationv1.Comparison {
	c := &implementationv1.Comparison{
		Implementation: f.Implementation.GetName(), DisplayName: cmp.Or(f.Implementation.GetDisplayName(), id(f.Implementation.GetName())),
		AsOf: timestamppb.New(f.Now), DeploymentKnown: f.Machines != nil,
	}
	for _, row := range []struct {
		attribute        implementationv1.ComparisonRow_Attribute
		machines, people func(Facts) *side
	}{
		{implementationv1.ComparisonRow_DEFINITION, Facts.machinesDefinition, Facts.peopleDefinition},
		{implementationv1.ComparisonRow_TIMING, Facts.machinesTiming, Facts.peopleTiming},
		{implementationv1.ComparisonRow_SCOPE, Facts.machinesScope, Facts.peopleScope},
		{implementationv1.ComparisonRow_GOAL, Facts.machinesGoal, Facts.peopleGoal},
		{implementationv1.ComparisonRow_PROCESS, Facts.machinesProcess, Facts.peopleProcess},
		{implementationv1.ComparisonRow_TIMELINE, Facts.machinesTimeline, Facts.peopleTimeline},
		{implementationv1.ComparisonRow_SUCCESS_CRITERIA, Facts.machinesSuccess, Facts.peopleSuccess},
		{implementationv1.ComparisonRow_CHALLENGES, Facts.machinesChallenges, Facts.peopleChallenges},
		{implementationv1.ComparisonRow_WAITS_FOR, Facts.machinesWait, Facts.peopleWait},
	} {
		machines := &side{Text: f.Silent}
		if f.Machines != nil {
			machines = row.machines(f)
		}
		c.Rows = append(c.Rows, &implementationv1.ComparisonRow{Attribute: row.attribute, Deployment: bounded(machines), Implementation: bounded(row.people(f))})
	}
	return c
}

// bounded counts the parts of a cell and leaves out those that are too many.
func bounded(s *side) *side {
	s.Total = int32(len(s.GetItems())) //nolint:gosec // G115: a count of what one page was made of
	s.Items = s.GetItems()[:min(len(s.GetItems()), mostItems)]
	return s
}

// blocked are reasons as parts of a cell.
func blocked(of string, reasons []*gatev1.BlockedBy) (items []*item) {
	for _, b := range reasons {
		items = append(items, &item{
			Label: of + " on " + words(b.GetKind().String()), Value: b.GetCurrent(), Target: b.GetRequired(), State: gatev1.Verdict_WAIT, Resource: b.GetResource(), Time: b.GetSince(),
		})
	}
	return items
}

// measures are some kinds of the scorecard as parts of a cell.
func (f Facts) measures(kinds ...implementationv1.ScorecardMeasure_Kind) (items []*item) {
	for _, kind := range kinds {
		for _, m := range f.Card.GetMeasures() {
			if m.GetKind() != kind {
				continue
			}
			one := &item{Label: words(kind.String()), Value: "not known", State: stands(m.GetState())}
			if m.Value != nil {
				one.Value = percent(m.GetValue())
			}
			if m.Target != nil {
				one.Target = percent(m.GetTarget())
			}
			items = append(items, one)
		}
	}
	return items
}

func stands(s implementationv1.ScorecardMeasure_State) gatev1.Verdict_State {
	switch s {
	case implementationv1.ScorecardMeasure_MET:
		return gatev1.Verdict_PASS
	case implementationv1.ScorecardMeasure_NOT_MET:
		return gatev1.Verdict_FAIL
	case implementationv1.ScorecardMeasure_UNKNOWN:
		return gatev1.Verdict_UNKNOWN
	default:
		return gatev1.Verdict_STATE_UNSPECIFIED
	}
}

// id is the last segment of a name.
func id(name string) string { return path.Base(name) }

// words are an enum's name for people.
func words(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", " ")) }
