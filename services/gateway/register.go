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
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	accessgw "github.com/golive-dev/golive/services/gateway/internal/gen/golive/access/v1"
	deploymentgw "github.com/golive-dev/golive/services/gateway/internal/gen/golive/deployment/v1"
	eventgw "github.com/golive-dev/golive/services/gateway/internal/gen/golive/event/v1"
	gategw "github.com/golive-dev/golive/services/gateway/internal/gen/golive/gate/v1"
	implementationgw "github.com/golive-dev/golive/services/gateway/internal/gen/golive/implementation/v1"
	waitinggw "github.com/golive-dev/golive/services/gateway/internal/gen/golive/waiting/v1"
	"github.com/golive-dev/golive/services/waiting"
)

// register makes a route of every rpc that has an HTTP annotation. The mux tries
// the routes registered last first. The gate and event routes must be among
// them: they end in a verb or collection below any resource, and a route for
// one resource would take "prod:evaluateGate" for its id. Before them stands what is asked for most.
func (g *Gateway) register(d, i grpc.ClientConnInterface) error {
	ctx, mux := context.Background(), g.mux // generated code ignores the context
	g.access = &access{
		AccessServiceClient: accessv1.NewAccessServiceClient(d),
		implementation:      accessv1.NewAccessServiceClient(i),
	}
	g.blobs = deploymentv1.NewBlobServiceClient(d)
	event := &events{
		deployment: eventv1.NewEventServiceClient(d), implementation: eventv1.NewEventServiceClient(i),
		running: &g.running, retry: helloAfter,
	}
	g.gates = &gates{
		deployment: gatev1.NewGateServiceClient(d), implementation: gatev1.NewGateServiceClient(i),
		running: &g.running,
	}
	g.gateWaits, g.calendars = newGateWaits(g.gates, &g.running), implementationv1.NewCalendarFeedServiceClient(i)
	for _, register := range []func() error{
		func() error { return accessgw.RegisterAccessServiceHandlerClient(ctx, mux, g.access) },
		func() error { return registerAll(ctx, mux, implementationRoutes(i)) },
		func() error { return registerAll(ctx, mux, deploymentRoutes(d)) },
		func() error { return deploymentgw.RegisterBlobServiceHandlerClient(ctx, mux, g.blobs) },
		func() error { return mux.HandlePath(http.MethodPost, uploadRoute, g.upload) },
		func() error { return mux.HandlePath(http.MethodGet, checkRoute, g.checkGate) },
		func() error { return mux.HandlePath(http.MethodPost, checkRoute, g.checkGate) },
		func() error { return mux.HandlePath(http.MethodGet, feedRoute, g.calendarFeed) },
		func() error { return gategw.RegisterGateServiceHandlerClient(ctx, mux, g.gates) },
		func() error {
			return waitinggw.RegisterWaitingServiceHandlerClient(ctx, mux, &waits{waiting.Peers{
				Deployment: waitingv1.NewWaitingServiceClient(d), Implementation: waitingv1.NewWaitingServiceClient(i),
			}})
		},
		func() error { return eventgw.RegisterEventServiceHandlerClient(ctx, mux, event) },
	} {
		if err := register(); err != nil {
			return err
		}
	}
	return nil
}

// A route registers the HTTP facade of one service.
type route func(context.Context, *runtime.ServeMux) error

// routeOf joins the two halves that are generated apart: the client of a service and its facade.
func routeOf[C any](
	register func(context.Context, *runtime.ServeMux, C) error, client func(grpc.ClientConnInterface) C, c grpc.ClientConnInterface,
) route {
	return func(ctx context.Context, mux *runtime.ServeMux) error { return register(ctx, mux, client(c)) }
}

func registerAll(ctx context.Context, mux *runtime.ServeMux, routes []route) error {
	for _, register := range routes {
		if err := register(ctx, mux); err != nil {
			return err
		}
	}
	return nil
}

func implementationRoutes(c grpc.ClientConnInterface) []route {
	return []route{
		routeOf(implementationgw.RegisterImplementationServiceHandlerClient, implementationv1.NewImplementationServiceClient, c),
		routeOf(implementationgw.RegisterCohortServiceHandlerClient, implementationv1.NewCohortServiceClient, c),
		routeOf(implementationgw.RegisterResourceServiceHandlerClient, implementationv1.NewResourceServiceClient, c),
		routeOf(implementationgw.RegisterStageServiceHandlerClient, implementationv1.NewStageServiceClient, c),
		routeOf(implementationgw.RegisterTaskServiceHandlerClient, implementationv1.NewTaskServiceClient, c),
		routeOf(implementationgw.RegisterBaselineServiceHandlerClient, implementationv1.NewBaselineServiceClient, c),
		routeOf(implementationgw.RegisterScheduleServiceHandlerClient, implementationv1.NewScheduleServiceClient, c),
		routeOf(implementationgw.RegisterPlanTemplateServiceHandlerClient, implementationv1.NewPlanTemplateServiceClient, c),
		routeOf(implementationgw.RegisterAgendaServiceHandlerClient, implementationv1.NewAgendaServiceClient, c),
		routeOf(implementationgw.RegisterCommentServiceHandlerClient, implementationv1.NewCommentServiceClient, c),
		routeOf(implementationgw.RegisterCohortPlanServiceHandlerClient, implementationv1.NewCohortPlanServiceClient, c),
		routeOf(implementationgw.RegisterPersonServiceHandlerClient, implementationv1.NewPersonServiceClient, c),
		routeOf(implementationgw.RegisterMembershipServiceHandlerClient, implementationv1.NewMembershipServiceClient, c),
		routeOf(implementationgw.RegisterTrainingServiceHandlerClient, implementationv1.NewTrainingServiceClient, c),
		routeOf(implementationgw.RegisterEnrolmentServiceHandlerClient, implementationv1.NewEnrolmentServiceClient, c),
		routeOf(implementationgw.RegisterChallengeServiceHandlerClient, implementationv1.NewChallengeServiceClient, c),
		routeOf(implementationgw.RegisterSignalServiceHandlerClient, implementationv1.NewSignalServiceClient, c),
		routeOf(implementationgw.RegisterDetectorPolicyServiceHandlerClient, implementationv1.NewDetectorPolicyServiceClient, c),
		routeOf(implementationgw.RegisterSupportServiceHandlerClient, implementationv1.NewSupportServiceClient, c),
		routeOf(implementationgw.RegisterSessionServiceHandlerClient, implementationv1.NewSessionServiceClient, c),
		routeOf(implementationgw.RegisterProvisioningServiceHandlerClient, implementationv1.NewProvisioningServiceClient, c),
		routeOf(implementationgw.RegisterForecastServiceHandlerClient, implementationv1.NewForecastServiceClient, c),
		routeOf(implementationgw.RegisterProposalServiceHandlerClient, implementationv1.NewProposalServiceClient, c),
		routeOf(implementationgw.RegisterBudgetLineServiceHandlerClient, implementationv1.NewBudgetLineServiceClient, c),
		routeOf(implementationgw.RegisterLedgerEntryServiceHandlerClient, implementationv1.NewLedgerEntryServiceClient, c),
		routeOf(implementationgw.RegisterOutcomeServiceHandlerClient, implementationv1.NewOutcomeServiceClient, c),
		routeOf(implementationgw.RegisterBenefitServiceHandlerClient, implementationv1.NewBenefitServiceClient, c),
		routeOf(implementationgw.RegisterScorecardServiceHandlerClient, implementationv1.NewScorecardServiceClient, c),
		routeOf(implementationgw.RegisterScorecardSnapshotServiceHandlerClient, implementationv1.NewScorecardSnapshotServiceClient, c),
		routeOf(implementationgw.RegisterDecisionServiceHandlerClient, implementationv1.NewDecisionServiceClient, c),
		routeOf(implementationgw.RegisterComparisonServiceHandlerClient, implementationv1.NewComparisonServiceClient, c),
		routeOf(implementationgw.RegisterSubscriptionServiceHandlerClient, implementationv1.NewSubscriptionServiceClient, c),
		routeOf(implementationgw.RegisterEventDeliveryServiceHandlerClient, implementationv1.NewEventDeliveryServiceClient, c),
		routeOf(implementationgw.RegisterCalendarFeedServiceHandlerClient, implementationv1.NewCalendarFeedServiceClient, c),
		routeOf(implementationgw.RegisterStatusReportServiceHandlerClient, implementationv1.NewStatusReportServiceClient, c),
		routeOf(implementationgw.RegisterStakeholderServiceHandlerClient, implementationv1.NewStakeholderServiceClient, c),
		routeOf(implementationgw.RegisterCommunicationServiceHandlerClient, implementationv1.NewCommunicationServiceClient, c),
		routeOf(implementationgw.RegisterContactServiceHandlerClient, implementationv1.NewContactServiceClient, c),
		routeOf(implementationgw.RegisterMailServiceHandlerClient, implementationv1.NewMailServiceClient, c),
		routeOf(implementationgw.RegisterErasureServiceHandlerClient, implementationv1.NewErasureServiceClient, c),
		routeOf(implementationgw.RegisterFeatureServiceHandlerClient, implementationv1.NewFeatureServiceClient, c),
		routeOf(implementationgw.RegisterUsageServiceHandlerClient, implementationv1.NewUsageServiceClient, c),
		routeOf(implementationgw.RegisterAdoptionServiceHandlerClient, implementationv1.NewAdoptionServiceClient, c),
		routeOf(implementationgw.RegisterSurveyServiceHandlerClient, implementationv1.NewSurveyServiceClient, c),
		routeOf(implementationgw.RegisterSurveyWaveServiceHandlerClient, implementationv1.NewSurveyWaveServiceClient, c),
		routeOf(implementationgw.RegisterResponseServiceHandlerClient, implementationv1.NewResponseServiceClient, c),
		routeOf(implementationgw.RegisterSurveyNoticeServiceHandlerClient, implementationv1.NewSurveyNoticeServiceClient, c),
		routeOf(implementationgw.RegisterSurveyResultServiceHandlerClient, implementationv1.NewSurveyResultServiceClient, c),
	}
}

func deploymentRoutes(c grpc.ClientConnInterface) []route {
	return []route{
		routeOf(deploymentgw.RegisterHistoryServiceHandlerClient, deploymentv1.NewHistoryServiceClient, c),
		routeOf(deploymentgw.RegisterMeasureServiceHandlerClient, deploymentv1.NewMeasureServiceClient, c),
		routeOf(deploymentgw.RegisterIncidentServiceHandlerClient, deploymentv1.NewIncidentServiceClient, c),
		routeOf(deploymentgw.RegisterDoraServiceHandlerClient, deploymentv1.NewDoraServiceClient, c),
		routeOf(deploymentgw.RegisterAgentServiceHandlerClient, deploymentv1.NewAgentServiceClient, c),
		routeOf(deploymentgw.RegisterDeploymentPlanServiceHandlerClient, deploymentv1.NewDeploymentPlanServiceClient, c),
		routeOf(deploymentgw.RegisterAnalysisServiceHandlerClient, deploymentv1.NewAnalysisServiceClient, c),
		routeOf(deploymentgw.RegisterPolicyServiceHandlerClient, deploymentv1.NewPolicyServiceClient, c),
		routeOf(deploymentgw.RegisterOverrideServiceHandlerClient, deploymentv1.NewOverrideServiceClient, c),
		routeOf(deploymentgw.RegisterEnvironmentServiceHandlerClient, deploymentv1.NewEnvironmentServiceClient, c),
		routeOf(deploymentgw.RegisterTargetServiceHandlerClient, deploymentv1.NewTargetServiceClient, c),
		routeOf(deploymentgw.RegisterReleaseServiceHandlerClient, deploymentv1.NewReleaseServiceClient, c),
		routeOf(deploymentgw.RegisterApplicationServiceHandlerClient, deploymentv1.NewApplicationServiceClient, c),
		routeOf(deploymentgw.RegisterGateEvaluationServiceHandlerClient, deploymentv1.NewGateEvaluationServiceClient, c),
		routeOf(deploymentgw.RegisterFeedbackServiceHandlerClient, deploymentv1.NewFeedbackServiceClient, c),
		routeOf(deploymentgw.RegisterInstallationServiceHandlerClient, deploymentv1.NewInstallationServiceClient, c),
		routeOf(deploymentgw.RegisterWaveServiceHandlerClient, deploymentv1.NewWaveServiceClient, c),
		routeOf(deploymentgw.RegisterMigrationServiceHandlerClient, deploymentv1.NewMigrationServiceClient, c),
		routeOf(deploymentgw.RegisterDeploymentServiceHandlerClient, deploymentv1.NewDeploymentServiceClient, c),
	}
}
