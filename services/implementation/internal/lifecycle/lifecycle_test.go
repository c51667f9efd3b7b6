package lifecycle_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

const (
	draft     = implementationv1.Training_DRAFT
	published = implementationv1.Training_PUBLISHED
	retired   = implementationv1.Training_RETIRED

	absent    = implementationv1.Enrolment_STATE_UNSPECIFIED
	assigned  = implementationv1.Enrolment_ASSIGNED
	completed = implementationv1.Enrolment_COMPLETED
	expired   = implementationv1.Enrolment_EXPIRED
	waived    = implementationv1.Enrolment_WAIVED
)

func TestTrainingEveryStateByEveryEvent(t *testing.T) {
	legal := map[implementationv1.Training_State]map[lifecycle.TrainingEvent]implementationv1.Training_State{
		draft:     {lifecycle.Published: published},
		published: {lifecycle.Retired: retired},
	}
	for number := range implementationv1.Training_State_name {
		for _, event := range []lifecycle.TrainingEvent{lifecycle.Published, lifecycle.Retired, "exploded"} {
			from := implementationv1.Training_State(number)
			training := &implementationv1.Training{Name: "workspaces/w/trainings/t", State: from}
			err := event.Apply(training)
			if to, ok := legal[from][event]; ok {
				require.NoError(t, err)
				require.Equal(t, to, training.GetState())
				continue
			}
			require.Equal(t, lifecycle.ReasonStateForbids, fault.ReasonOf(err), "%s %s", from, event)
			require.True(t, fault.Is(err, fault.KindPrecondition))
			require.Equal(t, from, training.GetState(), "a refusal changes nothing")
		}
		training := &implementationv1.Training{State: implementationv1.Training_State(number)}
		require.Equal(t, training.GetState() == published, lifecycle.Open(training) == nil)
		require.Equal(t, training.GetState() == draft, lifecycle.Deletable(training) == nil)
	}
}

// enrolments has one in each state.
func enrolments() map[implementationv1.Enrolment_State]lifecycle.Enrolment {
	day := 24 * time.Hour
	return map[implementationv1.Enrolment_State]lifecycle.Enrolment{
		absent:    {},
		assigned:  {State: assigned, Assigned: now.Add(-9 * day)},
		completed: {State: completed, Assigned: now.Add(-9 * day), Completed: now.Add(-day), Expires: now.Add(day), Score: new(0.5)},
		expired:   {State: completed, Assigned: now.Add(-9 * day), Completed: now.Add(-2 * day), Expires: now},
		waived:    {State: waived, Assigned: now.Add(-9 * day), Reason: "on leave"},
	}
}

func TestEnrolmentEveryStateByEveryEvent(t *testing.T) {
	events := map[string]func(lifecycle.Enrolment) (lifecycle.Enrolment, bool, error){
		"assign": func(e lifecycle.Enrolment) (lifecycle.Enrolment, bool, error) {
			next, moved := e.Assign(now)
			return next, moved, nil
		},
		"complete": func(e lifecycle.Enrolment) (lifecycle.Enrolment, bool, error) {
			next, moved := e.Complete(now, now, 0, nil)
			return next, moved, nil
		},
		"waive": func(e lifecycle.Enrolment) (lifecycle.Enrolment, bool, error) { return e.Waive(now, "on leave") },
	}
	const keep, refuse = -1, -2
	table := map[implementationv1.Enrolment_State]map[string]implementationv1.Enrolment_State{
		absent:    {"assign": assigned, "complete": completed, "waive": refuse},
		assigned:  {"assign": keep, "complete": completed, "waive": waived},
		completed: {"assign": keep, "complete": completed, "waive": refuse},
		expired:   {"assign": keep, "complete": completed, "waive": refuse},
		waived:    {"assign": keep, "complete": completed, "waive": keep},
	}
	require.Len(t, table, len(implementationv1.Enrolment_State_name), "every state is in the table")
	for state, before := range enrolments() {
		require.Equal(t, state, before.At(now))
		for name, apply := range events {
			next, moved, err := apply(before)
			switch want := table[state][name]; want {
			case refuse:
				require.Equal(t, lifecycle.ReasonStateForbids, fault.ReasonOf(err), "%s %s", state, name)
				require.Equal(t, before, next)
			case keep:
				require.NoError(t, err)
				require.False(t, moved, "%s %s", state, name)
				require.Equal(t, before, next)
			default:
				require.NoError(t, err)
				require.True(t, moved, "%s %s", state, name)
				require.Equal(t, want, next.At(now), "%s %s", state, name)
				require.False(t, next.Assigned.IsZero(), "everybody in the table was assigned at some time")
			}
		}
	}
}

func TestACompletion(t *testing.T) {
	all := enrolments()
	day := 24 * time.Hour
	known := all[completed]
	for name, c := range map[string]struct {
		from  lifecycle.Enrolment
		at    time.Time
		score *float64
		moved bool
	}{
		"again changes nothing":                             {known, known.Completed, known.Score, false},
		"again without its score keeps the score":           {known, known.Completed, nil, false},
		"with another score corrects it":                    {known, known.Completed, new(0.7), true},
		"from before is kept away":                          {known, known.Completed.Add(-day), nil, false},
		"from before an expired one is kept away":           {all[expired], now.Add(-3 * day), nil, false},
		"newer renews":                                      {known, known.Completed.Add(time.Hour), nil, true},
		"without a time changes nothing while one is valid": {known, time.Time{}, nil, false},
		"without a time renews what has expired":            {all[expired], time.Time{}, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			next, moved := c.from.Complete(now, c.at, day, c.score)
			require.Equal(t, c.moved, moved)
			if moved {
				require.Equal(t, next.Completed.Add(day), next.Expires)
				require.Equal(t, c.from.Assigned, next.Assigned)
				again, moved := next.Complete(now, c.at, day, c.score)
				require.False(t, moved, "it is idempotent")
				require.Equal(t, next, again)
			}
		})
	}
}

func TestExpiryIsTheFirstMomentAfter(t *testing.T) {
	e, _ := lifecycle.Enrolment{}.Complete(now, now, time.Hour, nil)
	states := []implementationv1.Enrolment_State{e.At(now), e.At(now.Add(time.Hour - 1)), e.At(now.Add(time.Hour))}
	require.True(t, slices.Equal([]implementationv1.Enrolment_State{completed, completed, expired}, states))
	forever, _ := lifecycle.Enrolment{}.Complete(now, now, 0, nil)
	require.Equal(t, completed, forever.At(now.AddDate(100, 0, 0)))
}

func TestAWaiverWithAnotherReasonIsRefused(t *testing.T) {
	_, _, err := enrolments()[waived].Waive(now, "left the company")
	require.Equal(t, lifecycle.ReasonStateForbids, fault.ReasonOf(err))
}
