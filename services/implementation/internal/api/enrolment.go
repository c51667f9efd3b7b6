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

// BookEnrolment gives a person a seat.
func (a *EnrolmentService) BookEnrolment(ctx context.Context, req *implementationv1.BookEnrolmentRequest) (*implementationv1.Enrolment, error) {
	return a.store.Book(ctx, req)
}

// DeclineEnrolment records that a person declined.
func (a *EnrolmentService) DeclineEnrolment(ctx context.Context, req *implementationv1.DeclineEnrolmentRequest) (*implementationv1.Enrolment, error) {
	return a.store.Decline(ctx, req)
}

// ReassignEnrolment asks a person again.
func (a *EnrolmentService) ReassignEnrolment(ctx context.Context, req *implementationv1.ReassignEnrolmentRequest) (*implementationv1.Enrolment, error) {
	return a.store.Reassign(ctx, req)
}

// RecordAssessments records scores.
func (a *EnrolmentService) RecordAssessments(ctx context.Context, req *implementationv1.RecordAssessmentsRequest) (*implementationv1.RecordAssessmentsResponse, error) {
	return a.store.RecordAssessments(ctx, req)
}

// ImportEnrolments assigns people from a file.
func (a *EnrolmentService) ImportEnrolments(ctx context.Context, req *implementationv1.ImportEnrolmentsRequest) (*implementationv1.ImportResult, error) {
	return a.store.ImportEnrolments(ctx, req)
}

// ExportEnrolments writes a page of a file.
func (a *EnrolmentService) ExportEnrolments(ctx context.Context, req *implementationv1.ExportEnrolmentsRequest) (*implementationv1.ExportResult, error) {
	return a.store.ExportEnrolments(ctx, req)
}

// CountEnrolments counts the people of a training.
func (a *EnrolmentService) CountEnrolments(ctx context.Context, req *implementationv1.CountEnrolmentsRequest) (*implementationv1.CountEnrolmentsResponse, error) {
	return a.store.CountEnrolments(ctx, req)
}
