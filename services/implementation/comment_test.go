package implementation_test

import (
	"context"
	"strings"
	"testing"
	"time"

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

func TestCommentsGoWithWhatTheyAreAbout(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		ctx := t.Context()
		conn := p.dial("users/alice", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}})
		outcomes, surveys := implementationv1.NewOutcomeServiceClient(conn), implementationv1.NewSurveyServiceClient(conn)
		_, err := outcomes.CreateOutcome(ctx, &implementationv1.CreateOutcomeRequest{Parent: crm, OutcomeId: "faster", Outcome: &implementationv1.Outcome{
			Metric: "days to an offer", TargetValue: 1, DueTime: stampOf(p.clock.now().Add(time.Hour)),
		}})
		require.NoError(t, err)
		_, err = surveys.CreateSurvey(ctx, &implementationv1.CreateSurveyRequest{Parent: ws, SurveyId: "s", Survey: &implementationv1.Survey{Questions: []*implementationv1.Question{csatQuestion()}}})
		require.NoError(t, err)
		_, err = p.trainings.CreateTraining(ctx, &implementationv1.CreateTrainingRequest{Parent: ws, TrainingId: "draft", Training: &implementationv1.Training{}})
		require.NoError(t, err)
		plan := p.plan("wave-1", p.cohort("sales", 1), time.Time{})
		for subject, remove := range map[string]func() error{
			plan: func() error {
				_, err := p.plans.DeleteCohortPlan(ctx, &implementationv1.DeleteCohortPlanRequest{Name: plan})
				return err
			},
			crm + "/outcomes/faster": func() error {
				_, err := outcomes.DeleteOutcome(ctx, &implementationv1.DeleteOutcomeRequest{Name: crm + "/outcomes/faster"})
				return err
			},
			ws + "/trainings/draft": func() error {
				_, err := p.trainings.DeleteTraining(ctx, &implementationv1.DeleteTrainingRequest{Name: ws + "/trainings/draft"})
				return err
			},
			ws + "/surveys/s": func() error {
				_, err := surveys.DeleteSurvey(ctx, &implementationv1.DeleteSurveyRequest{Name: ws + "/surveys/s"})
				return err
			},
		} {
			c, err := p.comments.CreateComment(ctx, &implementationv1.CreateCommentRequest{Parent: ws, Comment: &implementationv1.Comment{Subject: subject, Text: "hm"}})
			require.NoError(t, err, subject)
			require.NoError(t, remove(), subject)
			_, err = p.comments.GetComment(ctx, &implementationv1.GetCommentRequest{Name: c.GetName()})
			requireReason(t, err, codes.NotFound, "RESOURCE_NOT_FOUND")
		}
	})
}
