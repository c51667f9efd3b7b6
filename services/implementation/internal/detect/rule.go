package detect

import (
	"slices"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Rule is one detector.
type Rule struct {
	ID         ID
	Title      string
	Class      implementationv1.Challenge_Class
	Nature     implementationv1.Challenge_Nature
	Remedy     string
	Thresholds []Threshold

	judge func(*Facts, Settings) []Finding
}

// Find is a rule by its id: one of [Rules], or X1, which judges no week.
func Find(id ID) (Rule, bool) {
	rules := append(Rules(), fallenReadiness())
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return Rule{}, false
	}
	return rules[i], true
}

// Rules are all rules, in order.
func Rules() []Rule {
	return slices.Concat(resistance(), resources(), priorities())
}

const (
	issue = implementationv1.Challenge_ISSUE
	risk  = implementationv1.Challenge_RISK
)

// portion is a threshold that is a share.
func portion(name string, value float64, meaning string) Threshold {
	return Threshold{Name: name, Default: value, Min: 0, Max: 1, Meaning: meaning}
}

// amount is a threshold that is a number of something.
func amount(name string, value, most float64, meaning string) Threshold {
	return Threshold{Name: name, Default: value, Min: 0, Max: most, Meaning: meaning}
}

// confidence is how sure a rule must be that a difference is no accident.
func confidence(value float64) Threshold {
	return Threshold{Name: "confidence", Default: value, Min: 0.8, Max: 0.9999, Meaning: "two-sided confidence of the interval"}
}

func resistance() []Rule {
	const class = implementationv1.Challenge_RESISTANCE
	return []Rule{
		{
			ID: "R1", Title: "Adoption below plan", Class: class, Nature: issue, judge: adoptionBelowPlan,
			Remedy:     "Ask the cohort what keeps it from the new way; give super-users time, and move the plan only after that.",
			Thresholds: []Threshold{portion("gap", 0.10, "how far below plan adoption may be")},
		},
		{
			ID: "R2", Title: "Trained, not using", Class: class, Nature: issue, judge: trainedNotUsing,
			Remedy: "Sit beside the work for a day: usually access, a missing case or the team lead's habits are in the way. Repeat a short exercise on real work.",
			Thresholds: []Threshold{
				portion("share", 0.25, "share of those trained without an active day"),
				amount("days", 14, 60, "how long ago they were trained, and how long without a day of use"),
			},
		},
		{
			ID: "R3", Title: "Old way continues", Class: class, Nature: issue, judge: oldWayContinues,
			Remedy: "Find out which case the new system does not serve, mend it, then take write access to the old one away on a date that all know.",
			Thresholds: []Threshold{
				portion("old", 0.20, "share still active in the old system"),
				portion("reverted", 0.10, "share of those who had come over and went back"),
				amount("days", 14, 90, "days after cut-over from which it is judged"),
			},
		},
		{
			ID: "R4", Title: "Sentiment fell", Class: class, Nature: issue, judge: sentimentFell,
			Remedy:     "Read the comments, talk to the group within the week, and tell it what changes because of what it said.",
			Thresholds: []Threshold{confidence(0.95)},
		},
		{
			ID: "R5", Title: "Silence", Class: class, Nature: issue, judge: silence,
			Remedy: "Ask less often and show what came of the last answers; have the team lead invite in person.",
			Thresholds: []Threshold{
				portion("drop", 0.15, "how far below its own baseline the response rate may be"), confidence(0.95),
			},
		},
		{
			ID: "R6", Title: "ADKAR barrier", Class: class, Nature: issue, judge: barrier,
			Remedy: "Work on the first element that is low; those after it cannot rise before.",
			Thresholds: []Threshold{
				portion("share", 0.50, "share of 4 or 5 that the element must be able to have"), confidence(0.99),
			},
		},
		{
			ID: "R7", Title: "Training avoided", Class: class, Nature: issue, judge: trainingAvoided,
			Remedy: "Ask the team leads whether the time is given; offer sessions inside of shifts, and shorter ones.",
			Thresholds: []Threshold{
				portion("share", 0.30, "share of those invited who did not come or are overdue"), confidence(0.95),
			},
		},
		{
			ID: "R8", Title: "Support load does not fall", Class: class, Nature: issue, judge: supportLoad,
			Remedy: "Take the three most frequent questions out of the world: in the product, in the help text, or in a ten-minute exercise.",
			Thresholds: []Threshold{
				amount("ratio", 2, 100, "tickets per active user-week, as a multiple of the baseline"),
				amount("week", 3, 52, "week after go-live from which it is judged"), confidence(0.95),
			},
		},
		{
			ID: "R9", Title: "Stakeholder turning", Class: class, Nature: risk, judge: stakeholderTurning,
			Remedy: "Have the sponsor speak with them before the go-live; say what is in it for their people and what is not.",
			Thresholds: []Threshold{
				amount("near_days", 30, 365, "days before a go-live from which a reluctant stakeholder matters"),
				amount("silent_days", 21, 365, "days without an act of the sponsor"),
			},
		},
	}
}

func resources() []Rule {
	const class = implementationv1.Challenge_RESOURCES
	return []Rule{
		{
			ID: "L1", Title: "Over-allocation", Class: class, Nature: issue, judge: overAllocation,
			Remedy: "Level the plan (golive plan level), or give tasks of the days named to somebody else.",
			Thresholds: []Threshold{
				amount("days", 3, 30, "working days above capacity"), amount("weeks", 6, 52, "how far ahead it looks"),
			},
		},
		{
			ID: "L2", Title: "Unstaffed and critical", Class: class, Nature: risk, judge: unstaffed,
			Remedy: "Name somebody today: the finish moves with this task.",
			Thresholds: []Threshold{
				portion("criticality", 0.30, "share of simulations in which the task is critical"),
				amount("float_days", 5, 60, "or working days of float"), amount("within_days", 15, 120, "days until it begins"),
			},
		},
		{
			ID: "L3", Title: "Price of scarcity", Class: class, Nature: issue, judge: scarcity,
			Remedy:     "Add to what there is too little of, or move the date by the price; asking people to work more is neither.",
			Thresholds: []Threshold{portion("share", 0.10, "levelled finish after the critical-path finish, as a share of its length")},
		},
		{
			ID: "L4", Title: "Starvation", Class: class, Nature: issue, judge: starvation,
			Remedy: "The work costs what was planned and does not get done: people are kept busy elsewhere. Get their time back.",
			Thresholds: []Threshold{
				amount("spi_t", 0.90, 2, "schedule performance index below which it holds"), amount("cpi", 0.95, 2, "cost performance index from which it holds"),
			},
		},
		{
			ID: "L5", Title: "Money", Class: class, Nature: issue, judge: money,
			Remedy: "Decide now what is left out, or ask for the difference; later both cost more.",
			Thresholds: []Threshold{
				amount("eac", 1.10, 10, "estimate at completion, as a multiple of the budget"), amount("tcpi", 1.10, 10, "to-complete performance index"),
			},
		},
		{
			ID: "L6", Title: "Seats", Class: class, Nature: risk, judge: seatsShort,
			Remedy: "Schedule sessions before the go-live, or move the cohort to a later wave.",
		},
		{
			ID: "L7", Title: "Single point", Class: class, Nature: risk, judge: singlePoint,
			Remedy:     "Pair somebody with this person now, and hand whole tasks over before holidays do.",
			Thresholds: []Threshold{portion("share", 0.40, "share of the sensitivity-weighted work that is left")},
		},
	}
}

func priorities() []Rule {
	const class = implementationv1.Challenge_PRIORITIES
	return []Rule{
		{
			ID: "P1", Title: "Saturation", Class: class, Nature: risk, judge: saturated,
			Remedy: "Move one of the changes out of the week named, or take a smaller part of the cohort along.",
		},
		{
			ID: "P2", Title: "Same person, several plans", Class: class, Nature: issue, judge: sharedPerson,
			Remedy:     "Let the owners of the plans agree on one order, in writing, for the weeks named.",
			Thresholds: []Threshold{amount("share", 1, 10, "what is allocated, as a multiple of capacity"), amount("weeks", 6, 52, "how far ahead it looks")},
		},
		{
			ID: "P3", Title: "Fragmentation", Class: class, Nature: issue, judge: fragmented,
			Remedy:     "Give whole weeks to one plan; let the others wait for a named date.",
			Thresholds: []Threshold{amount("plans", 4, 50, "plans with an active task in one week"), amount("weeks", 6, 52, "how far ahead it looks")},
		},
		{
			ID: "P4", Title: "Inversion", Class: class, Nature: issue, judge: inversion,
			Remedy: "Ask who set the order; the task named decides the date of the go-live, what was finished does not.",
			Thresholds: []Threshold{
				amount("float_days", 5, 60, "working days of float up to which a task is near-critical"), amount("idle_days", 5, 60, "days without progress"),
			},
		},
		{
			ID: "P5", Title: "Collision", Class: class, Nature: risk, judge: collision,
			Remedy: "Move the go-live out of the span named, or the span.",
		},
		{
			ID: "P6", Title: "Serial postponement", Class: class, Nature: issue, judge: postponed,
			Remedy: "Stop moving it by weeks: find what it really waits for, then set one date with the sponsor.",
			Thresholds: []Threshold{
				amount("moves", 3, 50, "times that it was moved to later"), portion("slip", 0.20, "slip, as a share of the time first planned"),
			},
		},
		{
			ID: "P7", Title: "Declined for conflict", Class: class, Nature: issue, judge: declined,
			Remedy:     "Have the line managers clear the time; offer the session again outside of what collides.",
			Thresholds: []Threshold{portion("share", 0.25, "share of invitations declined because of a conflict")},
		},
	}
}
