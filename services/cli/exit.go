package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
)

// The exit codes. They are an interface: scripts and pipelines compare them.
const (
	exitDone        = 0   // Done, or go.
	exitError       = 1   // Something went wrong.
	exitUsage       = 2   // The command or its input makes no sense.
	exitNotFound    = 3   // The named thing does not exist.
	exitConflict    = 4   // It exists already, somebody was first, or its state forbids it.
	exitDenied      = 5   // Not signed in, or not allowed.
	exitUnwell      = 6   // Finished, but failed, rolled back or rejected.
	exitNotYet      = 7   // Waits, or no-go.
	exitTimeout     = 8   // Waiting took too long.
	exitInterrupted = 130 // Ctrl-C.
)

// outcome ends a command with an exit code that is an answer and not an error.
type outcome int

func (o outcome) Error() string { return fmt.Sprintf("exit code %d", int(o)) }

// complaint is an error that says what, why and what to do.
type complaint struct {
	code           int
	what, why, fix string
}

func (c *complaint) Error() string { return c.what }

// usage is a complaint about how a command was called.
func usage(what, fix string) error { return &complaint{code: exitUsage, what: what, fix: fix} }

// explain turns any error into a complaint.
func explain(err error) *complaint {
	if c, ok := errors.AsType[*complaint](err); ok {
		return c
	}
	words, f := fault.Tell(err), fault.From(err)
	c := &complaint{code: exitCode(f.Kind()), what: words.What, why: words.Why, fix: words.Do}
	if c.fix == "" || f.Reason() == "TOKEN_MISSING" { // a header is nothing that one types here
		c.fix = advice(f)
	}
	return c
}

func exitCode(kind fault.Kind) int {
	switch kind {
	case fault.KindInvalid, fault.KindUnsupported:
		return exitUsage
	case fault.KindNotFound:
		return exitNotFound
	case fault.KindAlreadyExists, fault.KindConflict, fault.KindPrecondition:
		return exitConflict
	case fault.KindUnauthenticated, fault.KindDenied:
		return exitDenied
	case fault.KindDeadline:
		return exitTimeout
	case fault.KindCancelled:
		return exitInterrupted
	default:
		return exitError
	}
}

// advice is what helps where the server did not say it.
func advice(f *fault.Error) string {
	switch f.Kind() {
	case fault.KindUnauthenticated:
		return "sign in with golive login, or set GOLIVE_TOKEN"
	case fault.KindDenied:
		return "ask an administrator for a role that may; golive token whoami shows yours"
	case fault.KindNotFound:
		return "golive list shows what there is"
	case fault.KindUnavailable:
		return "see whether the server runs (golive up) and whether golive context show names its address"
	case fault.KindInvalid:
		return "correct the input and try again"
	case fault.KindPrecondition, fault.KindConflict:
		return "golive describe shows how it stands now"
	case fault.KindExhausted:
		return "wait a moment and try again"
	default:
		return ""
	}
}

// report writes an error to stderr, a line each for what, why and what to do,
// and returns the exit code of the program.
func report(ctx context.Context, w io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	if o, ok := errors.AsType[outcome](err); ok {
		return int(o)
	}
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || fault.Is(err, fault.KindCancelled) || fault.Is(err, fault.KindUnavailable)) {
		_, _ = fmt.Fprintln(w, "interrupted")
		return exitInterrupted
	}
	c := explain(err)
	_, _ = fmt.Fprintln(w, "error: "+oneLine(c.what))
	if c.why != "" {
		_, _ = fmt.Fprintln(w, "  why: "+oneLine(c.why))
	}
	if c.fix != "" {
		_, _ = fmt.Fprintln(w, "  do:  "+oneLine(c.fix))
	}
	return c.code
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
