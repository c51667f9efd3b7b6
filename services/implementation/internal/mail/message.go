package mail

import (
	"cmp"
	"fmt"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Sender is whom messages are from.
type Sender struct {
	// From is an address, with a name or without: `Roll-out team <rollout@example.com>`.
	From string
	// ReplyTo is where answers and wishes to get no more mail go; From when empty.
	ReplyTo string
}

// Recipient is where one person is reached.
type Recipient struct {
	Email    string
	Language string
}

// Check says what is wrong with a sender.
func (s Sender) Check() error {
	if _, err := mail.ParseAddress(s.From); err != nil {
		return fmt.Errorf("the sender of mail is no address (%w); write it as rollout@example.com or as Roll-out <rollout@example.com>", err)
	}
	if s.ReplyTo == "" {
		return nil
	}
	if _, err := mail.ParseAddress(s.ReplyTo); err != nil {
		return fmt.Errorf("the address for answers is no address (%w); write it as rollout@example.com", err)
	}
	return nil
}

// Compose makes the e-mail of a message. The id, a resource name, makes its Message-ID: the same message is the
// same e-mail however often it is sent, so that a mail program shows it once.
func (s Sender) Compose(id string, queued time.Time, to Recipient, m Outgoing) (*gomail.Msg, error) {
	from, err := mail.ParseAddress(s.From)
	if err != nil {
		return nil, fmt.Errorf("read the sender: %w", err)
	}
	reply := from
	if s.ReplyTo != "" {
		if reply, err = mail.ParseAddress(s.ReplyTo); err != nil {
			return nil, fmt.Errorf("read the address for answers: %w", err)
		}
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(from)
	msg.ToMailAddress(&mail.Address{Address: to.Email})
	if s.ReplyTo != "" {
		msg.ReplyToMailAddress(reply)
	}
	subject := Line(m.Subject)
	msg.Subject(subject)
	msg.SetDateWithValue(queued)
	msg.SetMessageIDWithValue(MessageID(id, from.Address))
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetListUnsubscribe("<mailto:" + reply.Address + "?subject=unsubscribe>")
	footer := cmp.Or(m.Footer, "You get this message because something at your work changes. To get no more of them, answer with the word unsubscribe.")
	msg.SetBodyString(gomail.TypeTextPlain, strings.TrimRight(m.Text, "\n")+"\n\n-- \n"+footer+"\n")
	html, err := HTML(to.Language, subject, m.Text, footer)
	if err != nil {
		return nil, err
	}
	msg.AddAlternativeString(gomail.TypeTextHTML, html)
	return msg, nil
}

// MessageID is the e-mail's of a message, without its angle brackets.
func MessageID(name, from string) string {
	_, domain, _ := strings.Cut(from, "@")
	return strings.ReplaceAll(name, "/", ".") + "@" + domain
}
