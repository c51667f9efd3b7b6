package api

import (
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
