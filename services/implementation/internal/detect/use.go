package detect

import "fmt"

// about begins a finding on a group.
func (g Group) about(resources ...string) Finding {
	subject := g.Plan
	if subject == "" {
		subject = g.Cohort
	}
	return Finding{Subject: subject, Cohort: g.Cohort, Resources: resources}
}

// few marks a finding on a group that is too small to be looked at; its numbers stay unsaid.
func (f Finding) few(what string, s Settings) Finding {
	f.Status, f.Text = tooSmall, fmt.Sprintf("fewer than %d %s: not looked at", s.MinGroup, what)
	return f
}

// nothing marks a finding that has nothing to judge.
func (f Finding) nothing(what string) Finding {
	f.Status, f.Text = tooSmall, what
	return f
}

// dunno marks a finding that lacks a number.
func (f Finding) dunno(why string) Finding {
	f.Status, f.Text = unknown, why
	return f
}

// says is the finding with its arithmetic.
func (f Finding) says(it bool, measure float64, numbers map[string]float64, format string, args ...any) Finding {
	f.Status, f.Measure, f.Numbers, f.Text = status(it), measure, numbers, fmt.Sprintf(format, args...)
	return f
}

// adoptionBelowPlan is R1: actual < plan − 10 points, and the forecast reaches the target too late.
func adoptionBelowPlan(f *Facts, s Settings) (all []Finding) {
	limit := s.get("gap")
	for _, a := range f.Adoption {
		found := a.about(a.Plan)
		switch {
		case a.Eligible < s.MinGroup:
			all = append(all, found.few("eligible", s))
			continue
		case a.Planned == nil:
			all = append(all, found.dunno("there is no planned curve for the cohort"))
			continue
		}
		actual := share(a.Active, a.Eligible)
		gap := *a.Planned - actual
		numbers := s.numbers(map[string]float64{"active": float64(a.Active), "eligible": float64(a.Eligible), "actual": actual, "planned": *a.Planned, "gap": gap})
		text := fmt.Sprintf("%d of %d eligible are active = %s, planned %s: %s below", a.Active, a.Eligible, percent(actual), percent(*a.Planned), points(gap))
		if !above(gap, limit) {
			all = append(all, found.says(false, max(gap, 0), numbers, "%s, %s allowed", text, points(limit)))
			continue
		}
		late, how, known := tooLate(a, f)
		if !known {
			all = append(all, found.dunno(fmt.Sprintf("%s > %s; %s", text, points(limit), how)))
			continue
		}
		all = append(all, found.says(late, gap, numbers, "%s > %s; %s", text, points(limit), how))
	}
	return all
}

// tooLate says whether the target comes after its date with a probability of 80 %.
func tooLate(a Adoption, f *Facts) (late bool, how string, known bool) {
	switch {
	case a.Target.IsZero():
		return false, "there is no target date", false
	case !f.Now.Before(a.Target):
		return true, "the target was due on " + date(a.Target), true
	case !a.Forecast.Known:
		return false, "there is no forecast yet", false
	case a.Forecast.P80.IsZero():
		return true, "the forecast does not reach the target of " + date(a.Target) + " at all (P80)", true
	default:
		late = a.Forecast.P80.After(a.Target)
		return late, fmt.Sprintf("forecast P80 %s, target %s", date(a.Forecast.P80), date(a.Target)), true
	}
}

// trainedNotUsing is R2: ≥ 25 % of those trained 14 days ago or earlier have no active day in 14.
func trainedNotUsing(f *Facts, s Settings) (all []Finding) {
	limit, window := s.get("share"), s.get("days")
	for _, u := range f.Unused {
		found := u.about(u.Plan)
		if u.Trained < s.MinGroup {
			all = append(all, found.few("trained of whom numbers may be told", s))
			continue
		}
		idle := share(u.Idle, u.Trained)
		it := atLeast(idle, limit)
		numbers := s.numbers(map[string]float64{"idle": float64(u.Idle), "trained": float64(u.Trained), "share": idle})
		all = append(all, found.says(it, idle, numbers, "%d of %d trained have 0 active days in %s = %s %s %s",
			u.Idle, u.Trained, number(window, 0), percent(idle), sign(it, "≥", "<"), percent(limit)))
	}
	return all
}

// oldWayContinues is R3: active in the old system ≥ 20 % 14 days after cut-over, or reverted ≥ 10 %.
func oldWayContinues(f *Facts, s Settings) (all []Finding) {
	for _, o := range f.OldWay {
		found := o.about(o.Plan)
		switch {
		case o.Eligible < s.MinGroup:
			all = append(all, found.few("eligible", s))
			continue
		case float64(o.Days) < s.get("days"):
			all = append(all, found.dunno(fmt.Sprintf("day %d after cut-over; judged from day %s", o.Days, number(s.get("days"), 0))))
			continue
		}
		old := share(o.Old, o.Eligible)
		it := atLeast(old, s.get("old"))
		numbers := s.numbers(map[string]float64{"old": float64(o.Old), "eligible": float64(o.Eligible), "old_share": old, "days": float64(o.Days)})
		text := fmt.Sprintf("%d of %d are active in the old system on day %d = %s %s %s", o.Old, o.Eligible, o.Days, percent(old), sign(it, "≥", "<"), percent(s.get("old")))
		measure := old
		if o.Adopted >= s.MinGroup { // those who went back are a group too
			back := share(o.Reverted, o.Adopted)
			went := atLeast(back, s.get("reverted"))
			numbers["adopted"], numbers["reverted"], numbers["reverted_share"] = float64(o.Adopted), float64(o.Reverted), back
			text += fmt.Sprintf("; %d of %d went back = %s %s %s", o.Reverted, o.Adopted, percent(back), sign(went, "≥", "<"), percent(s.get("reverted")))
			measure, it = max(measure, back), it || went
		}
		all = append(all, found.says(it, measure, numbers, "%s", text))
	}
	return all
}
