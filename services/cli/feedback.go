package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) feedback() *cobra.Command {
	return group("feedback", "Record and sum up what users think of a release", a.feedbackGive(), a.feedbackSummary())
}

func (a *app) feedbackGive() *cobra.Command {
	var (
		rating               int32
		text, cohort, author string
	)
	cmd := &cobra.Command{
		Use: "give APPLICATION RELEASE --rating N --author WHO", Short: "Record a rating of 1 to 5",
		Long:    "WHO is hashed with a key of the application and never stored; the same author rating again replaces the rating before.",
		Example: "  golive feedback give crm 2.0.0 --rating 4 --cohort sales --author ticket-4711 --text 'search is faster'", Args: cobra.ExactArgs(2),
	}
	f := cmd.Flags()
	f.Int32Var(&rating, "rating", 0, "from 1, useless, to 5, very good")
	f.StringVar(&text, "text", "", "in their own words")
	f.StringVar(&cohort, "cohort", "", "the cohort of the author")
	f.StringVar(&author, "author", "", "who says so; kept as a pseudonym only")
	must(cmd.MarkFlagRequired("rating"))
	must(cmd.MarkFlagRequired("author"))
	a.completeKind(cmd, "application")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		application, err := c.name(mustFind("application"), args[0])
		if err != nil {
			return err
		}
		fb := &deploymentv1.Feedback{Rating: rating, Text: text, Cohort: cohort, Author: author}
		if fb.Release, err = c.releaseOf(ctx, application, args[1]); err != nil {
			return err
		}
		created, err := deploymentv1.NewFeedbackServiceClient(c.software).CreateFeedback(ctx, &deploymentv1.CreateFeedbackRequest{Parent: application, Feedback: fb})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("feedback"), created)
	})
}

func (a *app) feedbackSummary() *cobra.Command {
	var (
		release, cohort string
		together        bool
	)
	cmd := &cobra.Command{
		Use: "summary APPLICATION", Short: "Show ratings by release and cohort, with their intervals",
		Example: "  golive feedback summary crm --release 2.0.0", Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&release, "release", "", "only this release")
	f.StringVar(&cohort, "cohort", "", "only this cohort")
	f.BoolVar(&together, "all-cohorts", false, "all cohorts together")
	a.completeKind(cmd, "application")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		req := &deploymentv1.SummarizeFeedbackRequest{Cohort: cohort, AllCohorts: together}
		var err error
		if req.Parent, err = c.name(mustFind("application"), args[0]); err != nil {
			return err
		}
		if release != "" {
			if req.Release, err = c.releaseOf(ctx, req.GetParent(), release); err != nil {
				return err
			}
		}
		answer, err := deploymentv1.NewFeedbackServiceClient(c.software).SummarizeFeedback(ctx, req)
		if err != nil {
			return err
		}
		if !c.format.ForPeople() {
			return show.Encode(c.out, c.format, answer)
		}
		rows := [][]string{{"RELEASE", "COHORT", "RATINGS", "MEAN", "95 %", "1 … 5"}}
		for _, s := range answer.GetSummaries() {
			rows = append(rows, []string{
				kind.ID(s.GetRelease()), orDash(s.GetCohort()), fmt.Sprint(s.GetCount()), fmt.Sprintf("%.2f", s.GetMean()),
				fmt.Sprintf("%.2f–%.2f", s.GetLower(), s.GetUpper()), fmt.Sprint(s.GetHistogram()),
			})
		}
		return show.Rows(c.out, rows)
	})
}
