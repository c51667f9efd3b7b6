package detect

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// named is how many of something a sentence names.
const named = 5

// overAllocation is L1: allocation > capacity on ≥ 3 working days in the next six weeks.
func overAllocation(f *Facts, s Settings) (all []Finding) {
	limit := s.get("days")
	end := f.Now.Add(time.Duration(s.get("weeks") * 7 * 24 * float64(time.Hour)))
	for _, l := range f.Loads {
		found := Finding{Subject: l.Resource, Resources: []string{l.Resource}}
		var over []string
		var excess int64
		judged := 0
		for _, d := range l.Days {
			if !d.Day.Before(end) {
				continue
			}
			judged++
			if d.Allocated > d.Capacity {
				excess += d.Allocated - d.Capacity
				over = append(over, date(d.Day))
			}
		}
		if judged == 0 {
			all = append(all, found.nothing("nothing is allocated"))
			continue
		}
		it := atLeast(float64(len(over)), limit)
		numbers := s.numbers(map[string]float64{"days_over": float64(len(over)), "days": float64(judged), "excess_minutes": float64(excess)})
		text := fmt.Sprintf("allocated above capacity on %d of %d days in the next %s weeks %s %s", len(over), judged, number(s.get("weeks"), 0), sign(it, "≥", "<"), number(limit, 0))
		if len(over) > 0 {
			text += fmt.Sprintf(": %s, %s hours too much", list(over), number(float64(excess)/60, 1))
		}
		all = append(all, found.says(it, float64(len(over)), numbers, "%s", text))
	}
	return all
}

// list names a few of many.
func list(names []string) string {
	text := strings.Join(names[:min(len(names), named)], ", ")
	if more := len(names) - named; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// unstaffed is L2: criticality ≥ .3 or float ≤ 5 days, starts within 15 days, nobody named.
func unstaffed(f *Facts, s Settings) (all []Finding) {
	for _, t := range f.Tasks {
		found := Finding{Subject: t.Name, Resources: []string{t.Name}}
		if t.Start.IsZero() {
			all = append(all, found.nothing("it has no computed start"))
			continue
		}
		in := days(t.Start.Sub(f.Now))
		if in > s.get("within_days") {
			continue // its time comes; there are thousands of these
		}
		tight := atLeast(s.get("float_days"), t.FloatDays)
		text := fmt.Sprintf("starts %s, in %s days ≤ %s; float %s days %s %s", date(t.Start), number(max(in, 0), 0), number(s.get("within_days"), 0),
			number(t.FloatDays, 1), sign(tight, "≤", ">"), number(s.get("float_days"), 0))
		numbers := s.numbers(map[string]float64{"days_to_start": in, "float_days": t.FloatDays})
		measure := 1 + max(s.get("float_days")-t.FloatDays, 0)
		if t.Criticality != nil {
			critical := atLeast(*t.Criticality, s.get("criticality"))
			numbers["criticality"] = *t.Criticality
			text += fmt.Sprintf("; criticality %s %s %s", number(*t.Criticality, 2), sign(critical, "≥", "<"), number(s.get("criticality"), 2))
			tight = tight || critical
			measure += *t.Criticality
		}
		it := tight && !t.Named
		if !it {
			measure = 0
		}
		all = append(all, found.says(it, measure, numbers, "%s; %s", text, sign(t.Named, "somebody is named", "nobody is named")))
	}
	return all
}

// scarcity is L3: levelled finish − critical-path finish ≥ 10 %, or it crosses the target.
func scarcity(f *Facts, s Settings) []Finding {
	if f.Scarcity == nil {
		return nil
	}
	c, limit := *f.Scarcity, s.get("share")
	found := Finding{Subject: f.Implementation, Resources: append([]string{f.Implementation}, c.Resources...)}
	if !(c.CriticalDays > 0) {
		return []Finding{found.nothing("there is no work left to be scarce for")}
	}
	price := max(c.LevelledDays-c.CriticalDays, 0)
	part := price / c.CriticalDays
	dear := atLeast(part, limit)
	crosses := !c.Target.IsZero() && !c.CriticalFinish.After(c.Target) && c.LevelledFinish.After(c.Target)
	what := "scarcity"
	if c.Scarce != "" {
		what = "lack of " + c.Scarce
	}
	text := fmt.Sprintf("%s costs %s working days: %s instead of %s = %s %s %s; finish %s instead of %s", what, number(price, 1),
		number(c.LevelledDays, 1), number(c.CriticalDays, 1), percent(part), sign(dear, "≥", "<"), percent(limit), date(c.LevelledFinish), date(c.CriticalFinish))
	if !c.Target.IsZero() {
		text += sign(crosses, ", which crosses the target of ", ", target ") + date(c.Target)
	}
	numbers := s.numbers(map[string]float64{"critical_days": c.CriticalDays, "levelled_days": c.LevelledDays, "price_days": price, "share": part})
	return []Finding{found.says(dear || crosses, part, numbers, "%s", text)}
}

// starvation is L4: SPI(t) < .90 while CPI ≥ .95.
func starvation(f *Facts, s Settings) []Finding {
	if f.Earned == nil {
		return nil
	}
	e := *f.Earned
	found := Finding{Subject: f.Implementation, Resources: []string{f.Implementation}}
	switch {
	case !(e.BAC > 0):
		return []Finding{found.nothing("the baseline has no cost and no work")}
	case e.SPIt == nil || e.CPI == nil:
		return []Finding{found.dunno("SPI(t) or CPI is not defined yet: nothing was due, or nothing was spent")}
	}
	slow, cheap := above(s.get("spi_t"), *e.SPIt), atLeast(*e.CPI, s.get("cpi"))
	numbers := s.numbers(map[string]float64{"spi_t": *e.SPIt, "cpi": *e.CPI})
	return []Finding{found.says(slow && cheap, max(1-*e.SPIt, 0), numbers, "SPI(t) %s %s %s, CPI %s %s %s", number(*e.SPIt, 2), sign(slow, "<", "≥"),
		number(s.get("spi_t"), 2), number(*e.CPI, 2), sign(cheap, "≥", "<"), number(s.get("cpi"), 2))}
}

// money is L5: EAC > 1.10 BAC, or TCPI > 1.10.
func money(f *Facts, s Settings) []Finding {
	if f.Earned == nil {
		return nil
	}
	e := *f.Earned
	found := Finding{Subject: f.Implementation, Resources: []string{f.Implementation}}
	switch {
	case !(e.BAC > 0):
		return []Finding{found.nothing("the baseline has no cost")}
	case e.EAC == nil && e.TCPI == nil:
		return []Finding{found.dunno("EAC and TCPI are not defined yet: nothing was earned, or nothing was spent")}
	}
	numbers := s.numbers(map[string]float64{"bac": e.BAC})
	var said []string
	it, measure := false, 0.0
	if e.EAC != nil {
		part := *e.EAC / e.BAC
		dear := above(part, s.get("eac"))
		numbers["eac"], it, measure = *e.EAC, dear, max(part-1, 0)
		said = append(said, fmt.Sprintf("EAC %s of BAC %s = %s %s %s", number(*e.EAC, 0), number(e.BAC, 0), number(part, 3), sign(dear, ">", "≤"), number(s.get("eac"), 2)))
	}
	if e.TCPI != nil {
		hard := above(*e.TCPI, s.get("tcpi"))
		numbers["tcpi"], it, measure = *e.TCPI, it || hard, max(measure, *e.TCPI-1)
		said = append(said, fmt.Sprintf("TCPI %s %s %s", number(*e.TCPI, 2), sign(hard, ">", "≤"), number(s.get("tcpi"), 2)))
	}
	return []Finding{found.says(it, measure, numbers, "%s", list(said))}
}

// seatsShort is L6: training seats before the wave < people still to train.
func seatsShort(f *Facts, s Settings) (all []Finding) {
	for _, t := range f.Seats {
		found := t.about(t.Plan, t.Training)
		found.Aspect = t.Training
		if t.Members == 0 {
			all = append(all, found.nothing("the cohort has no members at its go-live"))
			continue
		}
		it := t.Free < t.Still
		numbers := s.numbers(map[string]float64{"free": float64(t.Free), "still": float64(t.Still), "members": float64(t.Members), "sessions": float64(t.SessionsBefore)})
		all = append(all, found.says(it, float64(max(t.Still-t.Free, 0)), numbers, "%d free seats in %d sessions before %s %s %d people still to train",
			t.Free, t.SessionsBefore, date(t.GoLive), sign(it, "<", "≥"), t.Still))
	}
	return all
}

// fewestTasks is from how many tasks on one can speak of a share of the work.
const fewestTasks = 3

// singlePoint is L7: one person holds > 40 % of the sensitivity-weighted remaining work.
func singlePoint(f *Facts, s Settings) (all []Finding) {
	limit := s.get("share")
	total, tasks := 0.0, map[string]bool{}
	of, resources := map[string]float64{}, map[string][]string{}
	for _, w := range f.Remaining {
		weighted := float64(w.Minutes) * w.Sensitivity
		total += weighted
		tasks[w.Task] = true
		if w.Person != "" {
			of[w.Person] += weighted
			resources[w.Person] = append(resources[w.Person], w.Task)
		}
	}
	for _, person := range slices.Sorted(maps.Keys(of)) {
		found := Finding{Subject: person, Resources: append([]string{person}, resources[person][:min(len(resources[person]), 20)]...)}
		if len(tasks) < fewestTasks || !(total > 0) {
			all = append(all, found.nothing(fmt.Sprintf("fewer than %d tasks are left that the finish depends on", fewestTasks)))
			continue
		}
		part := of[person] / total
		it := above(part, limit)
		numbers := s.numbers(map[string]float64{"weighted_minutes": of[person], "weighted_total_minutes": total, "share": part, "tasks": float64(len(resources[person]))})
		all = append(all, found.says(it, part, numbers, "holds %s of %s weighted hours left, in %d tasks = %s %s %s", number(of[person]/60, 1), number(total/60, 1),
			len(resources[person]), percent(part), sign(it, ">", "≤"), percent(limit)))
	}
	slices.SortStableFunc(all, func(a, b Finding) int { return cmp.Compare(b.Measure, a.Measure) })
	return all
}
