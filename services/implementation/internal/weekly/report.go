// Package weekly writes the status report of a week from facts: what was done,
// what comes, what is in the way, how ready the people are, what it costs and
// brings. It is pure, and writes Markdown; a page of HTML is made of that.
package weekly

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Facts are what a report is written from, all of one moment.
type Facts struct {
	Implementation *implementationv1.Implementation
	Schedule       *implementationv1.Schedule
	Tasks          map[string]*implementationv1.Task // by name
	Readiness      []*implementationv1.Readiness
	Challenges     []*implementationv1.Challenge // those that are not ended, the worst first
	Benefits       *implementationv1.Benefits
	Week           Week
	Now            time.Time
}

// most is how many lines a list of a report has before the rest is counted.
const most = 12

// page collects what is written.
type page struct{ strings.Builder }

func (p *page) line(format string, args ...any) { fmt.Fprintf(&p.Builder, format+"\n", args...) }

// section writes a heading with its lines, or what to say where there are none.
func (p *page) section(title string, lines []string, none string) {
	p.line("\n## %s\n", title)
	if len(lines) == 0 {
		p.line("%s", none)
	}
	for i, line := range lines {
		if i == most {
			p.line("- and %d more", len(lines)-most)
			break
		}
		p.line("- %s", line)
	}
}

// Markdown writes the report.
func Markdown(f Facts) string {
	p, i := &page{}, f.Implementation
	p.line("# %s: week %s\n", Text(cmp.Or(i.GetDisplayName(), last(i.GetName()))), f.Week)
	p.line("%s, %s to %s. Owner: %s. Sponsor: %s.\n", i.GetState(), f.date(f.Week.Start), f.date(f.Week.End.Add(-time.Minute)), Text(cmp.Or(i.GetOwner(), "nobody")), Text(cmp.Or(i.GetSponsor(), "nobody")))
	for _, line := range f.headlines() {
		p.line("- %s", line)
	}
	p.section("Done this week", f.done(), "Nothing was completed.")
	p.section("Next week", f.next(), "Nothing is planned.")
	p.section("In the way", f.trouble(), "Nothing is late, blocked, at risk or out of sequence.")
	p.section("Milestones", f.milestones(), "No milestone lies ahead.")
	f.people(p)
	p.section("Challenges", f.challenges(), "None is open.")
	p.section("Money", f.money(), "No budget and no ledger.")
	p.line("\n*Written on %s from the plan as it stood then.*", f.Now.In(f.Week.zone()).Format("2006-01-02 15:04 MST"))
	return p.String()
}

func (f Facts) headlines() (lines []string) {
	s := f.Schedule
	if s.GetEndTime() == nil {
		return []string{"The plan has no tasks yet."}
	}
	end := fmt.Sprintf("**Planned end %s**, %.0f %% done", f.date(s.GetEndTime().AsTime()), s.GetProgressPercent())
	if s.TargetFloatMinutes != nil {
		if days := working(s.GetTargetFloatMinutes()); s.GetTargetFloatMinutes() < 0 {
			end += fmt.Sprintf("; **%s after the target** of %s", strings.TrimPrefix(days, "-"), f.date(s.GetTargetDate().AsTime()))
		} else {
			end += fmt.Sprintf("; %s before the target of %s", days, f.date(s.GetTargetDate().AsTime()))
		}
	}
	lines = append(lines, end+".")
	if s.EndVarianceMinutes != nil {
		switch v := s.GetEndVarianceMinutes(); {
		case v > 0:
			lines = append(lines, working(v)+" later than the baseline.")
		case v < 0:
			lines = append(lines, working(-v)+" earlier than the baseline.")
		default:
			lines = append(lines, "As in the baseline.")
		}
	}
	return append(lines, fmt.Sprintf("%d critical and %d near-critical tasks are open.", len(s.GetCriticalTasks()), len(s.GetNearCriticalTasks())))
}

func (f Facts) done() (lines []string) {
	for _, t := range f.Schedule.GetTasks() {
		ended := f.Tasks[t.GetName()].GetActualEndTime()
		if t.GetState() == implementationv1.Task_DONE && ended != nil && f.Week.Has(ended.AsTime()) {
			lines = append(lines, f.name(t)+" on "+f.date(ended.AsTime()))
		}
	}
	return lines
}

func (f Facts) next() (lines []string) {
	week := f.Week.Next()
	for _, t := range f.Schedule.GetTasks() {
		if t.GetMilestone() || t.GetState() == implementationv1.Task_DONE || !t.GetEarlyStartTime().AsTime().Before(week.End) {
			continue
		}
		line := f.name(t)
		if t.GetState() == implementationv1.Task_IN_PROGRESS {
			line += fmt.Sprintf(", %d %% done", t.GetProgressPercent())
		} else {
			line += ", begins " + f.date(t.GetEarlyStartTime().AsTime())
		}
		line += ", ends " + f.date(t.GetEarlyEndTime().AsTime())
		if t.GetCritical() {
			line += " (critical)"
		}
		lines = append(lines, line+owner(t.GetOwner()))
	}
	return lines
}

func (f Facts) trouble() (lines []string) {
	for _, t := range f.Schedule.GetTasks() {
		var said []string
		for _, c := range t.GetConditions() {
			if c.GetStatus() == implementationv1.PlanCondition_TRUE {
				said = append(said, "**"+strings.ReplaceAll(c.GetType().String(), "_", " ")+"**: "+Text(c.GetMessage()))
			}
		}
		if len(said) > 0 {
			lines = append(lines, f.name(t)+": "+strings.Join(said, "; ")+owner(t.GetOwner()))
		}
	}
	return lines
}

func (f Facts) milestones() (lines []string) {
	for _, t := range f.Schedule.GetTasks() {
		if !t.GetMilestone() || t.GetState() == implementationv1.Task_DONE {
			continue
		}
		line := fmt.Sprintf("%s: %s", f.date(t.GetEarlyEndTime().AsTime()), f.name(t))
		if v := t.GetVariance().GetEndMinutes(); v > 0 {
			line += ", " + working(v) + " later than the baseline"
		}
		lines = append(lines, line)
	}
	slices.Sort(lines) // they begin with their dates
	return lines
}

// people is a table of the cohorts, each with what holds it.
func (f Facts) people(p *page) {
	p.line("\n## Readiness\n")
	if len(f.Readiness) == 0 {
		p.line("No cohort is planned.")
		return
	}
	p.line("| Cohort | People | Verdict | What is missing |\n|---|---|---|---|")
	for _, r := range f.Readiness {
		var missing []string
		for _, c := range r.GetCriteria() {
			if c.GetMust() && c.GetStatus() != implementationv1.CriterionResult_MET {
				missing = append(missing, c.GetId()+": "+Text(c.GetMessage()))
			}
		}
		verdict := r.GetState().String()
		if r.GetState() != gatev1.Verdict_PASS {
			verdict = "**" + verdict + "**"
		}
		p.line("| %s | %d | %s | %s |", Text(last(r.GetCohortPlan())), r.GetHeadcount(), verdict, cmp.Or(strings.Join(missing, "; "), "nothing"))
	}
}

func (f Facts) challenges() (lines []string) {
	for _, c := range f.Challenges {
		line := fmt.Sprintf("%s (%s, %s, severity %d)", Text(c.GetDisplayName()), c.GetState(), c.GetClass(), c.GetSeverity())
		if c.GetCritical() {
			line = "**Critical:** " + line
		}
		if c.GetMitigation() != "" {
			line += ": " + Text(c.GetMitigation())
		}
		lines = append(lines, line+owner(c.GetOwner()))
	}
	return lines
}

func (f Facts) money() (lines []string) {
	planned, realised, currency := f.Benefits.GetPlanned(), f.Benefits.GetRealised(), f.Benefits.GetCurrency()
	if len(planned.GetFlows())+len(realised.GetFlows()) == 0 {
		return nil
	}
	lines = append(lines,
		fmt.Sprintf("Cost %s of %s %s planned.", amount(realised.GetCostMinor()), amount(planned.GetCostMinor()), currency),
		fmt.Sprintf("Benefit %s verified of %s %s planned.", amount(realised.GetBenefitMinor()), amount(planned.GetBenefitMinor()), currency))
	if claimed := f.Benefits.GetClaimedBenefitMinor(); claimed != 0 {
		lines = append(lines, fmt.Sprintf("%s %s claimed and waiting for somebody to verify.", amount(claimed), currency))
	}
	return lines
}
