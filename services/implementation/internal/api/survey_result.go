package api

import (
	"context"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// SurveyResultService answers golive.implementation.v1.SurveyResultService.
type SurveyResultService struct {
	implementationv1.UnimplementedSurveyResultServiceServer

	store *store.Store
}

// NewSurveyResultService serves the store.
func NewSurveyResultService(s *store.Store) *SurveyResultService {
	return &SurveyResultService{store: s}
}

// SummarizeSurveyWave tells the numbers of a wave.
func (a *SurveyResultService) SummarizeSurveyWave(ctx context.Context, req *implementationv1.SummarizeSurveyWaveRequest) (*implementationv1.SurveyResult, error) {
	return a.store.SurveyResult(ctx, req.GetName())
}

// ListSurveyResponses reads a page of answers that are kept with the person.
func (a *SurveyResultService) ListSurveyResponses(ctx context.Context, req *implementationv1.ListSurveyResponsesRequest) (*implementationv1.ListSurveyResponsesResponse, error) {
	return a.store.SurveyResponses(ctx, req)
}
