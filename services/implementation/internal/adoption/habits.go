package adoption

// Habits are what detectors of challenges ask about a cohort on the last day of the facts: counts over people whose
// numbers may be told, 0 where there are fewer than the smallest group.
type Habits struct {
	Trained, Idle     int64 // of the people given, and of those who used nothing new in the last days
	Adopted, Reverted int64 // who was active before the last days, and of those who only use the old way now
}

// HabitsOf counts a cohort over the last days. Trained are people who were trained before, a group that numbers may be told about.
func HabitsOf(f Facts, cohort Cohort, trained *Set, days Day) (h Habits) {
	shown := At(cohort.Shown, f.Last).People
	if shown == nil {
		return h
	}
	c := &counter{Facts: f}
	once := Window{Days: int(days), Active: 1}
	fresh := c.union(cohort.New)
	used := fresh.Active(f.Last, f.Last, once)[0]
	if Size(trained) >= SmallestGroup {
		h.Trained = Size(trained)
		h.Idle = h.Trained - Count(used, trained)
	}
	if len(cohort.Legacy) == 0 {
		return h
	}
	before := f.Last - days
	adopted := both(fresh.Active(before, before, cohort.Window())[0], shown)
	if Size(adopted) < SmallestGroup {
		return h
	}
	old := both(c.union(cohort.Legacy).Active(f.Last, f.Last, once)[0], adopted)
	h.Adopted, h.Reverted = Size(adopted), Size(old)-Count(used, old)
	return h
}
