package api

import (
	"context"
	"fmt"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// AnalysisService answers golive.deployment.v1.AnalysisService.
type AnalysisService struct {
	deploymentv1.UnimplementedAnalysisServiceServer

	store *store.Store
}

// NewAnalysisService serves the store.
func NewAnalysisService(s *store.Store) *AnalysisService { return &AnalysisService{store: s} }

// GetAnalysis returns one.
func (a *AnalysisService) GetAnalysis(ctx context.Context, req *deploymentv1.GetAnalysisRequest) (*deploymentv1.Analysis, error) {
	return store.Analyses.Get(ctx, a.store.Resources, req)
}

// ListAnalyses answers one page.
func (a *AnalysisService) ListAnalyses(ctx context.Context, req *deploymentv1.ListAnalysesRequest) (*deploymentv1.ListAnalysesResponse, error) {
	items, next, err := store.Analyses.List(ctx, a.store.Resources, req)
	if err != nil {
		return nil, err
	}
	return &deploymentv1.ListAnalysesResponse{Analyses: items, NextPageToken: next}, nil
}

// ReportSamples takes counts.
func (a *AnalysisService) ReportSamples(ctx context.Context, req *deploymentv1.ReportSamplesRequest) (*deploymentv1.ReportSamplesResponse, error) {
	for i, s := range req.GetSamples() {
		if err := checkSample(req.GetParent(), fmt.Sprintf("samples[%d]", i), s); err != nil {
			return nil, err
		}
	}
	if err := store.Applications.Required(ctx, a.store.DB.Read(), req.GetParent()); err != nil {
		return nil, err
	}
	accepted, err := a.store.PutSamples(ctx, req.GetSamples())
	if err != nil {
		return nil, err
	}
	return &deploymentv1.ReportSamplesResponse{Accepted: accepted}, nil
}

// checkSample refuses what no annotation of the contract can.
func checkSample(application, field string, s *deploymentv1.Sample) error {
	switch {
	case !strings.HasPrefix(s.GetRelease(), application+"/releases/"):
		return fault.Invalid("OTHER_APPLICATION", "%q is no release of %s; report its samples there", s.GetRelease(), application).
			Field(field+".release", "must be a release of "+application)
	case s.GetBad() > s.GetTotal():
		return fault.Invalid("INVALID_SAMPLE", "%d bad events are more than %d in all; total counts the bad ones too", s.GetBad(), s.GetTotal()).
			Field(field+".bad", "must be at most total")
	case !s.GetEndTime().AsTime().After(s.GetStartTime().AsTime()):
		return fault.Invalid("INVALID_SAMPLE", "the interval ends before it begins; send its begin and its end").
			Field(field+".end_time", "must be after start_time")
	default:
		return store.SameWorkspace(field+".environment", application, s.GetEnvironment())
	}
}
