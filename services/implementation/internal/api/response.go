package api

import (
	"context"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// ResponseService answers golive.implementation.v1.ResponseService.
type ResponseService struct {
	implementationv1.UnimplementedResponseServiceServer

	store *store.Store
}

// NewResponseService serves the store.
func NewResponseService(s *store.Store) *ResponseService { return &ResponseService{store: s} }

// GetQuestionnaire shows what is asked.
func (a *ResponseService) GetQuestionnaire(ctx context.Context, req *implementationv1.GetQuestionnaireRequest) (*implementationv1.Questionnaire, error) {
	return a.store.Questionnaire(ctx, req.GetToken())
}

// SubmitAnswers takes answers.
func (a *ResponseService) SubmitAnswers(ctx context.Context, req *implementationv1.SubmitAnswersRequest) (*implementationv1.SubmitAnswersResponse, error) {
	if err := a.store.Submit(ctx, req); err != nil {
		return nil, err
	}
	return &implementationv1.SubmitAnswersResponse{}, nil
}

// SurveyNoticeService answers golive.implementation.v1.SurveyNoticeService.
type SurveyNoticeService struct {
	implementationv1.UnimplementedSurveyNoticeServiceServer

	store *store.Store
}

// NewSurveyNoticeService serves the store.
func NewSurveyNoticeService(s *store.Store) *SurveyNoticeService {
	return &SurveyNoticeService{store: s}
}

// GetSurveyNotice says what happens with answers.
func (a *SurveyNoticeService) GetSurveyNotice(ctx context.Context, req *implementationv1.GetSurveyNoticeRequest) (*implementationv1.SurveyNotice, error) {
	return a.store.SurveyNotice(ctx, req)
}
