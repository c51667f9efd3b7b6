package fault_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
)

type stateError string

func (s stateError) Error() string    { return "SQLSTATE " + string(s) }
func (s stateError) SQLState() string { return string(s) }

type codeError int

func (c codeError) Error() string { return fmt.Sprintf("sqlite %d", int(c)) }
func (c codeError) Code() int     { return int(c) }

func TestOutagesAreNoDefects(t *testing.T) {
	for _, c := range []struct {
		err    error
		kind   fault.Kind
		reason string
	}{
		{&net.OpError{Op: "dial", Err: errors.New("connection refused")}, fault.KindUnavailable, "UNAVAILABLE"},
		{io.ErrUnexpectedEOF, fault.KindUnavailable, "UNAVAILABLE"},
		{stateError("57P01"), fault.KindUnavailable, "UNAVAILABLE"},
		{stateError("57P03"), fault.KindUnavailable, "UNAVAILABLE"},
		{stateError("08006"), fault.KindUnavailable, "UNAVAILABLE"},
		{stateError("53300"), fault.KindUnavailable, "UNAVAILABLE"},
		{stateError("53100"), fault.KindExhausted, "STORAGE_FULL"},
		{codeError(13), fault.KindExhausted, "STORAGE_FULL"},
		{codeError(1), fault.KindInternal, "INTERNAL"},
		{stateError("42703"), fault.KindInternal, "INTERNAL"},
		{io.EOF, fault.KindInternal, "INTERNAL"},
	} {
		f := fault.From(fmt.Errorf("commit: %w", c.err))
		require.Equal(t, c.kind, fault.KindOf(f), c.err)
		require.Equal(t, c.reason, fault.ReasonOf(f), c.err)
		require.ErrorIs(t, f, c.err)
		require.NotContains(t, f.GRPCStatus().Message(), "SQLSTATE", "what the driver says stays here")
	}
}
