package feed

import (
	"context"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
)

// seenBy is an event as the caller may see it. Everybody who reads the log sees
// that something happened in a collection; of which resource, and what it says, is for those
// who may read it: otherwise who declined a training, or a stakeholder's stance, would be
// secret in one place and open in the other. Events of collections have counts, which are for all.
func seenBy(ctx context.Context, event *eventv1.Event) *eventv1.Event {
	collection, named := unreadable(ctx, event.GetResource())
	if !named {
		return event
	}
	hidden := proto.CloneOf(event) // the one that came is shared with other watchers
	hidden.Resource, hidden.Revision = collection, event.GetTime().AsTime().UnixMicro()
	hidden.After, hidden.Cause, hidden.BeforeDigest = nil, "", nil // a digest would confirm a guess
	return hidden
}

// mayAsk refuses who asks for the events of a resource that they may not read: how
// many there are, and of which types, would say what it does.
func mayAsk(ctx context.Context, parent string) error {
	collection, named := unreadable(ctx, parent)
	if !named {
		return nil
	}
	return fault.Denied("PERMISSION_DENIED", "you may not read single %s; ask for the events of %s, or an administrator for a role that may",
		collection[strings.LastIndexByte(collection, '/')+1:], collection)
}

// unreadable is the collection of the outermost resource in a name that the
// caller may not read; false where there is none. Inside of the process nothing is hidden.
func unreadable(ctx context.Context, name string) (collection string, named bool) {
	principal, known := auth.FromContext(ctx)
	if !known {
		return "", false
	}
	parts := strings.Split(name, "/")
	for i := 2; i+1 < len(parts); i += 2 {
		// Roles know verbs and collections, whichever service keeps them.
		if !principal.May(parts[1], "event."+parts[i]+".get") {
			return strings.Join(parts[:i+1], "/"), true
		}
	}
	return "", false
}
