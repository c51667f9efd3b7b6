//go:build !unix

package program

import (
	"errors"
	"os"
	"os/exec"
)

// errEnded says that the program that took this one's place has ended.
var errEnded = errors.New("the program in the slot has ended")

func keepToSelf(int) {} // handles are not inherited unless that is asked for

// replace runs the program below this one, where a process cannot become another.
func replace(path string, args, env []string) error {
	child := exec.Command(path, args[1:]...) //nolint:noctx // it ends when it is told to, like this process
	child.Env, child.Stdin, child.Stdout, child.Stderr = env, os.Stdin, os.Stdout, os.Stderr
	if err := child.Run(); err != nil {
		return err
	}
	return errEnded
}
