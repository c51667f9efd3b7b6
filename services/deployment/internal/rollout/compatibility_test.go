package rollout

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

func TestAHostIsJudgedByAllThatAReleaseRequires(t *testing.T) {
	t.Parallel()
	host := func(change func(*deploymentv1.HostFacts)) *deploymentv1.HostFacts {
		f := &deploymentv1.HostFacts{
			Os: "linux", Arch: "amd64", OsVersion: "6.1.0-13-amd64", MemoryBytes: 4 << 30, DiskFreeBytes: 10 << 30,
			Runtimes: map[string]string{"java": "17.0.15", "python": "3.11.2"}, Features: []string{"cgroup"}, PortsInUse: []int32{22, 5432},
		}
		change(f)
		return f
	}
	release := &deploymentv1.Release{
		Artifacts: []*deploymentv1.Artifact{{Os: "linux", Arch: "amd64", SizeBytes: 1 << 20}},
		Requirements: &deploymentv1.Requirements{
			MemoryBytes: 2 << 30, DiskBytes: 1 << 30, MinOsVersion: "6.1", Runtimes: map[string]string{"java": "17", "python": ""}, Features: []string{"cgroup"}, Ports: []int32{8080},
		},
	}
	for name, c := range map[string]struct {
		change func(*deploymentv1.HostFacts)
		want   []string
	}{
		"it fits":                 {func(*deploymentv1.HostFacts) {}, nil},
		"another architecture":    {func(f *deploymentv1.HostFacts) { f.Arch = "arm64" }, []string{"platform linux/arm64: the release has artifacts for linux/amd64"}},
		"an old system":           {func(f *deploymentv1.HostFacts) { f.OsVersion = "5.15.0" }, []string{"operating system: has version 5.15.0, needs 6.1"}},
		"little memory and disk":  {func(f *deploymentv1.HostFacts) { f.MemoryBytes, f.DiskFreeBytes = 1<<30, 1<<20 }, []string{"memory: has 1.0 GiB, needs 2.0 GiB", "free disk: has 1.0 MiB, needs 1.0 GiB"}},
		"an old runtime":          {func(f *deploymentv1.HostFacts) { f.Runtimes["java"] = "11.0.22" }, []string{"runtime: has java 11.0.22, needs 17"}},
		"a newer runtime":         {func(f *deploymentv1.HostFacts) { f.Runtimes["java"] = "21" }, nil},
		"no runtime":              {func(f *deploymentv1.HostFacts) { f.Runtimes = nil }, []string{"runtime: has no java, needs java 17", "runtime: has no python, needs python"}},
		"an agent that cannot":    {func(f *deploymentv1.HostFacts) { f.Features = nil }, []string{"feature: its agent cannot do cgroup"}},
		"a port that is taken":    {func(f *deploymentv1.HostFacts) { f.PortsInUse = append(f.PortsInUse, 8080) }, []string{"port: 8080 is in use by something else"}},
		"a host yet to be heard":  {func(f *deploymentv1.HostFacts) { proto.Reset(f) }, nil},
		"many things at one time": {func(f *deploymentv1.HostFacts) { f.Features, f.PortsInUse = nil, []int32{8080} }, []string{"feature: its agent cannot do cgroup", "port: 8080 is in use by something else"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			misfits := Incompatible(release, []*deploymentv1.Target{{Name: "t", Facts: host(c.change)}})
			if c.want == nil {
				require.Empty(t, misfits)
				return
			}
			require.Len(t, misfits, 1)
			require.Equal(t, c.want, misfits[0].Reasons)
		})
	}
}

func TestAnAgentThatWouldPassOverAPartOfAReleaseCannotTakeIt(t *testing.T) {
	t.Parallel()
	host := &deploymentv1.HostFacts{Os: "linux", Arch: "amd64", MemoryBytes: 1 << 30, DiskFreeBytes: 1 << 30, Features: []string{"signatures"}}
	release := &deploymentv1.Release{
		Artifacts:  []*deploymentv1.Artifact{{Os: "linux", Arch: "amd64"}},
		Run:        &deploymentv1.RunSpec{BlueGreen: &deploymentv1.BlueGreen{}},
		Migrations: []*deploymentv1.Migration{{Id: "add-index"}}, Manifest: &deploymentv1.SignedDocument{},
	}
	misfits := Incompatible(release, []*deploymentv1.Target{{Name: "t", Facts: host}})
	require.Len(t, misfits, 1)
	require.Equal(t, []string{"feature: its agent cannot do blue-green", "feature: its agent cannot do migrations"}, misfits[0].Reasons)
	host.Features = append(host.Features, "blue-green", "migrations")
	require.Empty(t, Incompatible(release, []*deploymentv1.Target{{Name: "t", Facts: host}}))
}
