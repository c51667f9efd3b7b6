package gateway_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/gateway"
)

// counts are the samples of the request counter, as "method route code" → requests.
func counts(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	found := map[string]float64{}
	for _, family := range families {
		if family.GetName() != "golive_gateway_requests_total" {
			continue
		}
		for _, sample := range family.GetMetric() {
			labels := map[string]string{}
			for _, label := range sample.GetLabel() {
				labels[label.GetName()] = label.GetValue()
			}
			found[strings.Join([]string{labels["method"], labels["route"], labels["code"]}, " ")] = sample.GetCounter().GetValue()
		}
	}
	return found
}

func TestRequestsAreCountedByRouteAndNeverByPath(t *testing.T) {
	registry := prometheus.NewRegistry()
	w := setup(t, func(cfg *gateway.Config) { cfg.Registry = registry })
	send := func(method, path, token string) {
		require.NoError(t, w.send(t, token, method, path, nil).Body.Close())
	}
	for _, id := range []string{"crm", "erp", "shop"} {
		send(http.MethodGet, "/v1/workspaces/default/applications/"+id, w.token)
	}
	send(http.MethodGet, "/v1/workspaces/default/applications/crm?color=red", w.token)
	send(http.MethodGet, "/v1/workspaces/default/applications/crm", "")
	send(http.MethodGet, "/v1/made/up", w.token)
	send(http.MethodPut, "/v1/workspaces/default/applications/crm", w.token)
	send("BREW", "/healthz", "")
	send(http.MethodGet, "/healthz", "")
	send(http.MethodGet, "/", "")

	want := map[string]float64{
		"GET /v1/{name=workspaces/*/applications/*} 200": 3,
		"GET /v1/{name=workspaces/*/applications/*} 400": 1,
		"GET none 401":      1,
		"GET none 404":      1,
		"PUT none 405":      1,
		"none /healthz 405": 1,
		"GET /healthz 200":  1,
		"GET / 200":         1,
	}
	// A request is counted when its handler returns, which the client may be ahead of.
	require.Eventually(t, func() bool { return maps.Equal(want, counts(t, registry)) }, 5*time.Second, 5*time.Millisecond,
		"%v", counts(t, registry))
}
