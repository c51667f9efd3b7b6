package api

import (
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

// SurveyNoticeService answers golive.implementation.v1.SurveyNoticeService.
type SurveyNoticeService struct {
	implementationv1.UnimplementedSurveyNoticeServiceServer

	store *store.Store
}

// NewSurveyNoticeService serves the store.
func NewSurveyNoticeService(s *store.Store) *SurveyNoticeService {
	return &SurveyNoticeService{store: s}
}
