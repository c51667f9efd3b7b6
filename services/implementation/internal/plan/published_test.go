package plan_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPlanGivesThePublishedSchedules(t *testing.T) {
	for _, tt := range []struct{ name, plan, want string }{
		{
			"one path with two branches",
			"A 6; B 2 < A; C 2 < A; D 3 < B; F 2 < C; E 4 < D, F; G 1 < E",
			"A* 0-6 0/0; B* 6-8 0/0; C 6-8 1/0; D* 8-11 0/0; F 8-10 1/1; E* 11-15 0/0; G* 15-16 0/0",
		},
		{
			"all kinds of links",
			"A 10; B 6 < A SS+3; C 8 < A FS+2; D 4 < B FF+5, C FS-1",
			"A* 0-10 0/0; B 3-9 9/9; C* 12-20 0/0; D* 19-23 0/0",
		},
		{
			"starts that follow from bound ends",
			"A 10; B 2 < A FF; C 3 < A SF+12",
			"A* 0-10 0/0; B 8-10 2/2; C* 9-12 0/0",
		},
		{
			"two critical paths",
			"A 1; B 2 < A; C 2 < A; D 1 < B, C",
			"A* 0-1 0/0; B* 1-3 0/0; C* 1-3 0/0; D* 3-4 0/0",
		},
		{
			"a lead that would begin before the plan",
			"A 1; B 2 < A FS-5",
			"A 0-1 1/1; B* 0-2 0/0",
		},
	} {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, table(t, build(t, tt.plan))) })
	}
}

func TestPlanGivesThePublishedArrowDiagram(t *testing.T) {
	in := build(t, "a12 8; a13 10; a14 9; a25 6 < a12; a26 4 < a12; a35 5 < a13; a45 0 < a14; a47 7 < a14;"+
		"a57 12 < a25, a35, a45; a58 15 < a25, a35, a45; a69 18 < a26; a78 4 < a47, a57; a89 7 < a58, a78")
	s := schedule(t, in)
	require.Equal(t, int64(38*unit), s.GetDurationMinutes())
	var floats []int64
	for _, task := range in.Tasks {
		for _, one := range s.GetTasks() {
			if one.GetName() == task.GetName() {
				floats = append(floats, one.GetTotalFloatMinutes()/unit)
			}
		}
	}
	require.Equal(t, []int64{1, 0, 6, 1, 8, 0, 6, 11, 0, 1, 8, 0, 0}, floats)
	require.Equal(t, names("a13", "a35", "a57", "a78", "a89"), s.GetLongestPath())
}

func TestPlanGivesTheClassicalPert(t *testing.T) {
	six := schedule(t, build(t, "A 2/5/8; B 1/2/9 < A; C .25/.5/3.75 < A; D 1/1/7 < B; E 1/2/9 < B, C; F 1/3/11 < D, E")).GetClassicalPert()
	require.InDelta(t, 15, six.GetMeanMinutes()/unit, 1e-9)
	require.InDelta(t, 7.3333, six.GetVariance()/unit/unit, 1e-4)
	require.Equal(t, names("A", "B", "E", "F"), six.GetPath())

	fourteen := schedule(t, build(t, "A 5/5/7; B 1/2/5; C 5/5/5 < A; D 4/8/13 < A; E 1/10/17 < B, C; F 1/5/7 < D; G 2/6/9 < D; H 4/4/6 < E, F;"+
		"I 2/7/10 < G, H; J 2/4/7 < I; K 6/10/13 < I; L 2/6/6 < J; M 2/2/3 < K; N 7/7/12 < L, M")).GetClassicalPert()
	require.InDelta(t, 50.8333, fourteen.GetMeanMinutes()/unit, 1e-4)
	require.InDelta(t, 3.3458, fourteen.GetStandardDeviationMinutes()/unit, 1e-4)
	require.Contains(t, fourteen.GetNote(), "merge bias")
}
