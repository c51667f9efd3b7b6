package api

import (
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// SurveyWaveService answers golive.implementation.v1.SurveyWaveService.
type SurveyWaveService struct {
	implementationv1.UnimplementedSurveyWaveServiceServer

	store *store.Store
}

// NewSurveyWaveService serves the store.
func NewSurveyWaveService(s *store.Store) *SurveyWaveService { return &SurveyWaveService{store: s} }
