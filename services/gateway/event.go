package gateway

import (
	"context"
	"encoding/base64"
	"net/url"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	"github.com/golive-dev/golive/services/owner"
)

// events reads the log of the service that keeps the parent, and both logs as
// one where the parent is a whole workspace.
type events struct {
	deployment     eventv1.EventServiceClient
	implementation eventv1.EventServiceClient
	running        *sync.WaitGroup
	retry          time.Duration // between attempts to reach a log that does not answer
}

func (e *events) of(o owner.Service) eventv1.EventServiceClient {
	if o == owner.Implementation {
		return e.implementation
	}
	return e.deployment
}

// position is a place in both logs. Its text is a composed token: opaque to
// clients, and told apart from the token of one log by its prefix. An empty half
// is the start of a page list, or "from now on" of a watch.
type position struct{ deployment, implementation string }

const composed = "both."

// ended is the half of a page token whose log has no more events.
const ended = "end"

func (p position) String() string {
	if p == (position{}) {
		return ""
	}
	v := url.Values{"d": {p.deployment}, "i": {p.implementation}}
	return composed + base64.RawURLEncoding.EncodeToString([]byte(v.Encode()))
}

// with returns the place after one of the logs moved.
func (p position) with(o owner.Service, token string) position {
	if o == owner.Implementation {
		p.implementation = token
	} else {
		p.deployment = token
	}
	return p
}

func (p position) get(o owner.Service) string {
	if o == owner.Implementation {
		return p.implementation
	}
	return p.deployment
}

func parsePosition(token string) (position, bool) {
	if token == "" {
		return position{}, true
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, composed))
	if err != nil || !strings.HasPrefix(token, composed) {
		return position{}, false
	}
	v, err := url.ParseQuery(string(raw))
	if err != nil || !v.Has("d") || !v.Has("i") {
		return position{}, false
	}
	return position{deployment: v.Get("d"), implementation: v.Get("i")}, true
}

// ListEvents asks the owner of the parent, or merges a page of each log by
// time. Within a log the order is that of the log; across logs there is none but time.
func (e *events) ListEvents(ctx context.Context, req *eventv1.ListEventsRequest, opts ...grpc.CallOption) (*eventv1.ListEventsResponse, error) {
	o, err := owner.Of(req.GetParent())
	if err != nil {
		return nil, err
	}
	if o != owner.Both {
		return e.of(o).ListEvents(ctx, req, opts...)
	}
	from, ok := parsePosition(req.GetPageToken())
	if !ok {
		return nil, fault.Invalid("PAGE_TOKEN_MISMATCH",
			"this page token is not of the events of a whole workspace; begin again without page_token").Field("page_token", "of another list")
	}
	pages, err := e.pages(ctx, req, from)
	if err != nil {
		return nil, err
	}
	merged, used := mergePages(pages, req.GetOldestFirst())
	next, err := e.after(ctx, req, from, pages, used)
	if err != nil {
		return nil, err
	}
	return &eventv1.ListEventsResponse{Events: merged, NextPageToken: next.String()}, nil
}

// pages reads one page of each log that has not ended.
func (e *events) pages(ctx context.Context, req *eventv1.ListEventsRequest, from position) (map[owner.Service]*eventv1.ListEventsResponse, error) {
	type answer struct {
		from owner.Service
		page *eventv1.ListEventsResponse
		err  error
	}
	answers := make(chan answer, 2)
	for _, o := range []owner.Service{owner.Deployment, owner.Implementation} {
		go func() {
			page, err := e.page(ctx, o, req, from.get(o), req.GetPageSize())
			answers <- answer{o, page, err}
		}()
	}
	pages := map[owner.Service]*eventv1.ListEventsResponse{}
	var failed error
	for range 2 {
		a := <-answers
		if a.err != nil {
			failed = a.err
		}
		pages[a.from] = a.page
	}
	return pages, failed
}

func (e *events) page(ctx context.Context, o owner.Service, req *eventv1.ListEventsRequest, token string, size int32) (*eventv1.ListEventsResponse, error) {
	if token == ended {
		return &eventv1.ListEventsResponse{}, nil
	}
	part := proto.CloneOf(req)
	part.PageToken, part.PageSize = token, size
	return e.of(o).ListEvents(ctx, part)
}

// mergePages takes from both pages by time, as many events as the longer one
// has, and tells how many came from each. Tokens become composed ones.
func mergePages(pages map[owner.Service]*eventv1.ListEventsResponse, oldestFirst bool) (merged []*eventv1.Event, used map[owner.Service]int) {
	used = map[owner.Service]int{}
	d, i := pages[owner.Deployment].GetEvents(), pages[owner.Implementation].GetEvents()
	for limit := max(len(d), len(i)); len(merged) < limit; {
		from := owner.Deployment
		switch {
		case used[owner.Deployment] == len(d):
			from = owner.Implementation
		case used[owner.Implementation] < len(i):
			one, other := d[used[owner.Deployment]].GetTime().AsTime(), i[used[owner.Implementation]].GetTime().AsTime()
			if oldestFirst == other.Before(one) && !other.Equal(one) {
				from = owner.Implementation
			}
		}
		event := proto.CloneOf(pages[from].GetEvents()[used[from]])
		event.Token = position{}.with(from, event.GetToken()).String()
		merged = append(merged, event)
		used[from]++
	}
	return merged, used
}

// after returns where the next page begins. A log of whose page only a part was
// used is asked again for exactly that part, because only it can tell its tokens.
func (e *events) after(ctx context.Context, req *eventv1.ListEventsRequest, from position, pages map[owner.Service]*eventv1.ListEventsResponse, used map[owner.Service]int) (position, error) {
	next, more := position{deployment: ended, implementation: ended}, false
	for o, page := range pages {
		token := page.GetNextPageToken()
		switch n := used[o]; {
		case len(page.GetEvents()) == 0 || n == len(page.GetEvents()):
		case n == 0:
			next = next.with(o, from.get(o)) // where it was, which may be the very beginning
			more = true
			continue
		default:
			part, err := e.page(ctx, o, req, from.get(o), int32(n)) //nolint:gosec // at most a page
			if err != nil {
				return position{}, err
			}
			token = part.GetNextPageToken()
		}
		if token != "" {
			next = next.with(o, token)
			more = true
		}
	}
	if !more {
		return position{}, nil
	}
	return next, nil
}
