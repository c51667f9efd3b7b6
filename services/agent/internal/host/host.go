// Package host tells what the machine is.
package host

import (
	"maps"
	"os"
	"runtime"
	"slices"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Facts returns what the host is now; dir lies where releases are kept. What
// the system does not tell stays empty.
func Facts(dir, agentVersion string) *deploymentv1.HostFacts {
	name, _ := os.Hostname() // without a name it is empty
	f := &deploymentv1.HostFacts{
		Os: runtime.GOOS, Arch: runtime.GOARCH, Hostname: name, Cpus: int32(min(runtime.NumCPU(), 1<<20)), AgentVersion: agentVersion, //nolint:gosec // bounded
	}
	fill(f, dir)
	return f
}

// diskStep is how much the free space must have moved to be news.
const diskStep = 256 << 20

// Changed tells whether facts are worth telling again.
func Changed(before, after *deploymentv1.HostFacts) bool {
	moved := after.GetDiskFreeBytes() - before.GetDiskFreeBytes()
	return before.GetHostname() != after.GetHostname() || before.GetMemoryBytes() != after.GetMemoryBytes() ||
		before.GetCpus() != after.GetCpus() || before.GetOsVersion() != after.GetOsVersion() ||
		!maps.Equal(before.GetRuntimes(), after.GetRuntimes()) || !slices.Equal(before.GetFeatures(), after.GetFeatures()) ||
		!slices.Equal(before.GetPortsInUse(), after.GetPortsInUse()) || moved > diskStep || moved < -diskStep
}
