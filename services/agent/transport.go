package agent

import (
	"fmt"
	"time"

	"google.golang.org/grpc/status"
)

// Transport is how an agent hears of work.
type Transport string

// The transports.
const (
	Auto   Transport = "auto"
	Stream Transport = "stream"
	Poll   Transport = "poll"
)

// ParseTransport reads a transport.
func ParseTransport(word string) (Transport, error) {
	switch t := Transport(word); t {
	case Auto, Stream, Poll:
		return t, nil
	default:
		return "", fmt.Errorf("transport %q is none of auto, stream and poll", word)
	}
}

const (
	// brief is how long a stream must hold to be one: something between that cuts earlier cuts every one of them.
	brief = 15 * time.Second
	// patience is how many brief streams in a row are put up with.
	patience           = 3
	defaultStreamAgain = 5 * time.Minute
	// The bounds of how long a poll waits: it is halved while polls are cut too.
	maxWait, minWait = 20 * time.Second, 250 * time.Millisecond
)

// reach is how far a session came.
type reach int

const (
	nowhere   reach = iota // nobody answers
	handshake              // the server showed its certificate
	welcomed
)

// transport decides between a stream and polls, from how the sessions before ended. Only what the
// way does to a stream speaks against streams: a server that says why it ends one does not, nor does one that nobody reaches.
type transport struct {
	polling bool
	broken  int       // brief streams in a row
	until   time.Time // when a stream is tried again
	wait    time.Duration
}

func (t *transport) polls(configured Transport) bool {
	switch configured {
	case Stream:
		return false
	case Poll:
		return true
	default:
		return t.polling
	}
}

// ended hears how a session ended. A next stream is tried at `until` where it leads to polls.
func (t *transport) ended(polled bool, reached reach, lived time.Duration, err error, until time.Time) {
	switch {
	case polled && reached != welcomed:
		t.polling, t.broken = false, 0 // polls are no better
	case polled:
	case reached == nowhere || !broke(err) || lived >= brief:
		t.broken = 0
	default:
		if t.broken++; t.broken >= patience {
			// One more that breaks then is enough to come back here.
			t.polling, t.broken, t.until = true, patience-1, until
		}
	}
}

// broke tells whether it was the way that ended a session: a server of ours gives a reason.
func broke(err error) bool {
	s, ok := status.FromError(err)
	return ok && len(s.Details()) == 0
}

// due tells whether a poller should try a stream again.
func (t *transport) due(configured Transport, now time.Time) bool {
	return configured == Auto && !now.Before(t.until)
}

// longest is how long the next poll may wait.
func (t *transport) longest(configured Transport, now time.Time) time.Duration {
	if configured == Auto {
		return max(0, min(t.wait, t.until.Sub(now)))
	}
	return t.wait
}

// waited learns from a poll how long polls may wait.
func (t *transport) waited(cut bool) {
	if t.wait == 0 {
		t.wait = maxWait
	}
	if cut {
		t.wait = max(t.wait/2, minWait)
	}
}
