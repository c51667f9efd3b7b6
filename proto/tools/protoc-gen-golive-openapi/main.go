// Protoc-gen-golive-openapi writes the OpenAPI document of the HTTP interface. It
// runs gnostic's generator and mends what that cannot know: the names of path
// variables, streams, credentials, and the route that is written by hand.
package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/google/gnostic/cmd/protoc-gen-openapi/generator"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"
)

func main() {
	log.SetFlags(0)
	if err := run(os.Stdin, os.Stdout); err != nil {
		log.Fatalf("protoc-gen-golive-openapi: %v", err)
	}
}

func run(in io.Reader, out io.Writer) error {
	raw, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	request := new(pluginpb.CodeGeneratorRequest)
	if err := proto.Unmarshal(raw, request); err != nil {
		return fmt.Errorf("read request: %w", err)
	}
	dedent(request)
	plugin, err := protogen.Options{}.New(request)
	if err != nil {
		return err
	}
	plugin.SupportedFeatures = uint64(pluginpb.CodeGeneratorResponse_FEATURE_PROTO3_OPTIONAL)
	if err := generate(plugin); err != nil {
		plugin.Error(err)
	}
	answer, err := proto.Marshal(plugin.Response())
	if err != nil {
		return err
	}
	_, err = out.Write(answer)
	return err
}

// dedent takes away the space behind `//`, which gnostic leaves before every
// line of a comment but the first.
func dedent(request *pluginpb.CodeGeneratorRequest) {
	for _, file := range request.GetProtoFile() {
		for _, location := range file.GetSourceCodeInfo().GetLocation() {
			if comment := location.GetLeadingComments(); comment != "" {
				location.LeadingComments = new(strings.ReplaceAll(comment, "\n ", "\n"))
			}
		}
	}
}

func generate(plugin *protogen.Plugin) error {
	draft := plugin.NewGeneratedFile("draft.yaml", "")
	draft.Skip()
	conf := generator.Configuration{
		Version: new("v1"), Title: new("golive"), Description: new(""),
		Naming: new("json"), EnumType: new("string"), OutputMode: new("merged"),
		// Two messages of one short name would be one schema otherwise.
		FQSchemaNaming:  new(true),
		DefaultResponse: new(true), CircularDepth: new(2),
	}
	if err := generator.NewOpenAPIv3Generator(plugin, conf, plugin.Files).Run(draft); err != nil {
		return err
	}
	raw, err := draft.Content()
	if err != nil {
		return err
	}
	document, err := mend(raw, plugin)
	if err != nil {
		return err
	}
	_, err = plugin.NewGeneratedFile("openapi.yaml", "").Write(document)
	return err
}
