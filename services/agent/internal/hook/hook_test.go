//go:build linux

package hook_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/agent/internal/hook"
	"github.com/golive-dev/golive/services/agent/internal/proc"
)

func run(ctx context.Context, timeout time.Duration, script string) ([]string, error) {
	var lines []string
	err := hook.Run(ctx, hook.Command{
		Argv: []string{"/bin/sh", "-c", script}, Dir: "/", Env: []string{"PATH=/bin:/usr/bin"}, Marker: "hook-test", Timeout: timeout,
	}, func(l string) { lines = append(lines, l) })
	return lines, err
}

func TestACommandSaysHowItEnded(t *testing.T) {
	t.Parallel()
	lines, err := run(t.Context(), time.Minute, "echo one; echo two >&2; printf three")
	require.NoError(t, err)
	require.Equal(t, []string{"one", "two", "three"}, lines)

	_, err = run(t.Context(), time.Minute, "exit 7")
	var exit *hook.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 7, exit.Exit.Code)

	err = hook.Run(t.Context(), hook.Command{Argv: []string{"/not/there"}, Dir: "/", Timeout: time.Second}, nil)
	require.ErrorIs(t, err, hook.ErrStart)
}

func TestTheWholeGroupDiesAtTheDeadline(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	lines, err := run(t.Context(), 200*time.Millisecond, `trap "" TERM; sh -c 'trap "" TERM; sleep 600' & echo $!; wait; sleep 600`)
	require.ErrorIs(t, err, hook.ErrTimeout)
	require.Less(t, time.Since(begin), 3*time.Second)
	child, err := strconv.Atoi(lines[0])
	require.NoError(t, err)
	require.Eventually(t, func() bool { _, err := proc.Identify(child); return err != nil }, 5*time.Second, time.Millisecond)
}

func TestACommandMayBeCalledOff(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	off := errors.New("called off")
	time.AfterFunc(50*time.Millisecond, func() { cancel(off) })
	_, err := run(ctx, time.Minute, "sleep 600")
	require.ErrorIs(t, err, off)
}

func TestWhatACommandLeavesBehindIsKilled(t *testing.T) {
	t.Parallel()
	lines, err := run(t.Context(), time.Minute, "sleep 600 & echo $!")
	require.NoError(t, err)
	child, err := strconv.Atoi(lines[0])
	require.NoError(t, err)
	require.Eventually(t, func() bool { _, err := proc.Identify(child); return err != nil }, 5*time.Second, time.Millisecond)
}

func TestALineIsCut(t *testing.T) {
	t.Parallel()
	lines, err := run(t.Context(), time.Minute, "head -c 10000 /dev/zero | tr '\\0' x")
	require.NoError(t, err)
	require.Equal(t, strings.Repeat("x", 10000), strings.Join(lines, ""))
	require.LessOrEqual(t, len(lines[0]), 4096)
}

func TestSweepFindsWhatAnAgentLeft(t *testing.T) {
	t.Parallel()
	marker := "sweep-" + strconv.Itoa(os.Getpid())
	left, err := proc.Start([]string{"/bin/sleep", "600"}, proc.Attr{Dir: "/", Env: []string{proc.Marker + "=" + marker}})
	require.NoError(t, err)
	hook.Sweep(marker)
	exit, err := left.Wait()
	require.NoError(t, err)
	require.Equal(t, 9, exit.Signal)
}
