package api

import (
	"context"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// EnrolmentService answers golive.implementation.v1.EnrolmentService.
type EnrolmentService struct {
	implementationv1.UnimplementedEnrolmentServiceServer

	store *store.Store
}

// NewEnrolmentService serves the store.
func NewEnrolmentService(s *store.Store) *EnrolmentService { return &EnrolmentService{store: s} }

// GetEnrolment reads one.
func (a *EnrolmentService) GetEnrolment(ctx context.Context, req *implementationv1.GetEnrolmentRequest) (*implementationv1.Enrolment, error) {
	return a.store.Enrolment(ctx, req.GetName())
}

// ListEnrolments reads a page.
func (a *EnrolmentService) ListEnrolments(ctx context.Context, req *implementationv1.ListEnrolmentsRequest) (*implementationv1.ListEnrolmentsResponse, error) {
	all, next, err := a.store.ListEnrolments(ctx, req)
	return &implementationv1.ListEnrolmentsResponse{Enrolments: all, NextPageToken: next}, err
}

// EnrolPeople assigns people to a training.
func (a *EnrolmentService) EnrolPeople(ctx context.Context, req *implementationv1.EnrolPeopleRequest) (*implementationv1.EnrolPeopleResponse, error) {
	return a.store.Enrol(ctx, req)
}

// RecordCompletions records who has completed a training.
func (a *EnrolmentService) RecordCompletions(ctx context.Context, req *implementationv1.RecordCompletionsRequest) (*implementationv1.ImportResult, error) {
	return a.store.RecordCompletions(ctx, req)
}

// ImportCompletions does so from a file.
func (a *EnrolmentService) ImportCompletions(ctx context.Context, req *implementationv1.ImportCompletionsRequest) (*implementationv1.ImportResult, error) {
	return a.store.ImportCompletions(ctx, req)
}

// WaiveEnrolment lets a person off.
func (a *EnrolmentService) WaiveEnrolment(ctx context.Context, req *implementationv1.WaiveEnrolmentRequest) (*implementationv1.Enrolment, error) {
	return a.store.Waive(ctx, req)
}
