package run

import (
	"context"
	"time"
)

// Every does something at once, and again whenever the time has passed, until ctx ends. What takes longer than
// that is done again right after, and never twice at a time.
func Every(ctx context.Context, period time.Duration, do func(ctx context.Context)) {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for ctx.Err() == nil {
		do(ctx)
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}
