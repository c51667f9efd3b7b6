package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// CommunicationService answers golive.implementation.v1.CommunicationService.
type CommunicationService struct {
	implementationv1.UnimplementedCommunicationServiceServer

	store *store.Store
}

// NewCommunicationService serves the store.
func NewCommunicationService(s *store.Store) *CommunicationService {
	return &CommunicationService{store: s}
}

// CreateCommunication creates one.
func (a *CommunicationService) CreateCommunication(ctx context.Context, req *implementationv1.CreateCommunicationRequest) (*implementationv1.Communication, error) {
	return store.Communications.Create(ctx, a.store.Store, req)
}

// GetCommunication reads one.
func (a *CommunicationService) GetCommunication(ctx context.Context, req *implementationv1.GetCommunicationRequest) (*implementationv1.Communication, error) {
	return store.Communications.Get(ctx, a.store.Store, req)
}

// ListCommunications reads a page.
func (a *CommunicationService) ListCommunications(ctx context.Context, req *implementationv1.ListCommunicationsRequest) (*implementationv1.ListCommunicationsResponse, error) {
	all, next, err := store.Communications.List(ctx, a.store.Store, req)
	return &implementationv1.ListCommunicationsResponse{Communications: all, NextPageToken: next}, err
}

// UpdateCommunication changes one.
func (a *CommunicationService) UpdateCommunication(ctx context.Context, req *implementationv1.UpdateCommunicationRequest) (*implementationv1.Communication, error) {
	return store.Communications.Update(ctx, a.store.Store, req)
}

// DeleteCommunication removes one.
func (a *CommunicationService) DeleteCommunication(ctx context.Context, req *implementationv1.DeleteCommunicationRequest) (*emptypb.Empty, error) {
	return store.Communications.Delete(ctx, a.store.Store, req)
}

// ScheduleCommunication plans when one is sent.
func (a *CommunicationService) ScheduleCommunication(ctx context.Context, req *implementationv1.ScheduleCommunicationRequest) (*implementationv1.Communication, error) {
	return a.store.ScheduleCommunication(ctx, req)
}

// SendCommunication sends one now.
func (a *CommunicationService) SendCommunication(ctx context.Context, req *implementationv1.SendCommunicationRequest) (*implementationv1.Communication, error) {
	return a.store.SendCommunication(ctx, req)
}

// CancelCommunication gives one up.
func (a *CommunicationService) CancelCommunication(ctx context.Context, req *implementationv1.CancelCommunicationRequest) (*implementationv1.Communication, error) {
	return a.store.CancelCommunication(ctx, req)
}

// RecordDelivery notes how many somebody counted.
func (a *CommunicationService) RecordDelivery(ctx context.Context, req *implementationv1.RecordDeliveryRequest) (*implementationv1.Communication, error) {
	return a.store.RecordDelivery(ctx, req)
}
