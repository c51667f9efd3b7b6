package api

import (
	"context"
	"slices"
	"sync"
	"time"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// followPoll stands behind what other servers store, of which nothing is heard here.
const followPoll = time.Second

// Logs reads the output of installations.
type Logs struct {
	store *store.Store

	mu        sync.Mutex
	followers map[string][]chan struct{} // by installation
}

// NewLogs makes one.
func NewLogs(s *store.Store) *Logs {
	return &Logs{store: s, followers: map[string][]chan struct{}{}}
}

// Arrived tells those who follow that there is more.
func (l *Logs) Arrived(installations []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, installation := range installations {
		for _, bell := range l.followers[installation] {
			select {
			case bell <- struct{}{}:
			default:
			}
		}
	}
}

// Read sends what a try of an installation wrote, the last try that wrote
// anything when attempt is 0. With follow it goes on until ctx ends, and waits
// for a try that has not begun.
func (l *Logs) Read(ctx context.Context, name string, attempt int32, follow bool, send func([]*deploymentv1.LogLine) error) error {
	bell, stop := l.follow(name)
	defer stop()
	poll := time.NewTicker(followPoll)
	defer poll.Stop()
	var last int64
	for {
		if attempt == 0 {
			var err error
			if attempt, err = l.store.LastLoggedAttempt(ctx, name); err != nil {
				return err
			}
		}
		var err error
		if last, err = l.sendAll(ctx, name, attempt, last, send); err != nil || !follow {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-bell:
		case <-poll.C:
		}
	}
}

func (l *Logs) sendAll(ctx context.Context, name string, attempt int32, last int64, send func([]*deploymentv1.LogLine) error) (int64, error) {
	for {
		page, err := l.store.ReadLogs(ctx, name, attempt, last)
		if err != nil || len(page.Lines) == 0 {
			return last, err
		}
		if err := send(page.Lines); err != nil {
			return last, err
		}
		last = page.Last
	}
}

func (l *Logs) follow(name string) (bell chan struct{}, stop func()) {
	bell = make(chan struct{}, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.followers[name] = append(l.followers[name], bell)
	return bell, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.followers[name] = slices.DeleteFunc(l.followers[name], func(other chan struct{}) bool { return other == bell })
		if len(l.followers[name]) == 0 {
			delete(l.followers, name)
		}
	}
}
