package implementation

import (
	"google.golang.org/grpc"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
)

// Deployment is what this service asks the deployment service. All of it is nil where there is none:
// what is about machines is UNKNOWN then, and everything else works.
type Deployment struct {
	Gate     gatev1.GateServiceClient          // Verdicts on waves, deployments and environments.
	Events   eventv1.EventServiceClient        // What happened there.
	Measures deploymentv1.MeasureServiceClient // Uptime, performance, feedback.
	Policies deploymentv1.PolicyServiceClient  // When deployments are frozen.
	Waiting  waitingv1.WaitingServiceClient    // What waits there.
}

// DeploymentAt asks the deployment service at the other end of a connection.
func DeploymentAt(conn grpc.ClientConnInterface) Deployment {
	return Deployment{
		Gate: gatev1.NewGateServiceClient(conn), Events: eventv1.NewEventServiceClient(conn), Measures: deploymentv1.NewMeasureServiceClient(conn),
		Policies: deploymentv1.NewPolicyServiceClient(conn), Waiting: waitingv1.NewWaitingServiceClient(conn),
	}
}
