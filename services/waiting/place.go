package waiting

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
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
	Since int64  `json:"a,omitempty"` // in microseconds
	Name  string `json:"n,omitempty"`
	Owner string `json:"o,omitempty"`
	End   bool   `json:"e,omitempty"`
}

// waiting is the thing that was given last, as far as the order looks at it.
func (m mark) waiting() *waitingv1.Waiting {
	return &waitingv1.Waiting{Resource: m.Name, Owner: m.Owner, Since: timestamppb.New(time.UnixMicro(m.Since))}
}

func (p place) String() string {
	data, err := json.Marshal(p)
	if err != nil {
		panic(err) // texts and numbers
	}
	return composed + base64.RawURLEncoding.EncodeToString(data)
}

// parsePlace reads the token of a request, and refuses that of another list.
func parsePlace(req *waitingv1.ListWaitingRequest) (place, error) {
	sum := checksum(req)
	token := req.GetPageToken()
	if token == "" {
		return place{Sum: sum}, nil
	}
	var p place
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, composed))
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	switch {
	case err != nil || !strings.HasPrefix(token, composed):
		return p, mismatch("INVALID_PAGE_TOKEN", "is none of this list")
	case p.Sum != sum:
		return p, mismatch("PAGE_TOKEN_MISMATCH", "belongs to another selection or order")
	default:
		return p, nil
	}
}

func checksum(req *waitingv1.ListWaitingRequest) string {
	order := req.GetOrderBy()
	if order == "" {
		order = "since"
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q", req.GetParent(), req.GetOwner(), req.GetKinds(), req.GetGroup(), order))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}
