package cgroup

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// subgroup is where a delegated agent lives itself, beside the groups that it makes.
const subgroup = "agent"

// Host is where an agent makes groups: a folder in each hierarchy that it may write to.
type Host struct{ parent Group }

// Detect finds out where groups can be made, and makes the folder called name there, in which
// all of the agent's groups will be. The zero Host makes none.
func Detect(name string) Host {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return Host{}
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return Host{}
	}
	return detect(parse(string(mounts), string(own)), name)
}

// hierarchies is where this process is: the folder of each controller of version 1, and of version 2 under "".
type hierarchies map[string]string

// parse reads /proc/self/mountinfo and /proc/self/cgroup.
func parse(mounts, own string) hierarchies {
	paths := map[string]string{}
	for line := range strings.Lines(own) {
		if part := strings.SplitN(strings.TrimSpace(line), ":", 3); len(part) == 3 {
			for name := range strings.SplitSeq(part[1], ",") {
				paths[name] = part[2]
			}
		}
	}
	found := hierarchies{}
	for line := range strings.Lines(mounts) {
		left, right, _ := strings.Cut(line, " - ")
		at, fs := strings.Fields(left), strings.Fields(right)
		if len(at) < 5 || len(fs) < 3 {
			continue
		}
		names := []string{""}
		switch fs[0] {
		case "cgroup2":
		case "cgroup":
			names = strings.Split(fs[2], ",")
		default:
			continue
		}
		for _, name := range names {
			if path, ok := paths[name]; ok {
				found[name] = filepath.Join(at[4], strings.TrimPrefix(path, strings.TrimSuffix(at[3], "/")))
			}
		}
	}
	return found
}

func detect(at hierarchies, name string) Host {
	var h Host
	if own := at[""]; own != "" {
		h.parent = unified(own, name)
	}
	for _, controller := range []struct {
		name string
		to   *string
	}{{"memory", &h.parent.Memory}, {"cpu", &h.parent.CPU}, {"pids", &h.parent.Tasks}} {
		if *controller.to == "" && at[controller.name] != "" {
			*controller.to = folder(filepath.Join(at[controller.name], name))
		}
	}
	return h
}

func unified(own, name string) (g Group) {
	base := own
	if filepath.Base(own) == subgroup {
		base = filepath.Dir(own)
	}
	parent := folder(filepath.Join(base, name))
	if parent == "" {
		return g
	}
	g.Unified = parent
	// With processes in it a group hands no controllers on, unless it is the root. And if it
	// did, systemd could not put the next agent there.
	if _, err := os.Stat(filepath.Join(base, "cgroup.type")); base == own && err == nil {
		return g
	}
	for _, controller := range []struct {
		name string
		to   *string
	}{{"memory", &g.Memory}, {"cpu", &g.CPU}, {"pids", &g.Tasks}} {
		for _, dir := range []string{base, parent} {
			_ = write(dir, "cgroup.subtree_control", "+"+controller.name) // what it came to is read back
		}
		on, _ := os.ReadFile(filepath.Join(parent, "cgroup.subtree_control"))
		if slices.Contains(strings.Fields(string(on)), controller.name) {
			*controller.to = parent
		}
	}
	return g
}

// folder makes a folder that groups can be made in; empty where it cannot be.
func folder(path string) string {
	_ = os.Mkdir(path, 0o750)
	probe := filepath.Join(path, "probe")
	if os.Mkdir(probe, 0o750) != nil {
		return ""
	}
	_ = os.Remove(probe)
	return path
}

// Limits tells whether memory, processor and tasks can be limited.
func (h Host) Limits() bool {
	return h.parent.Memory != "" && h.parent.CPU != "" && h.parent.Tasks != ""
}

// Kills tells whether all processes of an application can be ended together.
func (h Host) Kills() bool { return h.parent.Unified != "" }

// Group returns the group of a name for limits; it is not made yet.
func (h Host) Group(name string, l Limits) Group {
	in := func(parent string, wanted bool) string {
		if parent == "" || !wanted && parent != h.parent.Unified {
			return ""
		}
		return filepath.Join(parent, name)
	}
	return Group{
		Unified: in(h.parent.Unified, true), Memory: in(h.parent.Memory, l.Memory > 0),
		CPU: in(h.parent.CPU, l.CPU > 0), Tasks: in(h.parent.Tasks, l.Tasks > 0),
	}
}

// Sweep removes groups that nothing is in any more, such as those of an agent that died.
func (h Host) Sweep() {
	for _, parent := range h.parent.folders() {
		entries, _ := os.ReadDir(parent)
		for _, e := range entries {
			if e.IsDir() {
				_ = os.Remove(filepath.Join(parent, e.Name()))
			}
		}
	}
}

// Remove removes the folders of the host, which must hold no process any more.
func (h Host) Remove() error {
	h.Sweep()
	return h.parent.Remove()
}
