package server_test

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/api/annotations"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
)

// methods are all rpcs of the product, by their full names.
func methods() map[string]protoreflect.MethodDescriptor {
	all := map[string]protoreflect.MethodDescriptor{}
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if !strings.HasPrefix(string(file.Package()), "golive.") {
			return true
		}
		for i := range file.Services().Len() {
			found := file.Services().Get(i).Methods()
			for j := range found.Len() {
				all[string(found.Get(j).FullName())] = found.Get(j)
			}
		}
		return true
	})
	return all
}

// method finds an rpc by its short name.
func (w *badWorld) method(short string) protoreflect.MethodDescriptor {
	w.Helper()
	var found []protoreflect.MethodDescriptor
	for full, m := range w.methods {
		if strings.HasSuffix(full, "."+short) {
			found = append(found, m)
		}
	}
	require.Len(w, found, 1, short)
	return found[0]
}

func fullMethod(m protoreflect.MethodDescriptor) string {
	return "/" + string(m.Parent().FullName()) + "/" + string(m.Name())
}

// message makes an empty message of the generated type.
func (w *badWorld) message(d protoreflect.MessageDescriptor) proto.Message {
	w.Helper()
	kind, err := protoregistry.GlobalTypes.FindMessageByName(d.FullName())
	require.NoError(w, err)
	return kind.New().Interface()
}

// fill puts the names of the world in place of $name.
func (w *badWorld) fill(text string) string {
	return os.Expand(text, func(name string) string {
		value, ok := w.names[name]
		require.True(w, ok, "the world has no $%s", name)
		return value
	})
}

func (w *badWorld) request(r row) (protoreflect.MethodDescriptor, proto.Message) {
	w.Helper()
	m := w.method(r.rpc)
	req := w.message(m.Input())
	require.NoError(w, protojson.Unmarshal([]byte(w.fill(r.json)), req))
	return m, req
}

// overGRPC asks the service that has the rpc, on its own port.
func (w *badWorld) overGRPC(r row) *answer {
	w.Helper()
	switch {
	case r.do != nil:
		if err := r.do(w); err != nil {
			return &answer{body: fault.From(err).GRPCStatus().Proto()}
		}
		return &answer{body: new(statuspb.Status)}
	case r.rpc == "":
		return nil
	}
	m, req := w.request(r)
	return &answer{body: w.call(w.half(m, req), m, req, r.token)}
}

// half is the service that has the rpc; of those that both have, the one that keeps what is asked about.
func (w *badWorld) half(m protoreflect.MethodDescriptor, req proto.Message) grpc.ClientConnInterface {
	about, ok := req.(*waitingv1.ExplainWaitingRequest)
	if ok && (strings.Contains(about.GetResource(), "/implementations/") || strings.Contains(about.GetResource(), "/cohorts/")) {
		return w.implementation
	}
	return w.port(m)
}

// call makes any call with one message, streams too, and returns its status.
func (w *badWorld) call(conn grpc.ClientConnInterface, m protoreflect.MethodDescriptor, req proto.Message, token string) *statuspb.Status {
	w.Helper()
	ctx := metadata.NewOutgoingContext(w.Context(), metadata.MD{})
	if value := w.token(token); value != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+value)
	}
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, fullMethod(m), grpc.MaxCallSendMsgSize(64<<20))
	if err == nil {
		err = stream.SendMsg(req)
	}
	if err == nil || errors.Is(err, io.EOF) {
		_ = stream.CloseSend() // the answer says what happened
		err = stream.RecvMsg(w.message(m.Output()))
	}
	if err == nil || errors.Is(err, io.EOF) {
		return &statuspb.Status{}
	}
	return fault.From(err).GRPCStatus().Proto()
}

// overHTTP asks the gateway the same; nil where no route can say the request.
func (w *badWorld) overHTTP(r row) *answer {
	w.Helper()
	if r.raw != nil {
		return r.raw(w)
	}
	if r.do != nil {
		return nil
	}
	method, target, found := strings.Cut(w.fill(r.http), " ")
	body := w.fill(r.json)
	if !found {
		m, req := w.request(r)
		var ok bool
		if method, target, body, ok = w.route(m, req); !ok {
			return nil
		}
	}
	return w.ask(method, target, strings.NewReader(body), r.token)
}

// ask makes one HTTP request and reads the problem it is answered with.
func (w *badWorld) ask(method, target string, body io.Reader, token string) *answer {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), method, "http://"+w.server.Addresses().HTTP+target, body)
	require.NoError(w, err)
	if value := w.token(token); value != "" {
		req.Header.Set("Authorization", "Bearer "+value)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(w, err)
	defer func() { require.NoError(w, resp.Body.Close()) }()
	return w.read(resp)
}

func (w *badWorld) read(resp *http.Response) *answer {
	w.Helper()
	text, err := io.ReadAll(resp.Body)
	require.NoError(w, err)
	a := &answer{status: resp.StatusCode, body: new(statuspb.Status)}
	if resp.StatusCode < http.StatusBadRequest {
		return a
	}
	require.Equal(w, "application/json", resp.Header.Get("Content-Type"), "%s", text)
	require.NoError(w, protojson.Unmarshal(text, a.body), "%s", text)
	return a
}

func (r row) httpStatus() int {
	if r.own != 0 {
		return r.own
	}
	return runtime.HTTPStatusFromCode(r.code)
}

// bare is a status without the id of its request.
func bare(s *statuspb.Status) string {
	f := fault.FromStatus(s)
	text := f.Kind().String() + " " + f.Reason() + " " + f.Message()
	for _, field := range f.Fields() {
		text += "\n" + field.GetField() + ": " + field.GetDescription()
	}
	for _, subject := range f.Subjects() {
		text += "\n" + subject.GetType() + " " + subject.GetSubject() + ": " + subject.GetDescription()
	}
	return text
}

// variable is one {name=pattern} of a path template; a segment where it has no pattern.
var variable = regexp.MustCompile(`\{([a-z_.]+)(?:=([^}]+))?\}`)

// route says a request as HTTP, as its annotation tells; ok is false where no path can.
func (w *badWorld) route(m protoreflect.MethodDescriptor, req proto.Message) (method, target, body string, ok bool) {
	w.Helper()
	method, template, in := binding(m)
	if method == "" {
		return "", "", "", false
	}
	rest := proto.Clone(req)
	ok = true
	target = variable.ReplaceAllStringFunc(template, func(text string) string {
		part := variable.FindStringSubmatch(text)
		value := take(rest.ProtoReflect(), part[1])
		shape := strings.NewReplacer("**", ".+", "*", "[^/]+").Replace(cmp.Or(part[2], "*"))
		ok = ok && regexp.MustCompile("^"+shape+"$").MatchString(value)
		return (&url.URL{Path: value}).EscapedPath()
	})
	switch in {
	case "":
	case "*":
		body = protojson.Format(rest)
		return method, target, body, ok
	default:
		fd := rest.ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(in))
		if rest.ProtoReflect().Has(fd) {
			body = protojson.Format(rest.ProtoReflect().Get(fd).Message().Interface())
			rest.ProtoReflect().Clear(fd)
		}
	}
	if query := query(rest).Encode(); query != "" {
		target += "?" + query
	}
	return method, target, body, ok
}

// binding is the first route of an rpc.
func binding(m protoreflect.MethodDescriptor) (method, template, body string) {
	rule, _ := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
	switch p := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		return http.MethodGet, p.Get, rule.GetBody()
	case *annotations.HttpRule_Post:
		return http.MethodPost, p.Post, rule.GetBody()
	case *annotations.HttpRule_Patch:
		return http.MethodPatch, p.Patch, rule.GetBody()
	case *annotations.HttpRule_Delete:
		return http.MethodDelete, p.Delete, rule.GetBody()
	default:
		return "", "", ""
	}
}

// take reads a field by its path and clears it.
func take(m protoreflect.Message, path string) string {
	first, rest, deeper := strings.Cut(path, ".")
	fd := m.Descriptor().Fields().ByName(protoreflect.Name(first))
	if deeper {
		if !m.Has(fd) {
			return ""
		}
		return take(m.Mutable(fd).Message(), rest)
	}
	value := m.Get(fd).String()
	m.Clear(fd)
	return value
}

// query says what is neither in the path nor in the body.
func query(req proto.Message) url.Values {
	values := url.Values{}
	req.ProtoReflect().Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.IsList():
			for i := range v.List().Len() {
				values.Add(fd.JSONName(), v.List().Get(i).String())
			}
		case fd.Enum() != nil:
			if name := fd.Enum().Values().ByNumber(v.Enum()); name != nil {
				values.Set(fd.JSONName(), string(name.Name()))
			} else {
				values.Set(fd.JSONName(), v.String())
			}
		case fd.Message() != nil:
			switch m := v.Message().Interface().(type) {
			case *fieldmaskpb.FieldMask:
				values.Set(fd.JSONName(), strings.Join(m.GetPaths(), ","))
			case *timestamppb.Timestamp, *durationpb.Duration:
				values.Set(fd.JSONName(), strings.Trim(protojson.Format(m), `"`))
			}
		default:
			values.Set(fd.JSONName(), v.String())
		}
		return true
	})
	return values
}
