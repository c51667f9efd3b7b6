// Package program keeps the agent's own program in two slots, so that a new one can
// be tried while the old one stays as it was.
//
//	<data folder>/program/
//	    state.json   which slot is run, which is on trial, which failed and why
//	    a/, b/       golive-agent and golive-shim
//
//	             Stage                    Begin              Confirm
//	(nothing) ───────────▶ trial, 0 starts ─────▶ 1, 2 starts ─────────▶ current
//	                          │ Fail                │ Fail
//	                          ▼                     ▼
//	                        failed: the program before goes on, and this generation is not tried again
//
// The slot that is not run is the one that is written, and the state is replaced by
// rename: whenever the host loses its power there is a program to run. What is
// installed on the host, outside of the slots, is the first; when somebody installs
// another one by hand, that wins over the slots.
package program

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/golive-dev/golive/services/agent/internal/journal"
	"github.com/golive-dev/golive/services/agent/internal/layout"
)

// Slot is one of the two; empty is the program that is installed.
type Slot string

// The slots.
const (
	Installed Slot = ""
	A         Slot = "a"
	B         Slot = "b"
)

// Other is the slot that may be written while this one is run.
func (s Slot) Other() Slot {
	if s == A {
		return B
	}
	return A
}

// maxStarts is how often a trial begins: the host may have been switched off in the first.
const maxStarts = 2

// State is what is known of the slots.
type State struct {
	// Current is the slot that is run.
	Current Slot `json:"current"`
	// Installed names the installed program at the time that Current was confirmed.
	Installed string   `json:"installed,omitempty"`
	Trial     *Trial   `json:"trial,omitempty"`
	Failed    *Failure `json:"failed,omitempty"`
}

// Trial is a program that has to show that it works.
type Trial struct {
	Slot       Slot   `json:"slot"`
	Version    string `json:"version"`
	Generation int64  `json:"generation"`
	Starts     int    `json:"starts"`
}

// Failure is a program that did not.
type Failure struct {
	Version    string `json:"version"`
	Generation int64  `json:"generation"`
	Why        string `json:"why"`
}

// Store is the slots of one agent.
type Store struct{ dir string }

// Open returns the slots in the data folder of an agent.
func Open(dataDir string) *Store { return &Store{dir: filepath.Join(dataDir, "program")} }

// Load reads the state; the zero State where there is none.
func (s *Store) Load() (State, error) {
	var state State
	data, err := os.ReadFile(s.file())
	if errors.Is(err, fs.ErrNotExist) {
		return state, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &state)
	}
	if err != nil {
		return State{}, fmt.Errorf("read state of the agent's program: %w", err)
	}
	return state, nil
}

func (s *Store) file() string { return filepath.Join(s.dir, "state.json") }

func (s *Store) save(state State) error {
	data, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	fresh := s.file() + ".new"
	if err := write(fresh, data, 0o600); err != nil {
		return fmt.Errorf("write state of the agent's program: %w", err)
	}
	return errors.Join(os.Rename(fresh, s.file()), journal.SyncDir(s.dir))
}

func (s *Store) change(change func(*State)) error {
	state, err := s.Load()
	if err != nil {
		return err
	}
	change(&state)
	return s.save(state)
}

// Path returns the agent's program in a slot.
func (s *Store) Path(slot Slot) string {
	return filepath.Join(s.dir, string(slot), executable("golive-agent"))
}

func executable(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}

// Fill copies the programs of an unpacked archive into a slot that is not run.
func (s *Store) Fill(slot Slot, unpacked string) error {
	folder := filepath.Join(s.dir, string(slot))
	if err := layout.RemoveTree(folder); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for _, name := range []string{executable("golive-agent"), executable("golive-shim")} {
		if err := copyFile(filepath.Join(folder, name), filepath.Join(unpacked, name)); err != nil {
			return fmt.Errorf("put %s in place: %w", name, err)
		}
	}
	return errors.Join(journal.SyncDir(folder), journal.SyncDir(s.dir))
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o700) //nolint:gosec // it is a program
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

func write(path string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// Stage puts a filled slot on trial.
func (s *Store) Stage(trial Trial) error {
	return s.change(func(state *State) { state.Trial = &trial })
}

// Begin counts a start of the trial. It fails one that was begun too often, and then returns nil.
func (s *Store) Begin() (*Trial, error) {
	state, err := s.Load()
	if err != nil || state.Trial == nil {
		return nil, err
	}
	if state.Trial.Starts >= maxStarts {
		return nil, s.Fail("it was begun " + strconv.Itoa(state.Trial.Starts) + " times, and each time the agent ended before it was welcomed")
	}
	state.Trial.Starts++
	return state.Trial, s.save(state)
}

// Confirm makes the slot on trial the current one.
func (s *Store) Confirm(installed string) error {
	return s.change(func(state *State) {
		if state.Trial != nil {
			*state = State{Current: state.Trial.Slot, Installed: installed}
		}
	})
}

// Fail ends the trial; the current slot stays.
func (s *Store) Fail(why string) error {
	return s.change(func(state *State) {
		if t := state.Trial; t != nil {
			state.Failed, state.Trial = &Failure{Version: t.Version, Generation: t.Generation, Why: why}, nil
		}
	})
}

// Refuse notes a program that was not even tried.
func (s *Store) Refuse(f Failure) error {
	return s.change(func(state *State) { state.Failed = &f })
}

// Forget goes back to what is installed.
func (s *Store) Forget() error {
	return s.change(func(state *State) { state.Current, state.Installed = Installed, "" })
}

// Stamp names the program in a file: another one has another stamp.
func Stamp(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	return path + " " + strconv.FormatInt(info.Size(), 10) + " " + strconv.FormatInt(info.ModTime().UnixNano(), 10), nil
}
