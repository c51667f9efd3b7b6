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

// Notify sends one message to people who asked for it, whose addresses are known. The error repeats no
// address and no word of the server; the id makes the Message-ID, so that it is the same in every attempt.
func (p *Post) Notify(ctx context.Context, id string, queued time.Time, to []string, m mail.Outgoing) (code int, err error) {
	client, conn, err := p.dial(ctx)
	if err != nil {
		p.logger.Warn("the mail server cannot be used; messages wait", zap.String("server", p.Address), zap.String("because", plain(err)))
		return 0, errors.New("the mail server cannot be used; its log and that of this server say why")
	}
	defer func() { _ = client.CloseWithSMTPClient(conn) }() // what was taken was acknowledged
	msg, err := p.sender.Compose(id, queued, mail.Recipient{Email: to[0]}, m)
	if err != nil {
		return 0, fmt.Errorf("write the message: %w", err)
	}
	if err := msg.To(to...); err != nil {
		return 0, errors.New("one of the recipients is no address")
	}
	msg.SetGenHeader(gomail.HeaderListUnsubscribe) // who gets it is not for an answer to change
	said, code := said(msg, client.SendWithSMTPClient(conn, msg))
	switch said {
	case taken:
		return code, nil
	case refused:
		return code, fmt.Errorf("the mail server refuses it with %d", code)
	default:
		return code, fmt.Errorf("the mail server does not take it now (%d)", code)
	}
}
