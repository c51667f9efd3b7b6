package proto_test

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

func documentationRules() []rule {
	return []rule{
		{"everything is documented", everythingIsDocumented},
		{"comments name what they describe", commentsNameWhatTheyDescribe},
	}
}

func everythingIsDocumented(c *contract, report reporter) {
	need := func(d protoreflect.Descriptor) {
		if comment(d) == "" {
			report(d, "has no comment")
		}
	}
	for _, s := range c.services {
		need(s)
	}
	for _, m := range c.methods {
		need(m)
	}
	for _, m := range c.messages {
		need(m)
		for _, f := range fields(m) {
			need(f)
		}
		for i := range m.Oneofs().Len() {
			if oneof := m.Oneofs().Get(i); !oneof.IsSynthetic() {
				need(oneof)
			}
		}
	}
	for _, e := range c.enums {
		need(e)
		for i := range e.Values().Len() {
			need(e.Values().Get(i))
		}
	}
}

// The comment becomes the Go doc comment and the text of the API page, so it
// begins as Go doc comments do.
func commentsNameWhatTheyDescribe(c *contract, report reporter) {
	check := func(d protoreflect.Descriptor) {
		if text := comment(d); text != "" && !strings.HasPrefix(text, string(d.Name())+" ") {
			report(d, "comment begins with %q", strings.Fields(text)[0])
		}
	}
	for _, s := range c.services {
		check(s)
	}
	for _, m := range c.methods {
		check(m)
	}
}

func comment(d protoreflect.Descriptor) string {
	return strings.TrimSpace(d.ParentFile().SourceLocations().ByDescriptor(d).LeadingComments)
}
