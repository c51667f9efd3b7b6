// Package kind knows every kind of resource that golive's contracts declare,
// and how people may name one.
//
// Nothing is listed by hand: a kind is a message with google.api.resource, and
// its methods are those of its service, so that a new contract is a new kind
// here without a line of code. See [All], [Find] and [Kind.Name].
package kind

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "github.com/golive-dev/golive/proto/golive/deployment/v1"     // its kinds
	_ "github.com/golive-dev/golive/proto/golive/implementation/v1" // its kinds
)

// Kind is one kind of resource.
type Kind struct {
	Singular string   // deploymentPlan
	Plural   string   // deploymentPlans
	Pattern  []string // workspaces, {workspace}, deploymentPlans, {deployment_plan}
	Message  protoreflect.MessageType

	// The standard methods; nil where the contract has none.
	Get, List, Create, Update, Delete protoreflect.MethodDescriptor
}

var registry = sync.OnceValue(scan)

// All returns the kinds in the order of their names.
func All() []*Kind { return registry() }

func scan() []*Kind {
	byMessage := make(map[protoreflect.Name]*Kind)
	protoregistry.GlobalTypes.RangeMessages(func(mt protoreflect.MessageType) bool {
		d := mt.Descriptor()
		res, _ := proto.GetExtension(d.Options(), annotations.E_Resource).(*annotations.ResourceDescriptor)
		if len(res.GetPattern()) > 0 && strings.HasPrefix(string(d.FullName()), "golive.") {
			byMessage[d.Name()] = &Kind{
				Singular: res.GetSingular(), Plural: res.GetPlural(), Pattern: strings.Split(res.GetPattern()[0], "/"), Message: mt,
			}
		}
		return true
	})
	for name, k := range byMessage {
		services := k.Message.Descriptor().ParentFile().Services()
		for i := range services.Len() {
			k.adopt(name, services.Get(i).Methods())
		}
	}
	return slices.SortedFunc(maps.Values(byMessage), func(a, b *Kind) int { return strings.Compare(a.Singular, b.Singular) })
}

func (k *Kind) adopt(name protoreflect.Name, methods protoreflect.MethodDescriptors) {
	k.Get = methods.ByName("Get" + name)
	k.Create = methods.ByName("Create" + name)
	k.Update = methods.ByName("Update" + name)
	k.Delete = methods.ByName("Delete" + name)
	plural := strings.ToUpper(k.Plural[:1]) + k.Plural[1:]
	k.List = methods.ByName(protoreflect.Name("List" + plural))
}

// Implementation tells whether the implementation service owns the kind; the deployment service does otherwise.
func (k *Kind) Implementation() bool {
	return strings.HasPrefix(string(k.Message.Descriptor().FullName()), "golive.implementation.")
}

// Field is the snake_case name of the kind in requests: deployment_plan.
func (k *Kind) Field() string { return strings.Trim(k.Pattern[len(k.Pattern)-1], "{}") }

// Find returns the kind of a word: its singular or plural in any case, with or
// without dashes, or one of the short forms plan, app, env and impl.
func Find(word string) (*Kind, error) {
	plain := fold(word)
	switch plain {
	case "plan", "plans":
		plain = "deploymentplan"
	case "app", "apps":
		plain = "application"
	case "env", "envs":
		plain = "environment"
	case "impl", "impls":
		plain = "implementation"
	}
	for _, k := range All() {
		if plain == fold(k.Singular) || plain == fold(k.Plural) {
			return k, nil
		}
	}
	words := make([]string, 0, len(All()))
	for _, k := range All() {
		words = append(words, k.Singular)
	}
	return nil, fmt.Errorf("there is no kind %q; the kinds are %s", word, strings.Join(words, ", "))
}

func fold(word string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(word))
}

// FullMethod is how gRPC calls a method.
func FullMethod(m protoreflect.MethodDescriptor) string {
	return fmt.Sprintf("/%s/%s", m.Parent().FullName(), m.Name())
}
