package comparison

import (
	"cmp"
	"fmt"
	"time"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

func (f Facts) peopleDefinition() *side {
	i := f.Implementation
	return &side{
		Text: "Gets people to work with it: plan, training, support, and what they say.",
		Items: []*item{
			{Label: "state", Value: i.GetState().String(), Resource: i.GetName(), Time: i.GetStateTime()},
			{Label: "owner", Value: cmp.Or(i.GetOwner(), "nobody")},
			{Label: "sponsor", Value: cmp.Or(i.GetSponsor(), "nobody")},
		},
	}
}

// peopleTiming is when each cohort goes live.
func (f Facts) peopleTiming() *side {
	s := &side{Text: "Begins before the first wave and ends long after the last: habits take weeks."}
	for _, p := range f.Plans {
		one := &item{Label: id(p.GetName()), Value: "no date", State: gatev1.Verdict_WAIT, Resource: p.GetName()}
		switch {
		case p.GetLiveTime() != nil:
			one.Value, one.State, one.Time = "live since "+date(p.GetLiveTime().AsTime()), gatev1.Verdict_PASS, p.GetLiveTime()
		case p.GetGoLiveTime() != nil:
			one.Value, one.Time = "goes live on "+date(p.GetGoLiveTime().AsTime()), p.GetGoLiveTime()
		}
		s.Items = append(s.Items, one)
	}
	return s
}

func (f Facts) peopleScope() *side {
	s := &side{}
	var sum int64
	for _, p := range f.Plans {
		n := f.People[p.GetCohort()]
		sum += n
		s.Items = append(s.Items, &item{Label: "cohort", Value: fmt.Sprintf("%s, %s", id(p.GetCohort()), people(n)), Resource: p.GetCohort()})
	}
	s.Text = fmt.Sprintf("%s with %s.", plural(len(f.Plans), "cohort"), people(sum))
	return s
}

func (f Facts) peopleGoal() *side {
	s := &side{Text: cmp.Or(f.Implementation.GetGoal(), "Nobody has said what is to be reached.")}
	s.Items = f.measures(implementationv1.ScorecardMeasure_ADOPTION)
	return s
}

func (f Facts) peopleProcess() *side {
	s := &side{Text: "No stage is planned."}
	done := 0
	for _, st := range f.Stages {
		state := stageStands(st.GetState())
		if state == gatev1.Verdict_PASS {
			done++
		}
		s.Items = append(s.Items, &item{Label: "stage " + cmp.Or(st.GetDisplayName(), id(st.GetName())), Value: st.GetState().String(), State: state, Resource: st.GetName(), Time: st.GetActualEndTime()})
	}
	if len(f.Stages) > 0 {
		s.Text = fmt.Sprintf("%d of %s done.", done, plural(len(f.Stages), "stage"))
	}
	return s
}

func (f Facts) peopleTimeline() *side {
	i := f.Implementation
	s := &side{Text: "Weeks to months: as long as people need to change."}
	if t := i.GetActualStartTime(); t != nil {
		end := f.Now
		if i.GetActualEndTime() != nil {
			end = i.GetActualEndTime().AsTime()
		}
		s.Items = append(s.Items, &item{Label: "elapsed", Value: span(end.Sub(t.AsTime())), Resource: i.GetName(), Time: t})
	}
	if t := f.Schedule.GetEndTime(); t != nil {
		planned := &item{Label: "planned", Value: date(t.AsTime()), Resource: i.GetName(), Time: t}
		if target := i.GetTargetDate(); target != nil {
			if planned.Target, planned.State = date(target.AsTime()), gatev1.Verdict_PASS; t.AsTime().After(target.AsTime()) {
				planned.State = gatev1.Verdict_FAIL
			}
		}
		s.Items = append(s.Items, planned)
	}
	if p := f.Forecast; p != nil {
		s.Items = append(s.Items,
			&item{Label: "forecast, even odds", Value: date(p.GetP50Time().AsTime()), Resource: p.GetName(), Time: p.GetP50Time()},
			&item{Label: "forecast, four in five", Value: date(p.GetP80Time().AsTime()), Resource: p.GetName(), Time: p.GetP80Time()})
	}
	return s
}

func (f Facts) peopleSuccess() *side {
	return &side{
		Text:  "People work with it, the savings come, and they are content.",
		Items: f.measures(implementationv1.ScorecardMeasure_ADOPTION, implementationv1.ScorecardMeasure_SAVINGS, implementationv1.ScorecardMeasure_SATISFACTION),
	}
}

func (f Facts) peopleChallenges() *side {
	s := &side{Text: open(len(f.Challenges), "challenge", "challenges")}
	for _, c := range f.Challenges {
		one := &item{Label: words(c.GetClass().String()), Value: c.GetDisplayName(), State: gatev1.Verdict_WAIT, Resource: c.GetName(), Time: c.GetCreateTime()}
		if c.GetCritical() {
			one.State = gatev1.Verdict_FAIL
		}
		s.Items = append(s.Items, one)
	}
	return s
}

func (f Facts) peopleWait() *side {
	s := &side{}
	for _, d := range f.Decisions {
		s.Items = append(s.Items, blocked(id(d.GetName()), d.GetBlockedBy())...)
	}
	for _, st := range f.Stages {
		s.Items = append(s.Items, blocked(id(st.GetName()), st.GetBlockedBy())...)
	}
	s.Text = waiting(len(s.GetItems()))
	return s
}

func stageStands(s implementationv1.Stage_State) gatev1.Verdict_State {
	switch s {
	case implementationv1.Stage_DONE, implementationv1.Stage_SKIPPED:
		return gatev1.Verdict_PASS
	case implementationv1.Stage_CANCELLED:
		return gatev1.Verdict_FAIL
	default:
		return gatev1.Verdict_WAIT
	}
}

func decisionStands(d *implementationv1.Decision) gatev1.Verdict_State {
	switch d.GetState() {
	case implementationv1.Decision_GO, implementationv1.Decision_CONDITIONAL_GO:
		return gatev1.Verdict_PASS
	case implementationv1.Decision_NO_GO, implementationv1.Decision_WITHDRAWN:
		return gatev1.Verdict_FAIL
	default:
		return gatev1.Verdict_WAIT
	}
}

func people(n int64) string {
	if n == 1 {
		return "1 person"
	}
	return fmt.Sprintf("%d people", n)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// open says how many stand in the way.
func open(n int, one, many string) string {
	switch n {
	case 0:
		return "Nothing stands in the way."
	case 1:
		return "1 " + one + " is open."
	default:
		return fmt.Sprintf("%d %s are open.", n, many)
	}
}

func waiting(n int) string {
	if n == 0 {
		return "It waits for nothing."
	}
	return fmt.Sprintf("It waits for %s.", plural(n, "thing"))
}

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// span is a duration in days, or in hours where it is short.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	if d < 2*day {
		return plural(int(d.Hours()), "hour")
	}
	return plural(int(d/day), "day")
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }
