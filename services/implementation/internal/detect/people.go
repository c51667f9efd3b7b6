package detect

import (
	"fmt"
	"strings"

	"github.com/golive-dev/golive/services/implementation/internal/interval"
)

// trainingAvoided is R7: no-show + overdue ≥ 30 %, and more than in the other cohorts by more than chance.
func trainingAvoided(f *Facts, s Settings) (all []Finding) {
	limit := s.get("share")
	for _, a := range f.Avoidance {
		found := a.about(a.Plan)
		if a.Invited < s.MinGroup {
			all = append(all, found.few("invited", s))
			continue
		}
		avoided := a.NoShow + a.Overdue
		rate := share(avoided, a.Invited)
		it := atLeast(rate, limit)
		numbers := s.numbers(map[string]float64{"no_show": float64(a.NoShow), "overdue": float64(a.Overdue), "invited": float64(a.Invited), "share": rate})
		text := fmt.Sprintf("%d no-shows + %d overdue of %d invited = %s %s %s", a.NoShow, a.Overdue, a.Invited, percent(rate), sign(it, "≥", "<"), percent(limit))
		if a.Others.N < s.MinGroup {
			text += "; there is no other cohort to compare with"
		} else {
			reach := interval.Newcombe(avoided, a.Invited, a.Others.X, a.Others.N, s.get("confidence"))
			more := reach.Lower > 0
			numbers["others_x"], numbers["others_n"] = float64(a.Others.X), float64(a.Others.N)
			numbers["lower"], numbers["upper"] = reach.Lower, reach.Upper
			text += fmt.Sprintf("; other cohorts %s: %s", counted(a.Others), bounds(rate-share(a.Others.X, a.Others.N), reach, reach.Excludes(0)))
			it = it && more
		}
		all = append(all, found.says(it, rate, numbers, "%s", text))
	}
	return all
}

// supportLoad is R8: from week 3, tickets per active user-week > 2 × baseline, and the lower bound of the ratio > 1.
func supportLoad(f *Facts, s Settings) (all []Finding) {
	limit := s.get("ratio")
	for _, v := range f.Support {
		found := v.about(v.Plan)
		switch {
		case v.Users < s.MinGroup:
			all = append(all, found.few("active users", s))
			continue
		case float64(v.Week) < s.get("week"):
			all = append(all, found.dunno(fmt.Sprintf("week %d after go-live; judged from week %s", v.Week, number(s.get("week"), 0))))
			continue
		case !(v.Exposure > 0):
			all = append(all, found.dunno("there are no tickets recorded for the week"))
			continue
		case !(v.BaselineExposed > 0):
			all = append(all, found.dunno("there are no tickets recorded from before the go-live to compare with"))
			continue
		}
		rate, before := float64(v.Tickets)/v.Exposure, float64(v.BaselineTickets)/v.BaselineExposed
		reach := interval.PoissonRatio(v.Tickets, v.Exposure, v.BaselineTickets, v.BaselineExposed, s.get("confidence"))
		many, sure := above(rate, limit*before), reach.Lower > 1
		numbers := s.numbers(map[string]float64{
			"tickets": float64(v.Tickets), "user_weeks": v.Exposure, "rate": rate, "baseline_tickets": float64(v.BaselineTickets),
			"baseline_user_weeks": v.BaselineExposed, "baseline_rate": before, "lower": reach.Lower,
		})
		all = append(all, found.says(many && sure, reach.Lower, numbers,
			"week %d: %d tickets in %s active user-weeks = %s, baseline %d in %s = %s: %s %s × baseline, ratio at least %s %s 1",
			v.Week, v.Tickets, number(v.Exposure, 0), number(rate, 3), v.BaselineTickets, number(v.BaselineExposed, 0), number(before, 3),
			sign(many, ">", "≤"), number(limit, 1), number(reach.Lower, 2), sign(sure, ">", "≤")))
	}
	return all
}

// stakeholderTurning is R9: influence ≥ 4 at NEUTRAL or below near a go-live, or a stance that went down, or a sponsor
// who has been silent for 21 days. It counts, and names nobody.
func stakeholderTurning(f *Facts, s Settings) []Finding {
	if f.Stakeholders == nil {
		return nil
	}
	h := *f.Stakeholders
	found := Finding{Subject: f.Implementation, Resources: []string{f.Implementation}}
	if h.Influential == 0 && h.SponsorSilent == nil {
		return []Finding{found.nothing("no stakeholder of influence 4 or 5 and no sponsor is recorded")}
	}
	near := h.DaysToGoLive != nil && *h.DaysToGoLive >= 0 && float64(*h.DaysToGoLive) <= s.get("near_days")
	silent := h.SponsorSilent != nil && atLeast(float64(*h.SponsorSilent), s.get("silent_days"))
	numbers := s.numbers(map[string]float64{"influential": float64(h.Influential), "reluctant": float64(h.Reluctant), "turned": float64(h.Turned)})
	said := []string{fmt.Sprintf("%d of %d of influence 4 or 5 stand at NEUTRAL or below", h.Reluctant, h.Influential)}
	if h.DaysToGoLive != nil {
		numbers["days_to_go_live"] = float64(*h.DaysToGoLive)
		said[0] += fmt.Sprintf(", %d days before a go-live (counts from %s)", *h.DaysToGoLive, number(s.get("near_days"), 0))
	}
	said = append(said, fmt.Sprintf("%d went down within four weeks", h.Turned))
	measure := share(h.Reluctant+h.Turned, h.Influential)
	if h.SponsorSilent != nil {
		numbers["sponsor_silent_days"] = float64(*h.SponsorSilent)
		said = append(said, fmt.Sprintf("the sponsor has been silent for %d days %s %s", *h.SponsorSilent, sign(silent, "≥", "<"), number(s.get("silent_days"), 0)))
		if silent {
			measure += float64(*h.SponsorSilent) / s.get("silent_days")
		}
	}
	it := near && h.Reluctant > 0 || h.Turned > 0 || silent
	return []Finding{found.says(it, measure, numbers, "%s", strings.Join(said, "; "))}
}
