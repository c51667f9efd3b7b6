package rpc

import (
	"errors"
	"fmt"
	"sync"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
)

// validator is one for the process: it compiles the rules of a message when it
// first sees it, milliseconds that should be paid once and not once a server.
var validator = sync.OnceValues(func() (protovalidate.Validator, error) { return protovalidate.New() })

// maxViolations bounds an answer; who made so many mistakes does not read more.
const maxViolations = 50

// validate checks a request against the rules in its contract.
func (c *chain) validate(req any) error {
	message, ok := req.(proto.Message)
	if !ok {
		return nil
	}
	err := c.validator.Validate(message)
	if err == nil {
		return nil
	}
	violations, ok := errors.AsType[*protovalidate.ValidationError](err)
	if !ok {
		return fmt.Errorf("validate %s: %w", message.ProtoReflect().Descriptor().FullName(), err)
	}
	return invalid(violations.Violations)
}

func invalid(violations []*protovalidate.Violation) *fault.Error {
	type field struct{ path, problem string }
	fields := make([]field, 0, len(violations))
	for _, v := range violations[:min(len(violations), maxViolations)] {
		path := protovalidate.FieldPathString(v.Proto.GetField())
		if v.Proto.GetForKey() {
			path += " (key)"
		}
		problem := v.Proto.GetMessage()
		if problem == "" {
			problem = "breaks the rule " + v.Proto.GetRuleId()
		}
		fields = append(fields, field{path, problem})
	}
	var f *fault.Error
	switch {
	case len(violations) != 1:
		f = fault.Invalid("INVALID_FIELD", "%d fields are not valid, the first is %s: %s; correct them and send the request again",
			len(violations), fields[0].path, fields[0].problem)
	case fields[0].path == "":
		f = fault.Invalid("INVALID_FIELD", "the request is not valid: %s; correct it and send it again", fields[0].problem)
	default:
		f = fault.Invalid("INVALID_FIELD", "%s is not valid: %s; correct it and send the request again", fields[0].path, fields[0].problem)
	}
	for _, v := range fields {
		f = f.Field(v.path, v.problem)
	}
	return f
}
