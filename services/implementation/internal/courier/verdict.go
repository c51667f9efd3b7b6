package courier

import (
	"errors"
	"fmt"
	"net"
	"net/textproto"

	gomail "github.com/wneessen/go-mail"
)

// verdict is what a server said of a message.
type verdict int

const (
	later   verdict = iota // not now, or nothing
	taken                  // it is the server's now
	refused                // never
)

// said reads what the server answered. That it does not take the sender is the fault of the settings, and no reason to give a person up.
func said(msg *gomail.Msg, err error) (verdict, int) {
	const ok = 250
	if err == nil || msg.IsDelivered() {
		return taken, ok
	}
	failed, known := errors.AsType[*gomail.SendError](err)
	if !known {
		return later, 0
	}
	code := failed.ErrorCode()
	ours := failed.Reason == gomail.ErrSMTPMailFrom || failed.Reason == gomail.ErrConnCheck
	if code >= 500 && code < 600 && !ours {
		return refused, code
	}
	return later, code
}

// plain is an error of a connection without the words of the server, which may name who signed in.
func plain(err error) string {
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		return fmt.Sprintf("it answers %d", answer.Code)
	}
	if failed, ok := errors.AsType[net.Error](err); ok && failed.Timeout() {
		return "it does not answer in time"
	}
	return err.Error()
}
