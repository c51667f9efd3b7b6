package fleet

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
)

const (
	applyMost    = 200
	applyLinger  = 2 * time.Millisecond
	applyRetry   = 50 * time.Millisecond
	applyBackoff = 5 * time.Second
)

// arrival is a report that is not durable yet.
type arrival struct {
	session *session
	report  *agentv1.Report
}

// lane is the reports of one agent, in order. A lane that failed waits, and with
// it all that the agent said later; the other lanes go on.
type lane struct {
	agent   string
	waiting []arrival
	backoff time.Duration
	again   time.Time
	careful bool // it failed: one at a time, so that what comes before the bad one gets through
}

// applier makes reports durable, in batches: what arrived while one batch was
// written is the next. It belongs to one goroutine.
type applier struct {
	*Hub
	lanes map[string]*lane
	order []*lane // those with something in, longest waiting first
	busy  bool    // the last batch had company, so a moment's wait makes a larger one
}

func (h *Hub) applyReports(ctx context.Context) error {
	a := &applier{Hub: h, lanes: map[string]*lane{}}
	retry := time.NewTimer(applyRetry)
	defer retry.Stop()
	for {
		if len(a.order) > 0 {
			retry.Reset(a.wait(time.Now()))
		} else {
			retry.Stop()
		}
		select {
		case <-ctx.Done():
			return nil
		case one := <-h.reports:
			a.add(one)
			a.gather(ctx)
		case <-retry.C:
		}
		for ctx.Err() == nil {
			batch := a.batch(time.Now())
			if len(batch) == 0 {
				break
			}
			a.busy = len(batch) > 1 || len(batch[0].waiting) > 1
			failures := askFailures
			a.apply(ctx, batch, &failures)
			a.gather(ctx)
		}
	}
}

// gather takes what is there, and under load what comes within a moment.
func (a *applier) gather(ctx context.Context) {
	var linger <-chan time.Time
	if a.busy {
		timer := time.NewTimer(applyLinger)
		defer timer.Stop()
		linger = timer.C
	}
	for n := 1; n < applyMost; n++ {
		select {
		case one := <-a.reports:
			a.add(one)
			continue
		default:
		}
		if linger == nil {
			return
		}
		select {
		case one := <-a.reports:
			a.add(one)
		case <-linger:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (a *applier) add(one arrival) {
	l := a.lanes[one.session.agent]
	if l == nil {
		l = &lane{agent: one.session.agent}
		a.lanes[l.agent] = l
		a.order = append(a.order, l)
	}
	// What an earlier stream brought and nobody acknowledged, this one brings again.
	if len(l.waiting) > 0 && l.waiting[0].session != one.session {
		l.waiting = slices.DeleteFunc(l.waiting, func(old arrival) bool {
			stale := old.session != one.session && old.session.over()
			if stale {
				old.session.free()
			}
			return stale
		})
	}
	l.waiting = append(l.waiting, one)
}

// wait is how long until a lane may be tried again.
func (a *applier) wait(now time.Time) time.Duration {
	next := now.Add(applyBackoff)
	for _, l := range a.order {
		if l.again.Before(next) {
			next = l.again
		}
	}
	return max(next.Sub(now), time.Millisecond)
}

// part is the head of a lane.
type part struct {
	*lane
	waiting []arrival
}

// batch takes the heads of lanes that may be tried, at most applyMost in all.
func (a *applier) batch(now time.Time) (parts []part) {
	room := applyMost
	for _, l := range a.order {
		if room == 0 {
			break
		}
		if now.Before(l.again) || len(l.waiting) == 0 {
			continue
		}
		n := min(room, len(l.waiting))
		if l.careful {
			n = 1
		}
		parts = append(parts, part{l, l.waiting[:n]})
		room -= n
	}
	return parts
}

// apply tries the parts together, and where that fails each half, so that a
// report that cannot be applied holds up its own agent only.
func (a *applier) apply(ctx context.Context, parts []part, failures *int) {
	reports, err := a.allowed(ctx, parts)
	if err == nil && len(reports) > 0 {
		bounded, cancel := context.WithTimeout(ctx, a.cfg.ApplyTimeout)
		started := time.Now()
		err = a.cfg.Work.Apply(bounded, reports)
		cancel()
		a.metrics.applied(len(reports), time.Since(started), err)
	}
	if err == nil {
		for _, p := range parts {
			a.done(p)
		}
		return
	}
	if ctx.Err() != nil {
		return
	}
	*failures--
	if len(parts) > 1 && *failures > 0 {
		a.apply(ctx, parts[:len(parts)/2], failures)
		a.apply(ctx, parts[len(parts)/2:], failures)
		return
	}
	a.logger.Error("reports not durable; trying again", zap.String("agent", parts[0].agent), zap.Int("reports", len(reports)), zap.Error(err))
	for _, p := range parts {
		if p.careful = true; len(p.waiting) > 1 {
			continue // at once
		}
		p.backoff = min(max(2*p.backoff, applyRetry), applyBackoff)
		p.again = time.Now().Add(p.backoff)
	}
}

// done acknowledges a part and takes it out of its lane.
func (a *applier) done(p part) {
	for _, one := range p.waiting {
		one.session.ack(one.report.GetSequence())
	}
	l := p.lane
	l.backoff, l.again = 0, time.Time{}
	if l.waiting = l.waiting[len(p.waiting):]; len(l.waiting) > 0 {
		return
	}
	delete(a.lanes, l.agent)
	a.order = slices.DeleteFunc(a.order, func(other *lane) bool { return other == l })
}

// allowed leaves out what an agent says of installations that are not on its
// own targets. It is acknowledged like what is absorbed, or it would come for ever.
func (a *applier) allowed(ctx context.Context, parts []part) ([]*agentv1.Report, error) {
	var asked []claim
	for _, p := range parts {
		for _, one := range p.waiting {
			asked = append(asked, claim{one.session, one.report.GetInstallation()})
		}
	}
	ok, err := a.own(ctx, asked)
	if err != nil {
		return nil, err
	}
	reports := make([]*agentv1.Report, 0, len(asked))
	i := 0
	for _, p := range parts {
		for _, one := range p.waiting {
			if ok[i] {
				reports = append(reports, one.report)
			} else {
				a.logger.Warn("report of an installation that is not on the agent's targets; dropped",
					zap.String("agent", p.agent), zap.String("installation", one.report.GetInstallation()))
			}
			i++
		}
	}
	return reports, nil
}
