// Package page is how the lists of what waits are paged: by since, owner and name, alike in both services, so that
// their pages can be merged into one.
package page

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
	usual = 50
	most  = 1000
)

// Place is where one thing stands in the list.
type Place struct {
	Since int64  `json:"a,omitempty"` // in microseconds
	Name  string `json:"n,omitempty"`
	Owner string `json:"o,omitempty"`
}

// Page is one page that is asked of a service.
type Page struct {
	Size  int
	after *Place // the last one of the page before; nil on the first
	by    string
	sum   string
}

// token is a page token before it is encoded.
type token struct {
	Sum string `json:"s"`
	Place
}

// Parse reads what page a request asks for, and refuses the token of another list.
func Parse(req *waitingv1.ListWaitingRequest) (*Page, error) {
	p := &Page{Size: Size(req), by: req.GetOrderBy(), sum: Sum(req)}
	if req.GetPageToken() == "" {
		return p, nil
	}
	var t token
	if err := Decode(req.GetPageToken(), &t); err != nil || strings.IndexByte(t.Name+t.Owner, 0) >= 0 {
		return nil, Invalid()
	}
	if t.Sum != p.sum {
		return nil, Mismatch()
	}
	p.after = &t.Place
	return p, nil
}

// Token is the token of the page after the one that ends with last.
func (p *Page) Token(last Place) string { return Encode(token{Sum: p.sum, Place: last}) }

// Order is the ORDER BY over these expressions; the name makes it total.
func (p *Page) Order(since, owner, name string) string {
	switch p.by {
	case "since desc":
		return since + " DESC, " + name + " DESC"
	case "owner":
		return owner + ", " + since + ", " + name
	default:
		return since + ", " + name
	}
}

// Past gives the condition for what comes after the page before, over the same expressions; nil on the first page.
// mark makes a value an argument of the statement, and returns what stands for it.
func (p *Page) Past(mark func(value any) string) func(since, owner, name string) string {
	if p.after == nil {
		return nil
	}
	lastSince, lastName, lastOwner, compare := mark(p.after.Since), mark(p.after.Name), "", " > "
	switch p.by {
	case "since desc":
		compare = " < "
	case "owner":
		lastOwner = mark(p.after.Owner)
	}
	return func(since, owner, name string) string {
		if lastOwner != "" {
			return "(" + owner + ", " + since + ", " + name + ")" + compare + "(" + lastOwner + ", " + lastSince + ", " + lastName + ")"
		}
		return "(" + since + ", " + name + ")" + compare + "(" + lastSince + ", " + lastName + ")"
	}
}

// Size is how many things a page of the request has at most.
func Size(req *waitingv1.ListWaitingRequest) int {
	return int(min(cmp.Or(req.GetPageSize(), usual), most))
}

// Sum is over the selection and order of a request, to which its tokens are bound.
func Sum(req *waitingv1.ListWaitingRequest) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q", req.GetParent(), req.GetOwner(), req.GetKinds(), req.GetGroup(), cmp.Or(req.GetOrderBy(), "since")))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// Encode writes a token: texts and numbers.
func Encode(token any) string {
	data, err := json.Marshal(token)
	if err != nil {
		panic(err) // of a programmer who put something else in
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// Decode reads what [Encode] wrote.
func Decode(text string, token any) error {
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, token)
}

// Invalid is the answer to what is no token.
func Invalid() error { return refused(resource.ReasonInvalidPageToken, "is none of this list") }

// Mismatch is the answer to a token of another list.
func Mismatch() error {
	return refused(resource.ReasonPageTokenMismatch, "belongs to another selection or order")
}

func refused(reason, why string) error {
	return fault.Invalid(reason, "page_token %s; begin again without one", why).Field("page_token", why)
}
