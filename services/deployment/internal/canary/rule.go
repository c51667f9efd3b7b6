package canary

import (
	"fmt"
	"slices"
	"text/template"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

const (
	// defaultInterval is taken where a rule names none.
	defaultInterval = time.Minute
	// defaultIntervals is how many make up the longest analysis where a rule does not say.
	defaultIntervals = 60
	// mostGrace is how long data may be late at most; half an interval where that is less.
	mostGrace = 30 * time.Second
)

// Interval is the length of one interval.
func Interval(r *deploymentv1.AnalysisRule) time.Duration {
	if d := r.GetInterval(); d != nil {
		return d.AsDuration()
	}
	return defaultInterval
}

// MaxDuration is how long an analysis may stay undecided before a person is asked.
func MaxDuration(r *deploymentv1.AnalysisRule) time.Duration {
	if d := r.GetMaxDuration(); d != nil {
		return d.AsDuration()
	}
	return defaultIntervals * Interval(r)
}

// Grace is how long after its end an interval is judged, so that what was counted in it has arrived.
func Grace(r *deploymentv1.AnalysisRule) time.Duration { return min(Interval(r)/2, mostGrace) }

// Critical counts the metrics that can fail or hold the wave.
func Critical(r *deploymentv1.AnalysisRule) (n int) {
	for _, m := range r.GetMetrics() {
		if !m.GetInformational() {
			n++
		}
	}
	return n
}

// LatencyBounds are the bounds of ProbeSummary.latency_counts.
func LatencyBounds() []time.Duration {
	var out []time.Duration
	for _, ms := range []int{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000} {
		out = append(out, time.Duration(ms)*time.Millisecond)
	}
	return out
}

// Queries are the templates of a Prometheus source by what they ask for.
func Queries(p *deploymentv1.PrometheusSource) map[string]string {
	return map[string]string{"bad": p.GetBad(), "total": p.GetTotal(), "baseline_bad": p.GetBaselineBad(), "baseline_total": p.GetBaselineTotal()}
}

// Template parses a query; what it does not know is an error when it is executed.
func Template(query string) (*template.Template, error) {
	return template.New("query").Option("missingkey=error").Parse(query)
}

// Check refuses rules that no annotation of the contract can: metrics with one id, a pass margin below
// the fail margin, a latency objective that probes are not counted by, a query that is no template.
func Check(field string, r *deploymentv1.AnalysisRule) error {
	seen := map[string]bool{}
	for i, m := range r.GetMetrics() {
		at := fmt.Sprintf("%s.metrics[%d]", field, i)
		if seen[m.GetId()] {
			return invalid(at+".id", "%q names two metrics", m.GetId())
		}
		seen[m.GetId()] = true
		if fail, pass := m.GetFailMargin(), m.GetPassMargin(); pass > 0 && pass < fail {
			return invalid(at+".pass_margin", "%v passes and %v fails; what passes may not be less than what fails", pass, fail)
		}
		if p := m.GetProbes(); p.GetMeasure() == deploymentv1.ProbeSource_LATENCY && !slices.Contains(LatencyBounds(), p.GetThreshold().AsDuration()) {
			return invalid(at+".probes.threshold", "probes are not counted by %s; choose one of %v", p.GetThreshold().AsDuration(), LatencyBounds())
		}
		if p := m.GetPrometheus(); p != nil {
			for what, query := range Queries(p) {
				if _, err := Template(query); err != nil {
					return invalid(at+".prometheus."+what, "the query is no template: %v", err)
				}
			}
		}
	}
	return nil
}

func invalid(field, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	return fault.Invalid("INVALID_ROLLOUT", "the analysis cannot be made: %s; correct it and send the request again", text).Field(field, text)
}
