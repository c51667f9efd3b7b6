// Package show puts what the command line says into its forms: JSON and YAML for
// programs, tables and a live picture for people.
//
// JSON, NDJSON and YAML are an interface: proto3 JSON as the HTTP API speaks it.
// Tables are not; they change when they can read better.
package show

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// Format is a form of output.
type Format string

// The forms.
const (
	Table  Format = "table"
	Wide   Format = "wide"
	JSON   Format = "json"
	NDJSON Format = "ndjson"
	YAML   Format = "yaml"
	Name   Format = "name"
)

// Formats returns all forms.
func Formats() []string {
	return []string{string(Table), string(Wide), string(JSON), string(NDJSON), string(YAML), string(Name)}
}

// ParseFormat reads the value of -o.
func ParseFormat(word string) (Format, error) {
	if !slices.Contains(Formats(), word) {
		return "", fmt.Errorf("output %q is not one of %s", word, strings.Join(Formats(), ", "))
	}
	return Format(word), nil
}

// ForPeople tells whether the form is a table.
func (f Format) ForPeople() bool { return f == Table || f == Wide }

// Encode writes one value for programs: a proto message, or what encoding/json takes.
func Encode(w io.Writer, format Format, value any) error {
	data, err := marshal(value)
	if err != nil {
		return err
	}
	return write(w, format, data)
}

// EncodeList writes a JSON array, a line each, or a YAML document each.
func EncodeList[T any](w io.Writer, format Format, values []T) error {
	if format == JSON {
		all := make([]json.RawMessage, 0, len(values))
		for _, v := range values {
			data, err := marshal(v)
			if err != nil {
				return err
			}
			all = append(all, data)
		}
		return Encode(w, JSON, all)
	}
	for i, v := range values {
		if i > 0 && format == YAML {
			if _, err := io.WriteString(w, "---\n"); err != nil {
				return err
			}
		}
		if err := Encode(w, format, v); err != nil {
			return err
		}
	}
	return nil
}

func marshal(value any) ([]byte, error) {
	if m, ok := value.(proto.Message); ok {
		return protojson.Marshal(m)
	}
	return json.Marshal(value)
}

// write also undoes the spaces that protojson puts in at random.
func write(w io.Writer, format Format, data []byte) error {
	var out bytes.Buffer
	switch format {
	case NDJSON:
		if err := json.Compact(&out, data); err != nil {
			return err
		}
		out.WriteByte('\n')
	case YAML:
		var node yaml.Node // JSON is YAML; read as a node it keeps the order of fields
		if err := yaml.Unmarshal(data, &node); err != nil {
			return err
		}
		block(&node)
		encoder := yaml.NewEncoder(&out)
		encoder.SetIndent(2)
		if err := encoder.Encode(&node); err != nil {
			return err
		}
	default:
		if err := json.Indent(&out, data, "", "  "); err != nil {
			return err
		}
		out.WriteByte('\n')
	}
	_, err := out.WriteTo(w)
	return err
}

// block turns the braces and quotes of JSON into YAML as people write it.
func block(node *yaml.Node) {
	if node.Kind == yaml.ScalarNode && node.Tag == "!!str" && !strings.Contains(node.Value, "\n") {
		plain := yaml.Node{Kind: yaml.ScalarNode, Value: node.Value}
		if plain.ShortTag() != "!!str" { // a string that would read as something else stays quoted
			return
		}
	}
	node.Style = 0
	for _, child := range node.Content {
		block(child)
	}
}
