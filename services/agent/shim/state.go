package shim

import (
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/golive-dev/golive/services/agent/internal/proc"
)

// Phase is what the shim is doing.
type Phase string

// The phases.
//
//	STARTING → RUNNING → BACKOFF → STARTING …
//	any → STOPPING → STOPPED
const (
	Starting Phase = "starting" // about to start the application; its number is not written down yet
	Running  Phase = "running"
	Backoff  Phase = "backoff" // it ended, or could not be started; it will be started again
	Stopping Phase = "stopping"
	Stopped  Phase = "stopped" // the shim has ended as it was told
)

// State is what a shim knows; it is written down at every change, before anybody is told.
type State struct {
	Phase Phase
	// Shim is the number of the shim; it means something only while the lock is held.
	Shim int
	// App is the application's process while it runs.
	App proc.ID
	// Started is when the application was started the last time, Exited when it ended.
	Started, Exited time.Time
	// Restarts counts how often it was started again since the shim was first started.
	Restarts int
	// Exit is how it ended the last time; it means something if Exited is set.
	Exit proc.Exit
	// OutOfMemory says that it ended because its group had no more memory.
	OutOfMemory bool
	// Err is why it could not be started.
	Err string
}

// ReadState reads the state in a run folder; the error is fs.ErrNotExist before there is one.
func ReadState(dir string) (State, error) {
	text, err := os.ReadFile(filepath.Join(dir, stateFile))
	if err != nil {
		return State{}, err
	}
	var s State
	err = eachLine(text, func(key, value string) { setState(&s, key, value) })
	return s, err
}

func (s State) write(dir string) error {
	b := line(nil, "phase", string(s.Phase))
	b = number(b, "shim", int64(s.Shim))
	b = number(b, "pid", int64(s.App.PID))
	b = line(b, "start", strconv.FormatUint(s.App.Start, 10))
	b = line(b, "boot", s.App.Boot)
	b = number(b, "started", micro(s.Started))
	b = number(b, "exited", micro(s.Exited))
	b = number(b, "restarts", int64(s.Restarts))
	b = number(b, "exit_code", int64(s.Exit.Code))
	b = number(b, "exit_signal", int64(s.Exit.Signal))
	if s.OutOfMemory {
		b = number(b, "out_of_memory", 1)
	}
	return replace(filepath.Join(dir, stateFile), line(b, "error", s.Err))
}

func setState(s *State, key, value string) {
	n, _ := strconv.ParseInt(value, 10, 64) // only numbers are used as such
	switch key {
	case "phase":
		s.Phase = Phase(value)
	case "shim":
		s.Shim = int(n)
	case "pid":
		s.App.PID = int(n)
	case "start":
		s.App.Start, _ = strconv.ParseUint(value, 10, 64)
	case "boot":
		s.App.Boot = value
	case "started":
		s.Started = moment(n)
	case "exited":
		s.Exited = moment(n)
	case "restarts":
		s.Restarts = int(n)
	case "exit_code":
		s.Exit.Code = int(n)
	case "exit_signal":
		s.Exit.Signal = int(n)
	case "out_of_memory":
		s.OutOfMemory = n != 0
	case "error":
		s.Err = value
	}
}

func micro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func moment(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n)
}
