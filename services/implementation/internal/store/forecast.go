package store

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/level"
	"github.com/golive-dev/golive/services/implementation/internal/risk"
)

// Forecasts is the kind of forecasts: computed once, never changed.
var Forecasts = resource.Define(resource.Spec[*implementationv1.Forecast]{
	Table:  "forecasts",
	Parent: Implementations.RequiredLater,
	Hooks: resource.Hooks[*implementationv1.Forecast]{
		BeforeDelete: func(ctx context.Context, tx *sqldb.Tx, old *implementationv1.Forecast) error {
			return removeComments(ctx, tx, old.GetName())
		},
	},
})

// CreateForecast reads the plan as of one moment, plays it outside of any transaction, and keeps what came out.
func (s *Store) CreateForecast(ctx context.Context, req *implementationv1.CreateForecastRequest) (*implementationv1.Forecast, error) {
	if _, err := Implementations.Parse(req.GetParent()); err != nil {
		return nil, err
	}
	asked := req.GetForecast()
	in, digest, err := s.planAsOf(ctx, req.GetParent(), asked.GetAsOfTime())
	if err != nil {
		return nil, err
	}
	f := &implementationv1.Forecast{
		Distribution: asked.GetDistribution(), Correlation: asked.Correlation, Iterations: asked.GetIterations(),
		Seed: asked.GetSeed(), TargetTime: asked.GetTargetTime(), AsOfTime: timestamppb.New(in.Now), InputDigest: digest,
	}
	if err := risk.Forecast(in, f); err != nil {
		return nil, err
	}
	over, err := level.Overallocations(in)
	if err != nil {
		return nil, err
	}
	if len(over) > 0 {
		f.Warnings = append(f.Warnings, &implementationv1.Forecast_Warning{
			Reason:  "RESOURCES_OVERALLOCATED",
			Message: fmt.Sprintf("on %d days somebody has more to do than they can, from %s on; the forecast counts as if they could, so level the plan first", len(over), over[0].GetDate()),
		})
	}
	computed := Forecasts.With(resource.Hooks[*implementationv1.Forecast]{
		Default: func(_ context.Context, _ *sqldb.Tx, m *implementationv1.Forecast) error {
			name := m.GetName()
			proto.Reset(m)
			proto.Merge(m, f)
			m.Name = name
			return nil
		},
	})
	return computed.Create(ctx, s.Store, req)
}
