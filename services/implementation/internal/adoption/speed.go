package adoption

import (
	"math"

	"github.com/RoaringBitmap/roaring/v2"
)

// Times counts people by how long they took.
type Times struct {
	Adopted  []int64 // at [d]: became active d days after they could
	Censored []int64 // at [d]: had not after d days, and nothing is known of them later
}

// Take watches a group from its go-live to a last day. Active are the sets of each day from the go-live on; what somebody used before it does
// not count. Whoever joins later is watched from then on. Who leaves or opts out before is censored on that day,
// and is not watched again after a return; who is not active by the last day is censored there.
func Take(goLive, last Day, group []Composition, active []*Set) Times {
	var t Times
	if last < goLive {
		return t
	}
	t = Times{Adopted: make([]int64, last-goLive+1), Censored: make([]int64, last-goLive+1)}
	seen := roaring.New()
	var watched []Composition // who began to be watched on a day and has neither adopted nor left
	var current *Set
	for day := goLive; day <= last; day++ {
		people := At(group, day).People
		if people == nil {
			people = roaring.New() // nothing may be told of these days, so nothing is looked at
		}
		if day == goLive || !same(people, current) {
			for _, w := range watched {
				gone := roaring.AndNot(w.People, people)
				t.Censored[day-w.From] += Size(gone)
				w.People.AndNot(gone)
			}
			if joined := roaring.AndNot(people, seen); !joined.IsEmpty() {
				watched = append(watched, Composition{From: day, People: joined})
				seen.Or(joined)
			}
			current = people
		}
		now := active[day-goLive]
		if now == nil {
			continue
		}
		for _, w := range watched {
			t.Adopted[day-w.From] += Count(w.People, now)
			w.People.AndNot(now)
		}
	}
	for _, w := range watched {
		t.Censored[last-w.From] += Size(w.People)
	}
	return t
}

// Step is the estimate of Kaplan and Meier from a time on: which share has not adopted.
type Step struct {
	Time          int
	AtRisk, Event int64
	Left          float64 // S(t)
	Error         float64 // its standard error, by Greenwood
	Lower, Upper  float64 // 95 % band on the log-log scale; NaN where nobody is left
}

// z95 bounds the middle 95 % of a standard normal distribution.
const z95 = 1.959963984540054

// Estimate is the Kaplan-Meier estimate, one step for each time at which somebody adopted. Who is censored
// at a time was still at risk then.
func (t Times) Estimate() []Step {
	var steps []Step
	atRisk := t.People()
	left, sum := 1.0, 0.0
	for at := range t.Adopted {
		if d := t.Adopted[at]; d > 0 {
			n := float64(atRisk)
			left *= 1 - float64(d)/n
			sum += float64(d) / (n * (n - float64(d))) // infinite where nobody is left
			s := Step{Time: at, AtRisk: atRisk, Event: d, Left: left, Lower: math.NaN(), Upper: math.NaN()}
			if d < atRisk {
				s.Error = left * math.Sqrt(sum)
				theta := z95 * math.Sqrt(sum) / math.Log(left)
				s.Lower, s.Upper = math.Pow(left, math.Exp(-theta)), math.Pow(left, math.Exp(theta))
			}
			steps = append(steps, s)
		}
		atRisk -= t.Adopted[at] + t.Censored[at]
	}
	return steps
}

// People is how many were watched.
func (t Times) People() (n int64) {
	for at := range t.Adopted {
		n += t.Adopted[at] + t.Censored[at]
	}
	return n
}

// Speed is how fast people took something up. A time of -1 is not defined.
type Speed struct {
	People, Adopted      int64
	Median, Lower, Upper int
}

// Speed is the median of the estimate and its band: the first times at which the estimate, and the lower and upper end of its band, are
// at a half or below.
func (t Times) Speed() Speed {
	s := Speed{People: t.People(), Median: -1, Lower: -1, Upper: -1}
	first := func(at *int, time int, value float64) {
		if *at < 0 && value <= 0.5 { // false for NaN
			*at = time
		}
	}
	for _, step := range t.Estimate() {
		s.Adopted += step.Event
		first(&s.Median, step.Time, step.Left)
		first(&s.Lower, step.Time, step.Lower)
		first(&s.Upper, step.Time, step.Upper)
	}
	return s
}
