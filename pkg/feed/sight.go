package feed

import (
	"context"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/auth"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
)

// seenBy is an event as the caller may see it. Everybody who reads the log sees
// that something happened; what a resource says is for those who may read it:
// otherwise a stakeholder's stance would be secret in one place and open in the
// other. Events of collections have counts, which are for all.
func seenBy(ctx context.Context, event *eventv1.Event) *eventv1.Event {
	principal, known := auth.FromContext(ctx)
	parts := strings.Split(event.GetResource(), "/")
	if !known || len(parts) < 4 || len(parts)%2 != 0 {
		return event
	}
	service, _, _ := strings.Cut(event.GetType(), ".")
	if principal.May(parts[1], service+"."+parts[len(parts)-2]+".get") {
		return event
	}
	hidden := proto.CloneOf(event) // the one that came is shared with other watchers
	hidden.After, hidden.Cause = nil, ""
	return hidden
}
