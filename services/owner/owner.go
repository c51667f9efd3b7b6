// Package owner tells which of the two services keeps a resource, by its name
// alone. It is read from the contracts, so that a new kind of resource needs no line here.
package owner

import (
	"strings"
	"sync"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/golive-dev/golive/pkg/fault"
	_ "github.com/golive-dev/golive/proto/golive/deployment/v1"     // its kinds
	_ "github.com/golive-dev/golive/proto/golive/implementation/v1" // its kinds
)

// Service is one that keeps resources.
type Service int

// The services.
const (
	Nobody Service = iota
	Deployment
	Implementation
	Both // A whole workspace.
)

// String is how people call it.
func (s Service) String() string {
	switch s {
	case Deployment:
		return "deployment"
	case Implementation:
		return "implementation"
	case Both:
		return "both"
	default:
		return "nobody"
	}
}

// collections tells the owner by the first segment below the workspace.
var collections = sync.OnceValue(func() map[string]Service {
	all := map[string]Service{}
	read(all, "golive.deployment.v1", Deployment)
	read(all, "golive.implementation.v1", Implementation)
	return all
})

func read(all map[string]Service, contract protoreflect.FullName, service Service) {
	protoregistry.GlobalFiles.RangeFilesByPackage(contract, func(file protoreflect.FileDescriptor) bool {
		for i := range file.Messages().Len() {
			resource, ok := proto.GetExtension(file.Messages().Get(i).Options(), annotations.E_Resource).(*annotations.ResourceDescriptor)
			if !ok {
				continue
			}
			for _, pattern := range resource.GetPattern() {
				if segments := strings.Split(pattern, "/"); len(segments) > 2 {
					all[segments[2]] = service
				}
			}
		}
		return true
	})
}

// Of returns who keeps the resource: Both for a whole workspace.
func Of(name string) (Service, error) {
	segments := strings.SplitN(name, "/", 4)
	if len(segments) == 2 {
		return Both, nil
	}
	if len(segments) > 2 {
		if of := collections()[segments[2]]; of != Nobody {
			return of, nil
		}
	}
	return Nobody, fault.NotFound("RESOURCE_NOT_FOUND",
		"%q names no kind of resource that golive keeps; GET /openapi.yaml lists them", name)
}
