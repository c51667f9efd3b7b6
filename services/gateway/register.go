package gateway

import (
	"context"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"

	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	accessgw "github.com/golive-dev/golive/services/gateway/internal/gen/golive/access/v1"
	deploymentgw "github.com/golive-dev/golive/services/gateway/internal/gen/golive/deployment/v1"
	eventgw "github.com/golive-dev/golive/services/gateway/internal/gen/golive/event/v1"
	gategw "github.com/golive-dev/golive/services/gateway/internal/gen/golive/gate/v1"
	implementationgw "github.com/golive-dev/golive/services/gateway/internal/gen/golive/implementation/v1"
)

// register makes a route of every rpc that has an HTTP annotation. The mux tries
// the routes registered last first. The gate and event routes must be among
// them: they end in a verb or collection below any resource, and a route for
// one resource would take "prod:evaluateGate" for its id. Before them stands what is asked for most.
func (g *Gateway) register(d, i grpc.ClientConnInterface) error {
	ctx, mux, owners := context.Background(), g.mux, readOwners() // generated code ignores the context
	g.access = &access{
		AccessServiceClient: accessv1.NewAccessServiceClient(d),
		implementation:      accessv1.NewAccessServiceClient(i),
	}
	g.blobs = deploymentv1.NewBlobServiceClient(d)
	event := &events{
		owners: owners, deployment: eventv1.NewEventServiceClient(d), implementation: eventv1.NewEventServiceClient(i),
		running: &g.running, retry: helloAfter,
	}
	gate := &gates{
		owners: owners, deployment: gatev1.NewGateServiceClient(d), implementation: gatev1.NewGateServiceClient(i),
		running: &g.running,
	}
	for _, register := range []func() error{
		func() error { return accessgw.RegisterAccessServiceHandlerClient(ctx, mux, g.access) },
		func() error { return registerImplementation(ctx, mux, i) },
		func() error { return registerDeployment(ctx, mux, d) },
		func() error { return deploymentgw.RegisterBlobServiceHandlerClient(ctx, mux, g.blobs) },
		func() error { return mux.HandlePath(http.MethodPost, uploadRoute, g.upload) },
		func() error { return gategw.RegisterGateServiceHandlerClient(ctx, mux, gate) },
		func() error { return eventgw.RegisterEventServiceHandlerClient(ctx, mux, event) },
	} {
		if err := register(); err != nil {
			return err
		}
	}
	return nil
}

func registerImplementation(ctx context.Context, mux *runtime.ServeMux, c grpc.ClientConnInterface) error {
	for _, register := range []func() error{
		func() error {
			return implementationgw.RegisterImplementationServiceHandlerClient(ctx, mux, implementationv1.NewImplementationServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterCohortServiceHandlerClient(ctx, mux, implementationv1.NewCohortServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterResourceServiceHandlerClient(ctx, mux, implementationv1.NewResourceServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterStageServiceHandlerClient(ctx, mux, implementationv1.NewStageServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterTaskServiceHandlerClient(ctx, mux, implementationv1.NewTaskServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterBaselineServiceHandlerClient(ctx, mux, implementationv1.NewBaselineServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterScheduleServiceHandlerClient(ctx, mux, implementationv1.NewScheduleServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterPlanTemplateServiceHandlerClient(ctx, mux, implementationv1.NewPlanTemplateServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterAgendaServiceHandlerClient(ctx, mux, implementationv1.NewAgendaServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterCommentServiceHandlerClient(ctx, mux, implementationv1.NewCommentServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterCohortPlanServiceHandlerClient(ctx, mux, implementationv1.NewCohortPlanServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterPersonServiceHandlerClient(ctx, mux, implementationv1.NewPersonServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterMembershipServiceHandlerClient(ctx, mux, implementationv1.NewMembershipServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterTrainingServiceHandlerClient(ctx, mux, implementationv1.NewTrainingServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterEnrolmentServiceHandlerClient(ctx, mux, implementationv1.NewEnrolmentServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterChallengeServiceHandlerClient(ctx, mux, implementationv1.NewChallengeServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterSignalServiceHandlerClient(ctx, mux, implementationv1.NewSignalServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterDetectorPolicyServiceHandlerClient(ctx, mux, implementationv1.NewDetectorPolicyServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterSupportServiceHandlerClient(ctx, mux, implementationv1.NewSupportServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterSessionServiceHandlerClient(ctx, mux, implementationv1.NewSessionServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterProvisioningServiceHandlerClient(ctx, mux, implementationv1.NewProvisioningServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterForecastServiceHandlerClient(ctx, mux, implementationv1.NewForecastServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterProposalServiceHandlerClient(ctx, mux, implementationv1.NewProposalServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterBudgetLineServiceHandlerClient(ctx, mux, implementationv1.NewBudgetLineServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterLedgerEntryServiceHandlerClient(ctx, mux, implementationv1.NewLedgerEntryServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterOutcomeServiceHandlerClient(ctx, mux, implementationv1.NewOutcomeServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterBenefitServiceHandlerClient(ctx, mux, implementationv1.NewBenefitServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterScorecardServiceHandlerClient(ctx, mux, implementationv1.NewScorecardServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterStatusReportServiceHandlerClient(ctx, mux, implementationv1.NewStatusReportServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterStakeholderServiceHandlerClient(ctx, mux, implementationv1.NewStakeholderServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterCommunicationServiceHandlerClient(ctx, mux, implementationv1.NewCommunicationServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterContactServiceHandlerClient(ctx, mux, implementationv1.NewContactServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterMailServiceHandlerClient(ctx, mux, implementationv1.NewMailServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterErasureServiceHandlerClient(ctx, mux, implementationv1.NewErasureServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterFeatureServiceHandlerClient(ctx, mux, implementationv1.NewFeatureServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterUsageServiceHandlerClient(ctx, mux, implementationv1.NewUsageServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterAdoptionServiceHandlerClient(ctx, mux, implementationv1.NewAdoptionServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterSurveyServiceHandlerClient(ctx, mux, implementationv1.NewSurveyServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterSurveyWaveServiceHandlerClient(ctx, mux, implementationv1.NewSurveyWaveServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterResponseServiceHandlerClient(ctx, mux, implementationv1.NewResponseServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterSurveyNoticeServiceHandlerClient(ctx, mux, implementationv1.NewSurveyNoticeServiceClient(c))
		},
		func() error {
			return implementationgw.RegisterSurveyResultServiceHandlerClient(ctx, mux, implementationv1.NewSurveyResultServiceClient(c))
		},
	} {
		if err := register(); err != nil {
			return err
		}
	}
	return nil
}

func registerDeployment(ctx context.Context, mux *runtime.ServeMux, c grpc.ClientConnInterface) error {
	for _, register := range []func() error{
		func() error {
			return deploymentgw.RegisterHistoryServiceHandlerClient(ctx, mux, deploymentv1.NewHistoryServiceClient(c))
		},
		func() error {
			return deploymentgw.RegisterIncidentServiceHandlerClient(ctx, mux, deploymentv1.NewIncidentServiceClient(c))
		},
		func() error {
			return deploymentgw.RegisterDoraServiceHandlerClient(ctx, mux, deploymentv1.NewDoraServiceClient(c))
		},
		func() error {
			return deploymentgw.RegisterAgentServiceHandlerClient(ctx, mux, deploymentv1.NewAgentServiceClient(c))
		},
		func() error {
			return deploymentgw.RegisterDeploymentPlanServiceHandlerClient(ctx, mux, deploymentv1.NewDeploymentPlanServiceClient(c))
		},
		func() error {
			return deploymentgw.RegisterAnalysisServiceHandlerClient(ctx, mux, deploymentv1.NewAnalysisServiceClient(c))
		},
		func() error {
			return deploymentgw.RegisterPolicyServiceHandlerClient(ctx, mux, deploymentv1.NewPolicyServiceClient(c))
		},
		func() error {
			return deploymentgw.RegisterOverrideServiceHandlerClient(ctx, mux, deploymentv1.NewOverrideServiceClient(c))
		},
		func() error {
			return deploymentgw.RegisterEnvironmentServiceHandlerClient(ctx, mux, deploymentv1.NewEnvironmentServiceClient(c))
		},
		func() error {
			return deploymentgw.RegisterTargetServiceHandlerClient(ctx, mux, deploymentv1.NewTargetServiceClient(c))
		},
		func() error {
			return deploymentgw.RegisterReleaseServiceHandlerClient(ctx, mux, deploymentv1.NewReleaseServiceClient(c))
		},
		func() error {
			return deploymentgw.RegisterApplicationServiceHandlerClient(ctx, mux, deploymentv1.NewApplicationServiceClient(c))
		},
		func() error {
			return deploymentgw.RegisterGateEvaluationServiceHandlerClient(ctx, mux, deploymentv1.NewGateEvaluationServiceClient(c))
		},
		func() error {
			return deploymentgw.RegisterFeedbackServiceHandlerClient(ctx, mux, deploymentv1.NewFeedbackServiceClient(c))
		},
		func() error {
			return deploymentgw.RegisterInstallationServiceHandlerClient(ctx, mux, deploymentv1.NewInstallationServiceClient(c))
		},
		func() error {
			return deploymentgw.RegisterWaveServiceHandlerClient(ctx, mux, deploymentv1.NewWaveServiceClient(c))
		},
		func() error {
			return deploymentgw.RegisterMigrationServiceHandlerClient(ctx, mux, deploymentv1.NewMigrationServiceClient(c))
		},
		func() error {
			return deploymentgw.RegisterDeploymentServiceHandlerClient(ctx, mux, deploymentv1.NewDeploymentServiceClient(c))
		},
	} {
		if err := register(); err != nil {
			return err
		}
	}
	return nil
}
