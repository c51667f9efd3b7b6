package fault_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"pgregory.net/rapid"

	"github.com/golive-dev/golive/pkg/fault"
)

type constructor = func(reason, format string, args ...any) *fault.Error

var kinds = []struct {
	kind fault.Kind
	code codes.Code
	name string
	make constructor
}{
	{fault.KindInternal, codes.Internal, "INTERNAL", fault.Internal},
	{fault.KindInvalid, codes.InvalidArgument, "INVALID_ARGUMENT", fault.Invalid},
	{fault.KindNotFound, codes.NotFound, "NOT_FOUND", fault.NotFound},
	{fault.KindAlreadyExists, codes.AlreadyExists, "ALREADY_EXISTS", fault.AlreadyExists},
	{fault.KindConflict, codes.Aborted, "ABORTED", fault.Conflict},
	{fault.KindPrecondition, codes.FailedPrecondition, "FAILED_PRECONDITION", fault.Precondition},
	{fault.KindUnauthenticated, codes.Unauthenticated, "UNAUTHENTICATED", fault.Unauthenticated},
	{fault.KindDenied, codes.PermissionDenied, "PERMISSION_DENIED", fault.Denied},
	{fault.KindExhausted, codes.ResourceExhausted, "RESOURCE_EXHAUSTED", fault.Exhausted},
	{fault.KindUnavailable, codes.Unavailable, "UNAVAILABLE", fault.Unavailable},
	{fault.KindDeadline, codes.DeadlineExceeded, "DEADLINE_EXCEEDED", fault.Deadline},
	{fault.KindCancelled, codes.Canceled, "CANCELLED", fault.Cancelled},
	{fault.KindUnsupported, codes.Unimplemented, "UNIMPLEMENTED", fault.Unsupported},
}

func TestEachKindIsOneCode(t *testing.T) {
	require.Len(t, kinds, fault.Kinds)
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			f := k.make("SOME_REASON", "wave %d waits", 2)
			require.Equal(t, k.kind, f.Kind())
			require.Equal(t, k.code, f.Kind().Code())
			require.Equal(t, k.name, f.Kind().String())
			require.Equal(t, "wave 2 waits", f.Message())
			require.Equal(t, k.code, status.Code(f))
			require.True(t, fault.Is(fmt.Errorf("save: %w", f), k.kind))
			require.Equal(t, "SOME_REASON", fault.ReasonOf(fmt.Errorf("save: %w", f)))
		})
	}
}

func TestForeignCodesFallToTheNearestKind(t *testing.T) {
	for code, want := range map[codes.Code]fault.Kind{
		codes.OutOfRange:       fault.KindInvalid,
		codes.DataLoss:         fault.KindInternal,
		codes.Unknown:          fault.KindInternal,
		codes.Code(99):         fault.KindInternal,
		codes.NotFound:         fault.KindNotFound,
		codes.Unimplemented:    fault.KindUnsupported,
		codes.Unavailable:      fault.KindUnavailable,
		codes.PermissionDenied: fault.KindDenied,
	} {
		f := fault.From(status.Error(code, "text of a stranger"))
		require.Equal(t, want, f.Kind(), code)
		require.Equal(t, want.String(), f.Reason(), code)
		require.Equal(t, fault.Domain, errorInfo(t, f).GetDomain())
	}
}

func TestCausesNeverLeaveTheProcess(t *testing.T) {
	secret := errors.New("dial postgres://admin:hunter2@10.0.0.7: refused")
	for name, err := range map[string]error{
		"unclassified":      secret,
		"wrapped":           fmt.Errorf("load: %w", secret),
		"cause":             fault.NotFound("RESOURCE_NOT_FOUND", "no such wave").Cause(secret),
		"wrapped fault":     fmt.Errorf("%w while %w", fault.Conflict("X", "x"), secret),
		"unknown status":    status.Error(codes.Unknown, secret.Error()),
		"internal status":   status.Error(codes.Internal, secret.Error()),
		"transport status":  status.Error(codes.Unavailable, secret.Error()),
		"deadline status":   status.Error(codes.DeadlineExceeded, secret.Error()),
		"status claims ok":  claimsOKError{secret},
		"context with text": fmt.Errorf("%w: %w", context.Canceled, secret),
	} {
		t.Run(name, func(t *testing.T) {
			f := fault.From(err)
			require.NotContains(t, f.GRPCStatus().String(), "hunter2")
			require.NotContains(t, f.Message(), "hunter2")
			require.NotEqual(t, codes.OK, f.GRPCStatus().Code())
		})
	}
	require.ErrorIs(t, fault.From(secret), secret)
	require.ErrorContains(t, fault.From(secret), "hunter2", "the log does see it")
}

type claimsOKError struct{ error }

func (claimsOKError) GRPCStatus() *status.Status { return status.New(codes.OK, "") }

func TestContextsEndAsTheirKind(t *testing.T) {
	require.Equal(t, fault.KindDeadline, fault.KindOf(fmt.Errorf("query: %w", context.DeadlineExceeded)))
	require.Equal(t, fault.KindCancelled, fault.KindOf(fmt.Errorf("query: %w", context.Canceled)))
	require.Nil(t, fault.From(nil))
	require.Empty(t, fault.ReasonOf(nil))
	require.False(t, fault.Is(nil, fault.KindInternal))
	require.Nil(t, fault.FromStatus(&statuspb.Status{}))
}

func TestChainingCopies(t *testing.T) {
	base := fault.Invalid("INVALID_FIELD", "no").Field("a", "1").Meta("k", "v").Subject("T", "s", "d")
	left, right := base.Field("b", "2").Meta("k", "left"), base.Field("c", "3").Subject("T", "s2", "d")
	require.Len(t, base.Fields(), 1)
	require.Equal(t, "b", left.Fields()[1].GetField())
	require.Equal(t, "c", right.Fields()[1].GetField())
	require.Equal(t, map[string]string{"k": "v"}, base.Metadata())
	require.Len(t, base.Subjects(), 1)
}

func TestDetailsOfStrangersArePassedOn(t *testing.T) {
	s, err := status.New(codes.NotFound, "gone").WithDetails(&errdetails.Help{Links: []*errdetails.Help_Link{{Url: "x"}}})
	require.NoError(t, err)
	p := s.Proto()
	p.Details = append(p.Details, &anypb.Any{TypeUrl: "type.example.com/who.Knows", Value: []byte{1, 2}})
	out := fault.FromStatus(p).GRPCStatus().Proto()
	require.Len(t, out.GetDetails(), 3)
	require.Equal(t, "type.example.com/who.Knows", out.GetDetails()[2].GetTypeUrl())
}

// TestWhatWasSaidSurvivesTheWire draws any fault, sends it as bytes, wrapped on
// both sides, through two hops, and reads the same fault.
func TestWhatWasSaidSurvivesTheWire(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.SampledFrom(kinds).Draw(t, "kind")
		f := k.make(text.Draw(t, "reason"), "%s", text.Draw(t, "message")).Cause(errors.New("cause"))
		for range rapid.IntRange(0, 3).Draw(t, "details") {
			f = f.Field(text.Draw(t, "path"), text.Draw(t, "why")).
				Subject(text.Draw(t, "type"), text.Draw(t, "subject"), text.Draw(t, "why")).
				Meta(text.Draw(t, "key"), text.Draw(t, "value"))
		}
		f = f.RetryAfter(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "retry")))

		got := f
		for range 2 {
			wire, err := proto.Marshal(fault.From(fmt.Errorf("hop: %w", got)).GRPCStatus().Proto())
			require.NoError(t, err)
			var p statuspb.Status
			require.NoError(t, proto.Unmarshal(wire, &p))
			got = fault.From(fmt.Errorf("call: %w", status.ErrorProto(&p)))
		}
		require.Equal(t, f.Kind(), got.Kind())
		require.Equal(t, f.Reason(), got.Reason())
		require.Equal(t, f.Message(), got.Message())
		require.Equal(t, f.Metadata(), got.Metadata())
		require.Equal(t, f.RetryDelay(), got.RetryDelay())
		require.Len(t, got.Fields(), len(f.Fields()))
		require.Len(t, got.Subjects(), len(f.Subjects()))
		require.True(t, proto.Equal(f.GRPCStatus().Proto(), got.GRPCStatus().Proto()))
		require.NoError(t, got.Unwrap(), "no cause on this side")
	})
}

func errorInfo(t *testing.T, f *fault.Error) *errdetails.ErrorInfo {
	t.Helper()
	for _, d := range f.GRPCStatus().Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info
		}
	}
	require.Fail(t, "no ErrorInfo")
	return nil
}
