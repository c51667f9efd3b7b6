package deployment

import (
	"google.golang.org/grpc"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
)

// Implementation is what this service asks the implementation service. All of it is nil where there is none:
// gates about people and decisions stay closed then, and everything else works.
type Implementation struct {
	Gate    gatev1.GateServiceClient       // Verdicts on cohort plans and decisions.
	Waiting waitingv1.WaitingServiceClient // What waits there, for the search for circles.
}

// ImplementationAt asks the implementation service at the other end of a connection.
func ImplementationAt(conn grpc.ClientConnInterface) Implementation {
	return Implementation{Gate: gatev1.NewGateServiceClient(conn), Waiting: waitingv1.NewWaitingServiceClient(conn)}
}
