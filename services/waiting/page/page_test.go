package page_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/waiting/page"
)

func TestAPageGoesOnWhereTheOneBeforeEnded(t *testing.T) {
	last := page.Place{Since: 7, Name: "workspaces/a/stages/b", Owner: "users/ada"}
	for by, want := range map[string]struct{ order, past string }{
		"":           {"s, n", "(s, n) > (?7, ?workspaces/a/stages/b)"},
		"since":      {"s, n", "(s, n) > (?7, ?workspaces/a/stages/b)"},
		"since desc": {"s DESC, n DESC", "(s, n) < (?7, ?workspaces/a/stages/b)"},
		"owner":      {"o, s, n", "(o, s, n) > (?users/ada, ?7, ?workspaces/a/stages/b)"},
	} {
		req := &waitingv1.ListWaitingRequest{Parent: "workspaces/a", OrderBy: by}
		first, err := page.Parse(req)
		require.NoError(t, err)
		require.Equal(t, want.order, first.Order("s", "o", "n"))
		require.Nil(t, first.Past(nil))

		req.PageToken = first.Token(last)
		second, err := page.Parse(req)
		require.NoError(t, err)
		require.Equal(t, want.past, second.Past(func(v any) string { return fmt.Sprint("?", v) })("s", "o", "n"), "by %q", by)
	}
}

func TestATokenIsOfOneList(t *testing.T) {
	req := func(change func(*waitingv1.ListWaitingRequest)) *waitingv1.ListWaitingRequest {
		r := &waitingv1.ListWaitingRequest{Parent: "workspaces/a", Owner: "users/ada", Group: "g", Kinds: []string{"wave"}}
		p, err := page.Parse(r)
		require.NoError(t, err)
		r.PageToken = p.Token(page.Place{Since: 1, Name: "n"})
		change(r)
		return r
	}
	for name, c := range map[string]struct {
		change func(*waitingv1.ListWaitingRequest)
		reason string
	}{
		"the order said in full": {func(r *waitingv1.ListWaitingRequest) { r.OrderBy = "since" }, ""},
		"another size":           {func(r *waitingv1.ListWaitingRequest) { r.PageSize = 3 }, ""},
		"another order":          {func(r *waitingv1.ListWaitingRequest) { r.OrderBy = "owner" }, "PAGE_TOKEN_MISMATCH"},
		"another workspace":      {func(r *waitingv1.ListWaitingRequest) { r.Parent = "workspaces/b" }, "PAGE_TOKEN_MISMATCH"},
		"another owner":          {func(r *waitingv1.ListWaitingRequest) { r.Owner = "" }, "PAGE_TOKEN_MISMATCH"},
		"another group":          {func(r *waitingv1.ListWaitingRequest) { r.Group = "" }, "PAGE_TOKEN_MISMATCH"},
		"other kinds":            {func(r *waitingv1.ListWaitingRequest) { r.Kinds = nil }, "PAGE_TOKEN_MISMATCH"},
		"no token":               {func(r *waitingv1.ListWaitingRequest) { r.PageToken = "%" }, "INVALID_PAGE_TOKEN"},
		"no JSON":                {func(r *waitingv1.ListWaitingRequest) { r.PageToken = "abcd" }, "INVALID_PAGE_TOKEN"},
		"what no database keeps": {func(r *waitingv1.ListWaitingRequest) { r.PageToken = page.Encode(page.Place{Name: "a\x00b"}) }, "INVALID_PAGE_TOKEN"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := page.Parse(req(c.change))
			if c.reason == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, c.reason, fault.ReasonOf(err))
		})
	}
}
