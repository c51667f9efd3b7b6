package policy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/policy"
)

func ready(tb require.TestingT, spec *deploymentv1.Policy) *policy.Policy {
	p, err := policy.New(spec)
	require.NoError(tb, err)
	return p
}

func TestAPreviewIsOfWhatCovers(t *testing.T) {
	t.Parallel()
	freeze := []*deploymentv1.Window{window("Europe/Berlin", "2026-12-20T00:00", "2027-01-04T00:00", "")}
	spec := func(change func(*deploymentv1.Policy)) []*policy.Policy {
		p := &deploymentv1.Policy{Name: "workspaces/w/policies/xmas", Freezes: freeze}
		change(p)
		return []*policy.Policy{ready(t, p)}
	}
	start, end := time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC), time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		change             func(*deploymentv1.Policy)
		applications, envs []string
		want               int
	}{
		"everything":                  {func(*deploymentv1.Policy) {}, nil, nil, 1},
		"one of the applications":     {func(p *deploymentv1.Policy) { p.Applications = []string{"crm"} }, []string{"erp", "crm"}, nil, 1},
		"another application":         {func(p *deploymentv1.Policy) { p.Applications = []string{"crm"} }, []string{"crm-2"}, nil, 0},
		"some, and none is named":     {func(p *deploymentv1.Policy) { p.Applications = []string{"crm"} }, nil, nil, 0},
		"another environment":         {func(p *deploymentv1.Policy) { p.Environments = []string{"prod"} }, []string{"crm"}, []string{"test"}, 0},
		"what nothing starts":         {func(p *deploymentv1.Policy) { p.Verbs = []deploymentv1.Verb{deploymentv1.Verb_RETRY} }, nil, nil, 0},
		"what starts a wave":          {func(p *deploymentv1.Policy) { p.Verbs = []deploymentv1.Verb{deploymentv1.Verb_START_WAVE} }, nil, nil, 1},
		"a line that time cannot let": {func(p *deploymentv1.Policy) { p.Freezes, p.StopLine = nil, &deploymentv1.StopLine{Engaged: true} }, nil, nil, 0},
	} {
		freezes, more := policy.Preview(spec(c.change), c.applications, c.envs, start, end, 1000)
		require.Len(t, freezes, c.want, name)
		require.False(t, more)
		if c.want > 0 {
			require.Equal(t, start, freezes[0].GetStartTime().AsTime(), "within the span")
			require.Equal(t, time.Date(2027, 1, 3, 23, 0, 0, 0, time.UTC), freezes[0].GetEndTime().AsTime(), "midnight in Berlin")
			require.Equal(t, "frozen", freezes[0].GetReason())
		}
	}
	daily := ready(t, &deploymentv1.Policy{Name: "workspaces/w/policies/nights", Freezes: []*deploymentv1.Window{window("UTC", "2026-01-01T20:00", "2026-01-02T06:00", "FREQ=DAILY")}})
	freezes, more := policy.Preview([]*policy.Policy{daily}, nil, nil, start, start.AddDate(1, 0, 0), 10)
	require.Len(t, freezes, 10)
	require.True(t, more)
	always := ready(t, &deploymentv1.Policy{Name: "workspaces/w/policies/always", Freezes: []*deploymentv1.Window{window("Europe/Berlin", "2020-01-01T00:00", "2020-01-02T00:00", "FREQ=DAILY")}})
	freezes, _ = policy.Preview([]*policy.Policy{always}, nil, nil, start, start.AddDate(1, 0, 0), 10)
	require.Len(t, freezes, 1, "days that touch are one stretch, over both nights on which clocks change")
	require.Equal(t, start.AddDate(1, 0, 0), freezes[0].GetEndTime().AsTime())
}

// In every minute, a preview says what the evaluator says then, also in the nights on which clocks change.
func TestAPreviewAgreesWithTheEvaluatorInEveryMinute(t *testing.T) {
	t.Parallel()
	zones := []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"}
	nights := []time.Time{time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 4, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 24, 0, 0, 0, 0, time.UTC)}
	rapid.Check(t, func(t *rapid.T) {
		night := rapid.SampledFrom(nights).Draw(t, "night")
		draw := func(kind string) (all []*deploymentv1.Window) {
			for range rapid.IntRange(0, 2).Draw(t, kind) {
				begin := night.Add(time.Duration(rapid.IntRange(-3*24*60, 2*24*60).Draw(t, "begin")) * time.Minute)
				length := time.Duration(rapid.IntRange(1, 2*24*60).Draw(t, "length")) * time.Minute
				rule := rapid.SampledFrom([]string{"", "FREQ=DAILY", "FREQ=DAILY;INTERVAL=2", "FREQ=WEEKLY;BYDAY=SA,SU", "FREQ=DAILY;COUNT=2"}).Draw(t, "rule")
				all = append(all, window(rapid.SampledFrom(zones).Draw(t, "zone"), begin.Format(layout), begin.Add(length).Format(layout), rule))
			}
			return all
		}
		p := ready(t, &deploymentv1.Policy{Name: "workspaces/w/policies/p", Freezes: draw("freezes"), Allows: draw("allows")})
		start := night.Add(time.Duration(rapid.IntRange(-24*60, 24*60).Draw(t, "start")) * time.Minute)
		end := start.Add(time.Duration(rapid.IntRange(1, 2*24*60).Draw(t, "span")) * time.Minute)
		freezes, more := policy.Preview([]*policy.Policy{p}, nil, nil, start, end, 1000)
		require.False(t, more)
		set := policy.NewSet([]*policy.Policy{p}, nil, "workspaces/w/applications/a", "workspaces/w/environments/e")
		for at := start; at.Before(end); at = at.Add(time.Minute) {
			refused := !set.Ask(policy.Question{Verb: deploymentv1.Verb_START_WAVE, Now: at}).Allowed()
			said := false
			for _, f := range freezes {
				said = said || !at.Before(f.GetStartTime().AsTime()) && at.Before(f.GetEndTime().AsTime())
			}
			if said != refused {
				t.Fatalf("at %s the evaluator refuses: %v, the preview says %v: %v", at, refused, said, freezes)
			}
		}
		for _, f := range freezes {
			require.True(t, f.GetStartTime().AsTime().Before(f.GetEndTime().AsTime()) && !f.GetStartTime().AsTime().Before(start) && !f.GetEndTime().AsTime().After(end))
		}
	})
}
