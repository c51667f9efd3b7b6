package gateway

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// noTemplate stands for paths and methods that the product does not have: they are the caller's words.
const noTemplate = "none"

func methods() []string {
	return []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPatch, http.MethodDelete, http.MethodPut, http.MethodOptions}
}

// counted is a response whose code and route are counted once it has ended.
type counted struct {
	http.ResponseWriter

	route string // the template, never the path
	code  int
}

// WriteHeader notes the code.
func (c *counted) WriteHeader(code int) {
	if c.code == 0 && code >= http.StatusOK { // 1xx are not the answer
		c.code = code
	}
	c.ResponseWriter.WriteHeader(code)
}

// Unwrap lets [http.ResponseController] reach the connection.
func (c *counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// routed notes which route serves the request.
func routed(w http.ResponseWriter, template string) {
	if c, ok := w.(*counted); ok {
		c.route = template
	}
}

// count counts what next answered, also when the client left in the middle.
func (g *Gateway) count(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &counted{ResponseWriter: w, route: noTemplate}
		defer func() {
			method := r.Method
			if !slices.Contains(methods(), method) {
				method = noTemplate
			}
			code := c.code
			if code == 0 {
				code = http.StatusOK // what net/http sends for an answer without a code
			}
			g.requests.WithLabelValues(method, c.route, strconv.Itoa(code)).Inc()
		}()
		next(c, r)
	}
}

func (g *Gateway) measure(registry prometheus.Registerer) error {
	g.requests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "golive_gateway_requests_total",
		Help: "HTTP requests that ended, by method, template of the route and status code; the route is none where there is none, and before a caller is known.",
	}, []string{"method", "route", "code"})
	if registry == nil {
		return nil
	}
	open := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "golive_gateway_streams", Help: "Streams that are open now.",
	}, func() float64 { return float64(g.streams.len()) })
	return errors.Join(registry.Register(g.requests), registry.Register(open))
}
