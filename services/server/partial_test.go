package server_test

import (
	"strings"
	"testing"

	"buf.build/go/protovalidate"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"
)

// A partial update carries the name and the fields of its mask, and nothing
// else; a rule of the contract that refuses an empty field would refuse it.
func TestNoRuleOfAContractRefusesAPartialUpdate(t *testing.T) {
	t.Parallel()
	validator, err := protovalidate.New()
	require.NoError(t, err)
	updates := 0
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if !strings.HasPrefix(string(file.Package()), "golive.") {
			return true
		}
		for i := range file.Services().Len() {
			for j := range file.Services().Get(i).Methods().Len() {
				method := file.Services().Get(i).Methods().Get(j)
				field := updated(method)
				if field == nil {
					continue
				}
				updates++
				request := dynamicpb.NewMessage(method.Input())
				resource := request.Mutable(field).Message()
				resource.Set(field.Message().Fields().ByName("name"), protoreflect.ValueOfString(exampleName(field.Message())))
				require.NoError(t, validator.Validate(request), method.FullName())
			}
		}
		return true
	})
	require.Greater(t, updates, 20)
}

// updated is the field of an Update request that holds the resource; nil for other methods.
func updated(method protoreflect.MethodDescriptor) protoreflect.FieldDescriptor {
	noun, ok := strings.CutPrefix(string(method.Name()), "Update")
	if !ok || method.Input().Fields().ByName("update_mask") == nil {
		return nil
	}
	for i := range method.Input().Fields().Len() {
		if field := method.Input().Fields().Get(i); field.Message() != nil && string(field.Message().Name()) == noun {
			return field
		}
	}
	return nil
}

// exampleName is a name that fits the pattern of the resource.
func exampleName(message protoreflect.MessageDescriptor) string {
	r, _ := proto.GetExtension(message.Options(), annotations.E_Resource).(*annotations.ResourceDescriptor)
	segments := strings.Split(r.GetPattern()[0], "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") {
			segments[i] = "a"
		}
	}
	return strings.Join(segments, "/")
}
