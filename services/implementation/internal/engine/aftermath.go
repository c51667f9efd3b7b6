package engine

import (
	"context"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/run"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

const (
	// freezeTick is how often it is looked whose freezes are due.
	freezeTick = 2 * time.Second
	// freezeBack and freezeAhead are how far freezes are asked for, in steps; the deployment service answers for 400 days at once.
	freezeBack, freezeAhead, freezeStep = 31 * 24 * time.Hour, 335 * 24 * time.Hour, 30 * 24 * time.Hour
)

// NewDeployments follows what the deployment service does: seals start adoption
// clocks, starts begin the watch over readiness, and changed policies let freezes be asked for again.
func NewDeployments(s *store.Store, client eventv1.EventServiceClient, logger *zap.Logger) *Follower {
	return NewFollower(s, store.DeploymentsHearer, Of(client, s.EventWorkspaces), s.HearDeployments, logger)
}

// NewReadinessFalls follows the verdicts of this service, to tell when one falls after its wave has started.
func NewReadinessFalls(s *store.Store, log *feed.Log, logger *zap.Logger) *Follower {
	return NewFollower(s, "readiness-falls", Own(log), s.HearVerdicts, logger)
}

// Freezes asks the deployment service once an hour, and when its policies change,
// when deployments are frozen. Who does not answer is asked again in a minute; what was said before stays.
type Freezes struct {
	store    *store.Store
	policies deploymentv1.PolicyServiceClient
	logger   *zap.Logger
}

// NewFreezes asks through policies; nil asks nobody.
func NewFreezes(s *store.Store, policies deploymentv1.PolicyServiceClient, logger *zap.Logger) *Freezes {
	return &Freezes{store: s, policies: policies, logger: logger}
}

// Run asks until ctx ends.
func (f *Freezes) Run(ctx context.Context) error {
	if f.policies == nil {
		return nil
	}
	run.Every(ctx, freezeTick, func(ctx context.Context) {
		for more := true; more && ctx.Err() == nil; {
			var err error
			if more, err = f.ask(ctx); err != nil && ctx.Err() == nil {
				f.logger.Warn("freezes not asked for; trying again", zap.Error(err))
			}
		}
	})
	return nil
}

// ask asks for one implementation that is due; false when none is.
func (f *Freezes) ask(ctx context.Context) (more bool, err error) {
	i, until, err := f.store.ClaimFreezes(ctx)
	if err != nil || i == nil {
		return false, err
	}
	asking, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	start, end := freezeSpan(f.store.Now())
	answer, err := f.policies.PreviewFreezes(asking, &deploymentv1.PreviewFreezesRequest{
		Parent: store.Workspace(i.GetName()), Applications: i.GetApplications(), Environments: i.GetEnvironments(),
		StartTime: timestamppb.New(start), EndTime: timestamppb.New(end),
	})
	if err != nil {
		f.logger.Debug("the deployment service does not answer", zap.String("implementation", i.GetName()), zap.Error(err))
		return true, nil
	}
	return true, f.store.RecordFreezes(ctx, i.GetName(), until, answer.GetFreezes())
}

// freezeSpan is the span that freezes are asked for. One that has begun keeps its begin for a month, and one that lasts longer ends
// where the asking does: both ends move in steps of a month and not with every question, because calendars know a freeze by them.
func freezeSpan(now time.Time) (start, end time.Time) {
	return now.Add(-freezeBack).Truncate(freezeStep), now.Add(freezeAhead).Truncate(freezeStep)
}
