package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

const (
	defaultMaxBody   = 4 << 20
	defaultHeartbeat = 15 * time.Second
	defaultCoalesce  = 250 * time.Millisecond
	helloAfter       = time.Second
	frameTimeout     = 30 * time.Second // for a client to take one frame
	requestTimeout   = time.Minute      // for a whole request that is no stream and no upload
	shutdownTimeout  = 10 * time.Second
	maxHeader        = 64 << 10
)

// requestID is the metadata key and, in canonical form, the header of a request's id.
const requestID = "x-request-id"

// Config is what a gateway needs. The connections are required.
type Config struct {
	Deployment     grpc.ClientConnInterface // The deployment service, in process or not.
	Implementation grpc.ClientConnInterface // The implementation service.
	Logger         *zap.Logger              // None when nil.
	Registry       prometheus.Registerer    // No metrics when nil.
	TLS            *tls.Config              // Plain HTTP when nil.
	MaxBody        int64                    // Bytes of a JSON body; 4 MiB when 0. Uploads are not limited here.
	Heartbeat      time.Duration            // Of quiet streams; 15 s when 0.
}

// Gateway answers HTTP.
type Gateway struct {
	logger    *zap.Logger
	tls       *tls.Config
	maxBody   int64
	heartbeat time.Duration
	coalesce  time.Duration
	mux       *runtime.ServeMux
	open      map[string]http.HandlerFunc
	bindings  bindings
	everybody []string // what paths begin with that need no credential
	streaming map[string]bool
	streams   streams
	running   sync.WaitGroup // sources of merged streams
	origin    *http.CrossOriginProtection
	access    accessv1.AccessServiceClient
	blobs     deploymentv1.BlobServiceClient
	gates     *gates
	gateWaits *gateWaits
	calendars implementationv1.CalendarFeedServiceClient
	surveys   *surveys
	requests  *prometheus.CounterVec
}

// New wires a gateway. It asks nothing of the services yet.
func New(cfg Config) (*Gateway, error) {
	if cfg.Deployment == nil || cfg.Implementation == nil {
		return nil, errors.New("gateway: a connection to each service is required")
	}
	g := &Gateway{
		logger: cfg.Logger, tls: cfg.TLS, maxBody: cfg.MaxBody, heartbeat: cfg.Heartbeat, coalesce: defaultCoalesce,
		bindings: readBindings(), origin: http.NewCrossOriginProtection(),
		streams: streams{open: map[*stream]struct{}{}},
	}
	if g.logger == nil {
		g.logger = zap.NewNop()
	}
	if g.maxBody <= 0 {
		g.maxBody = defaultMaxBody
	}
	if g.heartbeat <= 0 {
		g.heartbeat = defaultHeartbeat
	}
	g.streaming, g.everybody = g.bindings.streamVerbs(), g.bindings.open()
	g.mux = runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, newCodec()),
		runtime.WithMiddlewares(g.middleware),
		runtime.WithErrorHandler(g.onError),
		runtime.WithStreamErrorHandler(g.onStreamError),
		runtime.WithRoutingErrorHandler(g.onRoutingError),
		runtime.WithForwardResponseOption(onFrame),
		runtime.WithIncomingHeaderMatcher(incoming),
		runtime.WithOutgoingHeaderMatcher(outgoing),
		runtime.WithOutgoingTrailerMatcher(func(string) (string, bool) { return "", false }),
		runtime.WithDisableChunkedEncoding(),
		runtime.WithStrictDeepWildcardMatching(),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithWriteContentLength(),
	)
	if err := g.register(cfg.Deployment, cfg.Implementation); err != nil {
		return nil, fmt.Errorf("gateway: register routes: %w", err)
	}
	pages, err := newPages()
	if err != nil {
		return nil, fmt.Errorf("gateway: pages: %w", err)
	}
	g.surveys, err = newSurveys(implementationv1.NewResponseServiceClient(cfg.Implementation), implementationv1.NewSurveyNoticeServiceClient(cfg.Implementation))
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	g.open = pages
	g.open["/healthz"] = healthz
	g.open["/session"] = g.session
	return g, g.measure(cfg.Registry)
}

// Handler answers every route of the product.
func (g *Gateway) Handler() http.Handler { return g.count(g.serve) }

func (g *Gateway) serve(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if open := g.open[path]; open != nil {
		routed(w, path)
		open(w, r)
		return
	}
	if g.openSurvey(w, r) {
		return
	}
	secureAPI(w.Header())
	if err := takeKey(w, r); err != nil {
		g.writeProblem(w, err)
		return
	}
	if err := g.credential(r); err != nil && !g.needsNone(path) {
		g.writeProblem(w, err)
		return
	}
	if !strings.HasPrefix(path, "/v1/") {
		g.writeProblem(w, noRoute(r))
		return
	}
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &body{ReadCloser: r.Body, left: g.maxBody, limit: g.maxBody}
	}
	g.mux.ServeHTTP(w, r)
}

// needsNone says that a route is for everybody.
func (g *Gateway) needsNone(path string) bool {
	return slices.ContainsFunc(g.everybody, func(begin string) bool { return strings.HasPrefix(path, begin) })
}

// middleware runs once a route is found, before its generated code.
func (g *Gateway) middleware(next runtime.HandlerFunc) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, params map[string]string) {
		if found, ok := r.Context().Value(probeKey{}).(*bool); ok {
			*found = true
			return
		}
		pattern, _ := runtime.HTTPPattern(r.Context())
		routed(w, pattern.String())
		if g.streaming[pattern.Verb()] {
			g.serveStream(g.checked(pattern, next), w, r, params)
			return
		}
		if wantsCSV(pattern, r) {
			g.serveCSV(g.checked(pattern, next), w, r, params)
			return
		}
		if form := paperOf(pattern, r); form != "" {
			g.servePaper(g.checked(pattern, next), form, w, r, params)
			return
		}
		if sendsCSV(pattern, r) {
			g.takeCSV(next, w, r, params)
			return
		}
		if r.URL.RawQuery == "" {
			next(w, r, params)
			return
		}
		g.checked(pattern, next)(w, r, params)
	}
}

// checked refuses a query that the route does not take.
func (g *Gateway) checked(pattern runtime.Pattern, next runtime.HandlerFunc) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, params map[string]string) {
		if err := g.bindings.checkQuery(r.Method, pattern.String(), r.URL.Query()); err != nil {
			g.onError(r.Context(), nil, nil, w, r, err)
			return
		}
		next(w, g.bindings.spellMasks(r, pattern.String()), params)
	}
}

// incoming names the headers that services see, beside Authorization.
func incoming(header string) (string, bool) {
	switch header {
	case "X-Request-Id", "Traceparent", "Tracestate":
		return strings.ToLower(header), true
	default:
		return "", false
	}
}

// outgoing names the metadata that callers see.
func outgoing(key string) (string, bool) { return key, key == requestID }

// annotate gives a call that is not generated the metadata that generated ones have.
func (g *Gateway) annotate(ctx context.Context, r *http.Request) context.Context {
	md := metadata.MD{"authorization": r.Header["Authorization"]}
	for header, values := range r.Header {
		if key, ok := incoming(header); ok {
			md[key] = values
		}
	}
	return metadata.NewOutgoingContext(ctx, md)
}

// Run serves on the listener until ctx ends. Streams are told to resume
// elsewhere, other requests are finished.
func (g *Gateway) Run(ctx context.Context, listener net.Listener) error {
	errorLog, err := zap.NewStdLogAt(g.logger, zap.DebugLevel) // broken handshakes and the like, by the thousand
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	server := &http.Server{
		Handler: g.Handler(), TLSConfig: g.tls, ErrorLog: errorLog, MaxHeaderBytes: maxHeader,
		ReadHeaderTimeout: shutdownTimeout, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout, IdleTimeout: 2 * time.Minute,
	}
	ended := make(chan error, 1)
	go func() {
		if g.tls != nil {
			ended <- server.ServeTLS(listener, "", "")
		} else {
			ended <- server.Serve(listener)
		}
	}()
	select {
	case err = <-ended:
		return fmt.Errorf("gateway: serve %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	g.streams.stop()
	g.gateWaits.end()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err = server.Shutdown(stopping); err != nil {
		err = errors.Join(fmt.Errorf("gateway: requests did not end in %s: %w", shutdownTimeout, err), server.Close())
	}
	if serveErr := <-ended; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	g.running.Wait()
	return err
}

func healthz(w http.ResponseWriter, r *http.Request) {
	secureAPI(w.Header())
	if refuseMethod(w, r, http.MethodGet, http.MethodHead) {
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}
