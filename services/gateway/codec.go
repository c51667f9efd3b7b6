package gateway

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"sync"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
)

// contentJSON is the header of every JSON answer; shared, because making it
// anew for each costs an allocation. Nobody changes it.
var contentJSON = []string{"application/json"}

// codec is the one JSON policy of the product: proto3 JSON, names in
// lowerCamelCase, fields that are not set are absent, enums by name, 64-bit
// integers as strings. What a request says and its message cannot hold is
// refused, never dropped.
type codec struct{ buffers *sync.Pool }

func newCodec() codec {
	return codec{buffers: &sync.Pool{New: func() any { return new(bytes.Buffer) }}}
}

func marshalJSON(m proto.Message) ([]byte, error) { return protojson.MarshalOptions{}.Marshal(m) }

// ContentType is JSON. Streams set their own.
func (codec) ContentType(any) string { return contentJSON[0] }

// Marshal writes a message. Generated code wraps the frames of a stream in a
// map with one entry; a frame travels bare here.
func (codec) Marshal(v any) ([]byte, error) {
	switch v := v.(type) {
	case proto.Message:
		return marshalJSON(v)
	case map[string]any:
		if m, ok := v["result"].(proto.Message); ok {
			return marshalJSON(m)
		}
	case map[string]proto.Message: // the end of a stream, which stream words itself
		return nil, nil
	}
	return nil, fault.Internal("INTERNAL", "a response of type %T cannot be written", v)
}

// NewEncoder writes messages to w.
func (c codec) NewEncoder(w io.Writer) runtime.Encoder {
	return runtime.EncoderFunc(func(v any) error {
		data, err := c.Marshal(v)
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	})
}

// NewDecoder reads one message from r.
func (c codec) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(v any) error {
		buffer := c.buffers.Get().(*bytes.Buffer) //nolint:errcheck,forcetypeassert // only buffers are put in
		defer c.buffers.Put(buffer)
		buffer.Reset()
		if _, err := buffer.ReadFrom(r); err != nil {
			return unreadable(err)
		}
		return c.Unmarshal(buffer.Bytes(), v)
	})
}

// Unmarshal reads a message: v is one, or a pointer to a field that holds one.
// Empty data is io.EOF, which generated code takes as "no body".
func (codec) Unmarshal(data []byte, v any) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return io.EOF
	}
	m, ok := v.(proto.Message)
	if !ok {
		field := reflect.ValueOf(v).Elem()
		if field.Kind() == reflect.Pointer && field.IsNil() {
			field.Set(reflect.New(field.Type().Elem()))
		}
		if m, ok = reflect.TypeAssert[proto.Message](field); !ok {
			return fault.Internal("INTERNAL", "a body of type %T cannot be read", v)
		}
	}
	if err := (protojson.UnmarshalOptions{}).Unmarshal(data, m); err != nil {
		return refusal{explain(data, m.ProtoReflect().Descriptor(), err)}
	}
	return nil
}

func unreadable(err error) error {
	if _, ok := errors.AsType[refusal](err); ok {
		return err
	}
	return refusal{fault.Invalid("BODY_TRUNCATED", "the body ended before it was complete; send it again").Cause(err)}
}

// body limits how much of a JSON body is read.
type body struct {
	io.ReadCloser

	left  int64
	limit int64
}

// Read reads until the limit, and refuses what comes after it.
func (b *body) Read(p []byte) (int, error) {
	if b.left <= 0 {
		p = p[:min(1, len(p))] // one byte tells the exact end from one too many
	} else if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, refusal{fault.Exhausted(reasonBodyTooLarge,
			"the body is larger than the %d bytes that are read of one; send less at a time, or upload files to /v1/{workspace}/blobs", b.limit)}
	}
	return n, err
}
