package rollout

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

func wire(tb testing.TB, m proto.Message) []byte {
	tb.Helper()
	b, err := proto.Marshal(m)
	require.NoError(tb, err)
	return b
}

// FuzzExpand: whatever a rollout holds, it is refused with a reason or becomes waves that
// deal out every target once, and expanding them again changes nothing.
func FuzzExpand(f *testing.F) {
	for _, r := range []*deploymentv1.Rollout{
		nil, aCanary(10, 50), rolling(30), rolling(1e-300),
		{Preset: &deploymentv1.Rollout_ByCohort{ByCohort: &deploymentv1.ByCohort{Cohorts: []string{"pilot"}, Implementation: "workspaces/w/implementations/i"}}},
		{Waves: []*deploymentv1.WaveRule{{Id: "a", Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Count{Count: -3}}}, {Id: "b", Members: upTo(1e308)}}},
	} {
		f.Add(wire(f, r))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in := &deploymentv1.Rollout{}
		if proto.Unmarshal(data, in) != nil {
			return
		}
		out, err := Expand(in)
		if err != nil {
			require.Equal(t, "INVALID_ROLLOUT", fault.ReasonOf(err))
			return
		}
		if again, err := Expand(out); err == nil {
			require.Len(t, again.GetWaves(), len(out.GetWaves()))
		}
		targets := []*deploymentv1.Target{{Name: "a", Cohorts: []string{"pilot"}}, {Name: "b"}, {Name: "c", Labels: map[string]string{"zone": "a"}}}
		dealt := Assign(out.GetWaves(), targets)
		n := len(dealt.Unselected)
		for _, w := range dealt.Waves {
			n += len(w)
		}
		require.Len(t, targets, n)
		require.Len(t, Reverse(out).GetWaves(), len(out.GetWaves()))
	})
}

// FuzzIncompatible: whatever a release needs and a host says of itself, each target is
// judged once and for a reason.
func FuzzIncompatible(f *testing.F) {
	release := &deploymentv1.Release{
		Artifacts:    []*deploymentv1.Artifact{{Os: "linux", Arch: "amd64", SizeBytes: 1 << 62}},
		Requirements: &deploymentv1.Requirements{MemoryBytes: 1 << 30, MinOsVersion: "5.4"},
	}
	f.Add(wire(f, release), wire(f, &deploymentv1.HostFacts{Os: "linux", Arch: "amd64", OsVersion: "6.1.0-13", MemoryBytes: 1 << 20}))
	f.Add(wire(f, release), wire(f, &deploymentv1.HostFacts{}))
	f.Fuzz(func(t *testing.T, release, facts []byte) {
		r, h := &deploymentv1.Release{}, &deploymentv1.HostFacts{}
		if proto.Unmarshal(release, r) != nil || proto.Unmarshal(facts, h) != nil {
			return
		}
		found := Incompatible(r, []*deploymentv1.Target{{Name: "t", Facts: h}})
		require.LessOrEqual(t, len(found), 1)
		if h.GetOs() == "" {
			require.Empty(t, found)
		}
		for _, misfit := range found {
			require.NotEmpty(t, misfit.Reasons)
		}
		if Artifact(r, h) == nil && h.GetOs() != "" {
			require.NotEmpty(t, found, "there is nothing to install")
		}
	})
}

func FuzzOlderVersion(f *testing.F) {
	f.Add("6.1.0-13-amd64", "10.0")
	f.Add("", "..")
	f.Fuzz(func(t *testing.T, a, b string) {
		require.False(t, olderVersion(a, a))
		require.False(t, olderVersion(a, b) && olderVersion(b, a))
	})
}
