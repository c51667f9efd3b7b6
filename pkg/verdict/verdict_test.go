package verdict_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/verdict"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

const plan = "workspaces/default/implementations/crm/cohortPlans/sales"

var asked = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func sound() *gatev1.Verdict {
	return &gatev1.Verdict{
		Resource: plan, State: gatev1.Verdict_PASS, EvaluatedAt: timestamppb.New(asked),
		Ttl: durationpb.New(30 * time.Second), ValidUntil: timestamppb.New(asked.Add(30 * time.Second)),
	}
}

func TestDoubt(t *testing.T) {
	for name, c := range map[string]struct {
		change func(v *gatev1.Verdict)
		want   string
	}{
		"a sound answer":                       {func(*gatev1.Verdict) {}, ""},
		"one that says UNKNOWN":                {func(v *gatev1.Verdict) { v.State = gatev1.Verdict_UNKNOWN }, ""},
		"one that does not say how long":       {func(v *gatev1.Verdict) { v.Ttl, v.ValidUntil = nil, nil }, ""},
		"a clock an hour behind":               {func(v *gatev1.Verdict) { shift(v, -time.Hour) }, ""},
		"a clock an hour ahead":                {func(v *gatev1.Verdict) { shift(v, time.Hour) }, ""},
		"an hour to the nanosecond":            {func(v *gatev1.Verdict) { v.Ttl = durationpb.New(verdict.Longest) }, ""},
		"another resource":                     {func(v *gatev1.Verdict) { v.Resource += "s" }, "it answered about something else"},
		"no resource":                          {func(v *gatev1.Verdict) { v.Resource = "" }, "it answered about something else"},
		"nothing at all":                       {func(v *gatev1.Verdict) { proto.Reset(v) }, "it answered about something else"},
		"no state":                             {func(v *gatev1.Verdict) { v.State = 0 }, "its answer says neither yes nor no"},
		"a state that nobody knows":            {func(v *gatev1.Verdict) { v.State = 99 }, "its answer says neither yes nor no"},
		"a state below zero":                   {func(v *gatev1.Verdict) { v.State = -1 }, "its answer says neither yes nor no"},
		"no time":                              {func(v *gatev1.Verdict) { v.EvaluatedAt = nil }, "its answer does not say when it was found out"},
		"an empty time":                        {func(v *gatev1.Verdict) { v.EvaluatedAt = &timestamppb.Timestamp{} }, "its answer does not say when it was found out"},
		"a time that is none":                  {func(v *gatev1.Verdict) { v.EvaluatedAt.Nanos = -1 }, "its answer does not say when it was found out"},
		"an answer of yesterday":               {func(v *gatev1.Verdict) { shift(v, -24*time.Hour) }, "its answer is not of now, or its clock is off by hours"},
		"an answer of tomorrow":                {func(v *gatev1.Verdict) { shift(v, 24*time.Hour) }, "its answer is not of now, or its clock is off by hours"},
		"good for no time":                     {func(v *gatev1.Verdict) { v.Ttl = durationpb.New(0) }, "its answer claims to be good for no time, or for longer than 1h0m0s"},
		"good for less than no time":           {func(v *gatev1.Verdict) { v.Ttl = durationpb.New(-time.Second) }, "its answer claims to be good for no time, or for longer than 1h0m0s"},
		"good for longer than anybody may say": {func(v *gatev1.Verdict) { v.Ttl = durationpb.New(verdict.Longest + 1) }, "its answer claims to be good for no time, or for longer than 1h0m0s"},
		"good for a time that is none":         {func(v *gatev1.Verdict) { v.Ttl = &durationpb.Duration{Seconds: 1, Nanos: -1} }, "its answer claims to be good for no time, or for longer than 1h0m0s"},
		"over when it began":                   {func(v *gatev1.Verdict) { v.ValidUntil = v.GetEvaluatedAt() }, "its answer was over before it was given"},
		"over before it began":                 {func(v *gatev1.Verdict) { v.ValidUntil = timestamppb.New(asked.Add(-time.Hour)) }, "its answer was over before it was given"},
	} {
		t.Run(name, func(t *testing.T) {
			v := sound()
			c.change(v)
			require.Equal(t, c.want, verdict.Doubt(v, plan, asked))
		})
	}
	require.Equal(t, "it answered about something else", verdict.Doubt(nil, plan, asked))
}

func shift(v *gatev1.Verdict, by time.Duration) {
	v.EvaluatedAt, v.ValidUntil = timestamppb.New(v.GetEvaluatedAt().AsTime().Add(by)), timestamppb.New(v.GetValidUntil().AsTime().Add(by))
}

// FuzzDoubt lets anything come over the wire: it never panics, and what is believed is bounded in every way.
func FuzzDoubt(f *testing.F) {
	for _, v := range []*gatev1.Verdict{sound(), {}, {Resource: plan, State: 77}, {Resource: plan, State: gatev1.Verdict_PASS, Ttl: durationpb.New(-1)}} {
		wire, err := proto.Marshal(v)
		require.NoError(f, err)
		f.Add(wire)
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		v := &gatev1.Verdict{}
		if proto.Unmarshal(wire, v) != nil || verdict.Doubt(v, plan, asked) != "" {
			return
		}
		require.Equal(t, plan, v.GetResource())
		require.Contains(t, gatev1.Verdict_State_name, int32(v.GetState()))
		require.NotZero(t, v.GetState())
		require.LessOrEqual(t, v.GetEvaluatedAt().AsTime().Sub(asked).Abs(), verdict.Drift)
		require.LessOrEqual(t, v.GetTtl().AsDuration(), verdict.Longest)
		require.GreaterOrEqual(t, v.GetTtl().AsDuration(), time.Duration(0))
	})
}
