package store

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/delivery"
)

// The reasons of faults about subscriptions.
const (
	ReasonAddressRefused = "ADDRESS_REFUSED"
	ReasonNoSecret       = "NO_SECRET"
)

// GoneReason is why a subscription is disabled whose receiver wants nothing any more.
const GoneReason = "the receiver answered 410 Gone; give it another address, or ask who runs it, and enable it again"

// eventTypes is what a type, or a prefix of types, looks like.
var eventTypes = regexp.MustCompile(`^(deployment|implementation)\.([A-Za-z]+\.([A-Za-z_]+)?)?$`)

// Subscriptions is the kind of subscriptions.
var Subscriptions = resource.Define(resource.Spec[*implementationv1.Subscription]{
	Table: "subscriptions",
	Columns: []resource.Column[*implementationv1.Subscription]{
		{Field: "display_name"}, {Field: "state"}, {Field: "labels"},
	},
	Hooks: resource.Hooks[*implementationv1.Subscription]{
		Validate: validateSubscription,
		BeforeDelete: func(ctx context.Context, tx *sqldb.Tx, old *implementationv1.Subscription) error {
			return dropSubscription(ctx, tx, old.GetName())
		},
	},
})

func validateSubscription(ctx context.Context, tx *sqldb.Tx, old, sub *implementationv1.Subscription) error {
	if sub.GetDestination() == nil {
		return fault.Invalid(resource.ReasonRequired, "where its events go is missing; give a webhook, a slack or an email").Field("subscription.destination", "is required")
	}
	if old == nil {
		sub.State = implementationv1.Subscription_ENABLED
	} else if kindOfReceiver(old) != kindOfReceiver(sub) {
		return fault.Invalid(resource.ReasonImmutable, "%s goes to a %s, and cannot go to a %s instead; create another subscription",
			old.GetName(), kindOfReceiver(old), kindOfReceiver(sub)).Field("subscription.destination", "cannot be of another kind")
	}
	for _, t := range sub.GetTypes() {
		switch {
		case !eventTypes.MatchString(t):
			return fault.Invalid(resource.ReasonInvalidField, "%q is no type of events, and no prefix of types that ends in a dot; write deployment.wave.sealed or deployment.wave.", t).
				Field("subscription.types", "has what is no type")
		case delivery.PrivateType(t):
			return fault.Invalid(resource.ReasonInvalidField, "events of the type %s are about single people and never leave; subscribe to others", t).
				Field("subscription.types", "has a type about single people")
		}
	}
	for _, r := range sub.GetResources() {
		workspace := Workspace(sub.GetName())
		switch {
		case delivery.PrivateResource(r):
			return fault.Invalid(resource.ReasonInvalidField, "events of %q are about single people and never leave; subscribe to others", r).
				Field("subscription.resources", "has what is about single people")
		case r != workspace && !strings.HasPrefix(r, workspace+"/"):
			return fault.Invalid(resource.ReasonInvalidField, "%q is not in %s, whose events this subscription is for; name what is in it, or subscribe there", r, workspace).
				Field("subscription.resources", "has what is not in this workspace")
		}
	}
	return keepReceiver(ctx, tx, old, sub)
}

func kindOfReceiver(sub *implementationv1.Subscription) string {
	switch sub.GetDestination().(type) {
	case *implementationv1.Subscription_Slack:
		return "chat"
	case *implementationv1.Subscription_Email:
		return "mailbox"
	default:
		return "webhook"
	}
}

// Receiver is the web address that a subscription asks for, as a client wrote it; empty for e-mail and where it is left as it is.
func Receiver(sub *implementationv1.Subscription) string {
	if slack := sub.GetSlack(); slack != nil {
		return slack.GetUrl()
	}
	return sub.GetWebhook().GetUrl()
}

// keepReceiver puts what is secret of a destination where nobody reads it.
func keepReceiver(ctx context.Context, tx *sqldb.Tx, old, sub *implementationv1.Subscription) error {
	address, secret := "", ""
	slack := sub.GetSlack()
	switch {
	case slack != nil && slack.GetUrl() == "" && old == nil:
		return fault.Invalid(resource.ReasonRequired, "the address that the chat gave is missing; make an incoming webhook there and give its address").
			Field("subscription.slack.url", "is required")
	case slack != nil && slack.GetUrl() == "":
		slack.Host = old.GetSlack().GetHost()
		return nil
	case slack != nil:
		address, slack.Url = slack.GetUrl(), ""
		slack.Host = hostOf(address)
	case old != nil:
		return nil
	case sub.GetWebhook() != nil:
		secret = delivery.NewSecret()
	}
	return writeReceiver(ctx, tx, sub.GetName(), address, secret)
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// EnableSubscription delivers again.
func (s *Store) EnableSubscription(ctx context.Context, req *implementationv1.EnableSubscriptionRequest) (*implementationv1.Subscription, error) {
	return s.turnSubscription(ctx, req, "enabled", implementationv1.Subscription_ENABLED, "")
}

// DisableSubscription stops delivering.
func (s *Store) DisableSubscription(ctx context.Context, req *implementationv1.DisableSubscriptionRequest) (*implementationv1.Subscription, error) {
	return s.turnSubscription(ctx, req, "disabled", implementationv1.Subscription_DISABLED, req.GetReason())
}

// SubscriptionGone disables a subscription whose receiver wants nothing any more, unless somebody has changed it since it was read.
func (s *Store) SubscriptionGone(ctx context.Context, sub *implementationv1.Subscription) error {
	_, err := s.turnSubscription(ctx, &implementationv1.DisableSubscriptionRequest{Name: sub.GetName(), Etag: sub.GetEtag()}, "disabled", implementationv1.Subscription_DISABLED, GoneReason)
	if fault.ReasonOf(err) == resource.ReasonEtagMismatch {
		return nil
	}
	return err
}

// turnSubscription brings a subscription to a state. One that is there already stays as it is.
func (s *Store) turnSubscription(ctx context.Context, req command, verb string, state implementationv1.Subscription_State, reason string) (*implementationv1.Subscription, error) {
	if _, err := Subscriptions.Parse(req.GetName()); err != nil {
		return nil, err
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.Subscription, error) {
		row, err := Subscriptions.LockRow(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		sub := row.Message
		if t, ok := req.(tagged); ok && t.GetEtag() != "" && t.GetEtag() != sub.GetEtag() {
			return nil, staleEtag(req.GetName(), sub.GetEtag())
		}
		if sub.GetState() == state {
			return sub, nil
		}
		sub.State, sub.StateReason, sub.StateTime = state, reason, timestamppb.New(s.Now())
		tx.AfterCommit(s.eventsWait)
		return sub, Subscriptions.Save(ctx, tx, s.Store, sub, row.Revision, resource.Meta{Verb: verb, Cause: reason})
	})
}

// subscriptionsOf are those of the workspaces, by workspace.
func subscriptionsOf(ctx context.Context, q sqldb.Queryer, workspaces []string) (map[string][]*implementationv1.Subscription, error) {
	all := map[string][]*implementationv1.Subscription{}
	for part := range slices.Chunk(workspaces, 100) {
		found, err := Subscriptions.Select(ctx, q, "WHERE parent IN ("+sqldb.Marks(1, len(part))+") ORDER BY name", sqldb.Texts(part)...)
		if err != nil {
			return nil, err
		}
		for _, sub := range found {
			all[Workspace(sub.GetName())] = append(all[Workspace(sub.GetName())], sub)
		}
	}
	return all, nil
}

// SubscribedWorkspaces are those in which somebody wants to hear of events.
func (s *Store) SubscribedWorkspaces(ctx context.Context) ([]string, error) {
	return workspacesOf(ctx, s.DB().Read(), "SELECT DISTINCT parent FROM subscriptions ORDER BY parent")
}

// keptWaiting is how long an event waits for its next attempt at most: longer than any pause between two, unless its subscription is disabled.
const keptWaiting = 7 * 24 * time.Hour
