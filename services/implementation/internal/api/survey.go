package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// SurveyService answers golive.implementation.v1.SurveyService.
type SurveyService struct {
	implementationv1.UnimplementedSurveyServiceServer

	store *store.Store
}

// NewSurveyService serves the store.
func NewSurveyService(s *store.Store) *SurveyService { return &SurveyService{store: s} }

// CreateSurvey creates one.
func (a *SurveyService) CreateSurvey(ctx context.Context, req *implementationv1.CreateSurveyRequest) (*implementationv1.Survey, error) {
	return store.Surveys.Create(ctx, a.store.Store, req)
}

// GetSurvey reads one.
func (a *SurveyService) GetSurvey(ctx context.Context, req *implementationv1.GetSurveyRequest) (*implementationv1.Survey, error) {
	return store.Surveys.Get(ctx, a.store.Store, req)
}

// ListSurveys reads a page.
func (a *SurveyService) ListSurveys(ctx context.Context, req *implementationv1.ListSurveysRequest) (*implementationv1.ListSurveysResponse, error) {
	all, next, err := store.Surveys.List(ctx, a.store.Store, req)
	return &implementationv1.ListSurveysResponse{Surveys: all, NextPageToken: next}, err
}

// UpdateSurvey changes one.
func (a *SurveyService) UpdateSurvey(ctx context.Context, req *implementationv1.UpdateSurveyRequest) (*implementationv1.Survey, error) {
	return store.Surveys.Update(ctx, a.store.Store, req)
}

// DeleteSurvey removes one.
func (a *SurveyService) DeleteSurvey(ctx context.Context, req *implementationv1.DeleteSurveyRequest) (*emptypb.Empty, error) {
	return store.Surveys.Delete(ctx, a.store.Store, req)
}
