// Package delivery says what leaves when something happens: which events a
// subscription gets ([Wants]), what they look like as a CloudEvent ([CloudEvent]), to a chat and to a reader
// ([Words]), how they are signed ([Sign]), and what becomes of an attempt ([Judge]).
//
// It is pure. What waits is kept by store/event_delivery.go, and package dispatch sends it.
package delivery

import (
	"slices"
	"strings"
	"time"

	"github.com/golive-dev/golive/pkg/auth"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Tested is the type of the event that a test sends.
const Tested = "dev.golive.subscription.tested"

// before is how long before its creation a subscription might be given what happened, by the clock of the other service: it gets what
// comes from then on. What is older was held up, by a connection that broke or a clock that is wrong, and is given: of what
// happened while nobody in the workspace had a subscription, nothing comes.
const before = 2 * time.Minute

// Wants says whether a subscription gets an event.
func Wants(sub *implementationv1.Subscription, event *eventv1.Event) bool {
	if Private(event) || !below(event.GetResource(), workspace(sub.GetName())) {
		return false
	}
	early := sub.GetCreateTime().AsTime().Sub(event.GetTime().AsTime())
	if early > 0 && early < before {
		return false
	}
	return (len(sub.GetTypes()) == 0 || slices.ContainsFunc(sub.GetTypes(), func(t string) bool { return typed(event.GetType(), t) })) &&
		(len(sub.GetResources()) == 0 || slices.ContainsFunc(sub.GetResources(), func(r string) bool { return below(event.GetResource(), r) }))
}

// typed says whether a type is the one that is wanted, or begins with it where it ends in a dot.
func typed(kind, wanted string) bool {
	return kind == wanted || strings.HasSuffix(wanted, ".") && strings.HasPrefix(kind, wanted)
}

// below says whether a resource is another one, or under it.
func below(name, parent string) bool {
	return name == parent || strings.HasPrefix(name, parent) && name[len(parent)] == '/'
}

// workspace is the first two segments of a name.
func workspace(name string) string {
	parts := strings.SplitN(name, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}

// Private says that an event is about single people. It never leaves, whatever a subscription asks for.
func Private(event *eventv1.Event) bool {
	return PrivateResource(event.GetResource()) || PrivateType(event.GetType())
}

// PrivateResource says that a resource, or a collection of them, is about single people.
func PrivateResource(name string) bool {
	parts := strings.Split(name, "/")
	for i := 2; i < len(parts); i += 2 {
		if aboutPeople(parts[i]) {
			return true
		}
	}
	return false
}

// PrivateType says that all events of a type, or of a prefix of types, are about single people.
func PrivateType(kind string) bool {
	_, rest, _ := strings.Cut(kind, ".")
	noun, _, _ := strings.Cut(rest, ".")
	switch noun {
	case "enrolment", "completion", "contact", "stakeholder", "stanceChange", "provisioning", "mail", "erasure",
		"membership", "person", "surveyResponse", "surveyResponses", "surveyLinks":
		return true
	default:
		return false
	}
}

// aboutPeople says that what is kept in a collection is about single people, or who they are.
func aboutPeople(collection string) bool {
	return auth.AboutPersons(collection) || collection == "people" || collection == "memberships" || collection == "stanceChanges"
}
