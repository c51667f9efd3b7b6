package api_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/api"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

func TestSamplesThatCannotBeAreRefused(t *testing.T) {
	b := setupFleet(t)
	_, err := store.Applications.Create(t.Context(), b.store.Resources, &deploymentv1.CreateApplicationRequest{Parent: workspace, ApplicationId: "shop", Application: &deploymentv1.Application{}})
	require.NoError(t, err)
	service, application := api.NewAnalysisService(b.store), workspace+"/applications/shop"
	start := time.Now()
	good := &deploymentv1.Sample{
		Release: application + "/releases/v1", Counter: "errors", Environment: environment, Total: 10, Bad: 10,
		StartTime: timestamppb.New(start), EndTime: timestamppb.New(start.Add(time.Minute)),
	}
	for name, c := range map[string]struct {
		change func(s *deploymentv1.Sample)
		parent string
		reason string
	}{
		"a good one is taken":        {func(*deploymentv1.Sample) {}, application, ""},
		"a release of another":       {func(s *deploymentv1.Sample) { s.Release = workspace + "/applications/other/releases/v1" }, application, "OTHER_APPLICATION"},
		"more bad ones than all":     {func(s *deploymentv1.Sample) { s.Bad = 11 }, application, "INVALID_SAMPLE"},
		"an end before its begin":    {func(s *deploymentv1.Sample) { s.EndTime = s.GetStartTime() }, application, "INVALID_SAMPLE"},
		"another workspace":          {func(s *deploymentv1.Sample) { s.Environment = "workspaces/other/environments/prod" }, application, "OTHER_WORKSPACE"},
		"an application that is not": {func(s *deploymentv1.Sample) { s.Release = workspace + "/applications/none/releases/v1" }, workspace + "/applications/none", "RESOURCE_NOT_FOUND"},
	} {
		t.Run(name, func(t *testing.T) {
			sample := proto.CloneOf(good)
			c.change(sample)
			got, err := service.ReportSamples(t.Context(), &deploymentv1.ReportSamplesRequest{Parent: c.parent, Samples: []*deploymentv1.Sample{sample}})
			require.Equal(t, c.reason, fault.ReasonOf(err), "%v", err)
			if c.reason == "" {
				require.EqualValues(t, 1, got.GetAccepted())
			}
		})
	}
}
