package dispatch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/golive-dev/golive/pkg/outbound"
	"github.com/golive-dev/golive/services/implementation/internal/delivery"
	"github.com/golive-dev/golive/services/implementation/internal/mail"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

const (
	// timeout is how long a receiver has to answer where nothing else is said.
	timeout = 15 * time.Second
	// mostAnswer is how much of an answer is read, so that its connection can be used again. None of it is kept.
	mostAnswer = 64 << 10
)

// deliver sends one event to where its subscription says.
func (d *Dispatcher) deliver(ctx context.Context, to *store.EventReceiver, c store.EventClaim) delivery.Outcome {
	switch {
	case to.Subscription.GetEmail() != nil:
		return d.byMail(ctx, to, c)
	case to.Subscription.GetSlack() != nil:
		body, err := delivery.Chat(c.Event)
		if err != nil {
			return unwritable(err)
		}
		return d.request(ctx, to.Address, timeout, http.Header{"Content-Type": {"application/json"}}, body)
	}
	body, err := delivery.CloudEvent(c.Event)
	if err != nil {
		return unwritable(err)
	}
	header := http.Header{"Content-Type": {delivery.MediaType}}
	if err := delivery.Sign(header, c.Event.GetToken(), d.store.Now(), body, to.Secrets...); err != nil {
		return unwritable(err)
	}
	patience := timeout
	if wanted := to.Subscription.GetWebhook().GetTimeout(); wanted != nil {
		patience = wanted.AsDuration()
	}
	return d.request(ctx, to.Address, patience, header, body)
}

func unwritable(err error) delivery.Outcome {
	return delivery.Outcome{Error: "the event cannot be written: " + err.Error()}
}

// request posts a body. What went wrong is told without the address, which may be a secret.
func (d *Dispatcher) request(ctx context.Context, address string, patience time.Duration, header http.Header, body []byte) delivery.Outcome {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return delivery.Outcome{Error: "its address cannot be read"}
	}
	header.Set("User-Agent", "golive")
	req.Header = header
	answer, err := d.client.Do(req)
	if err != nil {
		return delivery.Outcome{Error: silence(ctx, err, patience)}
	}
	defer func() { _ = answer.Body.Close() }() // only read from
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, mostAnswer))
	return delivery.Answered(answer.StatusCode, answer.Header, d.store.Now())
}

// silence says why there is no answer.
func silence(ctx context.Context, err error, patience time.Duration) string {
	switch {
	case errors.Is(err, outbound.ErrRefused):
		return "its address is refused: it leads into a private network, or to where a cloud keeps its secrets"
	case ctx.Err() != nil:
		return "it did not answer within " + patience.String()
	case unknown(err):
		return "its name is not known"
	default:
		return "it cannot be reached"
	}
}

func unknown(err error) bool {
	_, dns := errors.AsType[*net.DNSError](err)
	return dns
}

// byMail sends the event as an e-mail.
func (d *Dispatcher) byMail(ctx context.Context, to *store.EventReceiver, c store.EventClaim) delivery.Outcome {
	if d.post == nil {
		return delivery.Outcome{Error: "this server sends no mail; give it a mail server (golive up --help, smtp)"}
	}
	subject, text := delivery.Words(c.Event)
	code, err := d.post.Notify(ctx, c.Name, c.Queued, to.Subscription.GetEmail().GetRecipients(), mail.Outgoing{
		Subject: subject, Text: text, Footer: "You get this message because " + to.Subscription.GetName() + " sends it to you. To get no more of them, ask who runs golive at your place.",
	})
	if err != nil {
		return delivery.Outcome{Code: code, Error: err.Error()}
	}
	return delivery.Outcome{Code: code}
}
