package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rating"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// FeedbackService answers golive.deployment.v1.FeedbackService.
type FeedbackService struct {
	deploymentv1.UnimplementedFeedbackServiceServer

	store *store.Store
}

// NewFeedbackService serves the store.
func NewFeedbackService(s *store.Store) *FeedbackService { return &FeedbackService{store: s} }

// CreateFeedback stores one, in place of what the same author said of the release before.
func (a *FeedbackService) CreateFeedback(ctx context.Context, req *deploymentv1.CreateFeedbackRequest) (*deploymentv1.Feedback, error) {
	return a.store.CreateFeedback(ctx, req)
}

// GetFeedback returns one.
func (a *FeedbackService) GetFeedback(ctx context.Context, req *deploymentv1.GetFeedbackRequest) (*deploymentv1.Feedback, error) {
	return store.Feedback.Get(ctx, a.store.Resources, req)
}

// ListFeedback answers one page.
func (a *FeedbackService) ListFeedback(ctx context.Context, req *deploymentv1.ListFeedbackRequest) (*deploymentv1.ListFeedbackResponse, error) {
	items, next, err := store.Feedback.List(ctx, a.store.Resources, req)
	if err != nil {
		return nil, err
	}
	return &deploymentv1.ListFeedbackResponse{Feedback: items, NextPageToken: next}, nil
}

// DeleteFeedback removes one.
func (a *FeedbackService) DeleteFeedback(ctx context.Context, req *deploymentv1.DeleteFeedbackRequest) (*emptypb.Empty, error) {
	return store.Feedback.Delete(ctx, a.store.Resources, req)
}

// SummarizeFeedback sums up ratings.
func (a *FeedbackService) SummarizeFeedback(ctx context.Context, req *deploymentv1.SummarizeFeedbackRequest) (*deploymentv1.SummarizeFeedbackResponse, error) {
	if _, err := store.Applications.Load(ctx, a.store.DB.Read(), req.GetParent()); err != nil {
		return nil, err
	}
	what := store.RatingsQuery{Application: req.GetParent(), Cohort: req.GetCohort(), Together: req.GetAllCohorts()}
	if req.GetRelease() != "" {
		what.Releases = []string{req.GetRelease()}
	}
	counted, err := store.CountRatings(ctx, a.store.DB.Read(), what)
	if err != nil {
		return nil, err
	}
	out := &deploymentv1.SummarizeFeedbackResponse{}
	for _, r := range counted {
		s := rating.Summarize(r.Counts)
		out.Summaries = append(out.Summaries, &deploymentv1.FeedbackSummary{
			Release: r.Release, Cohort: r.Cohort, Count: s.Count, Mean: s.Mean, Lower: s.Lower, Upper: s.Upper, Histogram: r.Counts[:],
		})
	}
	return out, nil
}
