package store

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
)

// waitingToken is where a page of what waits ended.
type waitingToken struct {
	Sum   string `json:"s"` // of all that it is bound to
	Owner string `json:"o,omitempty"`
	Since int64  `json:"a,omitempty"`
	Name  string `json:"n,omitempty"`
}

func (t waitingToken) String() string {
	data, err := json.Marshal(t)
	if err != nil {
		panic(err) // texts and a number
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// parseWaitingToken reads a page token, and refuses that of another list; it is zero for the first page.
func parseWaitingToken(token, sum string) (t waitingToken, err error) {
	if token == "" {
		return t, nil
	}
	data, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(data, &t)
	}
	if err == nil {
		err = storable("page_token", t.Name+t.Owner)
	}
	if err != nil {
		return t, fault.Invalid(resource.ReasonInvalidPageToken, "page_token is none of ours; begin again without one").
			Field("page_token", "must be the next_page_token of the page before")
	}
	if t.Sum != sum {
		return t, fault.Invalid(resource.ReasonPageTokenMismatch, "page_token belongs to another list; send the selection and order of the page before, or begin again without a token").
			Field("page_token", "belongs to another selection or order")
	}
	return t, nil
}

func waitingSum(req *waitingv1.ListWaitingRequest) string {
	order := req.GetOrderBy()
	if order == "" {
		order = "since"
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q", req.GetParent(), req.GetOwner(), req.GetKinds(), req.GetGroup(), order))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}
