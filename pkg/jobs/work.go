package jobs

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.uber.org/zap"
)

var (
	errLeaseLost = errors.New("the lease was lost: this process could not renew it in time")
	errPanic     = errors.New("the handler panicked")
)

// work claims the subject and runs its handler until no wake is due. Its error means that the database did not answer; the
// sweep will find the row, so River need not try again.
func (j *Jobs) work(ctx context.Context, who subject) error {
	handler, known := j.cfg.Handlers[who.kind]
	if !known {
		j.cfg.Logger.Error("a wake of a kind that this server does not handle", zap.String("kind", who.kind), zap.String("name", who.name))
		return nil
	}
	select {
	case j.slots <- struct{}{}:
		defer func() { <-j.slots }()
	case <-ctx.Done():
		return nil // the row stays, for the next process
	}
	served, more, err := j.claim(ctx, who)
	for err == nil && more {
		failure := j.handle(ctx, handler, served)
		// What was done is recorded even when the server is stopping.
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), j.cfg.Lease)
		if failure == nil {
			served, more, err = j.succeed(after, served)
		} else {
			more, err = false, j.failed(ctx, after, served, failure)
		}
		cancel()
	}
	return err
}

func (j *Jobs) handle(ctx context.Context, handler Handler, served claim) (err error) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, j.cfg.Timeout)
	defer cancel()
	ctx, lose := context.WithCancelCause(ctx)
	j.mu.Lock()
	j.running[served.subject] = lose
	j.mu.Unlock()
	defer func() {
		j.mu.Lock()
		delete(j.running, served.subject)
		j.mu.Unlock()
		lose(nil)
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, panicked, debug.Stack())
		}
		result := "ok"
		if err != nil {
			result = "failed"
		}
		j.metrics.runs.WithLabelValues(served.kind, result).Observe(time.Since(start).Seconds())
	}()
	return handler(ctx, served.name)
}

func (j *Jobs) failed(ctx, after context.Context, served claim, failure error) error {
	if ctx.Err() != nil { // the server stops: no fault of the handler
		return j.putOff(after, served, served.failures, 0)
	}
	failures := served.failures + 1
	wait := j.cfg.Backoff(failures)
	j.cfg.Logger.Warn("a handler failed and will be tried again", zap.String("kind", served.kind), zap.String("name", served.name),
		zap.Int("failures", failures), zap.Duration("again_in", wait), zap.Error(failure))
	return j.putOff(after, served, failures, wait)
}

// renew keeps the leases of what runs here. When it cannot, handlers are told
// before anyone else may take their rows.
func (j *Jobs) renew(ctx context.Context) {
	tick := time.NewTicker(j.cfg.Lease / 4)
	defer tick.Stop()
	renewed := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !j.busy() {
			renewed = time.Now()
			continue
		}
		start := time.Now()
		attempt, cancel := context.WithTimeout(ctx, j.cfg.Lease/2)
		_, err := j.db.Writer().ExecContext(attempt,
			j.clock("UPDATE wakes SET held_until = NOW + CAST($1 AS BIGINT) WHERE holder = $2"), j.cfg.Lease.Microseconds(), j.holder)
		cancel()
		switch {
		case err == nil:
			renewed = start
		case ctx.Err() == nil && time.Since(renewed) > j.cfg.Lease*3/4:
			j.cfg.Logger.Error("leases cannot be renewed; handlers are stopped", zap.Error(err))
			j.loseAll()
		}
	}
}

func (j *Jobs) busy() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.running) > 0
}

func (j *Jobs) loseAll() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, lose := range j.running {
		lose(errLeaseLost)
	}
}
