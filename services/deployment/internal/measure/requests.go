package measure

import (
	"strings"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// What operators push are counters of bad events among all. Two names say what is bad, after a common prefix, so that `http_errors` and
// `http_slow` are two views of the same requests:
//
//	errors, …_errors   answered with an error
//	slow, …_slow       answered later than the objective
//
// A request may be both, and the counters do not tell, so each of both takes away from what is good: the measure may say a little less
// than is true, and never more.
const (
	errorsCounter = "errors"
	slowCounter   = "slow"
)

// requests count requests.
type requests struct{ all, good, judged, failed int64 }

func (r *requests) add(other requests) {
	r.all += other.all
	r.good += other.good
	r.judged += other.judged
	r.failed += other.failed
}

// shares are performance and errors; of probes where nobody pushed requests, never of both mixed.
func (r *requests) shares(probes store.Probed) (performance, errors *deploymentv1.Share) {
	if r.all > 0 {
		return share(r.good, r.all), share(r.failed, r.judged)
	}
	return share(probes.Fast, probes.Counted), share(probes.Failed, probes.Succeeded+probes.Failed)
}

// bySite pairs counters by their prefix and adds them up site by site.
func bySite(pushed []store.Pushed) map[store.Site]requests {
	type key struct{ environment, release, prefix string }
	type pair struct{ errors, slow store.Tally }
	pairs := map[key]pair{}
	for _, p := range pushed {
		prefix, bad, ok := meaning(p.Counter)
		if !ok {
			continue
		}
		k := key{p.Environment, p.Release, prefix}
		both := pairs[k]
		if bad == errorsCounter {
			both.errors = p.Tally
		} else {
			both.slow = p.Tally
		}
		pairs[k] = both
	}
	out := map[store.Site]requests{}
	for k, both := range pairs {
		application, _, _ := strings.Cut(k.release, "/releases/")
		site := store.Site{Application: application, Environment: k.environment}
		all := max(both.errors.Total, both.slow.Total)
		sum := out[site]
		sum.add(requests{all: all, good: max(all-both.errors.Bad-both.slow.Bad, 0), judged: both.errors.Total, failed: both.errors.Bad})
		out[site] = sum
	}
	return out
}

// meaning is what a counter counts as bad, and of which requests.
func meaning(counter string) (prefix, bad string, ok bool) {
	for _, bad := range []string{errorsCounter, slowCounter} {
		if prefix, ok := strings.CutSuffix(counter, bad); ok && (prefix == "" || strings.HasSuffix(prefix, "_")) {
			return prefix, bad, true
		}
	}
	return "", "", false
}
