package delivery

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Outcome is what came of an attempt.
type Outcome struct {
	// Code is the HTTP status or the SMTP code; 0 where nobody answered.
	Code int
	// Error says what went wrong, in a line without secrets; empty where it was taken.
	Error string
	// RetryAfter is how long the receiver asks to be left alone.
	RetryAfter time.Duration
	// Gone says that the receiver wants nothing any more.
	Gone bool
	// Took is how long it took.
	Took time.Duration
}

// waits is how long an event waits after its n-th attempt, as Standard Webhooks recommend: it is tried over three days and a few hours.
func waits() []time.Duration {
	return []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}
}

// mostRetryAfter is the longest that a receiver can ask for.
const mostRetryAfter = 24 * time.Hour

// mostError is how long what went wrong is told.
const mostError = 300

// Verdict is what becomes of a delivery.
type Verdict int

// The verdicts.
const (
	Delivered Verdict = iota + 1
	Again             // tried again after a while
	Failed            // given up
)

// Judge says what becomes of a delivery after its n-th attempt, n from 1, and how long it waits where it is tried again. Spread, from 0 to
// 1, keeps those that failed together from coming back together: by up to a tenth later.
func Judge(o Outcome, attempt int, spread float64) (Verdict, time.Duration) {
	schedule := waits()
	switch {
	case o.Error == "":
		return Delivered, 0
	case o.Gone, attempt > len(schedule):
		return Failed, 0
	}
	wait := schedule[attempt-1]
	wait += time.Duration(float64(wait) * 0.1 * spread)
	return Again, max(wait, min(o.RetryAfter, mostRetryAfter))
}

// Answered is what an HTTP answer means. Only 2xx is a yes; a redirection is not followed, because it would lead past what was checked.
func Answered(status int, header http.Header, now time.Time) Outcome {
	o := Outcome{Code: status}
	switch {
	case status >= 200 && status < 300:
		return o
	case status == http.StatusGone:
		o.Gone, o.Error = true, "it answered 410: it wants nothing any more"
	case status >= 300 && status < 400:
		o.Error = "it answered " + strconv.Itoa(status) + ": redirections are not followed; write the address that it leads to"
	default:
		o.Error = "it answered " + strconv.Itoa(status) + " " + http.StatusText(status)
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		o.RetryAfter = retryAfter(header.Get("Retry-After"), now)
	}
	return o
}

// retryAfter reads the header: seconds or a date; 0 where it says neither.
func retryAfter(text string, now time.Time) time.Duration {
	text = strings.TrimSpace(text)
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, mostRetryAfter)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), mostRetryAfter)
	}
	return 0
}

// line makes one short line of what somebody else wrote.
func line(text string) string {
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, ""), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if runes := []rune(text); len(runes) > mostError {
		return string(runes[:mostError]) + "…"
	}
	return text
}
