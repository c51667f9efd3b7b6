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

type sqlState string

func (s sqlState) Error() string    { return "SQLSTATE " + string(s) }
func (s sqlState) SQLState() string { return string(s) }

type resultCode int

func (c resultCode) Error() string { return fmt.Sprintf("sqlite %d", int(c)) }
func (c resultCode) Code() int     { return int(c) }

func TestOutagesAreNoDefects(t *testing.T) {
	for _, c := range []struct {
		err    error
		kind   fault.Kind
		reason string
	}{
		{&net.OpError{Op: "dial", Err: errors.New("connection refused")}, fault.KindUnavailable, "UNAVAILABLE"},
		{io.ErrUnexpectedEOF, fault.KindUnavailable, "UNAVAILABLE"},
		{sqlState("57P01"), fault.KindUnavailable, "UNAVAILABLE"},
		{sqlState("57P03"), fault.KindUnavailable, "UNAVAILABLE"},
		{sqlState("08006"), fault.KindUnavailable, "UNAVAILABLE"},
		{sqlState("53300"), fault.KindUnavailable, "UNAVAILABLE"},
		{sqlState("53100"), fault.KindExhausted, "STORAGE_FULL"},
		{resultCode(13), fault.KindExhausted, "STORAGE_FULL"},
		{resultCode(1), fault.KindInternal, "INTERNAL"},
		{sqlState("42703"), fault.KindInternal, "INTERNAL"},
		{io.EOF, fault.KindInternal, "INTERNAL"},
	} {
		f := fault.From(fmt.Errorf("commit: %w", c.err))
		require.Equal(t, c.kind, fault.KindOf(f), c.err)
		require.Equal(t, c.reason, fault.ReasonOf(f), c.err)
		require.ErrorIs(t, f, c.err)
		require.NotContains(t, f.GRPCStatus().Message(), "SQLSTATE", "what the driver says stays here")
	}
}
