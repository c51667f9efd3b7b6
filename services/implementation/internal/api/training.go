package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// TrainingService answers golive.implementation.v1.TrainingService.
type TrainingService struct {
	implementationv1.UnimplementedTrainingServiceServer

	store *store.Store
}

// NewTrainingService serves the store.
func NewTrainingService(s *store.Store) *TrainingService { return &TrainingService{store: s} }

// CreateTraining creates one.
func (a *TrainingService) CreateTraining(ctx context.Context, req *implementationv1.CreateTrainingRequest) (*implementationv1.Training, error) {
	return store.Trainings.Create(ctx, a.store.Store, req)
}

// GetTraining reads one.
func (a *TrainingService) GetTraining(ctx context.Context, req *implementationv1.GetTrainingRequest) (*implementationv1.Training, error) {
	return store.Trainings.Get(ctx, a.store.Store, req)
}

// ListTrainings reads a page.
func (a *TrainingService) ListTrainings(ctx context.Context, req *implementationv1.ListTrainingsRequest) (*implementationv1.ListTrainingsResponse, error) {
	all, next, err := store.Trainings.List(ctx, a.store.Store, req)
	return &implementationv1.ListTrainingsResponse{Trainings: all, NextPageToken: next}, err
}

// UpdateTraining changes one.
func (a *TrainingService) UpdateTraining(ctx context.Context, req *implementationv1.UpdateTrainingRequest) (*implementationv1.Training, error) {
	return store.Trainings.Update(ctx, a.store.Store, req)
}

// DeleteTraining removes one.
func (a *TrainingService) DeleteTraining(ctx context.Context, req *implementationv1.DeleteTrainingRequest) (*emptypb.Empty, error) {
	return store.Trainings.Delete(ctx, a.store.Store, req)
}

// PublishTraining opens a draft for enrolment.
func (a *TrainingService) PublishTraining(ctx context.Context, req *implementationv1.PublishTrainingRequest) (*implementationv1.Training, error) {
	return a.store.MoveTraining(ctx, req, lifecycle.Published)
}

// RetireTraining ends a training.
func (a *TrainingService) RetireTraining(ctx context.Context, req *implementationv1.RetireTrainingRequest) (*implementationv1.Training, error) {
	return a.store.MoveTraining(ctx, req, lifecycle.Retired)
}
