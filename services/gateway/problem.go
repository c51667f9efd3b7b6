package gateway

import (
	"context"
	"encoding/base64"
	"math"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"go.uber.org/zap"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
)

// Reasons that HTTP has a more exact code for than google.rpc.Code gives.
const (
	reasonBodyTooLarge = "BODY_TOO_LARGE"
	reasonMethod       = "METHOD_NOT_ALLOWED"
	reasonGateClosed   = "GATE_CLOSED" // other tools take 403 for no, and 400 for their own mistake
)

func httpStatus(f *fault.Error) int {
	switch f.Reason() {
	case reasonBodyTooLarge:
		return http.StatusRequestEntityTooLarge
	case reasonMethod:
		return http.StatusMethodNotAllowed
	case reasonGateClosed:
		return http.StatusForbidden
	default:
		return runtime.HTTPStatusFromCode(f.Kind().Code())
	}
}

// writeProblem answers with an error, as google.rpc.Status in JSON.
func (g *Gateway) writeProblem(w http.ResponseWriter, err error) {
	f := problem(err)
	if f.Kind() == fault.KindInternal && f.Unwrap() != nil {
		g.logger.Error("gateway", zap.Error(f.Unwrap()))
	}
	h := w.Header()
	h.Del("Content-Length")
	h["Content-Type"] = contentJSON
	if f.Kind() == fault.KindUnauthenticated {
		h.Set("WWW-Authenticate", `Bearer realm="golive"`)
	}
	if id := f.Metadata()["request_id"]; id != "" {
		h.Set(requestID, id)
	}
	if f.RetryDelay() > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryDelay().Seconds()))))
	}
	w.WriteHeader(httpStatus(f))
	// Too late to say anything else when the client is gone.
	_, _ = w.Write(statusJSON(f)) //nolint:gosec // JSON, sent with nosniff
}

// statusJSON is the body of an error. Details that this process has no type
// for are dropped rather than losing the whole answer.
func statusJSON(f *fault.Error) []byte {
	p := f.GRPCStatus().Proto()
	body, err := marshalJSON(p)
	if err != nil {
		p.Details = p.GetDetails()[:1] // ErrorInfo always comes first
		body, _ = marshalJSON(p)
	}
	return body
}

// problem is any error as a fault. Generated code keeps nothing of an error but
// its text, so a refusal of ours arrives as text in a bare status and is unpacked here.
func problem(err error) *fault.Error {
	s, ok := status.FromError(err)
	if !ok {
		return fault.From(err)
	}
	packed, ok := strings.CutPrefix(s.Message(), refusalPrefix)
	if !ok {
		return fault.From(err)
	}
	raw, decodeErr := base64.RawStdEncoding.DecodeString(packed)
	var p statuspb.Status
	if decodeErr != nil || proto.Unmarshal(raw, &p) != nil || fault.FromStatus(&p) == nil {
		return fault.Invalid("INVALID_JSON", "the request could not be read; send JSON as /docs/api shows it")
	}
	return fault.FromStatus(&p)
}

const refusalPrefix = "golive-fault:"

// refusal is a fault that survives being turned into text.
type refusal struct{ fault *fault.Error }

// Error returns the whole fault as text.
func (r refusal) Error() string {
	raw, err := proto.Marshal(r.fault.GRPCStatus().Proto())
	if err != nil {
		return r.fault.Message()
	}
	return refusalPrefix + base64.RawStdEncoding.EncodeToString(raw)
}

// onError is called by generated code where a call failed.
func (g *Gateway) onError(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, _ *http.Request, err error) {
	if s, ok := w.(*stream); ok { // the stream says it, in its own form
		s.failure = err
		return
	}
	g.writeProblem(w, err)
}

// onRoutingError is called where no route fits.
func (g *Gateway) onRoutingError(_ context.Context, mux *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, code int) {
	if r.Context().Value(probeKey{}) != nil {
		return
	}
	switch code {
	case http.StatusMethodNotAllowed:
		if strings.Contains(path.Base(r.URL.Path), ":") { // an unknown verb looks like the id of a resource
			g.writeProblem(w, noRoute(r))
			return
		}
		allowed := strings.Join(allowedMethods(mux, r), ", ")
		w.Header().Set("Allow", allowed)
		g.writeProblem(w, fault.Unsupported(reasonMethod, "%s is not a method of %s; use %s", r.Method, r.URL.Path, allowed))
	default:
		g.writeProblem(w, noRoute(r))
	}
}

func noRoute(r *http.Request) error {
	return fault.NotFound("ROUTE_NOT_FOUND", "there is no route %s %s; GET /openapi.yaml or /docs/api lists them", r.Method, r.URL.Path)
}

// probeKey marks a request that only asks whether a route exists: the
// middleware answers it by setting the flag.
type probeKey struct{}

// allowedMethods asks the routes themselves, because the mux does not tell.
func allowedMethods(mux *runtime.ServeMux, r *http.Request) []string {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete} {
		found := false
		probe := r.Clone(context.WithValue(r.Context(), probeKey{}, &found))
		probe.Method = method
		if mux.ServeHTTP(nil, probe); found {
			allowed = append(allowed, method)
		}
	}
	return allowed
}
