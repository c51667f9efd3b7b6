package api

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// UsageService answers golive.implementation.v1.UsageService.
type UsageService struct {
	implementationv1.UnimplementedUsageServiceServer

	store *store.Store
}

// NewUsageService serves the store.
func NewUsageService(s *store.Store) *UsageService { return &UsageService{store: s} }

// ReportUsage takes a batch.
func (a *UsageService) ReportUsage(ctx context.Context, req *implementationv1.ReportUsageRequest) (*implementationv1.ReportUsageResponse, error) {
	return a.store.ReportUsage(ctx, req)
}

// IngestUsage takes batches and answers each. The first message authorised the stream for its workspace, and for no other.
func (a *UsageService) IngestUsage(stream grpc.BidiStreamingServer[implementationv1.IngestUsageRequest, implementationv1.IngestUsageResponse]) error {
	workspace := ""
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if workspace == "" {
			workspace = req.GetParent()
		}
		if req.GetParent() != workspace {
			return fault.Invalid(store.ReasonOtherWorkspace, "the stream is of %s; open another one for %s", workspace, clip(req.GetParent())).
				Field("parent", "is another workspace than that of the first batch")
		}
		taken, err := a.store.ReportUsage(stream.Context(), &implementationv1.ReportUsageRequest{Parent: workspace, Events: req.GetEvents()})
		if err != nil {
			return err
		}
		err = stream.Send(&implementationv1.IngestUsageResponse{
			Sequence: req.GetSequence(), AcceptedCount: taken.GetAcceptedCount(), RejectedCount: taken.GetRejectedCount(), Errors: taken.GetErrors(),
		})
		if err != nil {
			return err
		}
	}
}

// BindSubjects says which key is which person.
func (a *UsageService) BindSubjects(ctx context.Context, req *implementationv1.BindSubjectsRequest) (*implementationv1.ImportResult, error) {
	return a.store.BindSubjects(ctx, req)
}

// OptOut takes a person out of all counting.
func (a *UsageService) OptOut(ctx context.Context, req *implementationv1.OptOutRequest) (*implementationv1.UsageConsent, error) {
	return a.store.OptOut(ctx, req)
}

// OptIn counts a person again.
func (a *UsageService) OptIn(ctx context.Context, req *implementationv1.OptInRequest) (*implementationv1.UsageConsent, error) {
	return a.store.OptIn(ctx, req)
}
