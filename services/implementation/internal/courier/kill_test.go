package courier

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/contact"
	"github.com/golive-dev/golive/services/implementation/internal/mail"
	"github.com/golive-dev/golive/services/implementation/internal/store"
	"github.com/golive-dev/golive/services/smtptest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// world is stores and a mail server, without a courier that runs.
type world struct {
	store    *store.Store
	contacts *contact.Store
	smtp     *smtptest.Server

	mu  sync.Mutex
	now time.Time
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func each(t *testing.T, opts smtptest.Options, test func(t *testing.T, w *world)) {
	t.Helper()
	for _, kind := range pgtest.Databases(t) {
		t.Run(kind.Name, func(t *testing.T) {
			w := &world{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), smtp: smtptest.Start(t, opts)}
			db := kind.Open(t)
			require.NoError(t, db.Migrate(t.Context(), feed.Source(), resource.Source(), store.Source()))
			w.store = store.New(db, feed.New(db, feed.Config{}), w.clock)
			everybody := func(_ context.Context, people []string) (map[string]bool, error) {
				known := map[string]bool{}
				for _, p := range people {
					known[p] = true
				}
				return known, nil
			}
			var err error
			w.contacts, err = contact.New(t.Context(), kind.Open(t), everybody, w.clock)
			require.NoError(t, err)
			test(t, w)
		})
	}
}

func (w *world) courier(t *testing.T, change ...func(*SMTP)) (*Courier, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	cfg := SMTP{Address: w.smtp.Addr, From: "rollout@example.com", CAFile: w.smtp.CAFile}
	for _, f := range change {
		f(&cfg)
	}
	post, err := NewPost(cfg, zap.New(core))
	require.NoError(t, err)
	return New(w.store, w.contacts, post, zap.New(core)), logs
}

// queue queues n messages to people with addresses.
func (w *world) queue(t *testing.T, n int) {
	t.Helper()
	all := make([]mail.Outgoing, n)
	for i := range all {
		id := fmt.Sprintf("p-%03d", i)
		_, err := w.contacts.Set(t.Context(), &implementationv1.SetContactRequest{Name: "workspaces/w/contacts/" + id, Email: id + "@example.com"})
		require.NoError(t, err)
		all[i] = mail.Outgoing{Person: "workspaces/w/people/" + id, Kind: implementationv1.Mail_SURVEY_LINK, Subject: "Survey", Text: "Your link", About: "workspaces/w/surveys/s"}
	}
	require.NoError(t, w.store.DB().Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return w.store.QueueMail(ctx, tx, all) }))
}

func (w *world) states(t *testing.T) map[implementationv1.Mail_State]int {
	t.Helper()
	all, _, err := w.store.ListMail(t.Context(), &implementationv1.ListMailsRequest{Parent: "workspaces/w", PageSize: 1000})
	require.NoError(t, err)
	counts := map[implementationv1.Mail_State]int{}
	for _, m := range all {
		counts[m.GetState()]++
	}
	return counts
}

func TestAMessageSurvivesAProcessThatDiesAfterSendingIt(t *testing.T) {
	each(t, smtptest.Options{}, func(t *testing.T, w *world) {
		t.Helper()
		w.queue(t, 1)
		dead, _ := w.courier(t)
		letters, err := w.store.ClaimMail(t.Context(), batch, lease)
		require.NoError(t, err)
		require.Len(t, letters, 1)
		sent := dead.post.send(t.Context(), []letter{{letters[0], mail.Recipient{Email: "p-000@example.com"}}})
		require.Equal(t, taken, sent[0].verdict)
		// Here the process dies: the server has the message and nobody noted it.

		next, _ := w.courier(t)
		require.NoError(t, next.round(t.Context()))
		require.Len(t, w.smtp.Messages(), 1, "the claim still holds")
		w.advance(lease)
		require.NoError(t, next.round(t.Context()))
		require.Equal(t, map[implementationv1.Mail_State]int{implementationv1.Mail_SENT: 1}, w.states(t))
		messages := w.smtp.Messages()
		require.Len(t, messages, 2)
		require.Equal(t, messages[0].Parse(t).Header.Get("Message-Id"), messages[1].Parse(t).Header.Get("Message-Id"), "a mail program shows it once")
		require.Equal(t, messages[0].Parse(t).Header.Get("Date"), messages[1].Parse(t).Header.Get("Date"))

		// The dead one comes back, and changes nothing any more.
		require.NoError(t, w.store.FinishMail(t.Context(), []store.Posted{{Letter: letters[0], State: implementationv1.Mail_BOUNCED}}))
		require.Equal(t, map[implementationv1.Mail_State]int{implementationv1.Mail_SENT: 1}, w.states(t))
	})
}

func TestCouriersShareTheWork(t *testing.T) {
	each(t, smtptest.Options{}, func(t *testing.T, w *world) {
		t.Helper()
		const n = 100
		w.queue(t, n)
		var wait sync.WaitGroup
		failed := make(chan error, 3)
		for range 3 {
			c, _ := w.courier(t)
			wait.Go(func() { failed <- c.round(t.Context()) })
		}
		wait.Wait()
		for range 3 {
			require.NoError(t, <-failed)
		}
		require.Equal(t, map[implementationv1.Mail_State]int{implementationv1.Mail_SENT: n}, w.states(t))
		seen := map[string]bool{}
		for _, m := range w.smtp.Messages() {
			require.False(t, seen[m.To], "%s got it twice", m.To)
			seen[m.To] = true
		}
		require.Len(t, seen, n)
	})
}

func TestWordsAreKeptOnlyUntilTheyHaveLeft(t *testing.T) {
	each(t, smtptest.Options{}, func(t *testing.T, w *world) {
		t.Helper()
		w.queue(t, 2)
		w.smtp.Refuse("p-001@example.com", 550)
		c, _ := w.courier(t)
		require.NoError(t, c.round(t.Context()))
		var left int
		require.NoError(t, w.store.DB().Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM outbox WHERE body <> '' OR subject <> ''").Scan(&left))
		require.Zero(t, left)
	})
}

func TestTheServerAsksWhoSends(t *testing.T) {
	each(t, smtptest.Options{Auth: true}, func(t *testing.T, w *world) {
		t.Helper()
		w.queue(t, 1)
		wrong, logs := w.courier(t, signIn(t, "wrong"))
		require.NoError(t, wrong.round(t.Context()))
		require.Equal(t, map[implementationv1.Mail_State]int{implementationv1.Mail_QUEUED: 1}, w.states(t), "wrong settings give nobody up")
		require.Positive(t, logs.FilterMessageSnippet("cannot be used").Len())
		for _, entry := range logs.All() {
			require.NotContains(t, fmt.Sprint(entry.Message, entry.ContextMap()), "example.com>", "no address in the log")
			require.NotContains(t, fmt.Sprint(entry.Message, entry.ContextMap()), "wrong")
		}
		w.advance(2 * time.Minute)
		right, _ := w.courier(t, signIn(t, smtptest.Password))
		require.NoError(t, right.round(t.Context()))
		require.Equal(t, smtptest.User, w.smtp.Wait(t, 1)[0].User)
	})
}

func TestAServerThatIsAwayLosesNothing(t *testing.T) {
	each(t, smtptest.Options{}, func(t *testing.T, w *world) {
		t.Helper()
		w.queue(t, 3)
		away, _ := w.courier(t, func(cfg *SMTP) { cfg.Address = "127.0.0.1:1" })
		require.NoError(t, away.round(t.Context()))
		require.Equal(t, map[implementationv1.Mail_State]int{implementationv1.Mail_QUEUED: 3}, w.states(t))
		stranger, logs := w.courier(t, func(cfg *SMTP) { cfg.CAFile = "" })
		w.advance(2 * time.Minute)
		require.NoError(t, stranger.round(t.Context()))
		require.Empty(t, w.smtp.Messages(), "a certificate that nobody trusts gets no mail")
		require.Positive(t, logs.FilterMessageSnippet("cannot be used").Len())
	})
}

func TestNoAddressIsLogged(t *testing.T) {
	each(t, smtptest.Options{}, func(t *testing.T, w *world) {
		t.Helper()
		w.queue(t, 3)
		w.smtp.Refuse("p-000@example.com", 550)
		w.smtp.Refuse("p-001@example.com", 451)
		c, logs := w.courier(t)
		require.NoError(t, c.round(t.Context()))
		for _, entry := range logs.All() {
			require.NotContains(t, fmt.Sprint(entry.Message, entry.ContextMap()), "@example.com")
		}
		rows, err := w.store.DB().Read().QueryContext(t.Context(), "SELECT reason || reply_code || about || person FROM outbox")
		require.NoError(t, err)
		defer func() { require.NoError(t, rows.Close()) }()
		for rows.Next() {
			var text string
			require.NoError(t, rows.Scan(&text))
			require.NotContains(t, text, "@")
		}
		require.NoError(t, rows.Err())
	})
}
