package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// SessionService answers golive.implementation.v1.SessionService.
type SessionService struct {
	implementationv1.UnimplementedSessionServiceServer

	store *store.Store
}

// NewSessionService serves the store.
func NewSessionService(s *store.Store) *SessionService { return &SessionService{store: s} }

// CreateSession creates one.
func (a *SessionService) CreateSession(ctx context.Context, req *implementationv1.CreateSessionRequest) (*implementationv1.Session, error) {
	m, err := store.Sessions.Create(ctx, a.store.Store, req)
	return a.counted(ctx, m, err)
}

// GetSession reads one.
func (a *SessionService) GetSession(ctx context.Context, req *implementationv1.GetSessionRequest) (*implementationv1.Session, error) {
	m, err := store.Sessions.Get(ctx, a.store.Store, req)
	return a.counted(ctx, m, err)
}

// ListSessions reads a page.
func (a *SessionService) ListSessions(ctx context.Context, req *implementationv1.ListSessionsRequest) (*implementationv1.ListSessionsResponse, error) {
	all, next, err := store.Sessions.List(ctx, a.store.Store, req)
	if err != nil {
		return nil, err
	}
	return &implementationv1.ListSessionsResponse{Sessions: all, NextPageToken: next}, a.store.CountSeats(ctx, all...)
}

// UpdateSession changes one.
func (a *SessionService) UpdateSession(ctx context.Context, req *implementationv1.UpdateSessionRequest) (*implementationv1.Session, error) {
	m, err := store.Sessions.Update(ctx, a.store.Store, req)
	return a.counted(ctx, m, err)
}

// DeleteSession removes one.
func (a *SessionService) DeleteSession(ctx context.Context, req *implementationv1.DeleteSessionRequest) (*emptypb.Empty, error) {
	return store.Sessions.Delete(ctx, a.store.Store, req)
}

// CancelSession calls one off.
func (a *SessionService) CancelSession(ctx context.Context, req *implementationv1.CancelSessionRequest) (*implementationv1.Session, error) {
	m, err := a.store.CancelSession(ctx, req)
	return a.counted(ctx, m, err)
}

// RecordAttendance says who came.
func (a *SessionService) RecordAttendance(ctx context.Context, req *implementationv1.RecordAttendanceRequest) (*implementationv1.RecordAttendanceResponse, error) {
	return a.store.RecordAttendance(ctx, req)
}

// ImportSessions reads a file.
func (a *SessionService) ImportSessions(ctx context.Context, req *implementationv1.ImportSessionsRequest) (*implementationv1.ImportResult, error) {
	return a.store.ImportSessions(ctx, req)
}

// ExportSessions writes a page of a file.
func (a *SessionService) ExportSessions(ctx context.Context, req *implementationv1.ExportSessionsRequest) (*implementationv1.ExportResult, error) {
	return a.store.ExportSessions(ctx, req)
}

// counted adds what is counted and not stored.
func (a *SessionService) counted(ctx context.Context, m *implementationv1.Session, err error) (*implementationv1.Session, error) {
	if err != nil {
		return nil, err
	}
	return m, a.store.CountSeats(ctx, m)
}
