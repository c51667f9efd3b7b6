package api

import (
	"context"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// StatusReportService answers golive.implementation.v1.StatusReportService.
type StatusReportService struct {
	implementationv1.UnimplementedStatusReportServiceServer

	store *store.Store
}

// NewStatusReportService serves the store.
func NewStatusReportService(s *store.Store) *StatusReportService {
	return &StatusReportService{store: s}
}

// ComputeStatusReport writes the report of a week.
func (a *StatusReportService) ComputeStatusReport(ctx context.Context, req *implementationv1.ComputeStatusReportRequest) (*implementationv1.StatusReport, error) {
	return a.store.StatusReport(ctx, req)
}
