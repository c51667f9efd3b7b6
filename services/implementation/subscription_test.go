package implementation_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/golive-dev/golive/pkg/fault"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation"
)

const (
	pending   = implementationv1.EventDelivery_PENDING
	delivered = implementationv1.EventDelivery_DELIVERED
	failed    = implementationv1.EventDelivery_FAILED
)

func TestAWebhookGetsSignedEventsAndNothingAboutPeople(t *testing.T) {
	eachOutward(t, func(t *testing.T, w *outwardWorld) {
		t.Helper()
		hook := receive(t)
		name, secret := w.webhook("ops", hook.URL)
		w.cohort("pilot", 3) // with an import of people and of memberships
		w.training("basics", 0)
		w.complete(ws+"/trainings/basics", 0, 2)
		feature := w.happens("search")
		var last arrived
		require.Eventually(t, func() bool {
			i := slices.IndexFunc(hook.all(), func(got arrived) bool { return got.event.Subject() == feature })
			if i >= 0 {
				last = hook.all()[i]
			}
			waiting, err := w.deliveries.ListEventDeliveries(t.Context(), &implementationv1.ListEventDeliveriesRequest{Parent: name, Filter: "state = PENDING"})
			require.NoError(t, err)
			return i >= 0 && len(waiting.GetEventDeliveries()) == 0
		}, soon, 10*time.Millisecond)
		types := map[string]bool{}
		for _, got := range hook.all() {
			require.NoError(t, verify(secret, got))
			require.NoError(t, got.event.Validate())
			require.Equal(t, got.event.ID(), got.header.Get("webhook-id"))
			require.Equal(t, "application/cloudevents+json; charset=utf-8", got.header.Get("Content-Type"))
			require.NotContains(t, string(got.body), "p-00", "nobody is named")
			types[got.event.Type()] = true
		}
		require.True(t, types["dev.golive.implementation.cohort.created"])
		require.True(t, types["dev.golive.implementation.feature.created"])
		for kind := range types {
			require.NotRegexp(t, "membership|person|enrolment|completion", kind)
		}
		stored := &implementationv1.Feature{}
		require.NoError(t, protojson.Unmarshal(last.event.Data(), stored))
		require.Equal(t, "A & B", stored.GetDisplayName())
	})
}

func TestBothSecretsSignWhileOneIsReplaced(t *testing.T) {
	eachOutward(t, func(t *testing.T, w *outwardWorld) {
		t.Helper()
		hook := receive(t)
		name, first := w.webhook("ops", hook.URL, "implementation.feature.")
		rotated, err := w.subscriptions.RotateSubscription(t.Context(), &implementationv1.RotateSubscriptionRequest{Name: name, Overlap: durationpb.New(time.Hour)})
		require.NoError(t, err)
		require.Equal(t, w.clock.now().Add(time.Hour), rotated.GetPreviousExpireTime().AsTime())
		w.happens("a")
		got := hook.wait(t, 1)[0]
		require.NoError(t, verify(first, got))
		require.NoError(t, verify(rotated.GetSecret(), got))
		w.clock.advance(time.Hour)
		w.happens("b")
		got = hook.wait(t, 2)[1]
		require.ErrorIs(t, verify(first, got), standardwebhooks.ErrNoMatchingSignature)
		require.NoError(t, verify(rotated.GetSecret(), got))
	})
}

func TestAnEventIsTriedForDaysAndThenGivenUp(t *testing.T) {
	eachOutward(t, func(t *testing.T, w *outwardWorld) {
		t.Helper()
		hook := receive(t)
		hook.says(replies(http.StatusInternalServerError))
		name, _ := w.webhook("ops", hook.URL, "implementation.feature.")
		w.happens("a")
		for n, wait := range []time.Duration{
			5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
		} {
			d := w.tried(name, n+1)
			require.Equal(t, pending, d.GetState())
			left := d.GetNextAttemptTime().AsTime().Sub(w.clock.now())
			require.GreaterOrEqual(t, left, wait)
			require.LessOrEqual(t, left, wait+wait/10)
			w.clock.advance(left)
		}
		d := w.delivered(name, failed)[0]
		require.EqualValues(t, 10, d.GetAttemptCount())
		require.Len(t, d.GetAttempts(), 10)
		require.EqualValues(t, 500, d.GetAttempts()[9].GetCode())
		require.Equal(t, "it answered 500 Internal Server Error", d.GetAttempts()[9].GetError())
		require.NotNil(t, d.GetEndTime())

		hook.says(nil)
		again, err := w.deliveries.RedeliverEventDelivery(t.Context(), &implementationv1.RedeliverEventDeliveryRequest{Name: d.GetName()})
		require.NoError(t, err)
		require.Equal(t, pending, again.GetState())
		d = w.delivered(name, delivered)[0]
		require.EqualValues(t, 11, d.GetAttemptCount())
		ids := map[string]bool{}
		for _, got := range hook.all() {
			ids[got.header.Get("webhook-id")] = true
		}
		require.Equal(t, map[string]bool{d.GetEventId(): true}, ids, "the id is the same in every attempt")
	})
}

func TestWhoAsksForAPauseGetsOne(t *testing.T) {
	eachOutward(t, func(t *testing.T, w *outwardWorld) {
		t.Helper()
		hook := receive(t)
		hook.says(replies(http.StatusTooManyRequests, "Retry-After", "3600"))
		name, _ := w.webhook("ops", hook.URL, "implementation.feature.")
		w.happens("a")
		d := w.tried(name, 1)
		require.Equal(t, w.clock.now().Add(time.Hour), d.GetNextAttemptTime().AsTime())
		hook.says(nil)
		w.happens("b") // waits too
		w.delivered(name, pending, pending)
		w.clock.advance(time.Hour)
		w.delivered(name, delivered, delivered)
	})
}

func TestWhoIsGoneIsAskedNoMore(t *testing.T) {
	eachOutward(t, func(t *testing.T, w *outwardWorld) {
		t.Helper()
		hook := receive(t)
		hook.says(replies(http.StatusGone))
		name, _ := w.webhook("ops", hook.URL, "implementation.feature.")
		w.happens("a")
		gone := w.delivered(name, failed)[0]
		var sub *implementationv1.Subscription
		require.Eventually(t, func() bool {
			var err error
			sub, err = w.subscriptions.GetSubscription(t.Context(), &implementationv1.GetSubscriptionRequest{Name: name})
			require.NoError(t, err)
			return sub.GetState() == implementationv1.Subscription_DISABLED
		}, soon, 10*time.Millisecond)
		require.Contains(t, sub.GetStateReason(), "410")
		_, err := w.deliveries.RedeliverEventDelivery(t.Context(), &implementationv1.RedeliverEventDeliveryRequest{Name: gone.GetName()})
		require.Equal(t, "STATE_FORBIDS", fault.ReasonOf(err))
		_, err = w.subscriptions.TestSubscription(t.Context(), &implementationv1.TestSubscriptionRequest{Name: name})
		require.Equal(t, "STATE_FORBIDS", fault.ReasonOf(err))

		w.happens("b") // is kept for it
		w.delivered(name, failed, pending)
		require.Len(t, hook.all(), 1)
		hook.says(nil)
		_, err = w.subscriptions.EnableSubscription(t.Context(), &implementationv1.EnableSubscriptionRequest{Name: name})
		require.NoError(t, err)
		w.delivered(name, failed, delivered)
	})
}

func TestOneThatHangsKeepsNobodyWaiting(t *testing.T) {
	eachOutward(t, func(t *testing.T, w *outwardWorld) {
		t.Helper()
		stuck, release := receive(t), make(chan struct{})
		stuck.says(func(_ http.ResponseWriter, req *http.Request) {
			select {
			case <-release:
			case <-req.Context().Done():
			}
		})
		t.Cleanup(func() { close(release) })
		hook := receive(t)
		slow, _ := w.webhook("slow", stuck.URL, "implementation.feature.")
		fast, _ := w.webhook("fast", hook.URL, "implementation.feature.")
		const n = 40
		for i := range n {
			w.happens(fmt.Sprintf("f-%02d", i))
		}
		hook.wait(t, n)
		answer, err := w.deliveries.ListEventDeliveries(t.Context(), &implementationv1.ListEventDeliveriesRequest{Parent: slow, Filter: "state = DELIVERED"})
		require.NoError(t, err)
		require.Empty(t, answer.GetEventDeliveries())
		answer, err = w.deliveries.ListEventDeliveries(t.Context(), &implementationv1.ListEventDeliveriesRequest{Parent: fast, PageSize: 1000})
		require.NoError(t, err)
		require.Len(t, answer.GetEventDeliveries(), n)
	})
}

func TestARedirectionIsAFailure(t *testing.T) {
	eachOutward(t, func(t *testing.T, w *outwardWorld) {
		t.Helper()
		elsewhere, hook := receive(t), receive(t)
		hook.says(replies(http.StatusTemporaryRedirect, "Location", elsewhere.URL))
		name, _ := w.webhook("ops", hook.URL, "implementation.feature.")
		w.happens("a")
		require.Contains(t, w.tried(name, 1).GetAttempts()[0].GetError(), "redirections are not followed")
		require.Empty(t, elsewhere.all())
	})
}

func TestATestIsAnsweredAtOnce(t *testing.T) {
	eachOutward(t, func(t *testing.T, w *outwardWorld) {
		t.Helper()
		hook := receive(t)
		name, secret := w.webhook("ops", hook.URL, "implementation.decision.")
		req := &implementationv1.TestSubscriptionRequest{Name: name, RequestId: "5c1d2ed0-8d2c-4c9a-a9dd-96fd0d4ad84a"}
		d, err := w.subscriptions.TestSubscription(t.Context(), req)
		require.NoError(t, err)
		require.Equal(t, delivered, d.GetState())
		got := hook.wait(t, 1)[0]
		require.NoError(t, verify(secret, got))
		require.Equal(t, "dev.golive.subscription.tested", got.event.Type())
		_, err = w.subscriptions.TestSubscription(t.Context(), req)
		require.NoError(t, err)
		require.Len(t, hook.all(), 1, "the same request tests once")

		hook.says(replies(http.StatusTeapot))
		d, err = w.subscriptions.TestSubscription(t.Context(), &implementationv1.TestSubscriptionRequest{Name: name})
		require.NoError(t, err)
		require.Equal(t, failed, d.GetState(), "a test is not repeated")
		require.EqualValues(t, http.StatusTeapot, d.GetAttempts()[0].GetCode())
		d, err = w.subscriptions.TestSubscription(t.Context(), &implementationv1.TestSubscriptionRequest{Name: name, ValidateOnly: true})
		require.NoError(t, err)
		require.Equal(t, pending, d.GetState())
		w.delivered(name, delivered, failed)
	})
}

func TestAChatAndAMailboxAreTold(t *testing.T) {
	eachOutward(t, func(t *testing.T, w *outwardWorld) {
		t.Helper()
		chat := receive(t)
		secret := chat.URL + "/services/T000/B000/sEcReT"
		req := &implementationv1.CreateSubscriptionRequest{Parent: ws, SubscriptionId: "chat", Subscription: &implementationv1.Subscription{
			Types: []string{"implementation.feature."}, Destination: &implementationv1.Subscription_Slack{Slack: &implementationv1.SlackDestination{Url: secret}},
		}}
		sub, err := w.subscriptions.CreateSubscription(t.Context(), req)
		require.NoError(t, err)
		require.Empty(t, sub.GetSlack().GetUrl())
		require.Equal(t, "127.0.0.1", sub.GetSlack().GetHost())
		before := len(w.smtp.Messages())
		_, err = w.subscriptions.CreateSubscription(t.Context(), &implementationv1.CreateSubscriptionRequest{Parent: ws, SubscriptionId: "mail", Subscription: &implementationv1.Subscription{
			Types:       []string{"implementation.feature."},
			Destination: &implementationv1.Subscription_Email{Email: &implementationv1.EmailDestination{Recipients: []string{"ops@example.com", "sponsor@example.com"}}},
		}})
		require.NoError(t, err)
		_, err = w.subscriptions.UpdateSubscription(t.Context(), &implementationv1.UpdateSubscriptionRequest{
			Subscription: &implementationv1.Subscription{Name: sub.GetName(), DisplayName: "Ops"}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"display_name"}},
		})
		require.NoError(t, err)
		feature := w.happens("search")

		var message struct{ Text string }
		require.NoError(t, json.Unmarshal(chat.wait(t, 1)[0].body, &message))
		require.Equal(t, "*Feature created: search*\n`golive describe "+feature+"` · users/alice", message.Text)
		letter := w.smtp.Wait(t, before+1)[before]
		require.Equal(t, "<ops@example.com>, <sponsor@example.com>", letter.Parse(t).Header.Get("To"))
		require.Equal(t, "Feature created: search", letter.Parse(t).Header.Get("Subject"))
		require.Contains(t, string(letter.Raw), "golive describe ")

		_, err = w.subscriptions.RotateSubscription(t.Context(), &implementationv1.RotateSubscriptionRequest{Name: sub.GetName()})
		require.Equal(t, "NO_SECRET", fault.ReasonOf(err))
		for table, text := range w.dump() {
			if !strings.HasSuffix(table, ".subscription_secrets") {
				require.NotContains(t, text, "sEcReT", table)
			}
		}
	})
}

// TestOneWhoLeftKeepsNoMailFromTheOthers: the server refuses the whole message for the sake of one recipient.
func TestOneWhoLeftKeepsNoMailFromTheOthers(t *testing.T) {
	eachOutward(t, func(t *testing.T, w *outwardWorld) {
		t.Helper()
		w.smtp.Refuse("left@example.com", 550)
		before := len(w.smtp.Messages())
		sub, err := w.subscriptions.CreateSubscription(t.Context(), &implementationv1.CreateSubscriptionRequest{Parent: ws, SubscriptionId: "mail", Subscription: &implementationv1.Subscription{
			Types:       []string{"implementation.feature."},
			Destination: &implementationv1.Subscription_Email{Email: &implementationv1.EmailDestination{Recipients: []string{"ops@example.com", "left@example.com", "sponsor@example.com"}}},
		}})
		require.NoError(t, err)
		w.happens("search")
		letters := w.smtp.Wait(t, before+2)[before:]
		require.Equal(t, []string{"ops@example.com", "sponsor@example.com"}, []string{letters[0].To, letters[1].To})
		require.Eventually(t, func() bool {
			page, err := w.deliveries.ListEventDeliveries(t.Context(), &implementationv1.ListEventDeliveriesRequest{Parent: sub.GetName()})
			require.NoError(t, err)
			return len(page.GetEventDeliveries()) == 1 && page.GetEventDeliveries()[0].GetState() == implementationv1.EventDelivery_DELIVERED
		}, soon, 10*time.Millisecond)
		require.Len(t, w.smtp.Messages()[before:], 2, "each once")
	})
}

func TestASecretIsNowhereButInTheAnswer(t *testing.T) {
	eachOutward(t, func(t *testing.T, w *outwardWorld) {
		t.Helper()
		hook := receive(t)
		name, secret := w.webhook("ops", hook.URL)
		w.happens("a")
		hook.wait(t, 1)
		sub, err := w.subscriptions.GetSubscription(t.Context(), &implementationv1.GetSubscriptionRequest{Name: name})
		require.NoError(t, err)
		require.NotContains(t, sub.String(), "whsec_")
		events, err := w.events.ListEvents(t.Context(), &eventv1.ListEventsRequest{Parent: ws, PageSize: 1000})
		require.NoError(t, err)
		require.NotContains(t, events.String(), "whsec_")
		key := strings.TrimPrefix(secret, "whsec_")
		for table, text := range w.dump() {
			if !strings.HasSuffix(table, ".subscription_secrets") {
				require.NotContains(t, text, key, table)
			}
		}
		_, err = w.subscriptions.DeleteSubscription(t.Context(), &implementationv1.DeleteSubscriptionRequest{Name: name})
		require.NoError(t, err)
		for table, text := range w.dump() {
			require.NotContains(t, text, key, "%s has what was deleted", table)
			if strings.HasSuffix(table, ".event_deliveries") {
				require.Empty(t, text)
			}
		}
	})
}

func TestAddressesInsideAreRefused(t *testing.T) {
	eachOutward(t, func(t *testing.T, w *outwardWorld) {
		t.Helper()
		create := func(sub *implementationv1.Subscription) error {
			_, err := w.subscriptions.CreateSubscription(t.Context(), &implementationv1.CreateSubscriptionRequest{Parent: ws, Subscription: sub, ValidateOnly: true})
			return err
		}
		for _, url := range []string{"http://127.0.0.1:8080/", "https://10.0.0.1/", "https://localhost/", "https://169.254.169.254/", "http://example.com/"} {
			err := create(&implementationv1.Subscription{Destination: &implementationv1.Subscription_Webhook{Webhook: &implementationv1.WebhookDestination{Url: url}}})
			require.Equal(t, "ADDRESS_REFUSED", fault.ReasonOf(err), url)
			err = create(&implementationv1.Subscription{Destination: &implementationv1.Subscription_Slack{Slack: &implementationv1.SlackDestination{Url: url + "secret"}}})
			require.Equal(t, "ADDRESS_REFUSED", fault.ReasonOf(err), url)
			require.NotContains(t, err.Error(), url, "an address of a chat is a secret")
		}
		require.NoError(t, create(&implementationv1.Subscription{
			Destination: &implementationv1.Subscription_Webhook{Webhook: &implementationv1.WebhookDestination{Url: "https://203.0.113.7/hook"}},
		}))
	}, func(cfg *implementation.Config) { cfg.Private = false })
}
