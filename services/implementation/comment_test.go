package implementation_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/golive-dev/golive/pkg/auth"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

func TestPeopleSayThingsAboutItems(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		ctx := t.Context()
		p.stage("build")
		p.task("a", work("build"))
		p.cohort("sales", 1)
		say := func(subject, text string) (*implementationv1.Comment, error) {
			return p.comments.CreateComment(ctx, &implementationv1.CreateCommentRequest{Parent: ws, Comment: &implementationv1.Comment{Subject: subject, Text: text, Author: "users/forged"}})
		}
		first, err := say(taskName("a"), "**late**, and why")
		require.NoError(t, err)
		require.Equal(t, "users/alice", first.GetAuthor(), "the token says who it is")
		for _, subject := range []string{crm, stageName("build"), ws + "/cohorts/sales"} {
			_, err := say(subject, "hm")
			require.NoError(t, err, subject)
		}
		p.refuses(t, refusing{
			"an item that does not exist":  {codes.InvalidArgument, "REFERENCE_NOT_FOUND", func(context.Context) error { _, err := say(taskName("none"), "x"); return err }},
			"an item of elsewhere":         {codes.InvalidArgument, "OTHER_WORKSPACE", func(context.Context) error { _, err := say("workspaces/other/cohorts/sales", "x"); return err }},
			"a person":                     {codes.InvalidArgument, "NOT_COMMENTABLE", func(context.Context) error { _, err := say(person(0), "x"); return err }},
			"an item of the other service": {codes.InvalidArgument, "NOT_COMMENTABLE", func(context.Context) error { _, err := say(ws+"/applications/crm", "x"); return err }},
			"nothing":                      {codes.InvalidArgument, "INVALID_FIELD", func(context.Context) error { _, err := say(taskName("a"), ""); return err }},
			"too much":                     {codes.InvalidArgument, "INVALID_FIELD", func(context.Context) error { _, err := say(taskName("a"), strings.Repeat("x", 10_001)); return err }},
		})
		other := p.dial("users/bob", map[string][]auth.Role{"default": {auth.Operator}})
		_, err = implementationv1.NewCommentServiceClient(other).DeleteComment(ctx, &implementationv1.DeleteCommentRequest{Name: first.GetName()})
		requireReason(t, err, codes.PermissionDenied, "NOT_AUTHOR")
		listed, err := p.comments.ListComments(ctx, &implementationv1.ListCommentsRequest{Parent: ws, Filter: `subject = "` + taskName("a") + `"`, OrderBy: "create_time desc"})
		require.NoError(t, err)
		require.Len(t, listed.GetComments(), 1)

		_, err = p.tasks.DeleteTask(ctx, &implementationv1.DeleteTaskRequest{Name: taskName("a")})
		require.NoError(t, err)
		_, err = p.comments.GetComment(ctx, &implementationv1.GetCommentRequest{Name: first.GetName()})
		requireReason(t, err, codes.NotFound, "RESOURCE_NOT_FOUND")
	})
}
