package rollout

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Incompatibility is one target that cannot take a release, with every reason.
type Incompatibility struct {
	Target  string
	Reasons []string
}

// Incompatible returns the targets that cannot take the release. A target whose host
// has not reported its facts yet is not judged: its agent refuses what does not fit.
func Incompatible(release *deploymentv1.Release, targets []*deploymentv1.Target) []Incompatibility {
	var out []Incompatibility
	for _, t := range targets {
		if t.GetFacts().GetOs() == "" {
			continue
		}
		if reasons := misfits(release, t.GetFacts()); len(reasons) > 0 {
			out = append(out, Incompatibility{Target: t.GetName(), Reasons: reasons})
		}
	}
	return out
}

// Artifact returns the archive of a release for a host, or nil if there is none.
func Artifact(release *deploymentv1.Release, facts *deploymentv1.HostFacts) *deploymentv1.Artifact {
	for _, a := range release.GetArtifacts() {
		if a.GetOs() == facts.GetOs() && a.GetArch() == facts.GetArch() {
			return a
		}
	}
	return nil
}

func misfits(release *deploymentv1.Release, facts *deploymentv1.HostFacts) []string {
	var reasons []string
	artifact := Artifact(release, facts)
	if artifact == nil && len(release.GetArtifacts()) > 0 { // a service that is there already needs none
		reasons = append(reasons, fmt.Sprintf("platform %s/%s: the release has artifacts for %s", facts.GetOs(), facts.GetArch(), platforms(release)))
	}
	need := release.GetRequirements()
	if facts.GetMemoryBytes() < need.GetMemoryBytes() {
		reasons = append(reasons, fmt.Sprintf("memory: has %s, needs %s", size(facts.GetMemoryBytes()), size(need.GetMemoryBytes())))
	}
	// The archive and what it unpacks to are on disk together; four times is a common ratio for programs.
	disk := max(need.GetDiskBytes(), 4*artifact.GetSizeBytes())
	if facts.GetDiskFreeBytes() < disk {
		reasons = append(reasons, fmt.Sprintf("free disk: has %s, needs %s", size(facts.GetDiskFreeBytes()), size(disk)))
	}
	if want := need.GetMinOsVersion(); want != "" && olderVersion(facts.GetOsVersion(), want) {
		reasons = append(reasons, fmt.Sprintf("operating system: has version %s, needs %s", facts.GetOsVersion(), want))
	}
	return append(reasons, lacks(need, features(release), facts)...)
}

// features are what the agent must be able to do: what the release asks for, and what an agent of an earlier
// time would pass over in silence.
func features(release *deploymentv1.Release) []string {
	all := slices.Clone(release.GetRequirements().GetFeatures())
	for feature, implied := range map[string]bool{
		"migrations": len(release.GetMigrations()) > 0,
		"blue-green": release.GetRun().GetBlueGreen() != nil,
		"signatures": release.GetManifest() != nil,
	} {
		if implied && !slices.Contains(all, feature) {
			all = append(all, feature)
		}
	}
	slices.Sort(all)
	return all
}

// lacks says which runtimes, features and free ports a host does not have.
func lacks(need *deploymentv1.Requirements, features []string, facts *deploymentv1.HostFacts) []string {
	var reasons []string
	for _, name := range slices.Sorted(maps.Keys(need.GetRuntimes())) {
		have, found := facts.GetRuntimes()[name]
		switch want := need.GetRuntimes()[name]; {
		case !found:
			reasons = append(reasons, fmt.Sprintf("runtime: has no %s, needs %s", name, strings.TrimSpace(name+" "+want)))
		case want != "" && olderVersion(have, want):
			reasons = append(reasons, fmt.Sprintf("runtime: has %s %s, needs %s", name, have, want))
		}
	}
	for _, feature := range features {
		if !slices.Contains(facts.GetFeatures(), feature) {
			reasons = append(reasons, "feature: its agent cannot do "+feature)
		}
	}
	for _, port := range need.GetPorts() {
		// What the agent started is not among them, so the application's own ports are free for it.
		if slices.Contains(facts.GetPortsInUse(), port) {
			reasons = append(reasons, fmt.Sprintf("port: %d is in use by something else", port))
		}
	}
	return reasons
}

func platforms(release *deploymentv1.Release) string {
	var names []string
	for _, a := range release.GetArtifacts() {
		names = append(names, a.GetOs()+"/"+a.GetArch())
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

// olderVersion compares dotted numbers; what is left out counts as zero, and text after the
// numbers, as in 6.1.0-13-amd64, is ignored.
func olderVersion(have, want string) bool {
	h, w := numbers(have), numbers(want)
	for i, n := range w {
		var has uint64
		if i < len(h) {
			has = h[i]
		}
		if has != n {
			return has < n
		}
	}
	return false
}

func numbers(version string) []uint64 {
	var out []uint64
	for part := range strings.SplitSeq(version, ".") {
		digits := part
		if end := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
			digits = part[:end]
		}
		n, err := strconv.ParseUint(digits, 10, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) { // out of range is the largest there is
			return out
		}
		if out = append(out, n); digits != part {
			return out
		}
	}
	return out
}

func size(bytes int64) string {
	const unit = 1024
	if bytes < unit {
		return fmt.Sprintf("%d B", bytes)
	}
	value, exponent := float64(bytes)/unit, 0
	for value >= unit && exponent < 4 {
		value /= unit
		exponent++
	}
	return fmt.Sprintf("%.1f %ciB", value, "KMGTP"[exponent])
}
