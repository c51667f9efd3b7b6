package plan

import (
	"math"
	"slices"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// pertNote is what to keep in mind.
const pertNote = "classical PERT: optimistic because of merge bias, and by likely dates alone; a forecast has neither fault"

// expected is the duration (o + 4m + p) / 6 and its variance ((p − o) / 6)² (Malcolm, Roseboom, Clark, Fazar 1959).
func expected(t *implementationv1.Task) (mean, variance float64) {
	if t == nil || t.GetMilestone() {
		return 0, 0
	}
	o, m, p := ThreePoints(t.GetEstimate())
	spread := float64(p-o) / 6
	return float64(o+4*m+p) / 6, spread * spread
}

// pert is the longest path of the plan as it was estimated, in expected durations on one calendar. Of several
// that are equally long it is the one with the greatest variance.
func (p *Plan) pert() *implementationv1.ClassicalPert {
	n := len(p.net.Tasks)
	start, mean, variance, from := make([]float64, n), make([]float64, n), make([]float64, n), make([]int, n)
	out := &implementationv1.ClassicalPert{Note: pertNote}
	last := -1
	for _, i := range p.net.Order {
		var own float64
		mean[i], own = expected(p.net.Tasks[i].Task)
		from[i] = -1
		for _, l := range p.net.Tasks[i].Links {
			at := start[l.From] + float64(l.Lag)
			if l.FromFinish() {
				at += mean[l.From]
			}
			if l.ToFinish() {
				at -= mean[i]
			}
			if later(at, variance[l.From], start[i], variance[i]-own) || from[i] < 0 && at >= 0 {
				start[i], from[i], variance[i] = max(0, at), l.From, variance[l.From]+own
			}
		}
		if from[i] < 0 {
			variance[i] = own
		}
		if last < 0 || later(start[i]+mean[i], variance[i], out.GetMeanMinutes(), out.GetVariance()) {
			last, out.MeanMinutes, out.Variance = i, start[i]+mean[i], variance[i]
		}
	}
	for at := last; at >= 0; at = from[at] {
		if p.net.Tasks[at].Task != nil {
			out.Path = append(out.Path, p.net.Tasks[at].Name)
		}
	}
	slices.Reverse(out.GetPath())
	out.StandardDeviationMinutes = math.Sqrt(out.GetVariance())
	return out
}

// later says that one end is later than another, or the same and less certain.
func later(at, variance, than, thanVariance float64) bool {
	const same = 1e-6
	return at > than+same || math.Abs(at-than) <= same && variance > thanVariance
}
