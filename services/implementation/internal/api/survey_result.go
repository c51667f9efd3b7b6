package api

import (
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
