package implementation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-ical"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// dates are the entries of a calendar by their summary.
func (p *planner) dates() (map[string]ical.Event, *implementationv1.ExportCalendarFeedResponse) {
	p.Helper()
	conn := p.dial("users/vic", map[string][]auth.Role{"default": {auth.Viewer}})
	feed, err := implementationv1.NewCalendarFeedServiceClient(conn).ExportCalendarFeed(p.Context(), &implementationv1.ExportCalendarFeedRequest{Parent: crm})
	require.NoError(p, err)
	c, err := ical.NewDecoder(strings.NewReader(feed.GetCalendar())).Decode()
	require.NoError(p, err)
	all, uids := map[string]ical.Event{}, map[string]bool{}
	for _, e := range c.Events() {
		all[word(p, e, ical.PropSummary)] = e
		require.False(p, uids[word(p, e, ical.PropUID)], "one entry a thing")
		uids[word(p, e, ical.PropUID)] = true
	}
	return all, feed
}

func word(tb require.TestingT, e ical.Event, property string) string {
	text, err := e.Props.Text(property)
	require.NoError(tb, err)
	return text
}

func raw(e ical.Event, property string) string {
	if p := e.Props.Get(property); p != nil {
		return p.Value
	}
	return ""
}

func TestTheCalendarHasTheDatesOfAGoLive(t *testing.T) {
	t.Parallel()
	eachPlan(t, func(t *testing.T, p *planner) {
		ctx := t.Context()
		basics := p.training("basics", 0)
		sales := p.cohort("sales", 3)
		plan := p.plan("sales", sales, time.Date(2026, 6, 3, 8, 0, 0, 0, time.UTC), basics)
		p.session(basics, "monday", 48*time.Hour, 10)
		cancelled := p.session(basics, "off", 72*time.Hour, 10)
		_, err := p.sessions.CancelSession(ctx, &implementationv1.CancelSessionRequest{Name: cancelled, Reason: "ill"})
		require.NoError(t, err)
		_, err = p.implementations.UpdateImplementation(ctx, &implementationv1.UpdateImplementationRequest{Implementation: &implementationv1.Implementation{
			Name: crm, StartTime: timestamppb.New(time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)), // what has not begun is not planned before now
		}})
		require.NoError(t, err)
		stage := p.stage("build")
		_, err = p.stages.UpdateStage(ctx, &implementationv1.UpdateStageRequest{Stage: &implementationv1.Stage{Name: stage.GetName(), DisplayName: "Build, and test", Owner: "users/bea"}})
		require.NoError(t, err)
		p.task("configure", &implementationv1.Task{Stage: stage.GetName(), DisplayName: "Configure", Estimate: &implementationv1.Estimate{LikelyMinutes: 960}, Description: "Ask Ada Lovelace", Owner: "users/cat"})
		p.task("done", &implementationv1.Task{Stage: stage.GetName(), DisplayName: "Agreed", Milestone: true})
		decisions := implementationv1.NewDecisionServiceClient(p.dial("users/alice", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}}))
		_, err = decisions.CreateDecision(ctx, &implementationv1.CreateDecisionRequest{Parent: crm, DecisionId: "go", Decision: &implementationv1.Decision{
			DisplayName: "Does sales go live?", Owner: "users/dan", CohortPlans: []string{plan}, DueTime: timestamppb.New(time.Date(2026, 5, 20, 15, 0, 0, 0, time.UTC)),
		}})
		require.NoError(t, err)

		dates, first := p.dates()
		require.Len(t, dates, 6, "%v", dates)
		require.Equal(t, "20260603T080000Z", raw(dates["Go-live: sales"], ical.PropDateTimeStart))
		require.Equal(t, "20260304T090000Z", raw(dates["Training: basics"], ical.PropDateTimeStart))
		require.Equal(t, "20260304T100000Z", raw(dates["Training: basics"], ical.PropDateTimeEnd))
		require.Equal(t, "20260520T150000Z", raw(dates["Decide: Does sales go live?"], ical.PropDateTimeStart))
		require.Equal(t, "20260401", raw(dates["Configure"], ical.PropDateTimeStart), "whole days")
		require.Len(t, raw(dates["Agreed"], ical.PropDateTimeStart), len("20260302"))
		require.Equal(t, "Owner: users/bea", word(t, dates["Build, and test"], ical.PropDescription))
		for _, person := range []string{"Ada", "p-00", "users/vic", "users/alice"} {
			require.NotContains(t, first.GetCalendar(), person, "nobody is named but owners")
		}
		for _, e := range dates {
			require.Equal(t, "0", raw(e, ical.PropSequence))
			require.Equal(t, "20260302T090000Z", raw(e, ical.PropDateTimeStamp))
		}

		p.clock.advance(time.Hour)
		_, again := p.dates()
		require.Equal(t, first.GetDigest(), again.GetDigest(), "nothing new is nothing new")
		require.Equal(t, first.GetCalendar(), again.GetCalendar())

		p.clock.advance(time.Hour)
		_, err = p.plans.UpdateCohortPlan(ctx, &implementationv1.UpdateCohortPlanRequest{CohortPlan: &implementationv1.CohortPlan{Name: plan, GoLiveTime: timestamppb.New(time.Date(2026, 6, 10, 0, 0, 0, 0, time.UTC))}})
		require.NoError(t, err)
		moved, changed := p.dates()
		require.NotEqual(t, first.GetDigest(), changed.GetDigest())
		goLive := moved["Go-live: sales"]
		require.Equal(t, word(t, dates["Go-live: sales"], ical.PropUID), word(t, goLive, ical.PropUID), "the same event, moved")
		require.Equal(t, "20260610", raw(goLive, ical.PropDateTimeStart), "a midnight is the whole day")
		require.Equal(t, "1", raw(goLive, ical.PropSequence))
		require.Equal(t, "20260302T110000Z", raw(goLive, ical.PropDateTimeStamp))
		require.Equal(t, "0", raw(moved["Training: basics"], ical.PropSequence), "the others are as they were")

		_, err = implementationv1.NewCalendarFeedServiceClient(p.dial("users/eve", map[string][]auth.Role{"other": {auth.Admin}})).
			ExportCalendarFeed(ctx, &implementationv1.ExportCalendarFeedRequest{Parent: crm})
		require.Equal(t, fault.KindDenied, fault.KindOf(err))
	})
}
