package proto_test

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	// Registers what the contracts import and no test names.
	_ "buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"github.com/bufbuild/protocompile"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// rule is one thing that every contract must keep. It reports each place that does not.
type rule struct {
	name  string
	check func(c *contract, report reporter)
}

type reporter func(at protoreflect.Descriptor, format string, args ...any)

func rules() []rule {
	return slices.Concat(documentationRules(), resourceRules(), methodRules(), routeRules(), accessRules())
}

func TestEveryContractKeepsTheRules(t *testing.T) {
	t.Parallel()
	c := load(t, ".", protoFiles(t, "golive"))
	require.NotEmpty(t, c.methods)
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			require.Empty(t, findings(c, r))
		})
	}
}

// Each rule is shown to catch what it is there for: the contract in testdata
// breaks all of them, and what they say is written beside it.
func TestEveryRuleCatchesAnOffender(t *testing.T) {
	t.Parallel()
	c := load(t, "testdata", []string{"offender.proto"})
	var said strings.Builder
	for _, r := range rules() {
		found := findings(c, r)
		require.NotEmpty(t, found, "rule %q catches nothing in testdata/offender.proto", r.name)
		fmt.Fprintf(&said, "%s\n", r.name)
		for _, line := range found {
			fmt.Fprintf(&said, "  %s\n", line)
		}
	}
	want, err := os.ReadFile("testdata/offender.txt")
	require.NoError(t, err)
	require.Equal(t, string(want), said.String())
}

func findings(c *contract, r rule) []string {
	var found []string
	r.check(c, func(at protoreflect.Descriptor, format string, args ...any) {
		found = append(found, fmt.Sprintf("%s: %s", at.FullName(), fmt.Sprintf(format, args...)))
	})
	slices.Sort(found)
	return found
}

// contract is a set of .proto files, flattened to what rules walk over.
type contract struct {
	services  []protoreflect.ServiceDescriptor
	methods   []protoreflect.MethodDescriptor
	messages  []protoreflect.MessageDescriptor // nested ones too, map entries not
	enums     []protoreflect.EnumDescriptor
	resources map[string]protoreflect.MessageDescriptor // by google.api.resource type
}

// load compiles the files from source, because only source carries comments.
func load(t *testing.T, root string, files []string) *contract {
	t.Helper()
	compiler := protocompile.Compiler{
		SourceInfoMode: protocompile.SourceInfoStandard,
		Resolver: protocompile.CompositeResolver{
			&protocompile.SourceResolver{ImportPaths: []string{root}},
			protocompile.ResolverFunc(func(path string) (protocompile.SearchResult, error) {
				file, err := protoregistry.GlobalFiles.FindFileByPath(path)
				return protocompile.SearchResult{Desc: file}, err
			}),
		},
	}
	compiled, err := compiler.Compile(t.Context(), files...)
	require.NoError(t, err)

	set := new(descriptorpb.FileDescriptorSet)
	seen := map[string]bool{}
	for _, file := range compiled {
		appendFile(set, seen, file)
	}
	// Through bytes, so that options come back as their generated Go types.
	raw, err := proto.Marshal(set)
	require.NoError(t, err)
	require.NoError(t, proto.Unmarshal(raw, set))
	linked, err := protodesc.NewFiles(set)
	require.NoError(t, err)

	c := &contract{resources: map[string]protoreflect.MessageDescriptor{}}
	for _, path := range files {
		file, err := linked.FindFileByPath(path)
		require.NoError(t, err)
		c.addFile(file)
	}
	return c
}

// appendFile adds a file after everything it imports.
func appendFile(set *descriptorpb.FileDescriptorSet, seen map[string]bool, file protoreflect.FileDescriptor) {
	if seen[file.Path()] {
		return
	}
	seen[file.Path()] = true
	for i := range file.Imports().Len() {
		appendFile(set, seen, file.Imports().Get(i).FileDescriptor)
	}
	set.File = append(set.File, protodesc.ToFileDescriptorProto(file))
}

func (c *contract) addFile(file protoreflect.FileDescriptor) {
	c.addEnums(file.Enums())
	c.addMessages(file.Messages())
	for i := range file.Services().Len() {
		service := file.Services().Get(i)
		c.services = append(c.services, service)
		for j := range service.Methods().Len() {
			c.methods = append(c.methods, service.Methods().Get(j))
		}
	}
}

func (c *contract) addMessages(messages protoreflect.MessageDescriptors) {
	for i := range messages.Len() {
		message := messages.Get(i)
		if message.IsMapEntry() {
			continue
		}
		c.messages = append(c.messages, message)
		if r := resourceOf(message); r != nil {
			c.resources[r.GetType()] = message
		}
		c.addEnums(message.Enums())
		c.addMessages(message.Messages())
	}
}

func (c *contract) addEnums(enums protoreflect.EnumDescriptors) {
	for i := range enums.Len() {
		c.enums = append(c.enums, enums.Get(i))
	}
}

func fields(message protoreflect.MessageDescriptor) []protoreflect.FieldDescriptor {
	list := make([]protoreflect.FieldDescriptor, message.Fields().Len())
	for i := range list {
		list[i] = message.Fields().Get(i)
	}
	return list
}

func protoFiles(t *testing.T, root string) []string {
	t.Helper()
	var files []string
	err := fs.WalkDir(os.DirFS("."), root, func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".proto") {
			files = append(files, path)
		}
		return err
	})
	require.NoError(t, err)
	return files
}
