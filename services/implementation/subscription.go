package implementation

import (
	"context"
	"fmt"

	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/run"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/api"
	"github.com/golive-dev/golive/services/implementation/internal/dispatch"
	"github.com/golive-dev/golive/services/implementation/internal/engine"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// subscriptions tells others what happens: it follows both logs, and sends what it finds there.
type subscriptions struct {
	dispatcher *dispatch.Dispatcher
	own        *engine.Follower
	deployment *engine.Follower
}

// openSubscriptions puts together who follows and who sends. The mail server is known by now.
func (s *Service) openSubscriptions(cfg Config) error {
	s.outward = subscriptions{
		dispatcher: dispatch.New(s.store, s.reach.post, cfg.Private, cfg.Logger),
		own:        engine.NewFollower(s.store, store.Subscriber, engine.Own(s.log), s.store.QueueEvents, cfg.Logger),
		deployment: engine.NewFollower(s.store, store.Subscriber, engine.Of(cfg.Deployment.Events, s.store.SubscribedWorkspaces), s.store.QueueEvents, cfg.Logger),
	}
	if cfg.Registry != nil {
		if err := cfg.Registry.Register(s.outward.dispatcher); err != nil {
			return fmt.Errorf("register metrics: %w", err)
		}
	}
	return nil
}

func (s *Service) registerSubscriptions(r grpc.ServiceRegistrar) {
	implementationv1.RegisterSubscriptionServiceServer(r, api.NewSubscriptionService(s.store, s.outward.dispatcher))
	implementationv1.RegisterEventDeliveryServiceServer(r, api.NewEventDeliveryService(s.store))
}

// runSubscriptions does what is done without being asked, until ctx ends.
func (s *Service) runSubscriptions(ctx context.Context) error {
	return run.All(ctx,
		run.Part{Name: "dispatcher", Run: s.outward.dispatcher.Run},
		run.Part{Name: "own events", Run: s.outward.own.Run},
		run.Part{Name: "events of the deployment service", Run: s.outward.deployment.Run},
	)
}
