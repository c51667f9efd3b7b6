package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

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

// CreateSurveyWave creates one.
func (a *SurveyWaveService) CreateSurveyWave(ctx context.Context, req *implementationv1.CreateSurveyWaveRequest) (*implementationv1.SurveyWave, error) {
	return store.SurveyWaves.Create(ctx, a.store.Store, req)
}

// GetSurveyWave reads one.
func (a *SurveyWaveService) GetSurveyWave(ctx context.Context, req *implementationv1.GetSurveyWaveRequest) (*implementationv1.SurveyWave, error) {
	return store.SurveyWaves.Get(ctx, a.store.Store, req)
}

// ListSurveyWaves reads a page.
func (a *SurveyWaveService) ListSurveyWaves(ctx context.Context, req *implementationv1.ListSurveyWavesRequest) (*implementationv1.ListSurveyWavesResponse, error) {
	all, next, err := store.SurveyWaves.List(ctx, a.store.Store, req)
	return &implementationv1.ListSurveyWavesResponse{SurveyWaves: all, NextPageToken: next}, err
}

// UpdateSurveyWave changes one.
func (a *SurveyWaveService) UpdateSurveyWave(ctx context.Context, req *implementationv1.UpdateSurveyWaveRequest) (*implementationv1.SurveyWave, error) {
	return store.SurveyWaves.Update(ctx, a.store.Store, req)
}

// DeleteSurveyWave removes one.
func (a *SurveyWaveService) DeleteSurveyWave(ctx context.Context, req *implementationv1.DeleteSurveyWaveRequest) (*emptypb.Empty, error) {
	return store.SurveyWaves.Delete(ctx, a.store.Store, req)
}

// ScheduleSurveyWave lets a wave open and close by its times.
func (a *SurveyWaveService) ScheduleSurveyWave(ctx context.Context, req *implementationv1.ScheduleSurveyWaveRequest) (*implementationv1.SurveyWave, error) {
	return a.store.ScheduleSurveyWave(ctx, req)
}

// OpenSurveyWave asks people.
func (a *SurveyWaveService) OpenSurveyWave(ctx context.Context, req *implementationv1.OpenSurveyWaveRequest) (*implementationv1.SurveyWave, error) {
	return a.store.OpenSurveyWave(ctx, req)
}

// CloseSurveyWave takes no more answers.
func (a *SurveyWaveService) CloseSurveyWave(ctx context.Context, req *implementationv1.CloseSurveyWaveRequest) (*implementationv1.SurveyWave, error) {
	return a.store.CloseSurveyWave(ctx, req)
}

// PublishSurveyWave decides what may be told.
func (a *SurveyWaveService) PublishSurveyWave(ctx context.Context, req *implementationv1.PublishSurveyWaveRequest) (*implementationv1.SurveyWave, error) {
	return a.store.PublishSurveyWave(ctx, req)
}

// PurgeSurveyWave removes single answers.
func (a *SurveyWaveService) PurgeSurveyWave(ctx context.Context, req *implementationv1.PurgeSurveyWaveRequest) (*implementationv1.SurveyWave, error) {
	return a.store.PurgeSurveyWave(ctx, req)
}

// SendSurveyLinks gives people their links.
func (a *SurveyWaveService) SendSurveyLinks(ctx context.Context, req *implementationv1.SendSurveyLinksRequest) (*implementationv1.SendSurveyLinksResponse, error) {
	return a.store.SendSurveyLinks(ctx, req)
}
