package proto_test

import (
	"regexp"
	"slices"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

func resourceRules() []rule {
	return []rule{
		{"a resource lives in a workspace (AIP-122, AIP-123)", resourceNames},
		{"standard fields are what they always are (AIP-148)", standardFields},
		{"a reference leads to a resource (AIP-124)", references},
		{"keys that a client gives are bounded", keys},
	}
}

// pattern is workspaces/{workspace} followed by pairs of collection and id.
var pattern = regexp.MustCompile(`^workspaces/\{workspace\}(/[a-z][a-zA-Z0-9]*/\{[a-z][a-z0-9_]*\})+$`)

func resourceNames(c *contract, report reporter) {
	for _, message := range c.messages {
		r := resourceOf(message)
		if r == nil {
			continue
		}
		want := packageName(message) + ".golive.dev/" + string(message.Name())
		if r.GetType() != want {
			report(message, "type is %q, want %q", r.GetType(), want)
		}
		if r.GetSingular() != lowerCamel(string(message.Name())) {
			report(message, "singular is %q", r.GetSingular())
		}
		for _, p := range r.GetPattern() {
			if !pattern.MatchString(p) {
				report(message, "pattern %q is not workspaces/{workspace}/…", p)
			}
			if segments := strings.Split(p, "/"); r.GetPlural() == "" || segments[max(0, len(segments)-2)] != r.GetPlural() {
				report(message, "pattern %q does not end in plural %q", p, r.GetPlural())
			}
		}
		if name := message.Fields().ByName("name"); name == nil || name.Number() != 1 || !has(name, annotations.FieldBehavior_IDENTIFIER) {
			report(message, "field 1 is not an IDENTIFIER called name")
		}
	}
}

func standardFields(c *contract, report reporter) {
	for _, message := range c.messages {
		if resourceOf(message) == nil {
			continue
		}
		for name, kind := range map[protoreflect.Name]string{
			"uid": "string", "create_time": "google.protobuf.Timestamp",
			"update_time": "google.protobuf.Timestamp", "revision": "int64",
		} {
			field := message.Fields().ByName(name)
			if field == nil {
				continue
			}
			if typeName(field) != kind || !has(field, annotations.FieldBehavior_OUTPUT_ONLY) {
				report(field, "is not an OUTPUT_ONLY %s", kind)
			}
		}
		if etag := message.Fields().ByName("etag"); etag != nil && typeName(etag) != "string" {
			report(etag, "is not a string")
		}
	}
}

func references(c *contract, report reporter) {
	for _, message := range c.messages {
		for _, field := range fields(message) {
			ref, _ := proto.GetExtension(field.Options(), annotations.E_ResourceReference).(*annotations.ResourceReference)
			for _, kind := range []string{ref.GetType(), ref.GetChildType()} {
				if kind != "" && kind != "*" && c.resources[kind] == nil {
					report(field, "refers to %q, which is no resource", kind)
				}
			}
		}
	}
}

// keys holds the maps that clients fill: an empty key is a mistake that could never be selected again.
func keys(c *contract, report reporter) {
	for _, message := range c.messages {
		for _, field := range fields(message) {
			rules, ok := proto.GetExtension(field.Options(), validate.E_Field).(*validate.FieldRules)
			if !ok || rules.GetMap() == nil {
				continue
			}
			if key := rules.GetMap().GetKeys().GetString(); key.GetMinLen() == 0 || key.GetMaxLen() == 0 {
				report(field, "bounds its pairs and not its keys")
			}
		}
	}
}

func resourceOf(message protoreflect.MessageDescriptor) *annotations.ResourceDescriptor {
	r, _ := proto.GetExtension(message.Options(), annotations.E_Resource).(*annotations.ResourceDescriptor)
	return r
}

func has(field protoreflect.FieldDescriptor, behavior annotations.FieldBehavior) bool {
	list, _ := proto.GetExtension(field.Options(), annotations.E_FieldBehavior).([]annotations.FieldBehavior)
	return slices.Contains(list, behavior)
}

func typeName(field protoreflect.FieldDescriptor) string {
	if field.Message() != nil {
		return string(field.Message().FullName())
	}
	return field.Kind().String()
}

// packageName is the <x> of golive.<x>.v1.
func packageName(d protoreflect.Descriptor) string {
	return string(d.ParentFile().Package().Parent().Name())
}

func lowerCamel(name string) string {
	return strings.ToLower(name[:1]) + name[1:]
}
