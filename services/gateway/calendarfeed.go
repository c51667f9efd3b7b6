package gateway

import (
	"net/http"
	"slices"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

const (
	feedFile  = "/calendarFeed.ics"
	feedRoute = "/v1/{parent=workspaces/*/implementations/*}" + feedFile
)

// calendarFeed answers with the file that calendars subscribe to.
func (g *Gateway) calendarFeed(w http.ResponseWriter, r *http.Request, params map[string]string) {
	if r.URL.RawQuery != "" {
		g.writeProblem(w, fault.Invalid("UNKNOWN_FIELD", "a calendar feed takes no query parameter but key; leave out the others"))
		return
	}
	feed, err := g.calendars.ExportCalendarFeed(g.annotate(r.Context(), r), &implementationv1.ExportCalendarFeedRequest{Parent: params["parent"]})
	if err != nil {
		g.writeProblem(w, err)
		return
	}
	tag := `"` + feed.GetDigest() + `"`
	w.Header().Set("ETag", tag)
	if matches(r.Header.Values("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "text/calendar; charset=utf-8")
	_, _ = w.Write([]byte(feed.GetCalendar()))
}

// matches tells whether a client has the version with that tag, weakly compared as RFC 9110 has it.
func matches(headers []string, tag string) bool {
	return slices.ContainsFunc(headers, func(header string) bool {
		return slices.ContainsFunc(strings.Split(header, ","), func(one string) bool {
			one = strings.TrimSpace(one)
			return one == "*" || strings.TrimPrefix(one, "W/") == tag
		})
	})
}
