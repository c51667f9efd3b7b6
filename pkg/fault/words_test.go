package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/golive-dev/golive/pkg/fault"
)

func TestErrorsAreToldInWords(t *testing.T) {
	busy := fault.Precondition("TARGET_BUSY", "5 targets are held; wait for it, or cancel it")
	for i := range 5 {
		busy = busy.Subject("TARGET_BUSY", fmt.Sprintf("t%d", i), "held by d1")
	}
	for name, c := range map[string]struct {
		err  error
		want fault.Words
	}{
		"anything": {errors.New("no such folder"), fault.Words{What: "no such folder"}},
		"a fault": {
			fault.Unauthenticated("TOKEN_EXPIRED", "the token has ended; make a new one"),
			fault.Words{What: "the token has ended", Why: "TOKEN_EXPIRED", Do: "make a new one"},
		},
		"one that travelled, with context": {
			fmt.Errorf("enrol with host:1: %w", fault.Unauthenticated("TOKEN_EXPIRED", "the token has ended; make a new one").GRPCStatus().Err()),
			fault.Words{What: "the token has ended", Why: "TOKEN_EXPIRED", Do: "make a new one"},
		},
		"a field": {
			fault.Invalid("INVALID_FIELD", "no").Field("name", "is empty"),
			fault.Words{What: "no", Why: "name is empty (INVALID_FIELD)"},
		},
		"more than anybody reads": {
			busy, fault.Words{What: "5 targets are held", Why: "t0: held by d1; t1: held by d1; t2: held by d1; and 2 more (TARGET_BUSY)", Do: "wait for it, or cancel it"},
		},
		"a defect of the server": {
			fault.From(errors.New("secret")).Meta("request_id", "r-17").GRPCStatus().Err(),
			fault.Words{What: "internal error", Why: "INTERNAL, request id r-17", Do: "the server's log has the details under the request id"},
		},
		"a connection": {
			status.Error(codes.Unavailable, `connection error: desc = "dial tcp: connection refused"`),
			fault.Words{What: "the server does not answer", Why: "dial tcp: connection refused"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, fault.Tell(c.err))
		})
	}
	require.Equal(t, "what; why; do", fault.Words{What: "what", Why: "why", Do: "do"}.String())
	require.Equal(t, "what", fault.Words{What: "what"}.String())
}
