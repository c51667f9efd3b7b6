package scorecard_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/scorecard"
)

func share(part, whole int64) *deploymentv1.Share {
	return &deploymentv1.Share{Numerator: part, Denominator: whole}
}

// machines are those of an application that ran for a while.
func machines(change func(f *scorecard.Facts)) []*implementationv1.ScorecardMeasure {
	f := scorecard.Facts{
		Applications: []string{"crm"}, Environments: []string{"prod"}, Now: now,
		Targets:  &implementationv1.ScorecardTargets{Uptime: .999, Performance: .99, Feedback: .75},
		Machines: scorecard.Machines{Now: &deploymentv1.Measures{Uptime: share(999, 1000), Performance: share(989, 1000), Errors: share(5, 1000), Feedback: share(8, 10), Coverage: .9, Targets: 3}},
	}
	change(&f)
	return scorecard.Compute(f).GetMeasures()[:3]
}

func TestMachinesAreMeasuredAsPeopleAre(t *testing.T) {
	const met, notMet, unknown, none = implementationv1.ScorecardMeasure_MET, implementationv1.ScorecardMeasure_NOT_MET, implementationv1.ScorecardMeasure_UNKNOWN, implementationv1.ScorecardMeasure_NO_TARGET
	for _, c := range []struct {
		name   string
		change func(f *scorecard.Facts)
		states [3]implementationv1.ScorecardMeasure_State
		says   [3]string
	}{
		{"as they are", func(*scorecard.Facts) {}, [...]implementationv1.ScorecardMeasure_State{met, notMet, met}, [...]string{"up 99.90 % of the time on 3 targets", "98.90 % of 1000 requests", "8 of 10"}},
		{"little observed", func(f *scorecard.Facts) { f.Machines.Now.Coverage = .89 }, [...]implementationv1.ScorecardMeasure_State{unknown, notMet, met}, [...]string{"too little to go by", "0.50 % failed", "49.0 %"}},
		{"nothing counted", func(f *scorecard.Facts) { f.Machines.Now = &deploymentv1.Measures{} }, [...]implementationv1.ScorecardMeasure_State{unknown, unknown, unknown}, [...]string{"nothing was counted", "nothing was counted", "nothing was counted"}},
		{"nobody answers", func(f *scorecard.Facts) { f.Machines = scorecard.Machines{Silent: "nobody there"} }, [...]implementationv1.ScorecardMeasure_State{unknown, unknown, unknown}, [...]string{"nobody there", "nobody there", "nobody there"}},
		{"no application", func(f *scorecard.Facts) { f.Applications = nil }, [...]implementationv1.ScorecardMeasure_State{unknown, unknown, unknown}, [...]string{"names no application", "names no application", "names no application"}},
		{"no target", func(f *scorecard.Facts) { f.Targets = nil }, [...]implementationv1.ScorecardMeasure_State{none, none, none}, [...]string{"up", "requests", "rated"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i, m := range machines(c.change) {
				require.Equal(t, c.states[i], m.GetState(), m.GetMessage())
				require.Contains(t, m.GetMessage(), c.says[i])
				require.Equal(t, m.GetKind() == implementationv1.ScorecardMeasure_FEEDBACK && m.Value != nil, m.Lower != nil, "only ratings are a sample")
				require.Nil(t, m.GetTrend())
			}
		})
	}
	feedback := machines(func(*scorecard.Facts) {})[2]
	require.InDelta(t, .4902, feedback.GetLower(), 1e-4, "Wilson's of 8 of 10")
	require.InDelta(t, .9433, feedback.GetUpper(), 1e-4)
	require.Equal(t, []string{"crm", "prod"}, feedback.GetEvidence())
}

func TestASnapshotTellsWhatAMachineWasBefore(t *testing.T) {
	counted := machines(func(f *scorecard.Facts) { f.Machines.Before = &deploymentv1.Measures{Uptime: share(1, 2)} })
	require.InDelta(t, .499, counted[0].GetTrend().GetChange(), 1e-12)
	require.Equal(t, "2026-06-02", counted[0].GetTrend().GetPreviousDay())
	require.Nil(t, counted[1].GetTrend(), "nothing was counted then")
	kept := machines(func(f *scorecard.Facts) {
		f.Machines.Before = &deploymentv1.Measures{Uptime: share(1, 2)}
		f.Machines.Then = &implementationv1.Scorecard{Measures: []*implementationv1.ScorecardMeasure{
			{Kind: implementationv1.ScorecardMeasure_UPTIME, Value: new(.9), Day: "2026-06-01"}, {Kind: implementationv1.ScorecardMeasure_PERFORMANCE},
		}}
	})
	require.InDelta(t, .9, kept[0].GetTrend().GetPreviousValue(), 1e-12)
	require.Equal(t, "2026-06-01", kept[0].GetTrend().GetPreviousDay())
	require.Nil(t, kept[1].GetTrend(), "it was not known")
}

func TestEveryOverrideThatHoldsIsTold(t *testing.T) {
	at := func(hours int) *timestamppb.Timestamp {
		return timestamppb.New(now.Add(time.Duration(hours) * time.Hour))
	}
	card := scorecard.Compute(scorecard.Facts{
		Implementation: "i", Now: now,
		Plans: []*implementationv1.CohortPlan{{Name: "plan", Overrides: []*implementationv1.ReadinessOverride{
			{Criterion: "trained", Person: "ann", Reason: "fire", ExpireTime: at(3)}, {Criterion: "over", ExpireTime: at(0)}, {Criterion: "taken back", ExpireTime: at(9), RevokeTime: at(-1)},
		}}},
		Stages:    []*implementationv1.Stage{{Name: "stage", Overrides: []*implementationv1.StageOverride{{Condition: "sealed", ExpireTime: at(1)}}}},
		Decisions: []*implementationv1.Decision{{Name: "old", StateTime: at(-9), State: implementationv1.Decision_GO}, {Name: "new", StateTime: at(-1), State: implementationv1.Decision_NO_GO, Overrides: []*implementationv1.DecisionOverride{{ExpireTime: at(2)}}}},
		Machines:  scorecard.Machines{Now: &deploymentv1.Measures{Overrides: []*deploymentv1.MeasuredOverride{{Override: "overrides/a", Subject: "approved", ExpireTime: at(4)}}}},
	})
	var held []string
	for _, o := range card.GetOverrides() {
		held = append(held, o.GetResource()+" "+o.GetSubject())
	}
	require.Equal(t, []string{"stage sealed", "new ", "plan trained", "overrides/a approved"}, held)
	require.Equal(t, "new", card.GetDecision())
	require.Equal(t, implementationv1.Decision_NO_GO, card.GetDecisionState())
}
