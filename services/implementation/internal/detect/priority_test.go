package detect_test

import (
	"testing"

	"github.com/golive-dev/golive/services/implementation/internal/detect"
)

func TestPriorities(t *testing.T) { check(t, priorities()) }

func shared(capacity int64, minutes ...int64) func(*detect.Facts) {
	return func(f *detect.Facts) {
		v := detect.Shared{Resource: ada}
		if len(minutes) > 0 {
			w := detect.SharedWeek{Week: detect.WeekOf(in(8)), Capacity: capacity}
			for i, m := range minutes {
				w.Plans = append(w.Plans, detect.PlanLoad{Implementation: "workspaces/w/implementations/i" + string(rune('0'+i)), Minutes: m})
			}
			v.Weeks = []detect.SharedWeek{w}
		}
		f.Shared = []detect.Shared{v}
	}
}

func priorities() []fixture {
	saturation := func(members int64, capacity float64, touches ...detect.Touch) func(*detect.Facts) {
		return func(f *detect.Facts) {
			f.Saturation = []detect.Saturation{{Group: group(), Members: members, Capacity: capacity, Weeks: []detect.ChangeWeek{
				{Week: detect.WeekOf(in(1)), Touches: touches[:1]}, {Week: detect.WeekOf(in(8)), Touches: touches},
			}}}
		}
	}
	crmHalf, erpAll := detect.Touch{Plan: "a", Impact: 4, Share: 0.5}, detect.Touch{Plan: "b", Impact: 3, Share: 1}
	stalled := func(v detect.Stalled) func(*detect.Facts) {
		v.Task = crm + "/tasks/cut-over"
		return func(f *detect.Facts) { f.Stalled = []detect.Stalled{v} }
	}
	goLive := func(from, to float64, others ...detect.Span) func(*detect.Facts) {
		return func(f *detect.Facts) {
			g := detect.GoLive{Group: group(), Others: others}
			if to > from {
				g.Start, g.End = in(from), in(to)
			}
			f.GoLives = []detect.GoLive{g}
		}
	}
	dates := func(days ...float64) func(*detect.Facts) {
		return func(f *detect.Facts) {
			p := detect.Postponement{Group: group(), Begin: in(-50)}
			for _, d := range days {
				p.Dates = append(p.Dates, in(d))
			}
			f.Postponement = []detect.Postponement{p}
		}
	}
	declines := func(conflict, invited int64) func(*detect.Facts) {
		return func(f *detect.Facts) {
			f.Declines = []detect.Declines{{Group: group(), Conflict: conflict, Invited: invited}}
		}
	}
	later, lower := detect.Finished{Task: "workspaces/w/implementations/erp/tasks/x"}, detect.Finished{Task: "workspaces/w/implementations/erp/tasks/y", Lower: true}
	freeze := detect.Span{What: "deployment freeze", Name: "workspaces/w/policies/year-end", Start: in(10), End: in(20)}
	return []fixture{
		{"P1", "holds: the sum of two", saturation(40, 4.9, crmHalf, erpAll), holds, "week 2026-W49: 4 × 50 % + 3 × 100 % = 5 points of change > capacity 4.9"},
		{"P1", "is clear at capacity", saturation(40, 5, crmHalf, erpAll), fine, ""},
		{"P1", "does not know without a capacity", saturation(40, 0, crmHalf, erpAll), unknown, ""},
		{"P1", "is too small", saturation(9, 1, crmHalf, erpAll), tooSmall, ""},

		{"P2", "holds above 100 %", shared(2400, 1300, 1200), holds, "week 2026-W49: 21.7 + 20 hours for 2 implementations of 40 hours = 104.2 % > 100 %"},
		{"P2", "is clear at 100 %", shared(2400, 1200, 1200), fine, ""},
		{"P2", "leaves one plan to L1", shared(2400, 9000), tooSmall, ""},

		{"P3", "holds in four plans", shared(2400, 10, 10, 10, 10), holds, "week 2026-W49: active tasks in 4 plans ≥ 4"},
		{"P3", "is clear in three", shared(2400, 10, 10, 10), fine, ""},
		{"P3", "has nothing ahead", shared(2400), tooSmall, ""},

		{
			"P4", "holds", stalled(detect.Stalled{Person: ada, FloatDays: 5, IdleDays: 5, Finished: []detect.Finished{later, lower}}), holds,
			"float 5 days ≤ 5; no progress for 5 days ≥ 5; meanwhile its assignee finished 1 tasks of lower priority elsewhere",
		},
		{"P4", "is clear: what was finished mattered more", stalled(detect.Stalled{Person: ada, FloatDays: 0, IdleDays: 9, Finished: []detect.Finished{later}}), fine, ""},
		{"P4", "is clear: it moves", stalled(detect.Stalled{Person: ada, FloatDays: 0, IdleDays: 4, Finished: []detect.Finished{lower}}), fine, ""},
		{"P4", "is clear: it has time", stalled(detect.Stalled{Person: ada, FloatDays: 6, IdleDays: 9, Finished: []detect.Finished{lower}}), fine, ""},
		{"P4", "has nobody to look at", stalled(detect.Stalled{FloatDays: 0, IdleDays: 9}), tooSmall, ""},

		{
			"P5", "holds: the last day of the go-live is the first of a freeze", goLive(8, 11, freeze), holds,
			"go-live 2026-12-01 to 2026-12-04 meets 1 of 1 spans: deployment freeze workspaces/w/policies/year-end (2026-12-03 to 2026-12-13)",
		},
		{"P5", "is clear: it ends as the freeze begins", goLive(8, 10, freeze), fine, ""},
		{"P5", "is clear: it begins as the freeze ends", goLive(20, 21, freeze), fine, ""},
		{"P5", "has no date", goLive(0, 0, freeze), tooSmall, ""},

		{"P6", "holds: moved three times", dates(50, 51, 52, 53), holds, "moved to later 3 times ≥ 3; from 2027-01-12 to 2027-01-15 = 3 days of 100 planned = 3 % ≤ 20 %"},
		{"P6", "holds: one long slip", dates(50, 71), holds, ""},
		{"P6", "is clear at a fifth", dates(50, 70), fine, ""},
		{"P6", "is clear when it moves back and forth", dates(50, 40, 45, 30, 35), fine, ""},
		{"P6", "has no date", dates(), tooSmall, ""},

		{"P7", "holds at a quarter", declines(5, 20), holds, "5 of 20 invitations declined for a conflict = 25 % ≥ 25 %"},
		{"P7", "is clear below", declines(4, 20), fine, ""},
		{"P7", "is too small", declines(9, 9), tooSmall, ""},
	}
}
