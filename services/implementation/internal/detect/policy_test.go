package detect_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/detect"
)

func policy(settings ...*implementationv1.RuleSetting) *implementationv1.DetectorPolicy {
	return &implementationv1.DetectorPolicy{Rules: settings}
}

func TestAPolicyChangesThresholdsAndSwitchesRulesOff(t *testing.T) {
	facts := world(func(f *detect.Facts) { f.Unused = []detect.Unused{{Group: group(), Idle: 20, Trained: 100}} })
	require.Equal(t, fine, findings(facts, "R2")[0].Status)
	strict := policy(&implementationv1.RuleSetting{Rule: "R2", Thresholds: map[string]float64{"share": 0.2}})
	require.Equal(t, holds, findings(facts, "R2", strict)[0].Status)
	require.Equal(t, "20 of 100 trained have 0 active days in 14 = 20 % ≥ 20 %", findings(facts, "R2", strict)[0].Text)
	off := policy(&implementationv1.RuleSetting{Rule: "R2", Disabled: true})
	require.Empty(t, findings(facts, "R2", strict, off), "the implementation's word is the last")
	require.Equal(t, holds, findings(facts, "R2", off, strict)[0].Status)
	longer := policy(&implementationv1.RuleSetting{Rule: "R2", Thresholds: map[string]float64{"days": 21}})
	require.Equal(t, "20 of 100 trained have 0 active days in 21 = 20 % ≥ 20 %", findings(facts, "R2", strict, longer)[0].Text, "thresholds add up, name by name")
	crowd := &implementationv1.DetectorPolicy{MinGroupSize: 101}
	require.Equal(t, tooSmall, findings(facts, "R2", crowd, strict)[0].Status, "the greater group wins")
}

func TestWhatAPolicyCannotSay(t *testing.T) {
	for reason, p := range map[string]*implementationv1.DetectorPolicy{
		detect.ReasonRuleUnknown:      policy(&implementationv1.RuleSetting{Rule: "L9"}),
		detect.ReasonRuleDuplicate:    policy(&implementationv1.RuleSetting{Rule: "R2"}, &implementationv1.RuleSetting{Rule: "R2"}),
		detect.ReasonThresholdUnknown: policy(&implementationv1.RuleSetting{Rule: "R2", Thresholds: map[string]float64{"shares": 0.2}}),
	} {
		require.Equal(t, reason, fault.ReasonOf(detect.Check(p)))
	}
	for _, value := range []float64{-0.1, 1.1, math.NaN(), math.Inf(1)} {
		p := policy(&implementationv1.RuleSetting{Rule: "R2", Thresholds: map[string]float64{"share": value}})
		require.Equal(t, detect.ReasonThresholdInvalid, fault.ReasonOf(detect.Check(p)), value)
	}
	require.Equal(t, detect.ReasonThresholdInvalid, fault.ReasonOf(detect.Check(&implementationv1.DetectorPolicy{MinGroupSize: 9})), "groups are never made smaller")
	require.NoError(t, detect.Check(&implementationv1.DetectorPolicy{MinGroupSize: 10}))
	require.NoError(t, detect.Check(policy(&implementationv1.RuleSetting{Rule: "R2", Thresholds: map[string]float64{"share": 0, "days": 60}})))
}

func TestDefaultsAreWithinTheirBounds(t *testing.T) {
	for _, rule := range detect.Rules() {
		all := map[string]float64{}
		for _, threshold := range rule.Thresholds {
			require.NotContains(t, all, threshold.Name, rule.ID)
			all[threshold.Name] = threshold.Default
			require.NotEmpty(t, threshold.Meaning)
		}
		require.NoError(t, detect.Check(policy(&implementationv1.RuleSetting{Rule: string(rule.ID), Thresholds: all})), rule.ID)
		found, ok := detect.Find(rule.ID)
		require.True(t, ok)
		require.Equal(t, rule.Title, found.Title)
	}
}

func TestFactsThatCannotBeHadAreUnknown(t *testing.T) {
	found := findings(world(func(f *detect.Facts) { f.Missing = map[detect.ID]string{"L4": "there is no baseline"} }), "L4")
	require.Len(t, found, 1)
	require.Equal(t, unknown, found[0].Status)
	require.Equal(t, "there is no baseline", found[0].Text)
}
