package adoption

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Bass is the diffusion model of Bass (1969): of a market of M people some begin by themselves, with the
// coefficient P, and some because others have, with the coefficient Q, both for one period.
type Bass struct{ M, P, Q float64 }

// Share is F(t): which share of the market has begun by time t.
func (b Bass) Share(t float64) float64 {
	e := math.Exp(-(b.P + b.Q) * t)
	return (1 - e) / (1 + b.Q/b.P*e)
}

// Density is f(t) = F′(t).
func (b Bass) Density(t float64) float64 {
	e := math.Exp(-(b.P + b.Q) * t)
	below := 1 + b.Q/b.P*e
	return (b.P + b.Q) * (b.P + b.Q) / b.P * e / (below * below)
}

// Peak is when most begin: ln(q/p) / (p+q); false where they are the most from the start and get less.
func (b Bass) Peak() (t float64, ok bool) {
	if b.Q <= b.P {
		return 0, false
	}
	return math.Log(b.Q/b.P) / (b.P + b.Q), true
}

// Fitted is a model that was fitted to a series.
type Fitted struct {
	Bass

	Error  float64 // The residual standard error, √(RSS/(n − parameters)).
	Capped bool    // The market was held at the cap.
}

// What a fit can meet.
var (
	ErrTooShort = errors.New("there are fewer periods than parameters")
	ErrNoFit    = errors.New("the series does not have the shape of a diffusion")
)

// FitIntervals is the estimate of Srinivasan and Mason (1986): x(i) = m·(F(i) − F(i−1)) by nonlinear least squares, for
// the newly begun of each period. A market above most is held at most; no bound when most is 0.
func FitIntervals(x []float64, most float64) (Fitted, error) {
	return fitBass(x, most, func(b Bass, i int) float64 { return b.M * (b.Share(float64(i)) - b.Share(float64(i-1))) })
}

// FitDensity fits x(i) = m·f(i) by nonlinear least squares: what is published as the density form.
func FitDensity(x []float64) (Fitted, error) {
	return fitBass(x, 0, func(b Bass, i int) float64 { return b.M * b.Density(float64(i)) })
}

// FitLinear is the estimate of Bass (1969) by ordinary least squares: x(i) = a + b·Y + c·Y², where Y had begun before;
// then q = −m·c, p = a/m, and m is the positive root of a + b·m + c·m² = 0.
func FitLinear(x []float64) (Bass, error) {
	if len(x) < 4 {
		return Bass{}, ErrTooShort
	}
	terms, begun := mat.NewDense(len(x), 3, nil), 0.0
	for i, v := range x {
		terms.SetRow(i, []float64{1, begun, begun * begun})
		begun += v
	}
	var solved mat.VecDense
	// What is nearly singular solves badly, but ends below as no model at all.
	if err := solved.SolveVec(terms, mat.NewVecDense(len(x), x)); err != nil && !errors.As(err, new(mat.Condition)) {
		return Bass{}, ErrNoFit
	}
	a, b, c := solved.AtVec(0), solved.AtVec(1), solved.AtVec(2)
	root := b*b - 4*a*c
	if c >= 0 || root < 0 {
		return Bass{}, ErrNoFit
	}
	m := (-b - math.Sqrt(root)) / (2 * c)
	model := Bass{M: m, P: a / m, Q: -m * c}
	if !model.sound() {
		return Bass{}, ErrNoFit
	}
	return model, nil
}

// sound tells whether the numbers describe a diffusion at all.
func (b Bass) sound() bool {
	ok := func(v float64) bool { return v > 0 && !math.IsInf(v, 1) }
	return ok(b.M) && ok(b.P) && b.Q >= 0 && !math.IsInf(b.Q, 1)
}

// fitBass fits a form of the model to a series from several starts, and keeps the best.
func fitBass(x []float64, most float64, form func(b Bass, i int) float64) (Fitted, error) {
	if len(x) < 4 {
		return Fitted{}, ErrTooShort
	}
	best := Fitted{Error: math.Inf(1)}
	for _, start := range starts(x) {
		if one, ok := fitFrom(x, start, most, form); ok && one.Error < best.Error {
			best = one
		}
	}
	if math.IsInf(best.Error, 1) {
		return Fitted{}, ErrNoFit
	}
	return best, nil
}

// starts are guesses to begin from: what is linear, and what is usual (Sultan, Farley and Lehmann 1990: p .03, q .38).
func starts(x []float64) []Bass {
	total := 0.0
	for _, v := range x {
		total += v
	}
	all := []Bass{{M: 1.5 * total, P: .03, Q: .38}, {M: 1.2 * total, P: .01, Q: .8}, {M: 1.2 * total, P: .2, Q: .05}}
	if linear, err := FitLinear(x); err == nil && linear.Q > 0 {
		all = append([]Bass{linear}, all...)
	}
	return all
}

// fitFrom fits from one start: first with a free market, then with the market held where that is above most.
// Logarithms of the parameters keep them positive.
func fitFrom(x []float64, start Bass, most float64, form func(b Bass, i int) float64) (Fitted, bool) {
	free := func(p []float64) Bass { return Bass{M: math.Exp(p[0]), P: math.Exp(p[1]), Q: math.Exp(p[2])} }
	held := func(p []float64) Bass { return Bass{M: most, P: math.Exp(p[0]), Q: math.Exp(p[1])} }
	residuals := func(model func(p []float64) Bass) func(p, r []float64) {
		return func(p, r []float64) {
			b := model(p)
			for i, v := range x {
				r[i] = v - form(b, i+1)
			}
		}
	}
	p, rss, ok := leastSquares(residuals(free), []float64{math.Log(start.M), math.Log(start.P), math.Log(start.Q)}, len(x))
	if ok && (most <= 0 || free(p).M <= most) {
		return Fitted{Bass: free(p), Error: math.Sqrt(rss / float64(len(x)-3))}, free(p).sound()
	}
	if most <= 0 {
		return Fitted{}, false
	}
	p, rss, ok = leastSquares(residuals(held), []float64{math.Log(start.P), math.Log(start.Q)}, len(x))
	return Fitted{Bass: held(p), Error: math.Sqrt(rss / float64(len(x)-2)), Capped: true}, ok && held(p).sound()
}
