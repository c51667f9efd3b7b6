package feed_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
)

func TestTheLogTellsNobodyWhatTheyMayNotRead(t *testing.T) {
	each(t, feed.Config{}, func(t *testing.T, w world) {
		t.Helper()
		const head = "workspaces/w/implementations/i/stakeholders/s"
		after := wrapperspb.String("against it")
		w.append(t,
			feed.Record{Resource: head, Type: "implementation.stakeholder.updated", Revision: 2, Actor: "users/a", Cause: "said so", After: after, Before: []byte("before")},
			feed.Record{Resource: "workspaces/w/cohorts/c", Type: "implementation.cohort.updated", Revision: 2, Actor: "users/a", Cause: "grew", After: after},
			feed.Record{Resource: "workspaces/w/trainings/t/enrolments", Type: "implementation.enrolment.recorded", Revision: 2, Actor: "users/a", After: after},
		)
		service := feed.NewService(w.log, 0)
		for role, sees := range map[auth.Role]bool{auth.Viewer: false, auth.Operator: true} {
			ctx := auth.NewContext(t.Context(), &auth.Principal{Name: "users/v", Grants: map[string][]auth.Role{"w": {role}}})
			page, err := service.ListEvents(ctx, &eventv1.ListEventsRequest{Parent: "workspaces/w", OldestFirst: true})
			require.NoError(t, err)
			require.Len(t, page.GetEvents(), 3, "that something happened is seen by all")
			require.Equal(t, sees, page.GetEvents()[0].GetAfter() != nil, role)
			require.Equal(t, sees, page.GetEvents()[0].GetCause() != "", role)
			require.NotNil(t, page.GetEvents()[1].GetAfter(), role)
			require.NotNil(t, page.GetEvents()[2].GetAfter(), "counts are for all")
			require.Equal(t, sees, page.GetEvents()[0].GetBeforeDigest() != nil, "a digest confirms a guess")
			require.Equal(t, map[bool]string{true: head, false: "workspaces/w/implementations/i/stakeholders"}[sees], page.GetEvents()[0].GetResource(), role)

			_, err = service.ListEvents(ctx, &eventv1.ListEventsRequest{Parent: head})
			require.Equal(t, sees, err == nil, "who may not read of whom it is learns nothing by asking for one: %v", err)
			if !sees {
				err = service.WatchEvents(&eventv1.WatchEventsRequest{Parent: head}, &refusing{ctx: ctx})
				require.True(t, fault.Is(err, fault.KindDenied), "%v", err)
			}
		}
		page, err := service.ListEvents(context.WithoutCancel(t.Context()), &eventv1.ListEventsRequest{Parent: "workspaces/w", OldestFirst: true})
		require.NoError(t, err)
		require.Equal(t, head, page.GetEvents()[0].GetResource())
		require.NotNil(t, page.GetEvents()[0].GetAfter(), "inside of the process nothing is hidden, nor was it in what others share")
	})
}

// refusing is a stream to which nothing can be sent.
type refusing struct {
	grpc.ServerStreamingServer[eventv1.WatchEventsResponse]
	ctx context.Context
}

func (r *refusing) Context() context.Context { return r.ctx }
