package gateway

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed page
var pageFiles embed.FS

// The part of OpenAPI that the API page shows.
type (
	apiDocument struct {
		Info       struct{ Title, Version, Description string }
		Paths      map[string]map[string]apiOperation
		Components struct{ Schemas map[string]apiSchema }
		Tags       []struct{ Name, Description string }
	}
	apiOperation struct {
		Method      string `yaml:"-"`
		Path        string `yaml:"-"`
		Tags        []string
		Description string
		OperationID string `yaml:"operationId"`
		Parameters  []apiParameter
		RequestBody struct{ Content map[string]apiContent } `yaml:"requestBody"`
		Responses   map[string]struct{ Content map[string]apiContent }
	}
	apiParameter struct {
		Name, In, Description string
		Required              bool
		Schema                apiSchema
	}
	apiContent struct{ Schema apiSchema }
	apiSchema  struct {
		Type, Format, Description, Pattern string
		Ref                                string `yaml:"$ref"`
		Enum                               []string
		Items                              *apiSchema
		AllOf                              []apiSchema `yaml:"allOf"`
		Required                           []string
		Properties                         map[string]apiSchema
		AdditionalProperties               yaml.Node `yaml:"additionalProperties"`
		ReadOnly                           bool      `yaml:"readOnly"`
	}
	apiGroup struct {
		Name, Description string
		Operations        []apiOperation
	}
)

// RefName is the schema that this one stands for, "" if none.
func (s apiSchema) RefName() string {
	for _, one := range append([]apiSchema{s}, s.AllOf...) {
		if name, ok := strings.CutPrefix(one.Ref, "#/components/schemas/"); ok {
			return name
		}
	}
	if s.Items != nil {
		return s.Items.RefName()
	}
	return ""
}

// Kind is what a value is, in words.
func (s apiSchema) Kind() string {
	switch {
	case s.Type == "array":
		return "list"
	case s.Format != "" && s.Format != "enum":
		return s.Type + " (" + s.Format + ")"
	case len(s.Enum) > 0:
		return "one of"
	default:
		return s.Type
	}
}

// Values are the words an enum takes.
func (s apiSchema) Values() []string {
	if s.Items != nil {
		return s.Items.Enum
	}
	return s.Enum
}

// Body is what the operation takes, by media type.
func (o apiOperation) Body() map[string]apiContent { return o.RequestBody.Content }

// Answer is what it returns where it succeeds, by media type.
func (o apiOperation) Answer() map[string]apiContent { return o.Responses["200"].Content }

// apiPage renders the document as one page that needs nothing else.
func apiPage(document []byte) ([]byte, error) {
	var doc apiDocument
	if err := yaml.Unmarshal(document, &doc); err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	page, err := template.New("api.html").Funcs(template.FuncMap{
		"short": func(name string) string { return name[strings.LastIndexByte(name, '.')+1:] },
		"lower": strings.ToLower,
	}).ParseFS(pageFiles, "page/api.html")
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	var out bytes.Buffer
	err = page.Execute(&out, map[string]any{"Info": doc.Info, "Groups": doc.groups(), "Schemas": doc.Components.Schemas})
	return out.Bytes(), err
}

// groups are the operations by tag, as a reader looks for them.
func (d apiDocument) groups() []apiGroup {
	var groups []apiGroup
	for _, tag := range d.Tags {
		group := apiGroup{Name: tag.Name, Description: tag.Description}
		for path, methods := range d.Paths {
			for method, operation := range methods {
				if slices.Contains(operation.Tags, tag.Name) {
					operation.Method, operation.Path = strings.ToUpper(method), path
					group.Operations = append(group.Operations, operation)
				}
			}
		}
		slices.SortFunc(group.Operations, func(a, b apiOperation) int {
			return strings.Compare(a.Path+a.Method, b.Path+b.Method)
		})
		groups = append(groups, group)
	}
	slices.SortFunc(groups, func(a, b apiGroup) int { return strings.Compare(a.Name, b.Name) })
	return groups
}
