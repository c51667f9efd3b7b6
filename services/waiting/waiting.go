// Package waiting joins what the two services say waits. Each of them knows its own
// half: the machines, or the people. Here the reason of a wave that is a cohort plan is followed
// to the training that a few people lack, and what waits anywhere is one list.
//
// It keeps nothing and decides nothing. It asks with the credential that the peers it is given
// carry, so whoever asks learns what they may read, and no more. A service that does not
// answer is named, and the rest is told all the same.
package waiting

import (
	"context"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/owner"
)

const (
	// askTimeout bounds one question to one service.
	askTimeout = 2 * time.Second
	// walkTimeout bounds a whole search for causes.
	walkTimeout = 5 * time.Second
)

// Peers are the two services.
type Peers struct {
	Deployment, Implementation waitingv1.WaitingServiceClient
}

// of is the client of a service; nil where there is none.
func (p Peers) of(service owner.Service) waitingv1.WaitingServiceClient {
	if service == owner.Implementation {
		return p.Implementation
	}
	return p.Deployment
}

// ask explains one resource by the word of the service that keeps it.
func (p Peers) ask(ctx context.Context, service owner.Service, resource string) (*waitingv1.Explanation, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return p.of(service).ExplainWaiting(ctx, &waitingv1.ExplainWaitingRequest{Resource: resource})
}

// silent says that an error is a service that does not answer, or not yet or no longer this question.
func silent(err error) bool {
	return fault.Is(err, fault.KindUnavailable) || fault.Is(err, fault.KindDeadline) || fault.Is(err, fault.KindUnsupported)
}
