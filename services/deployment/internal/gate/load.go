package gate

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// What a load test is where its rule does not say, and what it never exceeds whatever the rule says.
const (
	defaultStartRate  = 50
	defaultMaxRate    = 1000
	defaultStep       = 2 * time.Second
	defaultLatency    = 500 * time.Millisecond
	defaultErrorShare = 0.01

	longestTest     = 5 * time.Minute
	mostRequests    = 1_000_000
	mostConnections = 256
	mostBody        = 64 << 10
	// growth is by how much each rate is faster than the one before.
	growth = 1.5
	// refinements is how often the gap between what was kept and what was not is halved.
	refinements = 3
	// keptUp is the share of a rate that must really have been asked: less means that the instance held back the test.
	keptUp = 0.9
)

// Load is how an instance stood a load test.
type Load struct {
	// Peak is the highest rate that was kept, in requests a second; 0 when not even the first was.
	Peak float64
	// Steps is the curve, in the order in which it was asked.
	Steps []LoadStep
	// Problem says why there is no peak.
	Problem string
}

// LoadStep is one rate that was held for a while.
type LoadStep struct {
	Rate     int
	Requests int
	Failed   int
	P99      time.Duration
	Kept     bool
}

// Measure asks an instance faster and faster until it no longer keeps its objective, then looks closer at the last gap.
// It is bounded in time, requests and connections; where ctx ends it says what it has found so far.
func Measure(ctx context.Context, client *http.Client, test *deploymentv1.LoadTest) *Load {
	ctx, cancel := context.WithTimeout(ctx, longestTest)
	defer cancel()
	m := &measurement{client: client, test: test, out: &Load{}}
	good, bad := 0, 0
	most := orInt(test.GetMaxRate(), defaultMaxRate)
	for rate := min(orInt(test.GetStartRate(), defaultStartRate), most); bad == 0 && good < most; rate = min(int(math.Ceil(float64(rate)*growth)), most) {
		if kept, ok := m.hold(ctx, rate); !ok {
			break
		} else if kept {
			good = rate
		} else {
			bad = rate
		}
	}
	for range refinements {
		middle := (good + bad) / 2
		if bad == 0 || good == 0 || middle == good {
			break
		}
		if kept, ok := m.hold(ctx, middle); !ok {
			break
		} else if kept {
			good = middle
		} else {
			bad = middle
		}
	}
	m.out.Peak = float64(good)
	if good == 0 && m.out.Problem == "" {
		m.out.Problem = "it could not keep the first rate: " + m.out.last()
	}
	return m.out
}

type measurement struct {
	client *http.Client
	test   *deploymentv1.LoadTest
	out    *Load
	asked  int
}

// hold asks at one rate for the length of a step. ok is false when the test must end here.
func (m *measurement) hold(ctx context.Context, rate int) (kept, ok bool) {
	step := defaultStep
	if m.test.GetStep() != nil {
		step = m.test.GetStep().AsDuration()
	}
	if m.asked += int(math.Ceil(float64(rate) * step.Seconds())); m.asked > mostRequests {
		return false, false
	}
	attacker := vegeta.NewAttacker(vegeta.Client(m.client), vegeta.MaxWorkers(mostConnections), vegeta.MaxBody(mostBody))
	stopped := context.AfterFunc(ctx, func() { attacker.Stop() })
	defer stopped()
	var seen vegeta.Metrics
	target := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: m.test.GetUrl(), Header: http.Header{"User-Agent": {"golive-load-test"}}})
	for result := range attacker.Attack(target, vegeta.ConstantPacer{Freq: rate, Per: time.Second}, step, "load") {
		seen.Add(result)
	}
	seen.Close()
	if ctx.Err() != nil || seen.Requests == 0 {
		if len(m.out.Steps) == 0 {
			m.out.Problem = "it ended before anything was measured"
		}
		return false, false
	}
	failed := int(math.Round((1 - seen.Success) * float64(seen.Requests)))
	s := LoadStep{Rate: rate, Requests: int(seen.Requests), Failed: failed, P99: seen.Latencies.P99} //nolint:gosec // G115: at most mostRequests
	s.Kept = float64(failed) <= m.errorShare()*float64(s.Requests) && s.P99 <= m.latency() && seen.Rate >= keptUp*float64(rate)
	m.out.Steps = append(m.out.Steps, s)
	if failed == s.Requests && len(m.out.Steps) == 1 {
		m.out.Problem = "it answers nothing with success"
	}
	return s.Kept, true
}

func (m *measurement) latency() time.Duration { return latencyOf(m.test) }

func latencyOf(test *deploymentv1.LoadTest) time.Duration {
	if test.GetLatency() == nil {
		return defaultLatency
	}
	return test.GetLatency().AsDuration()
}

func (m *measurement) errorShare() float64 {
	if m.test.GetErrorShare() == 0 {
		return defaultErrorShare
	}
	return m.test.GetErrorShare()
}

// evidence is the curve; a Load that is nil has none.
func (l *Load) evidence(test *deploymentv1.LoadTest) []*gatev1.Evidence {
	if l == nil {
		return nil
	}
	out := make([]*gatev1.Evidence, 0, len(l.Steps)+1)
	out = append(out, &gatev1.Evidence{Criterion: "peak", State: passIf(l.Peak > 0), Value: l.Peak, Resource: test.GetUrl(), Detail: l.Problem})
	for _, s := range l.Steps {
		out = append(out, &gatev1.Evidence{
			Criterion: "load_step", State: passIf(s.Kept), Value: s.P99.Seconds(), Threshold: latencyOf(test).Seconds(), Resource: test.GetUrl(),
			Numerator: int64(s.Requests - s.Failed), Denominator: int64(s.Requests), Detail: s.String(),
		})
	}
	return out
}

// String is a step for people: `450/s: p99 12ms, 0 of 900 failed`.
func (s LoadStep) String() string {
	return fmt.Sprintf("%d/s: p99 %s, %d of %d failed", s.Rate, s.P99.Round(100*time.Microsecond), s.Failed, s.Requests)
}

func (l *Load) last() string {
	if len(l.Steps) == 0 {
		return "nothing was measured"
	}
	return l.Steps[len(l.Steps)-1].String()
}

func orInt(n int32, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return int(n)
}
