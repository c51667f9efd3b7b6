package lifecycle_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

const (
	absent    = implementationv1.Enrolment_STATE_UNSPECIFIED
	assigned  = implementationv1.Enrolment_ASSIGNED
	completed = implementationv1.Enrolment_COMPLETED
	expired   = implementationv1.Enrolment_EXPIRED
	waived    = implementationv1.Enrolment_WAIVED
	booked    = implementationv1.Enrolment_BOOKED
	attended  = implementationv1.Enrolment_ATTENDED
	failed    = implementationv1.Enrolment_FAILED
	noShow    = implementationv1.Enrolment_NO_SHOW

	conflict = implementationv1.Enrolment_CONFLICT

	monday  = "workspaces/w/trainings/t/sessions/monday"
	tuesday = "workspaces/w/trainings/t/sessions/tuesday"
	day     = 24 * time.Hour
)

var terms = lifecycle.Terms{Validity: day, PassMark: 0.8}

// enrolments has one in each state; a seat is one on Monday.
func enrolments() map[implementationv1.Enrolment_State]lifecycle.Enrolment {
	before := now.Add(-9 * day)
	return map[implementationv1.Enrolment_State]lifecycle.Enrolment{
		absent:    {},
		assigned:  {State: assigned, Assigned: before},
		completed: {State: completed, Assigned: before, Completed: now.Add(-day), Expires: now.Add(day), Score: new(0.5), Passed: new(false), Session: monday},
		expired:   {State: completed, Assigned: before, Completed: now.Add(-2 * day), Expires: now},
		waived:    {State: waived, Assigned: before, Reason: "on leave"},
		booked:    {State: booked, Assigned: before, Session: monday},
		attended:  {State: attended, Assigned: before, Session: monday},
		failed:    {State: failed, Assigned: before, Session: monday, Score: new(0.1), Passed: new(false)},
		noShow:    {State: noShow, Assigned: before, Session: monday},
	}
}

type step func(lifecycle.Enrolment) (lifecycle.Enrolment, bool, error)

// steps is every event, some with what changes their meaning.
func steps() map[string]step {
	return map[string]step{
		"assign": func(e lifecycle.Enrolment) (lifecycle.Enrolment, bool, error) {
			next, moved := e.Assign(now, time.Time{})
			return next, moved, nil
		},
		"complete": func(e lifecycle.Enrolment) (lifecycle.Enrolment, bool, error) {
			next, moved := e.Complete(now, now, terms, nil)
			return next, moved, nil
		},
		"pass": func(e lifecycle.Enrolment) (lifecycle.Enrolment, bool, error) {
			return e.Assess(now, time.Time{}, terms, 0.8)
		},
		"fail": func(e lifecycle.Enrolment) (lifecycle.Enrolment, bool, error) {
			return e.Assess(now, time.Time{}, terms, 0.79)
		},
		"waive":    func(e lifecycle.Enrolment) (lifecycle.Enrolment, bool, error) { return e.Waive(now, "on leave") },
		"monday":   func(e lifecycle.Enrolment) (lifecycle.Enrolment, bool, error) { return e.Book(now, monday) },
		"tuesday":  func(e lifecycle.Enrolment) (lifecycle.Enrolment, bool, error) { return e.Book(now, tuesday) },
		"attend":   func(e lifecycle.Enrolment) (lifecycle.Enrolment, bool, error) { return e.Attend(now, e.Session) },
		"miss":     func(e lifecycle.Enrolment) (lifecycle.Enrolment, bool, error) { return e.Miss(now, e.Session) },
		"decline":  func(e lifecycle.Enrolment) (lifecycle.Enrolment, bool, error) { return e.Decline(now, conflict) },
		"reassign": func(e lifecycle.Enrolment) (lifecycle.Enrolment, bool, error) { return e.Reassign(now, now.Add(day)) },
		"vacate":   func(e lifecycle.Enrolment) (lifecycle.Enrolment, bool, error) { return e.Vacate(now) },
	}
}

func TestEnrolmentEveryStateByEveryEvent(t *testing.T) {
	// A state is where the event leads; = leaves everything as it is, x is refused.
	const table = `
	           assign    complete  pass      fail   waive  monday tuesday attend   miss    decline  reassign vacate
	absent     ASSIGNED  COMPLETED COMPLETED FAILED x      x      x       x        x       x        x        x
	assigned   =         COMPLETED COMPLETED FAILED WAIVED BOOKED BOOKED  x        x       ASSIGNED ASSIGNED x
	completed  =         COMPLETED COMPLETED FAILED x      x      x       =        =       x        x        x
	expired    =         COMPLETED COMPLETED FAILED x      x      x       x        x       x        ASSIGNED x
	waived     =         COMPLETED x         x      =      x      x       x        x       x        ASSIGNED x
	booked     =         COMPLETED x         x      x      =      BOOKED  ATTENDED NO_SHOW ASSIGNED x        ASSIGNED
	attended   =         COMPLETED COMPLETED FAILED x      x      x       =        NO_SHOW x        x        x
	failed     =         COMPLETED COMPLETED FAILED x      x      x       =        =       x        ASSIGNED x
	noShow     =         COMPLETED x         x      x      x      x       ATTENDED =       x        ASSIGNED x`
	names := map[string]implementationv1.Enrolment_State{
		"absent": absent, "assigned": assigned, "completed": completed, "expired": expired, "waived": waived,
		"booked": booked, "attended": attended, "failed": failed, "noShow": noShow,
	}
	lines := strings.Split(strings.TrimSpace(table), "\n")
	events := strings.Fields(lines[0])
	require.Len(t, events, len(steps()), "every event is in the table")
	require.Len(t, lines, 1+len(implementationv1.Enrolment_State_name), "every state is in the table")
	for _, line := range lines[1:] {
		row := strings.Fields(line)
		before := enrolments()[names[row[0]]]
		require.Equal(t, names[row[0]], before.At(now))
		for i, name := range events {
			next, moved, err := steps()[name](before)
			what := row[0] + " " + name
			switch want := row[i+1]; want {
			case "x":
				require.Equal(t, lifecycle.ReasonStateForbids, fault.ReasonOf(err), what)
				require.Equal(t, before, next, what)
			case "=":
				require.NoError(t, err, what)
				require.False(t, moved, what)
				require.Equal(t, before, next, what)
			default:
				require.NoError(t, err, what)
				require.True(t, moved, what)
				require.Equal(t, want, next.At(now).String(), what)
				require.False(t, next.Assigned.IsZero(), "everybody in the table was assigned at some time")
				again, moved, err := steps()[name](next)
				if name != "vacate" && name != "reassign" || err == nil {
					require.NoError(t, err, what)
					require.False(t, moved, "%s: the same again changes nothing", what)
					require.Equal(t, next, again, what)
				}
			}
		}
	}
}

func TestACompletion(t *testing.T) {
	all := enrolments()
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
		"of somebody who failed counts":                     {all[failed], time.Time{}, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			next, moved := c.from.Complete(now, c.at, terms, c.score)
			require.Equal(t, c.moved, moved)
			if moved {
				require.Equal(t, next.Completed.Add(day), next.Expires)
				require.Equal(t, c.from.Assigned, next.Assigned)
				require.Equal(t, c.score == nil, next.Passed == nil)
				again, moved := next.Complete(now, c.at, terms, c.score)
				require.False(t, moved, "it is idempotent")
				require.Equal(t, next, again)
			}
		})
	}
}

func TestAnAssessment(t *testing.T) {
	come := enrolments()[attended]
	passed, _, err := come.Assess(now, now.Add(-time.Hour), terms, 0.8)
	require.NoError(t, err)
	require.True(t, *passed.Passed, "the mark itself passes")
	require.Equal(t, now.Add(-time.Hour), passed.Completed)
	require.Equal(t, monday, passed.Session)
	older, moved, err := passed.Assess(now, now.Add(-2*time.Hour), terms, 0.1)
	require.NoError(t, err)
	require.False(t, moved, "what is older than what is known changes nothing")
	require.Equal(t, passed, older)
	corrected, moved, err := passed.Assess(now, now.Add(-time.Hour), terms, 0.3)
	require.NoError(t, err)
	require.True(t, moved)
	require.Equal(t, failed, corrected.At(now))
	require.True(t, corrected.Completed.IsZero() && corrected.Expires.IsZero())

	unmarked := lifecycle.TermsOf(&implementationv1.Training{})
	require.InDelta(t, 0.8, unmarked.PassMark, 0)
	require.Zero(t, lifecycle.TermsOf(&implementationv1.Training{PassMark: new(0.0)}).PassMark)
}

func TestASeatIsInOneSession(t *testing.T) {
	e := enrolments()[booked]
	_, _, err := e.Attend(now, tuesday)
	require.Equal(t, lifecycle.ReasonNotBooked, fault.ReasonOf(err))
	_, _, err = lifecycle.Enrolment{}.Attend(now, tuesday)
	require.Equal(t, lifecycle.ReasonNotBooked, fault.ReasonOf(err))
	moved, _, err := e.Book(now, tuesday)
	require.NoError(t, err)
	require.Equal(t, tuesday, moved.Session)
	back, _, err := moved.Decline(now, conflict)
	require.NoError(t, err)
	require.Equal(t, lifecycle.Enrolment{State: assigned, Assigned: e.Assigned, Declined: conflict, DeclinedAt: now}, back)
}

func TestExpiryAndDueAreTheFirstMomentAfter(t *testing.T) {
	e, _ := lifecycle.Enrolment{}.Complete(now, now, lifecycle.Terms{Validity: time.Hour}, nil)
	states := []implementationv1.Enrolment_State{e.At(now), e.At(now.Add(time.Hour - 1)), e.At(now.Add(time.Hour))}
	require.True(t, slices.Equal([]implementationv1.Enrolment_State{completed, completed, expired}, states))
	forever, _ := lifecycle.Enrolment{}.Complete(now, now, lifecycle.Terms{}, nil)
	require.Equal(t, completed, forever.At(now.AddDate(100, 0, 0)))

	for state, e := range enrolments() {
		require.False(t, e.Overdue(now), "nothing is overdue without a due time")
		e.Due = now.Add(time.Hour)
		require.False(t, e.Overdue(now.Add(time.Hour-1)) && state != expired)
		require.Equal(t, state != completed && state != waived, e.Overdue(now.Add(time.Hour)), state.String())
	}
}

func TestAWaiverWithAnotherReasonIsRefused(t *testing.T) {
	_, _, err := enrolments()[waived].Waive(now, "left the company")
	require.Equal(t, lifecycle.ReasonStateForbids, fault.ReasonOf(err))
}

// TestWhateverHappensTheRecordHoldsTogether draws long histories.
func TestWhateverHappensTheRecordHoldsTogether(t *testing.T) {
	names := []string{"assign", "complete", "pass", "fail", "waive", "monday", "tuesday", "attend", "miss", "decline", "reassign", "vacate"}
	rapid.Check(t, func(t *rapid.T) {
		var e lifecycle.Enrolment
		for _, name := range rapid.SliceOfN(rapid.SampledFrom(names), 1, 40).Draw(t, "events") {
			next, moved, err := steps()[name](e)
			require.True(t, err == nil || !moved, "who refuses does not move")
			if !moved {
				require.Equal(t, e, next)
			}
			e = next
			require.NotEqual(t, expired, e.State, "that is computed")
			require.Equal(t, e.State == completed, !e.Completed.IsZero(), name)
			require.Equal(t, e.Score == nil, e.Passed == nil)
			if e.State == booked || e.State == attended || e.State == noShow {
				require.NotEmpty(t, e.Session)
			}
			if e.State == assigned || e.State == absent {
				require.Empty(t, e.Session)
			}
			require.Equal(t, e.State == waived, e.Reason != "")
		}
	})
}

func TestSessionEveryStateByEveryEvent(t *testing.T) {
	scheduled, held, cancelled := implementationv1.Session_SCHEDULED, implementationv1.Session_HELD, implementationv1.Session_CANCELLED
	legal := map[implementationv1.Session_State]map[lifecycle.SessionEvent]implementationv1.Session_State{
		scheduled: {lifecycle.SessionHeld: held, lifecycle.SessionCancelled: cancelled},
		held:      {lifecycle.SessionHeld: held},
	}
	for number := range implementationv1.Session_State_name {
		from := implementationv1.Session_State(number)
		for _, event := range []lifecycle.SessionEvent{lifecycle.SessionHeld, lifecycle.SessionCancelled, "exploded"} {
			session := &implementationv1.Session{Name: monday, State: from}
			err := event.Apply(session)
			if to, ok := legal[from][event]; ok {
				require.NoError(t, err)
				require.Equal(t, to, session.GetState())
				continue
			}
			require.Equal(t, lifecycle.ReasonStateForbids, fault.ReasonOf(err), "%s %s", from, event)
			require.Equal(t, from, session.GetState(), "a refusal changes nothing")
		}
		session := &implementationv1.Session{State: from, StartTime: timestamppb.New(now)}
		require.Equal(t, from == scheduled, lifecycle.Changeable(session) == nil)
		require.Equal(t, from == scheduled, lifecycle.Bookable(session, now.Add(-1)) == nil)
		require.Error(t, lifecycle.Bookable(session, now), "it has begun")
		require.NoError(t, lifecycle.Begun(session, now))
		require.Equal(t, lifecycle.ReasonSessionToCome, fault.ReasonOf(lifecycle.Begun(session, now.Add(-1))))
	}
}
