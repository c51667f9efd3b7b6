package readiness

import implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"

// weight is what a criterion counts for in the score.
func weight(c *implementationv1.Criterion) float64 {
	if c.Weight == nil {
		return 1
	}
	return c.GetWeight()
}

// score is for display: the weighted mean, over the criteria that are known, of
// how far each is, and the weight of those over the weight of all. A waiver changes
// nothing in it: what is let pass is not done.
func (a Assessment) score() (score *float64, coverage float64) {
	var sum, known, all float64
	for _, j := range a.criteria {
		w := j.result.GetWeight()
		all += w
		if j.attained != nil {
			known += w
			sum += w * *j.attained
		}
	}
	if known > 0 {
		score = new(sum / known)
	}
	if all > 0 {
		coverage = known / all
	}
	return score, coverage
}
