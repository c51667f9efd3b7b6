// Package mail says what messages to people are made of: their words, how they
// look as an e-mail, and when a message that did not leave is tried again.
//
// It is pure: it knows no clock and no server. A message waits in the store
// under a pseudonym (store/outbox.go), and package courier sends it.
package mail

import (
	"strings"
	"time"
	"unicode"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Outgoing is a message to one person, as it is queued.
type Outgoing struct {
	// Person is to whom, a full name: workspaces/default/people/p-001.
	Person string
	// Kind is what it is for.
	Kind implementationv1.Mail_Kind
	// Subject is one line, Text what it says: plain, or Markdown with paragraphs, lists and links.
	Subject, Text string
	// About is the resource that it is about. What became of the messages about it is counted by it.
	About string
	// Footer says why one gets it, and how to get no more; the usual words when empty.
	Footer string
}

// The reasons of a message that is where it is, as [implementationv1.Mail] has them.
const (
	NoAddress   = "NO_ADDRESS"  // nobody has said where the person is reached
	OptedOut    = "OPTED_OUT"   // the person wants no mail
	Refused     = "REFUSED"     // the server does not take it, ever (5xx)
	Deferred    = "DEFERRED"    // the server does not take it now (4xx)
	Unreachable = "UNREACHABLE" // the server does not answer
	TooOld      = "TOO_OLD"     // it was tried for [MaxAge]
	Returned    = "RETURNED"    // it came back later
	Cancelled   = "CANCELLED"   // what it was about was given up
	Erased      = "ERASED"      // the person was
)

const (
	// firstRetry is how long the first repetition waits; each next one twice as long.
	firstRetry = time.Minute
	// mostRetry is what a repetition waits at most.
	mostRetry = 4 * time.Hour
	// MaxAge is the age at which a message is no longer tried.
	MaxAge = 72 * time.Hour
)

// RetryAfter is how long a message waits after the n-th attempt that failed, n
// from 1. Spread, from 0 to 1, makes messages that failed together come back
// one after the other: by up to a quarter later.
func RetryAfter(n int, spread float64) time.Duration {
	wait := mostRetry
	if n < 9 { // 2⁸ minutes are more than four hours
		wait = min(mostRetry, firstRetry<<(max(n, 1)-1))
	}
	return wait + time.Duration(float64(wait)*0.25*spread)
}

// Line makes one line of a text: no control character reaches a header.
func Line(text string) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	return strings.Join(strings.Fields(clean), " ")
}
