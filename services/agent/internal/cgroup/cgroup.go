// Package cgroup puts an application with all its processes into a control
// group of its own: so that its limits hold for all of them together, and so
// that none escapes being ended, whatever group or session it made for itself.
//
// Where what holds:
//
//	ending all of an application   any version 2 hierarchy that the agent may write to
//	memory, processor, tasks       the hierarchy, version 2 or 1, that has the controller
//	nothing of it                  else; the process group and resource limits do what they can
//
// The agent may write where it is root, or where systemd delegates its unit's
// group to it. Controllers are handed on only if no process is in the group that
// hands them on: systemd 254 or later sees to it with DelegateSubgroup=agent.
//
// The package imports the standard library alone and little of it: every shim is made of it.
package cgroup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Limits bound a group; zero values do not.
type Limits struct {
	Memory int64 // bytes
	CPU    int64 // thousandths of a processor
	Tasks  int64 // processes and threads
}

// Group is the folders of one group; those that are empty are not had.
type Group struct {
	Unified            string // version 2
	Memory, CPU, Tasks string // with the controller; Unified, or a folder of version 1
}

// period is over which processor time is counted, in microseconds.
const period = 100_000

// Make makes the group's folders and sets its limits. Those without a folder do not hold.
func (g Group) Make(l Limits) error {
	for _, dir := range g.folders() {
		if err := os.Mkdir(dir, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	for _, set := range []struct {
		limit         int64
		dir           string
		two, one      string
		value, quota1 string
	}{
		{l.Memory, g.Memory, "memory.max", "memory.limit_in_bytes", strconv.FormatInt(l.Memory, 10), ""},
		{l.CPU, g.CPU, "cpu.max", "cpu.cfs_quota_us", quota(l.CPU) + " " + strconv.Itoa(period), quota(l.CPU)},
		{l.Tasks, g.Tasks, "pids.max", "pids.max", strconv.FormatInt(l.Tasks, 10), ""},
	} {
		if set.limit == 0 || set.dir == "" {
			continue
		}
		name, value := set.two, set.value
		if set.dir != g.Unified {
			name = set.one
			if set.quota1 != "" {
				value = set.quota1
			}
		}
		if err := write(set.dir, name, value); err != nil {
			return err
		}
	}
	if l.Memory > 0 && g.Memory != "" && g.Memory == g.Unified {
		// All of it or none, and no way out to the swap; kernels without either do what they can.
		_ = write(g.Memory, "memory.oom.group", "1")
		_ = write(g.Memory, "memory.swap.max", "0")
	}
	return nil
}

func quota(millis int64) string { return strconv.FormatInt(max(1000, millis*period/1000), 10) }

// folders returns each folder once.
func (g Group) folders() []string {
	var all []string
	for _, dir := range []string{g.Unified, g.Memory, g.CPU, g.Tasks} {
		known := dir == ""
		for _, have := range all {
			known = known || have == dir
		}
		if !known {
			all = append(all, dir)
		}
	}
	return all
}

// Staged tells whether a process must join by itself, because version 1 cannot start one in a group.
func (g Group) Staged() bool {
	for _, dir := range g.folders() {
		if dir != g.Unified {
			return true
		}
	}
	return false
}

// Open opens the group so that a process can be started in it; nil where that cannot be.
func (g Group) Open() (*os.File, error) {
	if g.Unified == "" {
		return nil, nil //nolint:nilnil // a group without it is whole
	}
	return os.Open(g.Unified)
}

// Join puts the calling process into the folders of version 1.
func (g Group) Join() error {
	for _, dir := range g.folders() {
		if dir != g.Unified {
			if err := write(dir, "cgroup.procs", "0"); err != nil {
				return err
			}
		}
	}
	return nil
}

const (
	killTries = 200
	killPause = 5 * time.Millisecond
)

// Kill ends every process of the group and waits until they are gone, for a second at most.
//
// A version 2 group in which something was ended is removed, and [Group.Make] makes it anew: kernels since 6.14, and
// older ones that the change was carried back to, end at its birth whatever is started in a group whose cgroup.kill
// was ever written, because they hold the count of that file against the one of the starter's group.
func (g Group) Kill() {
	killed := false
	for range killTries {
		if g.empty() && (!killed || remove(g.Unified) == nil) {
			return
		}
		// Kernels before 5.14 know no such file: there each one is ended, until none is left.
		if g.Unified != "" && write(g.Unified, "cgroup.kill", "1") == nil {
			killed = true
		} else {
			g.killEach()
		}
		<-time.After(killPause)
	}
}

func (g Group) killEach() {
	for _, pid := range g.Procs() {
		if p, err := os.FindProcess(pid); err == nil {
			_ = p.Kill()
			_ = p.Release()
		}
	}
}

// empty tells whether no process is left, in groups that the application made in it neither.
func (g Group) empty() bool {
	if g.Unified == "" {
		return len(g.Procs()) == 0
	}
	events, _ := os.ReadFile(filepath.Join(g.Unified, "cgroup.events")) // none where there is no group
	return !strings.Contains(string(events), "populated 1")
}

// Procs returns the processes of the group.
func (g Group) Procs() []int {
	folders := g.folders()
	if len(folders) == 0 {
		return nil
	}
	text, _ := os.ReadFile(filepath.Join(folders[0], "cgroup.procs")) // none where there is no group
	var procs []int
	for line := range strings.FieldsSeq(string(text)) {
		if pid, err := strconv.Atoi(line); err == nil {
			procs = append(procs, pid)
		}
	}
	return procs
}

// Killed counts the processes that were killed because the group had no more memory.
func (g Group) Killed() int64 {
	if g.Memory == "" {
		return 0
	}
	name := "memory.events"
	if g.Memory != g.Unified {
		name = "memory.oom_control"
	}
	text, _ := os.ReadFile(filepath.Join(g.Memory, name)) // none where there is no group
	for line := range strings.Lines(string(text)) {
		if count, ok := strings.CutPrefix(line, "oom_kill "); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(count), 10, 64)
			return n
		}
	}
	return 0
}

// Remove removes the group, which must be empty. One that is not there is no error.
func (g Group) Remove() error {
	var failed error
	for _, dir := range g.folders() {
		failed = errors.Join(failed, remove(dir))
	}
	return failed
}

// remove removes a folder with those that an application made in it.
func remove(dir string) error {
	entries, _ := os.ReadDir(dir) // none where there is no group
	for _, e := range entries {
		if e.IsDir() {
			_ = remove(filepath.Join(dir, e.Name())) // or the one around it cannot be removed, which is told
		}
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func write(dir, name, value string) error {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}
