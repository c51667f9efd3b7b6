package gateway

import (
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/golive-dev/golive/pkg/fault"
)

// owner is the service that keeps a resource.
type owner int

const (
	nobody owner = iota
	deployment
	implementation
	both // a whole workspace
)

// owners tells the owner by collection, the first segment below the workspace.
// It is read from the contracts, so that a new resource needs no line here.
type owners map[string]owner

func readOwners() owners {
	o := owners{}
	o.read("golive.deployment.v1", deployment)
	o.read("golive.implementation.v1", implementation)
	return o
}

func (o owners) read(contract protoreflect.FullName, service owner) {
	protoregistry.GlobalFiles.RangeFilesByPackage(contract, func(file protoreflect.FileDescriptor) bool {
		for i := range file.Messages().Len() {
			resource, ok := proto.GetExtension(file.Messages().Get(i).Options(), annotations.E_Resource).(*annotations.ResourceDescriptor)
			if !ok {
				continue
			}
			for _, pattern := range resource.GetPattern() {
				if segments := strings.Split(pattern, "/"); len(segments) > 2 {
					o[segments[2]] = service
				}
			}
		}
		return true
	})
}

// of returns who keeps the resource: both for a whole workspace.
func (o owners) of(name string) (owner, error) {
	segments := strings.SplitN(name, "/", 4)
	if len(segments) == 2 {
		return both, nil
	}
	if len(segments) > 2 && o[segments[2]] != nobody {
		return o[segments[2]], nil
	}
	return nobody, fault.NotFound("RESOURCE_NOT_FOUND",
		"%q names no kind of resource that golive keeps; GET /openapi.yaml lists them", name)
}
