package proto_test

import (
	"path"
	"regexp"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

func routeRules() []rule {
	return []rule{
		{"people's methods have a route, machines' have none", whoHasRoutes},
		{"a route uses the verb and body of its method (AIP-127, 131 to 136)", verbsAndBodies},
		{"a route addresses its resource by its pattern (AIP-127)", paths},
		{"no two methods share a route", routesAreUnique},
	}
}

// route is one binding of a method to HTTP.
type route struct {
	verb, path, body string
}

// variable is {field=segments} in a path.
var variable = regexp.MustCompile(`\{([a-z][a-z0-9_.]*)=([^}]+)\}`)

func routes(method protoreflect.MethodDescriptor) []route {
	first, _ := proto.GetExtension(method.Options(), annotations.E_Http).(*annotations.HttpRule)
	if first == nil {
		return nil
	}
	var list []route
	for _, r := range append([]*annotations.HttpRule{first}, first.GetAdditionalBindings()...) {
		one := route{body: r.GetBody()}
		switch p := r.GetPattern().(type) {
		case *annotations.HttpRule_Get:
			one.verb, one.path = "GET", p.Get
		case *annotations.HttpRule_Put:
			one.verb, one.path = "PUT", p.Put
		case *annotations.HttpRule_Post:
			one.verb, one.path = "POST", p.Post
		case *annotations.HttpRule_Patch:
			one.verb, one.path = "PATCH", p.Patch
		case *annotations.HttpRule_Delete:
			one.verb, one.path = "DELETE", p.Delete
		}
		list = append(list, one)
	}
	return list
}

// machineOnly are the contracts that only programs of golive speak.
func machineOnly(method protoreflect.MethodDescriptor) bool {
	return packageName(method) == "agent"
}

func whoHasRoutes(c *contract, report reporter) {
	for _, method := range c.methods {
		switch has := len(routes(method)) > 0; {
		case machineOnly(method) && has:
			report(method, "is for machines only and has a route")
		case method.IsStreamingClient() && has:
			report(method, "cannot stream a request through the gateway's routes")
		case !machineOnly(method) && !method.IsStreamingClient() && !has:
			report(method, "has no route")
		}
	}
}

func verbsAndBodies(c *contract, report reporter) {
	for _, method := range c.methods {
		verb, noun := standard(method)
		for _, r := range routes(method) {
			want := route{verb: r.verb, path: r.path, body: r.body}
			switch verb {
			case "Get", "List":
				want.verb, want.body = "GET", ""
			case "Create":
				want.verb, want.body = "POST", snake(noun)
			case "Update":
				want.verb, want.body = "PATCH", snake(noun)
			case "Delete":
				want.verb, want.body = "DELETE", ""
			default:
				if want.body = ""; r.verb == "POST" {
					want.body = "*"
				}
				if r.verb != "GET" && r.verb != "POST" {
					report(method, "a custom method uses GET or POST, not %s", r.verb)
				}
				if !customVerb(method, r.path) {
					report(method, "path %s does not end in a verb out of the method's name", r.path)
				}
			}
			if r != want {
				report(method, "is %s with body %q, want %s with body %q", r.verb, r.body, want.verb, want.body)
			}
		}
	}
}

// customVerb tells whether a path ends in :verb, with the method's name beginning in
// Verb. A Get that computes its answer reads like a resource instead.
func customVerb(method protoreflect.MethodDescriptor, route string) bool {
	_, verb, ok := strings.Cut(route[strings.LastIndexByte(route, '}')+1:], ":")
	if !ok {
		return strings.HasPrefix(string(method.Name()), "Get")
	}
	return verb != "" && strings.HasPrefix(lowerCamel(string(method.Name())), verb)
}

func paths(c *contract, report reporter) {
	for _, method := range c.methods {
		for _, r := range routes(method) {
			if !strings.HasPrefix(r.path, "/v1/") {
				report(method, "path %s does not begin with /v1/", r.path)
			}
			for _, found := range variable.FindAllStringSubmatch(r.path, -1) {
				if field := fieldAt(method.Input(), found[1]); field == nil || typeName(field) != "string" {
					report(method, "path variable %s is no string field of %s", found[1], method.Input().Name())
				}
			}
			checkPattern(method, r.path, report)
		}
	}
}

// checkPattern compares the path of a standard method with the patterns of its resource.
func checkPattern(method protoreflect.MethodDescriptor, got string, report reporter) {
	resource := resourceOf(method.Output())
	verb, noun := standard(method)
	if resource == nil || verb == "" {
		return
	}
	for _, p := range resource.GetPattern() {
		starred := regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(p, "*")
		collection := strings.TrimSuffix(starred, "/*")
		var want string
		switch verb {
		case "Get":
			want = "/v1/{name=" + starred + "}"
		case "Update":
			want = "/v1/{" + snake(noun) + ".name=" + starred + "}"
		case "Create":
			want = "/v1/{parent=" + path.Dir(collection) + "}/" + path.Base(collection)
		default:
			return
		}
		if got == want {
			return
		}
	}
	report(method, "path %s is not that of %s", got, resource.GetType())
}

func routesAreUnique(c *contract, report reporter) {
	taken := map[string]protoreflect.FullName{}
	for _, method := range c.methods {
		for _, r := range routes(method) {
			key := r.verb + " " + variable.ReplaceAllString(r.path, "$2")
			if other, ok := taken[key]; ok {
				report(method, "%s is taken by %s", key, other)
			}
			taken[key] = method.FullName()
		}
	}
}

// fieldAt follows a dotted path of field names; nil when it leads nowhere.
func fieldAt(message protoreflect.MessageDescriptor, dotted string) protoreflect.FieldDescriptor {
	var field protoreflect.FieldDescriptor
	for name := range strings.SplitSeq(dotted, ".") {
		if message == nil {
			return nil
		}
		if field = message.Fields().ByName(protoreflect.Name(name)); field == nil {
			return nil
		}
		message = field.Message()
	}
	return field
}
