package detect_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/implementation/internal/detect"
)

func TestResources(t *testing.T) { check(t, resources()) }

func load(over, days int) func(*detect.Facts) {
	return func(f *detect.Facts) {
		l := detect.Load{Resource: ada}
		for d := range days {
			allocated := int64(480)
			if d < over {
				allocated = 600
			}
			l.Days = append(l.Days, detect.DayLoad{Day: in(float64(d)), Allocated: allocated, Capacity: 480})
		}
		f.Loads = []detect.Load{l}
	}
}

func work(minutes ...int64) func(*detect.Facts) {
	return func(f *detect.Facts) {
		for i, m := range minutes {
			person := ada
			if i > 0 {
				person = "workspaces/w/resources/p" + string(rune('0'+i))
			}
			f.Remaining = append(f.Remaining, detect.Work{Task: crm + "/tasks/t" + string(rune('0'+i)), Person: person, Minutes: m, Sensitivity: 0.5})
		}
	}
}

func resources() []fixture {
	task := func(v detect.Task) func(*detect.Facts) {
		v.Name = crm + "/tasks/cut-over"
		return func(f *detect.Facts) { f.Tasks = []detect.Task{v} }
	}
	scarce := func(c detect.Scarcity) func(*detect.Facts) {
		return func(f *detect.Facts) { f.Scarcity = &c }
	}
	earned := func(e detect.Earned) func(*detect.Facts) {
		return func(f *detect.Facts) { f.Earned = &e }
	}
	seats := func(members, still, free int64) func(*detect.Facts) {
		return func(f *detect.Facts) {
			f.Seats = []detect.Seats{{Group: group(), Training: "workspaces/w/trainings/basics", Members: members, Still: still, Free: free, GoLive: in(20), SessionsBefore: 2}}
		}
	}
	return []fixture{
		{"L1", "holds on three days", load(3, 20), holds, "allocated above capacity on 3 of 20 days in the next 6 weeks ≥ 3: 2026-11-23, 2026-11-24, 2026-11-25, 6 hours too much"},
		{"L1", "is clear on two", load(2, 20), fine, ""},
		{"L1", "has nothing to look at", load(0, 0), tooSmall, ""},
		{"L1", "does not look beyond six weeks", func(f *detect.Facts) {
			f.Loads = []detect.Load{{Resource: ada, Days: []detect.DayLoad{{Day: in(1), Allocated: 1, Capacity: 480}, {Day: in(42), Allocated: 900, Capacity: 480}, {Day: in(43), Allocated: 900}, {Day: in(44), Allocated: 900}}}}
		}, fine, ""},

		{"L2", "holds: little float", task(detect.Task{Start: in(15), FloatDays: 5}), holds, "starts 2026-12-08, in 15 days ≤ 15; float 5 days ≤ 5; nobody is named"},
		{"L2", "holds: much float, and critical in simulations", task(detect.Task{Start: in(3), FloatDays: 9, Criticality: new(0.3)}), holds, ""},
		{"L2", "holds: it should have begun", task(detect.Task{Start: in(-3), FloatDays: -2}), holds, ""},
		{"L2", "is clear: somebody is named", task(detect.Task{Start: in(3), Named: true}), fine, ""},
		{"L2", "is clear: there is time", task(detect.Task{Start: in(3), FloatDays: 9, Criticality: new(0.29)}), fine, ""},
		{
			"L3", "holds: a tenth", scarce(detect.Scarcity{CriticalDays: 120, LevelledDays: 132, CriticalFinish: in(168), LevelledFinish: in(185), Scarce: "trainers"}), holds,
			"lack of trainers costs 12 working days: 132 instead of 120 = 10 % ≥ 10 %; finish 2027-05-27 instead of 2027-05-10",
		},
		{"L3", "holds: it crosses the target", scarce(detect.Scarcity{CriticalDays: 120, LevelledDays: 124, CriticalFinish: in(168), LevelledFinish: in(173), Target: in(170)}), holds, ""},
		{"L3", "is clear: late before, too", scarce(detect.Scarcity{CriticalDays: 120, LevelledDays: 124, CriticalFinish: in(168), LevelledFinish: in(173), Target: in(160)}), fine, ""},
		{"L3", "has nothing left", scarce(detect.Scarcity{}), tooSmall, ""},

		{"L4", "holds: slow and cheap", earned(detect.Earned{BAC: 1000, SPIt: new(0.89), CPI: new(0.95)}), holds, "SPI(t) 0.89 < 0.9, CPI 0.95 ≥ 0.95"},
		{"L4", "is clear: slow and dear", earned(detect.Earned{BAC: 1000, SPIt: new(0.8), CPI: new(0.94)}), fine, ""},
		{"L4", "is clear: on time", earned(detect.Earned{BAC: 1000, SPIt: new(0.9), CPI: new(1.0)}), fine, ""},
		{"L4", "does not know", earned(detect.Earned{BAC: 1000}), unknown, ""},
		{"L4", "has no baseline", earned(detect.Earned{}), tooSmall, ""},

		{"L5", "holds: it will cost too much", earned(detect.Earned{BAC: 1000, EAC: new(1101.0), TCPI: new(1.0)}), holds, "EAC 1101 of BAC 1000 = 1.101 > 1.1, TCPI 1 ≤ 1.1"},
		{"L5", "holds: what is left must go too well", earned(detect.Earned{BAC: 1000, EAC: new(1100.0), TCPI: new(1.2)}), holds, ""},
		{"L5", "is clear at the threshold", earned(detect.Earned{BAC: 1000, EAC: new(1100.0), TCPI: new(1.1)}), fine, ""},
		{"L5", "does not know", earned(detect.Earned{BAC: 1000}), unknown, ""},
		{"L5", "has no baseline", earned(detect.Earned{}), tooSmall, ""},

		{"L6", "holds", seats(40, 31, 30), holds, "30 free seats in 2 sessions before 2026-12-13 < 31 people still to train"},
		{"L6", "is clear", seats(40, 30, 30), fine, ""},
		{"L6", "has nobody to train", seats(0, 0, 0), tooSmall, ""},

		{"L7", "holds", work(4100, 3000, 2900), holds, "holds 34.2 of 83.3 weighted hours left, in 1 tasks = 41 % > 40 %"},
		{"L7", "is clear at the threshold", work(4000, 3000, 3000), fine, ""},
		{"L7", "has too little left", work(4000, 10), tooSmall, ""},

		{"L2", "has its start too far away to look", func(f *detect.Facts) {
			f.Tasks = []detect.Task{{Name: crm + "/tasks/near", Start: in(1), FloatDays: 9}, {Name: crm + "/tasks/far", Start: in(16)}}
		}, fine, ""},
		{"L2", "has no computed start", func(f *detect.Facts) {
			f.Tasks = []detect.Task{{Name: crm + "/tasks/none"}}
		}, tooSmall, ""},
	}
}

func TestUnstaffedLooksAtWhatBeginsSoon(t *testing.T) {
	found := findings(world(func(f *detect.Facts) { f.Tasks = []detect.Task{{Name: crm + "/tasks/far", Start: in(15.1)}} }), "L2")
	require.Empty(t, found, "a plan has thousands of tasks")
}

func TestTheLoadOfSeveralTasksIsOne(t *testing.T) {
	found := findings(world(func(f *detect.Facts) {
		work(1000, 3000, 3000)(f)
		f.Remaining = append(f.Remaining, detect.Work{Task: crm + "/tasks/x", Person: ada, Minutes: 5000, Sensitivity: 0.5}, detect.Work{Task: crm + "/tasks/y", Minutes: 100, Sensitivity: 0.5})
	}), "L7")
	require.Len(t, found, 3)
	require.Equal(t, ada, found[0].Subject, "the greatest share comes first")
	require.Equal(t, holds, found[0].Status)
	require.InDelta(t, 6000.0/12100, found[0].Measure, 1e-9)
}
