package rollout

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

var cohortIDs = []string{"pilot", "sales", "warehouse"}

func drawTargets(t *rapid.T) []*deploymentv1.Target {
	var all []*deploymentv1.Target
	for i := range rapid.IntRange(0, 40).Draw(t, "targets") {
		all = append(all, &deploymentv1.Target{
			Name:    fmt.Sprintf("t%02d", i),
			Cohorts: rapid.SliceOfNDistinct(rapid.SampledFrom(cohortIDs), 0, 2, rapid.ID).Draw(t, "cohorts"),
			Labels:  map[string]string{"zone": rapid.SampledFrom([]string{"a", "b"}).Draw(t, "zone")},
		})
	}
	return all
}

func drawWaves(t *rapid.T) []*deploymentv1.WaveRule {
	var waves []*deploymentv1.WaveRule
	for i := range rapid.IntRange(0, 5).Draw(t, "waves") {
		m := &deploymentv1.Members{}
		switch rapid.IntRange(0, 4).Draw(t, "rule") {
		case 0:
			m.Rule = &deploymentv1.Members_Cohort{Cohort: rapid.SampledFrom(cohortIDs).Draw(t, "cohort")}
		case 1:
			m.Rule = &deploymentv1.Members_Labels{Labels: &deploymentv1.LabelSelector{Match: map[string]string{"zone": "a"}}}
		case 2:
			m.Rule = &deploymentv1.Members_Percent{Percent: rapid.Float64Range(0.1, 100).Draw(t, "percent")}
		case 3:
			m.Rule = &deploymentv1.Members_Count{Count: rapid.Int32Range(1, 10).Draw(t, "count")}
		default:
			m = rest()
		}
		waves = append(waves, &deploymentv1.WaveRule{Id: fmt.Sprintf("w%d", i), Members: m})
	}
	return waves
}

func TestAssignPartitionsTheFleet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		targets, waves := drawTargets(t), drawWaves(t)
		dealt := Assign(waves, targets)
		require.Len(t, dealt.Waves, len(waves))
		var seen []string
		for _, wave := range append(slices.Clone(dealt.Waves), dealt.Unselected) {
			require.True(t, slices.IsSortedFunc(wave, byName))
			for _, target := range wave {
				seen = append(seen, target.GetName())
			}
		}
		slices.Sort(seen)
		var all []string
		for _, target := range targets {
			all = append(all, target.GetName())
		}
		require.Equal(t, all, seen, "every target is in one wave, or unselected, exactly once")
		if slices.ContainsFunc(waves, func(w *deploymentv1.WaveRule) bool { return w.GetMembers().GetRest() }) {
			require.Empty(t, dealt.Unselected)
		}
		shuffled := rapid.Permutation(targets).Draw(t, "order")
		require.Equal(t, dealt, Assign(waves, shuffled), "the order of the input does not matter")
	})
}

func byName(a, b *deploymentv1.Target) int { return strings.Compare(a.GetName(), b.GetName()) }

func TestTheDigestTellsAssignmentsApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		targets, waves := drawTargets(t), drawWaves(t)
		dealt := Assign(waves, targets)
		for i, members := range dealt.Waves {
			for _, gone := range members {
				without := slices.DeleteFunc(slices.Clone(targets), func(x *deploymentv1.Target) bool { return x == gone })
				require.NotEqual(t, dealt.Digest, Assign(waves, without).Digest, "wave %d loses %s", i, gone.GetName())
			}
		}
	})
}

func drawPreset(t *rapid.T) *deploymentv1.Rollout {
	switch rapid.IntRange(0, 3).Draw(t, "preset") {
	case 0:
		percents := rapid.SliceOfNDistinct(rapid.Float64Range(0.5, 100), 0, 5, rapid.ID).Draw(t, "percents")
		slices.Sort(percents)
		return &deploymentv1.Rollout{Preset: &deploymentv1.Rollout_Canary{Canary: &deploymentv1.Canary{Count: rapid.Int32Range(0, 5).Draw(t, "count"), Percents: percents}}}
	case 1:
		batch := rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(1, 100)).Draw(t, "batch")
		return &deploymentv1.Rollout{Preset: &deploymentv1.Rollout_Rolling{Rolling: &deploymentv1.Rolling{BatchPercent: batch}}}
	case 2:
		return &deploymentv1.Rollout{Preset: &deploymentv1.Rollout_AllAtOnce{AllAtOnce: &deploymentv1.AllAtOnce{MaxParallel: rapid.Int32Range(0, 9).Draw(t, "parallel")}}}
	default:
		return nil
	}
}

func TestPresetsCoverTheFleet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := drawPreset(t)
		before := proto.CloneOf(in)
		out, err := Expand(in)
		require.NoError(t, err)
		require.True(t, proto.Equal(before, in), "what is given is not changed")
		require.LessOrEqual(t, len(out.GetWaves()), 100)
		require.Empty(t, Assign(out.GetWaves(), drawTargets(t)).Unselected, "every target is in some wave")
		again, err := Expand(out)
		require.NoError(t, err)
		require.True(t, proto.Equal(out, again), "what is expanded stays as it is")

		back := Reverse(out)
		require.Len(t, back.GetWaves(), len(out.GetWaves()))
		for i, w := range back.GetWaves() {
			require.Equal(t, out.GetWaves()[len(out.GetWaves())-1-i].GetId(), w.GetId())
			require.Empty(t, w.GetGates())
			require.Zero(t, w.GetBake().AsDuration())
		}
	})
}

func TestRolloutsThatCannotBeFollowedAreRefused(t *testing.T) {
	t.Parallel()
	nan := 0.0
	nan /= nan
	for name, r := range map[string]*deploymentv1.Rollout{
		"shares that fall":              aCanary(50, 20),
		"a share over all":              aCanary(101),
		"a share that is no number":     aCanary(nan),
		"a batch of next to nothing":    rolling(0.001),
		"a batch that is no number":     rolling(nan),
		"a negative batch":              rolling(-5),
		"a cohort that cannot be an id": {Preset: &deploymentv1.Rollout_ByCohort{ByCohort: &deploymentv1.ByCohort{Cohorts: []string{"North/South"}}}},
		"one cohort twice":              {Preset: &deploymentv1.Rollout_ByCohort{ByCohort: &deploymentv1.ByCohort{Cohorts: []string{"a", "a"}}}},
		"a wave without members":        {Waves: []*deploymentv1.WaveRule{{Id: "a"}}},
		"a preset beside other waves":   {Preset: aCanary(50).GetPreset(), Waves: []*deploymentv1.WaveRule{{Id: "a", Members: rest()}}},
		"a gate about a later wave": {Waves: []*deploymentv1.WaveRule{
			{Id: "a", Members: rest(), Gates: []*deploymentv1.GateRule{{Id: "g", Type: &deploymentv1.GateRule_PriorWave{PriorWave: &deploymentv1.PriorWaveGate{Wave: "b"}}}}},
			{Id: "b", Members: rest()},
		}},
	} {
		_, err := Expand(r)
		require.Equal(t, "INVALID_ROLLOUT", fault.ReasonOf(err), name)
	}
}

func aCanary(percents ...float64) *deploymentv1.Rollout {
	return &deploymentv1.Rollout{Preset: &deploymentv1.Rollout_Canary{Canary: &deploymentv1.Canary{Percents: percents}}}
}

func rolling(batch float64) *deploymentv1.Rollout {
	return &deploymentv1.Rollout{Preset: &deploymentv1.Rollout_Rolling{Rolling: &deploymentv1.Rolling{BatchPercent: batch}}}
}

func TestOlderVersionOrdersVersions(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		have, want string
		older      bool
	}{
		{"6.1.0-13-amd64", "6.1", false},
		{"6.1.0-13-amd64", "6.2", true},
		{"10", "10.0", false},
		{"10", "10.0.1", true},
		{"9.9", "10", true},
		{"10.0.19045", "10.0.22000", true},
		{"", "1", true},
		{"1", "", false},
		{"99999999999999999999", "2", false},
	} {
		require.Equal(t, test.older, olderVersion(test.have, test.want), "%s < %s", test.have, test.want)
	}
	version := rapid.StringMatching(`[0-9]{1,2}(\.[0-9]{1,2}){0,3}(-[a-z0-9]{1,4})?`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := version.Draw(t, "a"), version.Draw(t, "b"), version.Draw(t, "c")
		require.False(t, olderVersion(a, a))
		require.False(t, olderVersion(a, b) && olderVersion(b, a), "%s and %s", a, b)
		if !olderVersion(a, b) && !olderVersion(b, c) {
			require.False(t, olderVersion(a, c), "%s ≥ %s ≥ %s", a, b, c)
		}
	})
}
