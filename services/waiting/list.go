package waiting

import (
	"cmp"
	"context"
	"strings"

	"google.golang.org/protobuf/proto"

	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/owner"
	"github.com/golive-dev/golive/services/waiting/page"
)

// List is one page of what waits in either service, merged in the order asked for. Its token is good for the same
// selection and order only. Where one service does not answer, the page is what the other has, and the next
// page asks both again; where neither does, the error is returned.
func List(ctx context.Context, peers Peers, req *waitingv1.ListWaitingRequest) (*waitingv1.ListWaitingResponse, error) {
	from, err := parsePlace(req)
	if err != nil {
		return nil, err
	}
	size := page.Size(req)
	less := order(req.GetOrderBy())
	halves := []*half{
		{service: owner.Deployment, at: from.Deployment, less: less},
		{service: owner.Implementation, at: from.Implementation, less: less},
	}
	done := make(chan struct{}, len(halves))
	for _, h := range halves { // both at once: the first page of each is always needed
		go func() {
			h.fill(ctx, peers, req, size)
			done <- struct{}{}
		}()
	}
	for range halves {
		<-done
	}
	resp := &waitingv1.ListWaitingResponse{}
	for len(resp.GetWaiting()) < size {
		for _, h := range halves {
			h.fill(ctx, peers, req, size)
		}
		next := first(halves, less)
		if next == nil {
			break
		}
		resp.Waiting = append(resp.Waiting, next.pop())
	}
	return resp, finish(resp, halves, from.Sum)
}

// first is the half whose next thing comes first; nil where neither has one.
func first(halves []*half, less func(a, b *waitingv1.Waiting) int) (best *half) {
	for _, h := range halves {
		if len(h.rest) > 0 && (best == nil || less(h.rest[0], best.rest[0]) < 0) {
			best = h
		}
	}
	return best
}

// finish says who did not answer, and where the next page begins.
func finish(resp *waitingv1.ListWaitingResponse, halves []*half, sum string) error {
	more := false
	for _, h := range halves {
		if h.err != nil && !silent(h.err) {
			return h.err
		}
		if h.err != nil {
			resp.Unreachable = append(resp.Unreachable, h.service.String())
		}
		more = more || h.more()
	}
	if len(resp.GetUnreachable()) == len(halves) {
		return halves[0].err
	}
	if more {
		resp.NextPageToken = place{Sum: sum, Deployment: halves[0].at, Implementation: halves[1].at}.String()
	}
	return nil
}

// half is the list of one service, as far as it is read.
type half struct {
	service owner.Service
	at      mark
	less    func(a, b *waitingv1.Waiting) int
	rest    []*waitingv1.Waiting // read and not given yet
	next    string               // the token of the page after rest
	read    bool                 // rest is of the page at `at`
	err     error
}

// fill reads on while there is nothing to give and something to read.
func (h *half) fill(ctx context.Context, peers Peers, req *waitingv1.ListWaitingRequest, size int) {
	for len(h.rest) == 0 && !h.at.End && h.err == nil {
		if h.read { // this page is used up
			h.at.Token, h.read = h.next, false
			if h.at.End = h.next == ""; h.at.End {
				return
			}
		}
		answer, err := h.page(ctx, peers, req, size)
		if err != nil {
			h.err = err
			return
		}
		h.read, h.next = true, answer.GetNextPageToken()
		for _, w := range answer.GetWaiting() {
			if h.at.Name == "" || h.less(h.at.waiting(), w) < 0 {
				h.rest = append(h.rest, w)
			}
		}
	}
}

// more says that a next page may have something of this half. One that does not answer may have, but nobody waits for it alone.
func (h *half) more() bool {
	switch {
	case len(h.rest) > 0:
		return true
	case h.err != nil || h.at.End:
		return false
	case h.read && h.next == "":
		h.at.End = true // the other half alone goes on
		return false
	default:
		return true
	}
}

func (h *half) page(ctx context.Context, peers Peers, req *waitingv1.ListWaitingRequest, size int) (*waitingv1.ListWaitingResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	part := proto.CloneOf(req)
	part.PageToken, part.PageSize = h.at.Token, int32(size) //nolint:gosec // at most 1000
	return peers.of(h.service).ListWaiting(ctx, part)
}

func (h *half) pop() *waitingv1.Waiting {
	w := h.rest[0]
	h.rest = h.rest[1:]
	h.at.Place = page.Place{Since: w.GetSince().AsTime().UnixMicro(), Name: w.GetResource(), Owner: w.GetOwner()}
	return w
}

// order is how both services order their lists, the name last so that it is total.
func order(by string) func(a, b *waitingv1.Waiting) int {
	oldest := func(a, b *waitingv1.Waiting) int {
		return cmp.Or(a.GetSince().AsTime().Compare(b.GetSince().AsTime()), strings.Compare(a.GetResource(), b.GetResource()))
	}
	switch by {
	case "since desc":
		return func(a, b *waitingv1.Waiting) int { return oldest(b, a) }
	case "owner":
		return func(a, b *waitingv1.Waiting) int {
			return cmp.Or(strings.Compare(a.GetOwner(), b.GetOwner()), oldest(a, b))
		}
	default:
		return oldest
	}
}
