// Protodeps writes the third-party .proto files that the contracts import into
// .proto-deps, so that buf can compile without its registry and without copies
// in git. The files are printed from the descriptors inside the generated Go
// packages, hence their version is the one in go.mod.
package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	// Each blank import registers the descriptors of the files it was generated from.
	_ "buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"github.com/jhump/protoreflect/v2/protoprint"
	_ "google.golang.org/genproto/googleapis/api/annotations"
	_ "google.golang.org/genproto/googleapis/api/httpbody"
	_ "google.golang.org/genproto/googleapis/rpc/errdetails"
	_ "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// folder is relative to proto/tools, from where the Makefile runs the program.
const folder = "../../.proto-deps"

func main() {
	log.SetFlags(0)
	if err := write(); err != nil {
		log.Fatalf("protodeps: %v", err)
	}
}

// write replaces the folder's content with every registered file, less the
// well-known types, which buf brings itself.
func write() error {
	if err := os.RemoveAll(folder); err != nil {
		return fmt.Errorf("clear %s: %w", folder, err)
	}
	printer := protoprint.Printer{SortElements: true}
	var errs []error
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if !strings.HasPrefix(file.Path(), "google/protobuf/") {
			errs = append(errs, writeFile(&printer, file))
		}
		return true
	})
	return errors.Join(errs...)
}

func writeFile(printer *protoprint.Printer, file protoreflect.FileDescriptor) error {
	text, err := printer.PrintProtoToString(file)
	if err != nil {
		return fmt.Errorf("print %s: %w", file.Path(), err)
	}
	path := filepath.Join(folder, filepath.FromSlash(file.Path()))
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o600)
}
