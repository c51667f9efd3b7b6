package shim

import (
	"fmt"
	"os"
	"slices"

	"github.com/golive-dev/golive/services/agent/internal/proc"
)

// stageCommand makes this program limit itself as a specification says, and then become the application.
const stageCommand = "stage"

// start starts the application in its group. What a program can only do to
// itself is done in between by this program, in the process that becomes the application.
func (s *shim) start() (*proc.Process, error) {
	if err := s.spec.Group.Make(s.spec.Limits); err != nil {
		return nil, fmt.Errorf("make its control group: %w", err)
	}
	s.killed = s.spec.Group.Killed()
	group, err := s.spec.Group.Open()
	if err != nil {
		return nil, fmt.Errorf("open its control group: %w", err)
	}
	if group != nil {
		defer func() { _ = group.Close() }()
	}
	argv := s.spec.Argv
	if s.spec.staged() {
		if _, err := os.Stat(argv[0]); err != nil {
			return nil, err
		}
		argv = append(slices.Clip(os.Args[:len(os.Args)-1]), stageCommand, s.dir)
		argv[0] = self
	}
	return proc.Start(argv, proc.Attr{
		Dir: s.spec.Dir, Env: append(slices.Clip(s.spec.Env), proc.Marker+"="+s.dir),
		Files: []*os.File{nil, s.out.app, s.err.app}, Group: group,
	})
}

// self is this program, even after its file was replaced or removed.
const self = "/proc/self/exe"

func (s *Spec) staged() bool { return s.Group.Staged() || s.OpenFiles > 0 || s.Data > 0 }
