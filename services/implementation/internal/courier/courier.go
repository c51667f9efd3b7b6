// Package courier sends what waits in the outbox.
//
//	claim a few messages ──▶ look their addresses up ──▶ SMTP ──▶ store what became of each
//
// A claim ends by itself, so a courier that dies loses nothing: another one, in
// any process, sends what it had not finished. A message can therefore leave
// twice, and never not at all; both times it has the same Message-ID. No
// transaction is open while a server is spoken to, and no address is logged.
package courier

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/contact"
	"github.com/golive-dev/golive/services/implementation/internal/mail"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

const (
	// batch is how many messages are claimed at once, and lease for how long. All of them fit into the lease, each at its slowest.
	batch = 20
	lease = batch*sendTimeout + dialTimeout + time.Minute
	// sweep is how often the courier looks without having been told.
	sweep = 2 * time.Second
)

// Courier sends messages and keeps the counts of communications current. One a process.
type Courier struct {
	store    *store.Store
	contacts *contact.Store
	post     *Post // nil where messages wait to be handed over
	logger   *zap.Logger
	metrics  metrics
}

// New makes a courier. Without a post nothing is sent; communications are still released at their time and counted.
func New(s *store.Store, contacts *contact.Store, post *Post, logger *zap.Logger) *Courier {
	return &Courier{store: s, contacts: contacts, post: post, logger: logger, metrics: newMetrics()}
}

// Run works until ctx ends.
func (c *Courier) Run(ctx context.Context) error {
	tick := time.NewTicker(sweep)
	defer tick.Stop()
	for {
		if err := c.round(ctx); err != nil && ctx.Err() == nil {
			c.logger.Warn("messages not sent; trying again", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-c.store.MailHint():
		case <-tick.C:
		}
	}
}

// round does everything that is due now.
func (c *Courier) round(ctx context.Context) error {
	err := c.store.SendDue(ctx)
	for c.post != nil && ctx.Err() == nil {
		n, failed := c.deliver(ctx)
		if err = errors.Join(err, failed); n < batch || failed != nil {
			break
		}
		err = errors.Join(err, c.store.SettleCommunications(ctx))
	}
	return errors.Join(err, c.store.SettleCommunications(ctx))
}

// deliver sends one batch and says how many messages it had.
func (c *Courier) deliver(ctx context.Context) (int, error) {
	due, err := c.store.MailWaiting(ctx) // a look costs no write
	if err != nil || !due {
		return 0, err
	}
	letters, err := c.store.ClaimMail(ctx, batch, lease)
	if err != nil || len(letters) == 0 {
		return 0, err
	}
	people := make([]string, len(letters))
	for i, l := range letters {
		people[i] = l.Person
	}
	reached, err := c.contacts.Lookup(ctx, people)
	if err != nil {
		return 0, err
	}
	var posted []store.Posted
	var ready []letter
	for _, l := range letters {
		switch to, known := reached[l.Person]; {
		case !known:
			posted = append(posted, skipped(l, mail.NoAddress))
		case to.OptedOut:
			posted = append(posted, skipped(l, mail.OptedOut))
		default:
			ready = append(ready, letter{l, to.Recipient})
		}
	}
	for _, sent := range c.post.send(ctx, ready) {
		posted = append(posted, c.judge(sent))
	}
	for _, p := range posted {
		c.metrics.attempt(p)
	}
	// What has left is noted even while the process is told to stop.
	return len(letters), c.store.FinishMail(context.WithoutCancel(ctx), posted)
}

func skipped(l store.Letter, reason string) store.Posted {
	return store.Posted{Letter: l, State: implementationv1.Mail_SKIPPED, Reason: reason}
}

// judge says what becomes of a message after an attempt.
func (c *Courier) judge(r result) store.Posted {
	p := store.Posted{Letter: r.Letter, Code: r.code}
	old := c.store.Now().Sub(r.Queued) >= mail.MaxAge
	switch {
	case r.verdict == taken:
		p.State = implementationv1.Mail_SENT
	case r.verdict == refused:
		p.State, p.Reason = implementationv1.Mail_BOUNCED, mail.Refused
	case old:
		p.State, p.Reason = implementationv1.Mail_EXPIRED, mail.TooOld
	default:
		p.State, p.Reason = implementationv1.Mail_QUEUED, mail.Unreachable
		if r.code != 0 {
			p.Reason = mail.Deferred
		}
		p.Retry = mail.RetryAfter(r.Attempt, rand.Float64()) //nolint:gosec // spreads retries, guards nothing
	}
	return p
}
