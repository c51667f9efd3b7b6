package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/golive-dev/golive/pkg/fault"
)

// explain says why a body was refused: where, what is there, and what belongs
// there. protojson knows the line only, so the body is compared with its message again.
func explain(data []byte, md protoreflect.MessageDescriptor, cause error) *fault.Error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return notJSON(data, decoder, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return fault.Invalid("INVALID_JSON", "the body has something after its JSON value; send exactly one object")
	}
	if f := explainMessage(md, value, ""); f != nil {
		return f
	}
	// protojson breaks its prefix with either kind of space, so that nobody relies on the text.
	text := strings.TrimSpace(strings.TrimPrefix(strings.ReplaceAll(cause.Error(), "\u00a0", " "), "proto:"))
	return fault.Invalid("INVALID_JSON", "the body is no %s: %s; correct it and send the request again", md.Name(), text)
}

func notJSON(data []byte, decoder *json.Decoder, err error) *fault.Error {
	offset := decoder.InputOffset()
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = syntax.Offset
	} else if errors.Is(err, io.ErrUnexpectedEOF) {
		offset = int64(len(data)) // where more was expected
	}
	before := data[:min(max(offset, 0), int64(len(data)))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n') - 1
	return fault.Invalid("INVALID_JSON", "the body is not JSON: %s, at line %d, column %d; correct it and send the request again", strings.TrimPrefix(err.Error(), "json: "), line, column)
}

func wrongType(path, expected string, value any) *fault.Error {
	if path == "" {
		path = "the body"
	}
	f := fault.Invalid("INVALID_JSON", "%s must be %s, not %s; correct it and send the request again", path, expected, describe(value))
	return f.Field(strings.TrimPrefix(path, "the body"), "must be "+expected)
}

func describe(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return "the number " + v.String()
	case string:
		if len(v) > 40 {
			v = strings.ToValidUTF8(v[:40], "") + "…"
		}
		return "the string " + strconv.Quote(v)
	case []any:
		return "a list"
	default:
		return "an object"
	}
}

func explainMessage(md protoreflect.MessageDescriptor, value any, path string) *fault.Error {
	if md.ParentFile().Package() == "google.protobuf" {
		return explainWellKnown(md, value, path)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return wrongType(path, "an object", value)
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		at := join(path, key)
		fd := md.Fields().ByJSONName(key)
		if fd == nil {
			fd = md.Fields().ByTextName(key)
		}
		if fd == nil {
			return fault.Invalid("UNKNOWN_FIELD", "%s has no field %q; it has %s", md.Name(), key, strings.Join(jsonNames(md), ", ")).
				Field(at, "is not a field of "+string(md.Name()))
		}
		if object[key] == nil {
			continue
		}
		if f := explainField(fd, object[key], at); f != nil {
			return f
		}
	}
	return nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func jsonNames(md protoreflect.MessageDescriptor) []string {
	names := make([]string, 0, md.Fields().Len())
	for i := range md.Fields().Len() {
		names = append(names, md.Fields().Get(i).JSONName())
	}
	return names
}

func explainField(fd protoreflect.FieldDescriptor, value any, path string) *fault.Error {
	switch {
	case fd.IsMap():
		object, ok := value.(map[string]any)
		if !ok {
			return wrongType(path, "an object", value)
		}
		for _, key := range slices.Sorted(maps.Keys(object)) {
			if f := explainValue(fd.MapValue(), object[key], join(path, key)); f != nil {
				return f
			}
		}
		return nil
	case fd.IsList():
		list, ok := value.([]any)
		if !ok {
			return wrongType(path, "a list", value)
		}
		for i, element := range list {
			if f := explainValue(fd, element, fmt.Sprintf("%s[%d]", path, i)); f != nil {
				return f
			}
		}
		return nil
	default:
		return explainValue(fd, value, path)
	}
}

func explainValue(fd protoreflect.FieldDescriptor, value any, path string) *fault.Error {
	var expected string
	var fits bool
	text, isString := value.(string)
	number, isNumber := value.(json.Number)
	switch fd.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return explainMessage(fd.Message(), value, path)
	case protoreflect.BoolKind:
		expected = "true or false"
		_, fits = value.(bool)
	case protoreflect.StringKind:
		expected, fits = "a string", isString
	case protoreflect.BytesKind:
		expected = "a string in base64"
		_, err := base64.StdEncoding.DecodeString(text)
		_, urlErr := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
		fits = isString && (err == nil || urlErr == nil)
	case protoreflect.EnumKind:
		expected = "one of " + strings.Join(enumNames(fd.Enum()), ", ")
		fits = isString && fd.Enum().Values().ByName(protoreflect.Name(text)) != nil || isNumber
	case protoreflect.DoubleKind, protoreflect.FloatKind:
		expected, fits = "a number", isNumber || isString && slices.Contains([]string{"NaN", "Infinity", "-Infinity"}, text)
	default:
		if isNumber {
			text = number.String()
		}
		expected, fits = expectedInteger(fd.Kind(), text)
		fits = fits && (isNumber || isString)
	}
	if fits {
		return nil
	}
	return wrongType(path, expected, value)
}

func expectedInteger(kind protoreflect.Kind, text string) (string, bool) {
	var err error
	expected := "an integer"
	switch kind {
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		_, err = strconv.ParseInt(text, 10, 32)
		expected = "an integer of 32 bits"
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		_, err = strconv.ParseUint(text, 10, 32)
		expected = "an integer of 32 bits, not negative"
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		_, err = strconv.ParseUint(text, 10, 64)
		expected = "an integer, not negative"
	default:
		_, err = strconv.ParseInt(text, 10, 64)
	}
	return expected, err == nil
}

func enumNames(ed protoreflect.EnumDescriptor) []string {
	var names []string
	for i := range ed.Values().Len() {
		if v := ed.Values().Get(i); v.Number() != 0 {
			names = append(names, string(v.Name()))
		}
	}
	return names
}

// explainWellKnown tries the value itself, because these have a form of their own in JSON.
func explainWellKnown(md protoreflect.MessageDescriptor, value any, path string) *fault.Error {
	data, err := json.Marshal(value)
	mt, unknown := protoregistry.GlobalTypes.FindMessageByName(md.FullName())
	if fits := err == nil && unknown == nil && protojson.Unmarshal(data, mt.New().Interface()) == nil; fits {
		return nil
	}
	expected := map[protoreflect.Name]string{
		"Timestamp": "a time such as 2026-03-01T09:00:00Z",
		"Duration":  "a duration in seconds such as 90s or 1.5s",
		"FieldMask": "field names such as displayName,labels",
	}[md.Name()]
	if expected == "" {
		expected = "a " + string(md.FullName())
	}
	return wrongType(path, expected, value)
}
