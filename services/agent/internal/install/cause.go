package install

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/services/agent/internal/archive"
	"github.com/golive-dev/golive/services/agent/internal/fetch"
	"github.com/golive-dev/golive/services/agent/internal/hook"
	"github.com/golive-dev/golive/services/agent/internal/render"
	"github.com/golive-dev/golive/services/agent/internal/supervise"
)

// errStepTimeout ends a step at its deadline.
var errStepTimeout = errors.New("the step did not end in time")

// failure is why an installation failed, with its stable reason.
type failure struct {
	cause string
	err   error
	exit  int
}

// Error implements error.
func (f *failure) Error() string { return f.err.Error() }

// Unwrap returns the error behind it.
func (f *failure) Unwrap() error { return f.err }

// maxMessage bounds what a report says.
const maxMessage = 2000

func (f *failure) message(w *Worker) string {
	text := w.notes.mask(f.err.Error())
	if len(text) > maxMessage {
		text = text[:maxMessage] + "…"
	}
	return text
}

// failureOf gives an error its reason.
func failureOf(err error) *failure {
	if known, ok := errors.AsType[*failure](err); ok {
		return known
	}
	if exit, ok := errors.AsType[*hook.ExitError](err); ok {
		return &failure{cause: "HOOK_FAILED", err: err, exit: exit.Exit.Code}
	}
	for _, reason := range []struct {
		is    error
		cause string
	}{
		{errNoSpace, "DISK_FULL"},
		{fetch.ErrDigest, "DIGEST_MISMATCH"},
		{fetch.ErrSize, "SIZE_MISMATCH"},
		{fetch.ErrFinal, "FETCH_FAILED"},
		{fetch.ErrStuck, "FETCH_FAILED"},
		{archive.ErrUnsafe, "ARCHIVE_UNSAFE"},
		{archive.ErrInvalid, "ARCHIVE_INVALID"},
		{render.ErrSecret, "SECRET_MISSING"},
		{render.ErrConfig, "CONFIG_INVALID"},
		{hook.ErrTimeout, "HOOK_TIMEOUT"},
		{hook.ErrStart, "HOOK_FAILED"},
		{supervise.ErrStop, "STOP_FAILED"},
		{errors.ErrUnsupported, "UNSUPPORTED"},
		{errStepTimeout, "STEP_TIMEOUT"},
		{context.DeadlineExceeded, "STEP_TIMEOUT"},
	} {
		if errors.Is(err, reason.is) {
			return &failure{cause: reason.cause, err: err}
		}
	}
	return &failure{cause: "INSTALL_FAILED", err: err}
}

var errNoSpace error = syscall.ENOSPC

func interrupted(what string) *failure {
	return &failure{cause: "INTERRUPTED", err: fmt.Errorf("the agent was stopped while hook %s ran; it is not run twice, and how it ended is not known", what)}
}

func orElse(d *durationpb.Duration, otherwise time.Duration) time.Duration {
	if d == nil {
		return otherwise
	}
	return d.AsDuration()
}

func marshal(m proto.Message) ([]byte, error) { return proto.Marshal(m) }

func unmarshal(raw []byte, m proto.Message) error { return proto.Unmarshal(raw, m) }
