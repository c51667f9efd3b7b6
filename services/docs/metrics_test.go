package docs

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/observe"
	"github.com/golive-dev/golive/pkg/rpc"
	"github.com/golive-dev/golive/pkg/sqldb"
	"github.com/golive-dev/golive/services/deployment"
	"github.com/golive-dev/golive/services/gateway"
	"github.com/golive-dev/golive/services/implementation"
)

func TestTheMetricsPageIsWhatTheCodeRegisters(t *testing.T) {
	out := page("Metrics", `
Every process serves these at `+"`/metrics`"+` on its admin port (`+"`--listen-admin`"+`), in the formats of Prometheus and OpenMetrics, with the
usual `+"`go_*` and `process_*`"+` beside them. Beside the labels named here Prometheus adds its own.`)
	head(out, "metric", "kind", "labels", "meaning")
	for _, m := range registered(t) {
		row(out, "`"+m.name+"`", m.kind(), m.labels, m.help)
	}
	generated(t, "metrics.md", out.String())
}

type metric struct{ name, help, labels string }

// kind follows from the name, by the convention that the metrics keep.
func (m metric) kind() string {
	switch {
	case strings.HasSuffix(m.name, "_total"):
		return "counter"
	case strings.Contains(m.name, "_oldest_"):
		return "gauge" // an age, not how long something took
	case strings.HasSuffix(m.name, "_seconds") && !strings.HasSuffix(m.name, "_timestamp_seconds"):
		return "histogram"
	default:
		return "gauge"
	}
}

// registered wires all roles to one registry and reads what it knows.
func registered(t *testing.T) []metric {
	t.Helper()
	dir, registry := t.TempDir(), observe.NewRegistry()
	software, err := deployment.New(t.Context(), deployment.Config{
		Database: sqldb.Config{URL: "sqlite:" + dir + "/d.db"}, Metrics: sqldb.Config{URL: "sqlite:" + dir + "/m.db"}, DataDir: dir, Registry: registry,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, software.Close()) })
	people, err := implementation.New(t.Context(), implementation.Config{Database: sqldb.Config{URL: "sqlite:" + dir + "/i.db"}, Registry: registry})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, people.Close()) })
	verifier, err := auth.NewVerifier([]auth.TrustedIssuer{{Name: "docs"}}, software.Revocations())
	require.NoError(t, err)
	server, err := rpc.NewServer(rpc.Config{Name: "deployment", Verifier: verifier, Registerer: registry})
	require.NoError(t, err)
	peer, err := rpc.Guard(server.Local(), rpc.GuardConfig{Peer: "implementation", Registerer: registry})
	require.NoError(t, err)
	_, err = gateway.New(gateway.Config{Deployment: server.Local(), Implementation: peer, Registry: registry})
	require.NoError(t, err)

	form := regexp.MustCompile(`fqName: "([^"]+)", help: "([^"]*)", (?:unit: "[^"]*", )?constLabels: \{([^}]*)\}, variableLabels: \{([^}]*)\}`)
	var all []metric
	for _, d := range described(registry) {
		parts := form.FindStringSubmatch(d.String())
		require.NotNil(t, parts, d.String())
		if strings.HasPrefix(parts[1], "go_") || strings.HasPrefix(parts[1], "process_") {
			continue
		}
		labels := strings.FieldsFunc(parts[4], func(r rune) bool { return r == ',' })
		for _, constant := range regexp.MustCompile(`(\w+)=`).FindAllStringSubmatch(parts[3], -1) {
			labels = append(labels, constant[1])
		}
		for i := range labels {
			labels[i] = "`" + labels[i] + "`"
		}
		slices.Sort(labels)
		all = append(all, metric{name: parts[1], help: parts[2], labels: strings.Join(labels, " ")})
	}
	slices.SortFunc(all, func(a, b metric) int { return strings.Compare(a.name, b.name) })
	return slices.Compact(all)
}

func described(registry *prometheus.Registry) (all []*prometheus.Desc) {
	found := make(chan *prometheus.Desc)
	go func() {
		registry.Describe(found)
		close(found)
	}()
	for d := range found {
		all = append(all, d)
	}
	return all
}
