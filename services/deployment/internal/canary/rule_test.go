package canary_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/canary"
)

func TestRulesThatCannotBeFollowedAreRefused(t *testing.T) {
	t.Parallel()
	latency := func(threshold time.Duration) *deploymentv1.MetricRule {
		return &deploymentv1.MetricRule{Id: "slow", Source: &deploymentv1.MetricRule_Probes{Probes: &deploymentv1.ProbeSource{
			Measure: deploymentv1.ProbeSource_LATENCY, Threshold: durationpb.New(threshold),
		}}}
	}
	prometheus := func(query string) *deploymentv1.MetricRule {
		return &deploymentv1.MetricRule{Id: "p", Source: &deploymentv1.MetricRule_Prometheus{Prometheus: &deploymentv1.PrometheusSource{Bad: query}}}
	}
	for name, c := range map[string]struct {
		metrics []*deploymentv1.MetricRule
		why     string
	}{
		"good ones are not":             {[]*deploymentv1.MetricRule{latency(200 * time.Millisecond), prometheus(`sum(x{v="{{.version}}"})`)}, ""},
		"two of one id":                 {[]*deploymentv1.MetricRule{{Id: "a"}, {Id: "a"}}, "two metrics"},
		"passes what fails":             {[]*deploymentv1.MetricRule{{Id: "a", FailMargin: 0.5, PassMargin: 0.2}}, "may not be less"},
		"an objective without a bucket": {[]*deploymentv1.MetricRule{latency(300 * time.Millisecond)}, "choose one of"},
		"a query that is no template":   {[]*deploymentv1.MetricRule{prometheus(`sum(x{v="{{.version"})`)}, "no template"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := canary.Check("analysis", &deploymentv1.AnalysisRule{Metrics: c.metrics})
			if c.why == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.why)
			require.Equal(t, "INVALID_ROLLOUT", fault.ReasonOf(err))
		})
	}
}

func TestDefaultsOfARule(t *testing.T) {
	t.Parallel()
	none := &deploymentv1.AnalysisRule{}
	require.Equal(t, time.Minute, canary.Interval(none))
	require.Equal(t, time.Hour, canary.MaxDuration(none))
	require.Equal(t, 30*time.Second, canary.Grace(none))
	short := &deploymentv1.AnalysisRule{Interval: durationpb.New(2 * time.Second), MaxDuration: durationpb.New(time.Minute)}
	require.Equal(t, time.Second, canary.Grace(short))
	require.Equal(t, time.Minute, canary.MaxDuration(short))
	require.Equal(t, 1, canary.Critical(&deploymentv1.AnalysisRule{Metrics: []*deploymentv1.MetricRule{{Id: "a"}, {Id: "b", Informational: true}}}))
}
