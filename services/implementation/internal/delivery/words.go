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
	if state := state(event); state != "" {
		fmt.Fprintf(&b, "Now: %s\n\n", state)
	}
	if cause := line(impersonal(event.GetCause())); cause != "" {
		fmt.Fprintf(&b, "Why: %s\n\n", cause)
	}
	fmt.Fprintf(&b, "By %s at %s.\n", impersonal(event.GetActor()), event.GetTime().AsTime().UTC().Format("2006-01-02 15:04:05 MST"))
	if command := command(event.GetResource()); command != "" {
		fmt.Fprintf(&b, "\n    %s\n", command)
	}
	return subject, b.String()
}

// state is where the resource of an event is after it, in words; empty where it is in no state.
func state(event *eventv1.Event) string {
	if event.GetAfter() == nil {
		return ""
	}
	m, err := event.GetAfter().UnmarshalNew()
	if err != nil {
		return "" // of a kind that this version does not know
	}
	fd := m.ProtoReflect().Descriptor().Fields().ByName("state")
	if fd == nil || fd.Enum() == nil || !m.ProtoReflect().Has(fd) {
		return ""
	}
	value := fd.Enum().Values().ByNumber(m.ProtoReflect().Get(fd).Enum())
	if value == nil {
		return ""
	}
	return strings.ReplaceAll(string(value.Name()), "_", " ")
}

// command shows more about the resource of an event; empty where none does. Some events stand under a word behind a
// resource, as those of a verdict do, and no command knows that.
func command(resource string) string {
	if name, ok := strings.CutSuffix(resource, "/verdict"); ok {
		return "golive why " + name
	}
	parts := strings.Split(resource, "/")
	parts = parts[:len(parts)-len(parts)%2]
	if len(parts) < 4 {
		return ""
	}
	return "golive describe " + strings.Join(parts, "/")
}

// Chat is the body of a message to an incoming webhook of Slack and its like.
func Chat(event *eventv1.Event) ([]byte, error) {
	subject, _ := Words(event)
	lines := []string{"*" + escape(subject) + "*"}
	if event.GetType() != Tested {
		for _, more := range []string{state(event), line(impersonal(event.GetCause()))} {
			if more != "" {
				lines = append(lines, escape(more))
			}
		}
		foot := escape(impersonal(event.GetActor()))
		if command := command(event.GetResource()); command != "" {
			foot = "`" + escape(command) + "` · " + foot
		}
		lines = append(lines, foot)
	}
	return json.Marshal(struct {
		Text string `json:"text"`
	}{strings.Join(lines, "\n")})
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
