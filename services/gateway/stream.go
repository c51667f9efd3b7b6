package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
)

// Streams answer in one of two forms.
//
//	NDJSON (the default)         one message a line; {"error": …} as the last line where it broke
//	text/event-stream (Accept)   data: the message; id: the resume token; event: failure where it broke
//
// Both begin with a frame at once: the service's first one, or an empty one
// after helloAfter where it has nothing to say yet. Both carry an empty frame
// when nothing was sent for a heartbeat. With ?coalesce=true server-sent events come in batches,
// at most four a second, each a JSON list with the latest frame of each resource.
type stream struct {
	g        *Gateway
	w        http.ResponseWriter
	rc       *http.ResponseController
	sse      bool
	coalesce bool
	scratch  http.Header   // what the forwarder says about headers, which here are known before
	next     proto.Message // of the frame that is being written; touched by the forwarder only
	failure  error

	mu      sync.Mutex
	started bool
	closed  bool
	broken  error // the client is gone
	token   string
	frame   bytes.Buffer
	batch   batch
	sent    time.Time
	beat    *time.Timer
	flush   *time.Timer
	cancel  context.CancelFunc
}

type streamKey struct{}

// serveStream runs a streaming route.
func (g *Gateway) serveStream(next runtime.HandlerFunc, w http.ResponseWriter, r *http.Request, params map[string]string) {
	sse := strings.Contains(r.Header.Get("Accept"), "text/event-stream")
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	s := &stream{
		g: g, w: w, rc: http.NewResponseController(w), sse: sse, cancel: cancel,
		scratch: http.Header{}, batch: batch{at: map[string]int{}},
	}
	r, err := s.prepare(r.WithContext(context.WithValue(ctx, streamKey{}, s)))
	if err != nil {
		g.writeProblem(w, err)
		return
	}
	if !g.streams.add(s) {
		g.writeProblem(w, errStopping())
		return
	}
	defer g.streams.remove(s)
	// The limits of the server are for requests that end.
	_ = s.rc.SetReadDeadline(time.Time{})
	s.beat = time.AfterFunc(helloAfter, s.onBeat)
	s.flush = time.AfterFunc(time.Hour, s.onFlush)
	next(s, r, params)
	s.end()
}

// prepare moves what a browser says in its own ways to where the contract has it.
func (s *stream) prepare(r *http.Request) (*http.Request, error) {
	last, query := r.Header.Get("Last-Event-ID"), r.URL.Query()
	if query.Has("coalesce") {
		if s.coalesce = query.Get("coalesce") == "true"; s.coalesce && !s.sse {
			return nil, fault.Invalid("INVALID_QUERY", "coalesce is for server-sent events; send Accept: text/event-stream").Field("coalesce", "needs server-sent events")
		}
		query.Del("coalesce")
	} else if last == "" {
		return r, nil
	}
	if last != "" {
		query.Del("resume_token")
		query.Set("resumeToken", last)
	}
	u := *r.URL
	u.RawQuery = query.Encode()
	r.URL = &u
	return r, nil
}

// Header returns headers that are not sent, except for the request id: the
// heartbeat may send the real ones at any moment, and a header map is nobody's to share.
func (s *stream) Header() http.Header { return s.scratch }

// WriteHeader does nothing: end writes what is not OK.
func (*stream) WriteHeader(int) {}

// Write collects a frame until FlushError.
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frame.Write(p)
	return len(p), s.broken
}

// FlushError sends the frame that was written.
func (s *stream) FlushError() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	data := bytes.TrimRight(s.frame.Bytes(), "\n")
	if e, ok := s.next.(*eventv1.WatchEventsResponse); ok && e.GetResumeToken() != "" {
		s.token = e.GetResumeToken()
	}
	if !s.started {
		maps.Copy(s.w.Header(), requestIDOf(s.scratch))
	}
	if s.coalesce {
		s.batch.add(s.next, data)
		s.frame.Reset()
		s.sendBatchWhenDue()
		return s.broken
	}
	s.send("", data)
	s.frame.Reset()
	return s.broken
}

// sendBatchWhenDue sends at once where the last one is long enough ago, so that
// a single change is never late.
func (s *stream) sendBatchWhenDue() {
	if due := s.g.coalesce - time.Since(s.sent); due <= 0 || !s.started {
		s.sendBatch()
	} else if s.batch.armed() {
		s.flush.Reset(due)
	}
}

func (s *stream) sendBatch() {
	if data := s.batch.take(); data != nil {
		s.send("", data)
	}
}

// send writes one frame. The lock is held.
func (s *stream) send(name string, data []byte) {
	if s.broken != nil || s.closed {
		return
	}
	s.start()
	var out bytes.Buffer
	if s.sse {
		if name != "" {
			out.WriteString("event: " + name + "\n")
		}
		if s.token != "" {
			out.WriteString("id: " + s.token + "\n")
		}
		out.WriteString("data: ")
	}
	out.Write(data) // one line: protojson without indentation holds no newline
	out.WriteByte('\n')
	if s.sse {
		out.WriteByte('\n')
	}
	_ = s.rc.SetWriteDeadline(time.Now().Add(frameTimeout))
	if _, s.broken = s.w.Write(out.Bytes()); s.broken == nil {
		s.broken = s.rc.Flush()
	}
	if s.broken != nil {
		s.cancel()
	}
	s.sent = time.Now()
	s.beat.Reset(s.g.heartbeat)
}

func (s *stream) start() {
	if s.started {
		return
	}
	s.started = true
	h := s.w.Header()
	h.Set("Content-Type", "application/x-ndjson")
	if s.sse {
		h.Set("Content-Type", "text/event-stream")
	}
	h.Set("X-Accel-Buffering", "no")
	s.w.WriteHeader(http.StatusOK)
}

// onBeat sends an empty frame, which for events says where to resume.
func (s *stream) onBeat() {
	s.mu.Lock()
	defer s.mu.Unlock()
	data := []byte("{}")
	if s.token != "" && !s.sse {
		data, _ = json.Marshal(map[string]string{"resumeToken": s.token}) // strings always marshal
	}
	s.send("heartbeat", data)
}

func (s *stream) onFlush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sendBatch()
}

// end sends what is left and says why the stream ended, if it was not to end.
func (s *stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sendBatch()
	switch {
	case s.failure == nil:
		if !s.closed {
			s.start()
		}
	case !s.started:
		s.g.writeProblem(s.w, s.failure)
	case s.sse:
		s.send("failure", statusJSON(problem(s.failure)))
	default:
		s.send("", append(append([]byte(`{"error":`), statusJSON(problem(s.failure))...), '}'))
	}
	s.closed = true
	s.beat.Stop()
	s.flush.Stop()
}

// stop ends the stream because the server stops.
func (s *stream) stop() { s.cancel() }

// onFrame tells the stream which message the next frame holds.
func onFrame(_ context.Context, w http.ResponseWriter, m proto.Message) error {
	if s, ok := w.(*stream); ok {
		s.next = m
	}
	return nil
}

// onStreamError keeps the error for end; what the forwarder writes about it is empty.
func (g *Gateway) onStreamError(ctx context.Context, err error) *status.Status {
	f := problem(err)
	if s, ok := ctx.Value(streamKey{}).(*stream); ok {
		if s.failure = err; g.streams.stopping() && f.Kind() == fault.KindCancelled {
			s.failure = errStopping()
		}
	}
	return f.GRPCStatus()
}

func errStopping() error {
	return fault.Unavailable("SERVER_STOPPING", "the server is stopping; connect again and resume from the last token").RetryAfter(time.Second)
}

func requestIDOf(h http.Header) http.Header {
	if id := h.Get(requestID); id != "" {
		return http.Header{http.CanonicalHeaderKey(requestID): {id}}
	}
	return nil
}
