package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) apply() *cobra.Command {
	var (
		files  []string
		dryRun bool
	)
	cmd := &cobra.Command{
		Use: "apply -f FILE|FOLDER…", Short: "Create or change resources as files say",
		Long: "Each YAML document is a resource as get -o yaml shows it; its name says its kind. Names may be short:\n\n" +
			"  name: applications/crm\n  displayName: CRM\n  ---\n  name: environments/prod/targets/shop-1\n  cohorts: [sales]\n\n" +
			"A resource that is there is changed in the fields that the document has, and left alone in the others.\n" +
			"Of a folder the files *.yaml are read, in the order of their names, and none below it.",
		Example: "  golive apply -f crm.yaml --dry-run\n  golive apply -f examples/plan\n  golive get implementation crm-rollout -o yaml | golive apply -f -", Args: cobra.NoArgs,
	}
	cmd.Flags().StringArrayVarP(&files, "filename", "f", nil, "a file, a folder, or - for stdin; repeatable")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "check everything on the server and change nothing")
	must(cmd.MarkFlagRequired("filename"))
	return a.remote(cmd, func(ctx context.Context, c *client, _ []string) error {
		var documents []document
		paths, err := unfold(files)
		if err != nil {
			return err
		}
		for _, file := range paths {
			more, err := c.readDocuments(file)
			if err != nil {
				return err
			}
			documents = append(documents, more...)
		}
		promised := make(map[string]bool) // what a dry run would have created
		for _, d := range documents {     // all were read before the first is sent
			if err := c.applyOne(ctx, d, dryRun, promised); err != nil {
				located := *explain(err)
				located.what = d.where + ": " + located.what
				return &located
			}
		}
		return nil
	})
}

// awaits tells whether all that a dry run complains of is a resource that it would have created before.
func awaits(err error, parent string, promised map[string]bool) bool {
	if absent(err) {
		return promised[parent]
	}
	return fault.ReasonOf(err) == "REFERENCE_NOT_FOUND" && promised[fault.From(err).Metadata()["resource"]]
}

// unfold puts the YAML files of a folder in its place.
func unfold(given []string) (files []string, err error) {
	for _, one := range given {
		if info, err := os.Stat(one); err != nil || !info.IsDir() {
			files = append(files, one) // reading it says what is wrong
			continue
		}
		inside, err := os.ReadDir(one) // by name
		if err != nil {
			return nil, err
		}
		before := len(files)
		for _, f := range inside {
			if !f.IsDir() && filepath.Ext(f.Name()) == ".yaml" {
				files = append(files, filepath.Join(one, f.Name()))
			}
		}
		if len(files) == before {
			return nil, usage(one+" has no *.yaml", "name a folder with resources in it")
		}
	}
	return files, nil
}

// document is one resource out of a file.
type document struct {
	where   string
	kind    *kind.Kind
	name    string
	message proto.Message
	fields  []string // what it sets
}

func (c *client) readDocuments(file string) (all []document, err error) {
	data, err := c.readFile(file)
	if err != nil {
		return nil, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for i := 1; ; i++ {
		var node yaml.Node
		if err := decoder.Decode(&node); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, usage(fmt.Sprintf("%s is not YAML: %v", file, err), "correct the file")
		}
		plainTimes(&node)
		var content map[string]any
		if err := node.Decode(&content); err != nil {
			return nil, usage(fmt.Sprintf("%s is not YAML: %v", file, err), "correct the file")
		}
		if len(content) == 0 {
			continue
		}
		d, err := c.document(content)
		if err != nil {
			return nil, usage(fmt.Sprintf("%s, document %d: %v", file, i, err), "golive get KIND NAME -o yaml shows the form")
		}
		d.where = fmt.Sprintf("%s, document %d", file, i)
		all = append(all, d)
	}
}

// plainTimes keeps dates and times as they are written. YAML would make a moment
// of a date, and 2026-12-24 of a holiday is none.
func plainTimes(node *yaml.Node) {
	if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!timestamp" {
		node.Tag = "!!str"
	}
	for _, child := range node.Content {
		plainTimes(child)
	}
}

func (c *client) document(content map[string]any) (document, error) {
	given, ok := content["name"].(string)
	if !ok {
		return document{}, errors.New("it has no name")
	}
	k, name, err := kind.Of(c.workspace, given)
	if err != nil {
		return document{}, err
	}
	content["name"] = name
	data, err := json.Marshal(content)
	if err != nil {
		return document{}, err
	}
	m := k.Message.New()
	if err := protojson.Unmarshal(data, m.Interface()); err != nil {
		return document{}, err
	}
	d := document{kind: k, name: name, message: m.Interface()}
	for key := range content {
		f := m.Descriptor().Fields().ByJSONName(key)
		if f == nil {
			f = m.Descriptor().Fields().ByTextName(key)
		}
		if behavior(f, annotations.FieldBehavior_OUTPUT_ONLY) || behavior(f, annotations.FieldBehavior_IDENTIFIER) || f.Name() == "etag" {
			continue
		}
		d.fields = append(d.fields, string(f.Name()))
	}
	slices.Sort(d.fields)
	return d, c.completeReferences(m)
}

// completeReferences completes short names in fields that the contract declares as references, at any depth.
func (c *client) completeReferences(m protoreflect.Message) (err error) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap():
		case f.IsList():
			for i := 0; i < v.List().Len() && err == nil; i++ {
				var one protoreflect.Value
				if one, err = c.completeReference(f, v.List().Get(i)); err == nil {
					v.List().Set(i, one)
				}
			}
		default:
			if v, err = c.completeReference(f, v); err == nil {
				m.Set(f, v)
			}
		}
		return err == nil
	})
	return err
}

func (c *client) completeReference(f protoreflect.FieldDescriptor, v protoreflect.Value) (protoreflect.Value, error) {
	if f.Kind() == protoreflect.MessageKind {
		return v, c.completeReferences(v.Message())
	}
	ref, _ := proto.GetExtension(f.Options(), annotations.E_ResourceReference).(*annotations.ResourceReference)
	if f.Kind() != protoreflect.StringKind || ref.GetType() == "" {
		return v, nil
	}
	k, err := kind.Find(kind.ID("/" + ref.GetType()))
	if err != nil {
		return v, nil //nolint:nilerr // a reference to anything, which only a full name can say
	}
	name, err := k.Name(c.workspace, v.String())
	return protoreflect.ValueOfString(name), err
}

func behavior(f protoreflect.FieldDescriptor, b annotations.FieldBehavior) bool {
	all, _ := proto.GetExtension(f.Options(), annotations.E_FieldBehavior).([]annotations.FieldBehavior)
	return slices.Contains(all, b)
}

func (c *client) applyOne(ctx context.Context, d document, dryRun bool, promised map[string]bool) error {
	before, err := c.fetch(ctx, d.kind, d.name)
	verb := "unchanged"
	var after proto.Message
	switch {
	case absent(err):
		verb = "created"
		if after, err = c.create(ctx, d.kind, d.name, d.message, dryRun); dryRun && awaits(err, d.kind.ParentOf(d.name), promised) {
			after, err = d.message, nil
		}
		promised[d.name] = dryRun
	case err != nil:
	case same(before, d):
		after = before
	case d.kind.Update == nil:
		err = &complaint{code: exitConflict, what: d.name + " is there and differs", why: d.kind.Plural + " never change", fix: "give it another name"}
	default:
		verb = "updated"
		if after, err = c.update(ctx, d.kind, d.message, d.fields, dryRun); err == nil && proto.Equal(before, after) {
			verb = "unchanged" // the server had filled in what the file leaves out
		}
	}
	if err != nil {
		return err
	}
	if !c.format.ForPeople() && c.format != show.Name {
		return show.Encode(c.out, c.format, after)
	}
	if c.format == show.Name {
		return c.say("%s", d.name)
	}
	if dryRun {
		verb += " (dry run)"
	}
	return c.say("%s %s %s", d.kind.Singular, kind.Short(d.name), verb)
}

// same tells whether a resource has every value that the document sets.
func same(before proto.Message, d document) bool {
	have, want := before.ProtoReflect(), d.message.ProtoReflect()
	for _, name := range d.fields {
		f := want.Descriptor().Fields().ByName(protoreflect.Name(name))
		if !have.Get(f).Equal(want.Get(f)) {
			return false
		}
	}
	return true
}
