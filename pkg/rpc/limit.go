package rpc

import (
	"net"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/golive-dev/golive/pkg/fault"
)

// Rate is how many calls one principal may make. The zero value is generous
// enough for imports and still keeps one runaway script from taking a server.
type Rate struct {
	PerSecond float64 // 5000 when 0; negative is no limit.
	Burst     int     // Twice PerSecond when 0.
}

const (
	defaultRate  = 5000
	maxPrincipal = 10_000 // then those that are full again are forgotten
)

// limits holds a token bucket per principal; calls without one share a bucket per host.
type limits struct {
	perSecond rate.Limit
	burst     int

	mu      sync.RWMutex
	buckets map[string]*rate.Limiter
}

func newLimits(r Rate) *limits {
	perSecond := orDefault(r.PerSecond, defaultRate)
	return &limits{
		perSecond: rate.Limit(perSecond), burst: orDefault(r.Burst, int(max(1, 2*perSecond))), buckets: make(map[string]*rate.Limiter),
	}
}

// take takes one call from the bucket of its principal.
func (l *limits) take(call *call) error {
	if l.perSecond < 0 {
		return nil
	}
	now := time.Now()
	reservation := l.bucket(owner(call), now).ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	reservation.CancelAt(now)
	return fault.Exhausted("RATE_LIMITED", "too many calls, at most %g a second are answered; slow down and try again after %s",
		float64(l.perSecond), wait.Round(time.Millisecond)).RetryAfter(wait)
}

func (l *limits) bucket(name string, now time.Time) *rate.Limiter {
	l.mu.RLock()
	b := l.buckets[name]
	l.mu.RUnlock()
	if b != nil {
		return b
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.buckets[name]; b != nil {
		return b
	}
	if len(l.buckets) >= maxPrincipal {
		for key, b := range l.buckets {
			if b.TokensAt(now) >= float64(l.burst) { // a full bucket says no more than none
				delete(l.buckets, key)
			}
		}
	}
	b = rate.NewLimiter(l.perSecond, l.burst)
	l.buckets[name] = b
	return b
}

func owner(call *call) string {
	if call.principal != nil {
		return call.principal.Name
	}
	if call.peer == nil || call.peer.Addr == nil {
		return ""
	}
	host, _, err := net.SplitHostPort(call.peer.Addr.String())
	if err != nil {
		return call.peer.Addr.String()
	}
	return host
}
