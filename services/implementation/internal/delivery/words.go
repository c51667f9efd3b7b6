package delivery

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
)

// Words is an event for people: a line, and what there is to say beside it.
func Words(event *eventv1.Event) (subject, text string) {
	if event.GetType() == Tested {
		return "golive: this is a test", "Somebody tried whether this subscription arrives. It does.\n\n    golive subscription show " + event.GetResource() + "\n"
	}
	subject = happened(event.GetType()) + ": " + path(event.GetResource())
	var b strings.Builder
	b.WriteString(subject + ".\n\n")
	if cause := line(impersonal(event.GetCause())); cause != "" {
		fmt.Fprintf(&b, "Why: %s\n\n", cause)
	}
	fmt.Fprintf(&b, "By %s at %s.\n\n    golive describe %s\n", impersonal(event.GetActor()), event.GetTime().AsTime().UTC().Format("2006-01-02 15:04:05 MST"), event.GetResource())
	return subject, b.String()
}

// Chat is the body of a message to an incoming webhook of Slack and its like.
func Chat(event *eventv1.Event) ([]byte, error) {
	subject, _ := Words(event)
	text := "*" + escape(subject) + "*"
	if cause := line(impersonal(event.GetCause())); cause != "" {
		text += "\n" + escape(cause)
	}
	if event.GetType() != Tested {
		text += "\n`golive describe " + escape(event.GetResource()) + "` · " + escape(impersonal(event.GetActor()))
	}
	return json.Marshal(struct {
		Text string `json:"text"`
	}{text})
}

// escape takes the characters from a text that a chat would obey: nobody is called by <!channel> because of a name, and no link is made.
func escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "*", "∗", "`", "'").Replace(text)
}

// happened says a type in words: `deployment.cohortPlan.wentLive` is "Cohort plan went live".
func happened(kind string) string {
	_, rest, _ := strings.Cut(kind, ".")
	noun, what, _ := strings.Cut(rest, ".")
	text := spaced(noun) + " " + spaced(strings.ReplaceAll(what, "_", " "))
	return strings.ToUpper(text[:1]) + text[1:]
}

func spaced(camel string) string {
	var b strings.Builder
	for i, r := range camel {
		if unicode.IsUpper(r) {
			if i > 0 {
				b.WriteByte(' ')
			}
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// path is a name by its ids alone: "crm › deployments d-1 › waves 2" would say more than anybody reads.
func path(resource string) string {
	parts := strings.Split(resource, "/")
	var ids []string
	for i := 3; i < len(parts); i += 2 {
		ids = append(ids, parts[i])
	}
	if len(ids) == 0 {
		return resource
	}
	return strings.Join(ids, " › ")
}
