package waiting

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/waiting/page"
)

// composed tells the token of the whole list from that of one service.
const composed = "both."

// place is where a page ended, in both lists. Its text is the page token: opaque to clients.
type place struct {
	Sum            string `json:"s"` // of all that the token is bound to
	Deployment     mark   `json:"d"`
	Implementation mark   `json:"i"`
}

// mark is where a page ended in the list of one service: the page that was being read, and what was
// given of it last. A page is read again rather than kept, and what was given before is left out by
// its place in the order, so that nothing is told twice or left out when other things come and go.
type mark struct {
	Token string `json:"t,omitempty"`
	page.Place
	End bool `json:"e,omitempty"`
}

// waiting is the thing that was given last, as far as the order looks at it.
func (m mark) waiting() *waitingv1.Waiting {
	return &waitingv1.Waiting{Resource: m.Name, Owner: m.Owner, Since: timestamppb.New(time.UnixMicro(m.Since))}
}

func (p place) String() string { return composed + page.Encode(p) }

// parsePlace reads the token of a request, and refuses that of another list.
func parsePlace(req *waitingv1.ListWaitingRequest) (place, error) {
	sum := page.Sum(req)
	if req.GetPageToken() == "" {
		return place{Sum: sum}, nil
	}
	var p place
	text, both := strings.CutPrefix(req.GetPageToken(), composed)
	switch err := page.Decode(text, &p); {
	case err != nil || !both:
		return p, page.Invalid()
	case p.Sum != sum:
		return p, page.Mismatch()
	default:
		return p, nil
	}
}
