package courier

import (
	"context"
	"errors"
	"fmt"
	"time"

	gomail "github.com/wneessen/go-mail"
	"go.uber.org/zap"

	"github.com/golive-dev/golive/services/implementation/internal/mail"
)

// Notify sends one message to people who asked for it, whose addresses are known. Where the server refuses it because of one of
// them, the others get it apart, so that nobody who has left keeps it from the rest. The error repeats no
// address and no word of the server; the id makes the Message-ID, so that it is the same in every attempt.
func (p *Post) Notify(ctx context.Context, id string, queued time.Time, to []string, m mail.Outgoing) (code int, err error) {
	client, conn, err := p.dial(ctx)
	if err != nil {
		p.logger.Warn("the mail server cannot be used; messages wait", zap.String("server", p.Address), zap.String("because", plain(err)))
		return 0, errors.New("the mail server cannot be used; its log and that of this server say why")
	}
	defer func() { _ = client.CloseWithSMTPClient(conn) }() // what was taken was acknowledged
	send := func(to ...string) (verdict, int, error) {
		msg, err := p.notice(id, queued, to, m)
		if err != nil {
			return refused, 0, err
		}
		v, code := said(msg, client.SendWithSMTPClient(conn, msg))
		return v, code, nil
	}
	v, code, err := send(to...)
	if err == nil && v == refused && len(to) > 1 {
		v, code, err = p.apart(to, send)
	}
	if err != nil {
		return 0, err
	}
	switch v {
	case taken:
		return code, nil
	case refused:
		return code, fmt.Errorf("the mail server refuses it with %d", code)
	default:
		return code, fmt.Errorf("the mail server does not take it now (%d)", code)
	}
}

// notice is the message to some of the recipients.
func (p *Post) notice(id string, queued time.Time, to []string, m mail.Outgoing) (*gomail.Msg, error) {
	msg, err := p.sender.Compose(id, queued, mail.Recipient{Email: to[0]}, m)
	if err != nil {
		return nil, fmt.Errorf("write the message: %w", err)
	}
	if err := msg.To(to...); err != nil {
		return nil, errors.New("one of the recipients is no address")
	}
	msg.SetGenHeader(gomail.HeaderListUnsubscribe) // who gets it is not for an answer to change
	return msg, nil
}

// apart sends to each recipient alone. It is taken once one has it: to try again would send it to that one twice.
func (p *Post) apart(to []string, send func(to ...string) (verdict, int, error)) (v verdict, code int, err error) {
	v = refused
	without := 0
	for _, one := range to {
		said, answer, err := send(one)
		if err != nil {
			return said, 0, err
		}
		if said != taken {
			without++
		}
		if v != taken && (v == refused || said == taken) {
			v, code = said, answer
		}
	}
	if v == taken && without > 0 {
		p.logger.Warn("a notification was refused for some of its recipients", zap.String("server", p.Address), zap.Int("recipients", len(to)), zap.Int("refused", without))
	}
	return v, code, nil
}
