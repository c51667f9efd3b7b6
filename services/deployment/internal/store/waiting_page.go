package store

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
)

const (
	waitingUsual = 50
	waitingMost  = 1000
)

// waitingPage is where a page of what waits begins, and in which order it goes on.
type waitingPage struct {
	size int
	by   string
	sum  string
	last *waitingRow // the last one of the page before; nil on the first
}

// waitingToken is a page token before it is encoded. It is bound to the list that it continues.
type waitingToken struct {
	Sum   string `json:"s"`
	Since int64  `json:"a"`
	Name  string `json:"n"`
	Owner string `json:"o,omitempty"`
}

func parseWaitingPage(req *waitingv1.ListWaitingRequest) (*waitingPage, error) {
	bound := fmt.Appendf(nil, "%q", append([]string{req.GetParent(), req.GetOwner(), req.GetGroup(), cmp.Or(req.GetOrderBy(), "since")}, req.GetKinds()...))
	sum := sha256.Sum256(bound)
	p := &waitingPage{
		size: int(min(cmp.Or(req.GetPageSize(), waitingUsual), waitingMost)), by: req.GetOrderBy(), sum: base64.RawURLEncoding.EncodeToString(sum[:9]),
	}
	if req.GetPageToken() == "" {
		return p, nil
	}
	var t waitingToken
	data, err := base64.RawURLEncoding.DecodeString(req.GetPageToken())
	if err == nil {
		err = json.Unmarshal(data, &t)
	}
	if err != nil || strings.IndexByte(t.Name+t.Owner, 0) >= 0 {
		return nil, otherPage(resource.ReasonInvalidPageToken, "is none of this list")
	}
	if t.Sum != p.sum {
		return nil, otherPage(resource.ReasonPageTokenMismatch, "belongs to another selection or order")
	}
	p.last = &waitingRow{name: t.Name, owner: t.Owner, since: t.Since}
	return p, nil
}

// otherPage is the answer to a token that is not of this list, in the words of the list over both services.
func otherPage(reason, why string) error {
	return fault.Invalid(reason, "page_token %s; begin again without one", why).Field("page_token", why)
}

func (p *waitingPage) token(last waitingRow) string {
	data, err := json.Marshal(waitingToken{Sum: p.sum, Since: last.since, Name: last.name, Owner: last.owner})
	if err != nil {
		panic(err) // texts and a number
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// order is the ORDER BY over these expressions; the name makes it total.
func (p *waitingPage) order(since, owner, name string) string {
	switch p.by {
	case "since desc":
		return since + " DESC, " + name + " DESC"
	case "owner":
		return owner + ", " + since + ", " + name
	default:
		return since + ", " + name
	}
}

// past is true for what comes after the page before.
func (p *waitingPage) past(mark func(any) string) func(waitingSource) string {
	since, name := mark(p.last.since), mark(p.last.name)
	compare, owner := " > ", ""
	switch p.by {
	case "since desc":
		compare = " < "
	case "owner":
		owner = mark(p.last.owner)
	}
	return func(src waitingSource) string {
		if owner != "" {
			return "(" + src.owner + ", " + src.since + ", t.name)" + compare + "(" + owner + ", " + since + ", " + name + ")"
		}
		return "(" + src.since + ", t.name)" + compare + "(" + since + ", " + name + ")"
	}
}
