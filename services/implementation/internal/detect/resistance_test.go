package detect_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/implementation/internal/detect"
)

func TestResistance(t *testing.T) { check(t, resistance()) }

func adoption(active, eligible int64, planned float64, forecast detect.Forecast) func(*detect.Facts) {
	return func(f *detect.Facts) {
		f.Adoption = []detect.Adoption{{Group: group(), Active: active, Eligible: eligible, Planned: &planned, Target: in(30), Forecast: forecast}}
	}
}

func wave() detect.Wave {
	return detect.Wave{Survey: "workspaces/w/surveys/pulse", Name: "workspaces/w/surveys/pulse/waves/w5", Before: "workspaces/w/surveys/pulse/waves/w4", Closed: in(-2)}
}

func sentiment(x, n int64, before ...detect.Share) func(*detect.Facts) {
	return func(f *detect.Facts) {
		f.Sentiment = []detect.Sentiment{{Group: group(), Wave: wave(), Question: "I get my work done with it", Now: detect.Share{X: x, N: n}, Baseline: before}}
	}
}

func answered(x, n int64, before ...detect.Share) func(*detect.Facts) {
	return func(f *detect.Facts) {
		f.Silence = []detect.Silence{{Group: group(), Wave: wave(), Now: detect.Share{X: x, N: n}, Baseline: before}}
	}
}

func pulse(good ...int64) func(*detect.Facts) {
	return func(f *detect.Facts) {
		p := detect.Pulse{Group: group(), Wave: wave()}
		for i, name := range []string{"AWARENESS", "DESIRE", "KNOWLEDGE", "ABILITY", "REINFORCEMENT"} {
			p.Elements = append(p.Elements, detect.Element{Name: name, Good: detect.Share{X: good[i], N: good[5]}})
		}
		f.Pulse = []detect.Pulse{p}
	}
}

func resistance() []fixture {
	four := func(x, n int64) []detect.Share {
		return []detect.Share{{X: x, N: n}, {X: x, N: n}, {X: x, N: n}, {X: x, N: n}}
	}
	late, early := detect.Forecast{Known: true, P80: in(60)}, detect.Forecast{Known: true, P80: in(20)}
	unused := func(idle, trained int64) func(*detect.Facts) {
		return func(f *detect.Facts) { f.Unused = []detect.Unused{{Group: group(), Idle: idle, Trained: trained}} }
	}
	old := func(o detect.OldWay) func(*detect.Facts) {
		o.Group = group()
		return func(f *detect.Facts) { f.OldWay = []detect.OldWay{o} }
	}
	avoided := func(invited, noShow, overdue int64, others detect.Share) func(*detect.Facts) {
		return func(f *detect.Facts) {
			f.Avoidance = []detect.Avoidance{{Group: group(), Invited: invited, NoShow: noShow, Overdue: overdue, Others: others}}
		}
	}
	support := func(v detect.Support) func(*detect.Facts) {
		v.Group = group()
		return func(f *detect.Facts) { f.Support = []detect.Support{v} }
	}
	stakeholders := func(s detect.Stakeholders) func(*detect.Facts) {
		return func(f *detect.Facts) { f.Stakeholders = &s }
	}
	return []fixture{
		{"R1", "holds: far below plan and the forecast is late", adoption(30, 100, 0.5, late), holds, "30 of 100 eligible are active = 30 %, planned 50 %: 20 points below > 10 points; forecast P80 2027-01-22, target 2026-12-23"},
		{"R1", "holds: the forecast never gets there", adoption(30, 100, 0.5, detect.Forecast{Known: true}), holds, ""},
		{"R1", "is clear: behind, but on time in the end", adoption(30, 100, 0.5, early), fine, ""},
		{"R1", "is clear: exactly ten points are allowed", adoption(40, 100, 0.5, late), fine, "40 of 100 eligible are active = 40 %, planned 50 %: 10 points below, 10 points allowed"},
		{"R1", "does not know without a forecast", adoption(30, 100, 0.5, detect.Forecast{}), unknown, ""},
		{"R1", "is too small", adoption(0, 9, 0.5, late), tooSmall, "fewer than 10 eligible: not looked at"},

		{"R2", "holds, with its arithmetic", unused(51, 120), holds, "51 of 120 trained have 0 active days in 14 = 42.5 % ≥ 25 %"},
		{"R2", "holds at a quarter", unused(5, 20), holds, ""},
		{"R2", "is clear below", unused(29, 120), fine, "29 of 120 trained have 0 active days in 14 = 24.2 % < 25 %"},
		{"R2", "is too small", unused(9, 9), tooSmall, ""},

		{"R3", "holds: a fifth is active in the old system", old(detect.OldWay{Days: 14, Eligible: 100, Old: 20}), holds, "20 of 100 are active in the old system on day 14 = 20 % ≥ 20 %"},
		{"R3", "holds: a tenth went back", old(detect.OldWay{Days: 20, Eligible: 100, Old: 8, Adopted: 60, Reverted: 6}), holds, "8 of 100 are active in the old system on day 20 = 8 % < 20 %; 6 of 60 went back = 10 % ≥ 10 %"},
		{"R3", "is clear", old(detect.OldWay{Days: 20, Eligible: 100, Old: 19, Adopted: 60, Reverted: 5}), fine, ""},
		{"R3", "waits two weeks", old(detect.OldWay{Days: 13, Eligible: 100, Old: 100}), unknown, "day 13 after cut-over; judged from day 14"},
		{"R3", "is too small", old(detect.OldWay{Days: 20, Eligible: 9, Old: 9}), tooSmall, ""},

		{"R4", "holds: the interval excludes 0", sentiment(30, 80, four(50, 80)...), holds, "I get my work done with it: 30 of 80 (37.5 %) good answers, before 200 of 320 (62.5 %): -25 points, interval -36.1 to -12.8 excludes 0"},
		{"R4", "is clear: ten points down is noise in a small group", sentiment(21, 40, four(25, 40)...), fine, ""},
		{"R4", "is clear when it rises", sentiment(70, 80, four(40, 80)...), fine, ""},
		{"R4", "pools four waves and no more", sentiment(30, 80, append(four(30, 80), detect.Share{X: 8000, N: 8000})...), fine, ""},
		{"R4", "is too small", sentiment(0, 9, four(9, 9)...), tooSmall, ""},
		{"R4", "is too small where it was", sentiment(0, 90, detect.Share{X: 9, N: 9}), tooSmall, ""},

		{"R5", "holds", answered(30, 100, four(60, 100)...), holds, ""},
		{"R5", "is clear: it excludes 0, but is not deep", answered(450, 1000, four(550, 1000)...), fine, "450 of 1000 (45 %) answered, before 2200 of 4000 (55 %): -10 points, interval -13.4 to -6.5 excludes 0; < 15 points"},
		{"R5", "is clear: deep, but it may be chance", answered(5, 12, four(7, 12)...), fine, ""},
		{"R5", "is too small", answered(0, 9, four(9, 9)...), tooSmall, ""},

		{"R6", "is clear before the barrier", pulse(70, 65, 30, 20, 60, 100), fine, ""},
		{"R6", "holds at the first", pulse(20, 65, 30, 20, 60, 100), holds, ""},
		{"R6", "is too small", pulse(0, 0, 0, 0, 0, 9), tooSmall, ""},

		{"R7", "holds: more than in the others", avoided(50, 10, 10, detect.Share{X: 20, N: 200}), holds, ""},
		{"R7", "is clear: as in the others", avoided(50, 10, 10, detect.Share{X: 80, N: 200}), fine, ""},
		{"R7", "is clear below", avoided(50, 7, 7, detect.Share{X: 0, N: 200}), fine, ""},
		{"R7", "holds without others to compare with, and says so", avoided(50, 10, 5, detect.Share{X: 0, N: 3}), holds, "10 no-shows + 5 overdue of 50 invited = 30 % ≥ 30 %; there is no other cohort to compare with"},
		{"R7", "is too small", avoided(9, 9, 0, detect.Share{X: 0, N: 200}), tooSmall, ""},

		{
			"R8", "holds", support(detect.Support{Week: 3, Users: 100, Tickets: 60, Exposure: 100, BaselineTickets: 80, BaselineExposed: 400}), holds,
			"week 3: 60 tickets in 100 active user-weeks = 0.6, baseline 80 in 400 = 0.2: > 2 × baseline, ratio at least 2.11 > 1",
		},
		{"R8", "holds where there were none before", support(detect.Support{Week: 4, Users: 100, Tickets: 60, Exposure: 100, BaselineExposed: 400}), holds, ""},
		{"R8", "is clear: twice is allowed", support(detect.Support{Week: 3, Users: 100, Tickets: 40, Exposure: 100, BaselineTickets: 80, BaselineExposed: 400}), fine, ""},
		{"R8", "is clear: it may be chance", support(detect.Support{Week: 3, Users: 10, Tickets: 2, Exposure: 10, BaselineTickets: 3, BaselineExposed: 40}), fine, ""},
		{"R8", "waits until the third week", support(detect.Support{Week: 2, Users: 100, Tickets: 600, Exposure: 100, BaselineTickets: 80, BaselineExposed: 400}), unknown, ""},
		{"R8", "does not know without a baseline", support(detect.Support{Week: 3, Users: 100, Tickets: 600, Exposure: 100}), unknown, ""},
		{"R8", "is too small", support(detect.Support{Week: 3, Users: 9, Tickets: 60, Exposure: 9, BaselineTickets: 8, BaselineExposed: 400}), tooSmall, ""},

		{
			"R9", "holds: reluctant and near", stakeholders(detect.Stakeholders{Influential: 6, Reluctant: 2, DaysToGoLive: new(12)}), holds,
			"2 of 6 of influence 4 or 5 stand at NEUTRAL or below, 12 days before a go-live (counts from 30); 0 went down within four weeks",
		},
		{"R9", "holds: a stance went down", stakeholders(detect.Stakeholders{Influential: 6, Turned: 1}), holds, ""},
		{"R9", "holds: the sponsor is silent", stakeholders(detect.Stakeholders{Influential: 6, SponsorSilent: new(21)}), holds, ""},
		{"R9", "is clear: reluctant, and far away", stakeholders(detect.Stakeholders{Influential: 6, Reluctant: 2, DaysToGoLive: new(90), SponsorSilent: new(20)}), fine, ""},
		{"R9", "has nobody to look at", stakeholders(detect.Stakeholders{}), tooSmall, ""},
	}
}

func TestTheBarrierIsTheFirstAndNamesItsRemedy(t *testing.T) {
	found := findings(world(pulse(70, 65, 30, 20, 60, 100)), "R6")
	require.Len(t, found, 5)
	status := map[string]string{}
	for _, f := range found {
		status[f.Aspect[strings.IndexByte(f.Aspect, '#')+1:]] = f.Status.String()
	}
	require.Equal(t, map[string]string{"AWARENESS": "CLEAR", "DESIRE": "CLEAR", "KNOWLEDGE": "HOLDS", "ABILITY": "CLEAR", "REINFORCEMENT": "CLEAR"}, status)
	require.Contains(t, found[2].Remedy, "Train on the cases of this group")
	require.Contains(t, found[3].Text, "the barrier is KNOWLEDGE, which comes first")
}

func TestResistanceNamesNoPerson(t *testing.T) {
	for _, c := range resistance() {
		for _, f := range findings(world(c.facts), c.rule) {
			for _, said := range append([]string{f.Subject, f.Aspect, f.Text, f.Remedy}, f.Resources...) {
				require.NotContains(t, said, "/people/")
				require.NotContains(t, said, "/stakeholders/")
				require.NotContains(t, said, "/resources/")
			}
		}
	}
}
