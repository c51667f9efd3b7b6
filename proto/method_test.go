package proto_test

import (
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/reflect/protoreflect"
)

func methodRules() []rule {
	return []rule{
		{"requests bear the name of their method (AIP-131 to 136)", requestNames},
		{"Get, Update and Delete are told by name (AIP-131, 134, 135)", named},
		{"lists have pages (AIP-132, AIP-158)", pages},
		{"writes can be retried and rehearsed (AIP-133, 155, 163)", writes},
		{"what a request is about is REQUIRED (AIP-203)", subjectsAreRequired},
	}
}

// standard splits GetRelease into Get and Release. The noun is empty where the
// method is none of the five standard methods on a resource.
func standard(method protoreflect.MethodDescriptor) (verb, noun string) {
	name := string(method.Name())
	for _, verb := range []string{"Get", "List", "Create", "Update", "Delete"} {
		noun, ok := strings.CutPrefix(name, verb)
		if !ok {
			continue
		}
		if verb == "List" || verb == "Delete" || resourceOf(method.Output()) != nil {
			return verb, noun
		}
	}
	return "", ""
}

func requestNames(c *contract, report reporter) {
	for _, method := range c.methods {
		if want := method.Name() + "Request"; method.Input().Name() != want {
			report(method, "takes %s, want %s", method.Input().Name(), want)
		}
		verb, noun := standard(method)
		switch verb {
		case "List":
			if want := method.Name() + "Response"; method.Output().Name() != want {
				report(method, "returns %s, want %s", method.Output().Name(), want)
			}
		case "Get", "Create", "Update":
			if string(method.Output().Name()) != noun {
				report(method, "returns %s, want %s", method.Output().Name(), noun)
			}
		}
	}
}

func named(c *contract, report reporter) {
	for _, method := range c.methods {
		verb, noun := standard(method)
		switch verb {
		case "Get":
			needField(method, "name", "string", report)
		case "Delete":
			needField(method, "name", "string", report)
			needField(method, "etag", "string", report)
		case "Update":
			needField(method, snake(noun), string(method.Output().FullName()), report)
			needField(method, "update_mask", "google.protobuf.FieldMask", report)
		}
	}
}

func pages(c *contract, report reporter) {
	for _, method := range c.methods {
		if verb, _ := standard(method); verb != "List" {
			continue
		}
		needField(method, "page_size", "int32", report)
		needField(method, "page_token", "string", report)
		answer := method.Output().Fields()
		if token := answer.ByName("next_page_token"); token == nil || typeName(token) != "string" {
			report(method, "%s has no next_page_token", method.Output().Name())
		}
		if items := answer.ByNumber(1); items == nil || !items.IsList() || items.Message() == nil {
			report(method, "field 1 of %s is not the repeated resource", method.Output().Name())
		}
	}
}

func writes(c *contract, report reporter) {
	for _, method := range c.methods {
		verb, noun := standard(method)
		if verb == "Create" {
			needField(method, snake(noun), string(method.Output().FullName()), report)
			needField(method, snake(noun)+"_id", "string", report)
		}
		if verb == "Create" || verb == "Update" || verb == "Delete" {
			needField(method, "request_id", "string", report)
			needField(method, "validate_only", "bool", report)
		}
	}
}

func subjectsAreRequired(c *contract, report reporter) {
	for _, method := range c.methods {
		subjects := []protoreflect.Name{"name", "parent"}
		if verb, noun := standard(method); verb == "Create" || verb == "Update" {
			subjects = append(subjects, protoreflect.Name(snake(noun)))
		}
		for _, subject := range subjects {
			field := method.Input().Fields().ByName(subject)
			if field != nil && !has(field, annotations.FieldBehavior_REQUIRED) {
				report(field, "is not REQUIRED")
			}
		}
	}
}

func needField(method protoreflect.MethodDescriptor, name, kind string, report reporter) {
	field := method.Input().Fields().ByName(protoreflect.Name(name))
	if field == nil || typeName(field) != kind {
		report(method, "%s has no %s %s", method.Input().Name(), kind, name)
	}
}

// snake turns DeploymentPlan into deployment_plan.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}
