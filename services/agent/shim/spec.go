package shim

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/golive-dev/golive/services/agent/internal/cgroup"
)

// The files of a run folder.
const (
	specFile  = "spec"
	stateFile = "state"
	lockFile  = "lock"
)

// Spec says what a shim runs. It may hold secrets in Env: its file is 0600.
type Spec struct {
	Argv []string // the program with its absolute path, and its arguments
	Dir  string
	Env  []string
	// StopSignal asks the application to stop; after Grace its whole group is killed.
	StopSignal int
	Grace      time.Duration
	// Stdout and Stderr are files that take the output, each of LogLimit bytes; of each the newest LogFiles are kept, two at least.
	Stdout, Stderr string
	LogLimit       int64
	LogFiles       int
	// BackoffMin and BackoffMax bound the pause before the application is started again.
	// It doubles with every exit and begins anew after the application ran for Steady.
	BackoffMin, BackoffMax, Steady time.Duration
	// Group is the control group that it runs in, with Limits; the zero Group is none.
	Group  cgroup.Group
	Limits cgroup.Limits
	// OpenFiles and Data (bytes) limit each of its processes by itself; 0 does not.
	OpenFiles, Data int64
	// Notify is the datagram socket that is told that State changed; a hint, which may be lost.
	Notify string
}

// Write puts the specification into a run folder, which it makes.
func (s *Spec) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return replace(filepath.Join(dir, specFile), s.encode())
}

// ReadSpec reads the specification of a run folder.
func ReadSpec(dir string) (Spec, error) {
	text, err := os.ReadFile(filepath.Join(dir, specFile))
	if err != nil {
		return Spec{}, err
	}
	var s Spec
	err = eachLine(text, func(key, value string) { setSpec(&s, key, value) })
	if err == nil && len(s.Argv) == 0 {
		err = fmt.Errorf("%s names no program", filepath.Join(dir, specFile))
	}
	return s, err
}

func (s *Spec) encode() []byte {
	var b []byte
	for _, arg := range s.Argv {
		b = line(b, "arg", arg)
	}
	for _, env := range s.Env {
		b = line(b, "env", env)
	}
	b = line(b, "dir", s.Dir)
	b = number(b, "stop_signal", int64(s.StopSignal))
	b = number(b, "grace", int64(s.Grace))
	b = line(b, "stdout", s.Stdout)
	b = line(b, "stderr", s.Stderr)
	b = number(b, "log_limit", s.LogLimit)
	b = number(b, "log_files", int64(s.LogFiles))
	b = number(b, "backoff_min", int64(s.BackoffMin))
	b = number(b, "backoff_max", int64(s.BackoffMax))
	b = number(b, "steady", int64(s.Steady))
	for _, l := range s.limits() {
		b = number(b, l.key, *l.value)
	}
	for _, f := range s.folders() {
		b = line(b, f.key, *f.value)
	}
	return line(b, "notify", s.Notify)
}

func setSpec(s *Spec, key, value string) {
	n, _ := strconv.ParseInt(value, 10, 64) // only numbers are used as such
	switch key {
	case "arg":
		s.Argv = append(s.Argv, value)
	case "env":
		s.Env = append(s.Env, value)
	case "dir":
		s.Dir = value
	case "stop_signal":
		s.StopSignal = int(n)
	case "grace":
		s.Grace = time.Duration(n)
	case "stdout":
		s.Stdout = value
	case "stderr":
		s.Stderr = value
	case "log_limit":
		s.LogLimit = n
	case "log_files":
		s.LogFiles = int(n)
	case "backoff_min":
		s.BackoffMin = time.Duration(n)
	case "backoff_max":
		s.BackoffMax = time.Duration(n)
	case "steady":
		s.Steady = time.Duration(n)
	case "notify":
		s.Notify = value
	default:
		for _, l := range s.limits() {
			if l.key == key {
				*l.value = n
			}
		}
		for _, f := range s.folders() {
			if f.key == key {
				*f.value = value
			}
		}
	}
}

// field is a key of the file and where its value is kept.
type field[V any] struct {
	key   string
	value *V
}

func (s *Spec) limits() []field[int64] {
	return []field[int64]{
		{"limit_memory", &s.Limits.Memory},
		{"limit_cpu", &s.Limits.CPU},
		{"limit_tasks", &s.Limits.Tasks},
		{"open_files", &s.OpenFiles},
		{"data", &s.Data},
	}
}

func (s *Spec) folders() []field[string] {
	return []field[string]{
		{"group", &s.Group.Unified},
		{"group_memory", &s.Group.Memory},
		{"group_cpu", &s.Group.CPU},
		{"group_tasks", &s.Group.Tasks},
	}
}

// line appends `key "value"`; the quoting keeps line breaks out.
func line(b []byte, key, value string) []byte {
	b = append(append(b, key...), ' ')
	return append(strconv.AppendQuote(b, value), '\n')
}

func number(b []byte, key string, value int64) []byte {
	return line(b, key, strconv.FormatInt(value, 10))
}

// eachLine calls back for each line; keys of a later version are the callee's to ignore.
func eachLine(text []byte, set func(key, value string)) error {
	for text := range bytes.Lines(text) {
		key, quoted, _ := strings.Cut(strings.TrimSuffix(string(text), "\n"), " ")
		value, err := strconv.Unquote(quoted)
		if err != nil {
			return fmt.Errorf("read line %q: %w", key, err)
		}
		set(key, value)
	}
	return nil
}

// replace writes a file so that a reader sees the old or the new content, never a part.
// It is not synced: what it says of processes ends with the power.
func replace(path string, content []byte) error {
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
