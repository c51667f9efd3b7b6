package detect

import (
	"fmt"
	"strings"
	"time"
)

// saturated is P1: Σ over implementations of impact × share of the cohort touched in a week > capacity.
func saturated(f *Facts, s Settings) (all []Finding) {
	for _, v := range f.Saturation {
		found := v.about(v.Cohort)
		found.Subject = v.Cohort
		switch {
		case v.Members < s.MinGroup:
			all = append(all, found.few("members", s))
			continue
		case !(v.Capacity > 0):
			all = append(all, found.dunno("nobody has said how much change the cohort can take in a week"))
			continue
		}
		worst, most := ChangeWeek{}, -1.0
		for _, w := range v.Weeks {
			sum := 0.0
			for _, t := range w.Touches {
				sum += t.Impact * t.Share
			}
			if sum > most {
				worst, most = w, sum
			}
		}
		if most < 0 {
			all = append(all, found.says(false, 0, s.numbers(map[string]float64{"load": 0, "capacity": v.Capacity}), "nothing touches the cohort in the weeks ahead"))
			continue
		}
		it := above(most, v.Capacity)
		terms := make([]string, len(worst.Touches))
		for i, t := range worst.Touches {
			terms[i] = fmt.Sprintf("%s × %s", number(t.Impact, 1), percent(t.Share))
			found.Resources = append(found.Resources, t.Plan)
		}
		numbers := s.numbers(map[string]float64{"load": most, "capacity": v.Capacity, "plans": float64(len(worst.Touches))})
		all = append(all, found.says(it, most/v.Capacity, numbers, "week %s: %s = %s points of change %s capacity %s", worst.Week, sum(terms), number(most, 2), sign(it, ">", "≤"), number(v.Capacity, 2)))
	}
	return all
}

// sum writes terms as a sum.
func sum(terms []string) string {
	text := strings.Join(terms[:min(len(terms), 2*named)], " + ")
	if len(terms) > 2*named {
		text += " + …"
	}
	return text
}

// ahead says that a week is one of those a rule looks at.
func ahead(f *Facts, w Week, s Settings) bool {
	last := f.Now.Add(time.Duration(s.get("weeks") * 7 * 24 * float64(time.Hour)))
	return w.End().After(f.Now) && w.Start().Before(last)
}

// sharedPerson is P2: > 100 % over two implementations or more in a week.
func sharedPerson(f *Facts, s Settings) (all []Finding) {
	for _, v := range f.Shared {
		found := Finding{Subject: v.Resource, Resources: []string{v.Resource}}
		var worst SharedWeek
		most, looked := 0.0, false
		for _, w := range v.Weeks {
			if !ahead(f, w.Week, s) || len(w.Plans) < 2 || w.Capacity <= 0 {
				continue
			}
			if part := float64(minutes(w)) / float64(w.Capacity); !looked || part > most {
				worst, most, looked = w, part, true
			}
		}
		if !looked {
			all = append(all, found.nothing("no week ahead in which two implementations want it"))
			continue
		}
		it := above(most, s.get("share"))
		numbers := s.numbers(map[string]float64{"minutes": float64(minutes(worst)), "capacity_minutes": float64(worst.Capacity), "share": most, "plans": float64(len(worst.Plans))})
		terms := make([]string, len(worst.Plans))
		for i, p := range worst.Plans {
			terms[i] = number(float64(p.Minutes)/60, 1)
			found.Resources = append(found.Resources, p.Implementation)
		}
		all = append(all, found.says(it, most, numbers, "week %s: %s hours for %d implementations of %s hours = %s %s %s", worst.Week, sum(terms), len(worst.Plans),
			number(float64(worst.Capacity)/60, 1), percent(most), sign(it, ">", "≤"), percent(s.get("share"))))
	}
	return all
}

func minutes(w SharedWeek) (sum int64) {
	for _, p := range w.Plans {
		sum += p.Minutes
	}
	return sum
}

// fragmented is P3: active tasks in ≥ 4 plans in a week.
func fragmented(f *Facts, s Settings) (all []Finding) {
	for _, v := range f.Shared {
		found := Finding{Subject: v.Resource, Resources: []string{v.Resource}}
		var worst SharedWeek
		for _, w := range v.Weeks {
			if ahead(f, w.Week, s) && len(w.Plans) > len(worst.Plans) {
				worst = w
			}
		}
		if len(worst.Plans) == 0 {
			all = append(all, found.nothing("no active task in the weeks ahead"))
			continue
		}
		it := atLeast(float64(len(worst.Plans)), s.get("plans"))
		for _, p := range worst.Plans {
			found.Resources = append(found.Resources, p.Implementation)
		}
		numbers := s.numbers(map[string]float64{"plans": float64(len(worst.Plans))})
		all = append(all, found.says(it, float64(len(worst.Plans)), numbers, "week %s: active tasks in %d plans %s %s", worst.Week, len(worst.Plans), sign(it, "≥", "<"), number(s.get("plans"), 0)))
	}
	return all
}

// inversion is P4: a near-critical task without progress for 5 days, while its assignee finished lower-priority work elsewhere.
func inversion(f *Facts, s Settings) (all []Finding) {
	for _, t := range f.Stalled {
		found := Finding{Subject: t.Task, Resources: []string{t.Task}}
		if t.Person == "" {
			all = append(all, found.nothing("nobody is assigned"))
			continue
		}
		found.Aspect = t.Person
		near, idle := atLeast(s.get("float_days"), t.FloatDays), atLeast(t.IdleDays, s.get("idle_days"))
		lower := 0
		for _, done := range t.Finished {
			if done.Lower {
				lower++
				found.Resources = append(found.Resources, done.Task)
			}
		}
		it := near && idle && lower > 0
		numbers := s.numbers(map[string]float64{"float_days": t.FloatDays, "idle_days": t.IdleDays, "finished_lower": float64(lower)})
		measure := 0.0
		if it {
			measure = t.IdleDays
		}
		all = append(all, found.says(it, measure, numbers, "float %s days %s %s; no progress for %s days %s %s; meanwhile its assignee finished %d tasks of lower priority elsewhere",
			number(t.FloatDays, 1), sign(near, "≤", ">"), number(s.get("float_days"), 0), number(t.IdleDays, 0), sign(idle, "≥", "<"), number(s.get("idle_days"), 0), lower))
	}
	return all
}

// collision is P5: the go-live window meets a blackout, another wave on the cohort, or a deployment freeze.
func collision(f *Facts, s Settings) (all []Finding) {
	for _, g := range f.GoLives {
		found := g.about(g.Plan)
		if g.Start.IsZero() || !g.End.After(g.Start) {
			all = append(all, found.nothing("there is no date for the go-live"))
			continue
		}
		var met []string
		for _, o := range g.Others {
			if o.Start.Before(g.End) && g.Start.Before(o.End) {
				met = append(met, fmt.Sprintf("%s %s (%s to %s)", o.What, o.Name, date(o.Start), date(o.End)))
				if strings.HasPrefix(o.Name, "workspaces/") { // a blackout is part of its cohort
					found.Resources = append(found.Resources, o.Name)
				}
			}
		}
		numbers := s.numbers(map[string]float64{"collisions": float64(len(met)), "looked_at": float64(len(g.Others))})
		text := fmt.Sprintf("go-live %s to %s meets %d of %d spans", date(g.Start), date(g.End), len(met), len(g.Others))
		if len(met) > 0 {
			text += ": " + list(met)
		}
		all = append(all, found.says(len(met) > 0, float64(len(met)), numbers, "%s", text))
	}
	return all
}

// postponed is P6: moved to later ≥ 3 times, or a slip > 20 % of the time first planned.
func postponed(f *Facts, s Settings) (all []Finding) {
	for _, p := range f.Postponement {
		found := p.about(p.Plan)
		if len(p.Dates) == 0 {
			all = append(all, found.nothing("there is no date for the go-live"))
			continue
		}
		first, last := p.Dates[0], p.Dates[len(p.Dates)-1]
		moves := 0
		for i := 1; i < len(p.Dates); i++ {
			if p.Dates[i].After(p.Dates[i-1]) {
				moves++
			}
		}
		often := atLeast(float64(moves), s.get("moves"))
		text := fmt.Sprintf("moved to later %d times %s %s", moves, sign(often, "≥", "<"), number(s.get("moves"), 0))
		numbers := s.numbers(map[string]float64{"moves": float64(moves), "slip_days": days(last.Sub(first))})
		it, measure := often, 0.0
		if s.get("moves") > 0 {
			measure = float64(moves) / s.get("moves")
		}
		if planned := days(first.Sub(p.Begin)); planned > 0 {
			slip := max(days(last.Sub(first)), 0) / planned
			far := above(slip, s.get("slip"))
			numbers["planned_days"], numbers["slip"] = planned, slip
			text += fmt.Sprintf("; from %s to %s = %s days of %s planned = %s %s %s", date(first), date(last), number(days(last.Sub(first)), 0), number(planned, 0),
				percent(slip), sign(far, ">", "≤"), percent(s.get("slip")))
			it, measure = it || far, max(measure, slip)
		}
		all = append(all, found.says(it, measure, numbers, "%s", text))
	}
	return all
}

// declined is P7: ≥ 25 % of invitations declined because of a conflict.
func declined(f *Facts, s Settings) (all []Finding) {
	limit := s.get("share")
	for _, d := range f.Declines {
		found := d.about(d.Plan)
		if d.Invited < s.MinGroup {
			all = append(all, found.few("invited", s))
			continue
		}
		part := share(d.Conflict, d.Invited)
		it := atLeast(part, limit)
		numbers := s.numbers(map[string]float64{"declined": float64(d.Conflict), "invited": float64(d.Invited), "share": part})
		all = append(all, found.says(it, part, numbers, "%d of %d invitations declined for a conflict = %s %s %s", d.Conflict, d.Invited, percent(part), sign(it, "≥", "<"), percent(limit)))
	}
	return all
}
