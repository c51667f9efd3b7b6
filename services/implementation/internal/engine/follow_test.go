package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	"github.com/golive-dev/golive/services/implementation/internal/engine"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// patience is how long anything here may take.
const patience = 30 * time.Second

// followWorld is the store of a consumer, and a log of its own and one of another service.
type followWorld struct {
	*testing.T
	store *store.Store
	logs  map[string]*served // own, other

	mu   sync.Mutex
	told []string
}

// served is a log with its database, which can be stopped and started.
type served struct {
	db   *sqldb.DB
	log  *feed.Log
	stop func()

	mu   sync.Mutex
	pipe *bufconn.Listener
}

func eachFollow(t *testing.T, test func(t *testing.T, w *followWorld)) {
	t.Helper()
	for _, kind := range pgtest.Databases(t) {
		t.Run(kind.Name, func(t *testing.T) {
			db, other := kind.Open(t), kind.Open(t)
			require.NoError(t, db.Migrate(t.Context(), feed.Source(), resource.Source(), store.Source()))
			require.NoError(t, other.Migrate(t.Context(), feed.Source()))
			w := &followWorld{T: t, logs: map[string]*served{"own": {db: db}, "other": {db: other}}}
			for _, s := range w.logs {
				s.start(t)
				t.Cleanup(func() { s.stop() })
			}
			w.store = store.New(db, w.logs["own"].log, nil)
			test(t, w)
		})
	}
}

// start runs the log, and serves it.
func (s *served) start(t *testing.T) {
	t.Helper()
	s.log = feed.New(s.db, feed.Config{Poll: 50 * time.Millisecond})
	pipe := bufconn.Listen(1 << 20)
	s.mu.Lock()
	s.pipe = pipe
	s.mu.Unlock()
	server := grpc.NewServer()
	eventv1.RegisterEventServiceServer(server, feed.NewService(s.log, 50*time.Millisecond))
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var ended sync.WaitGroup
	ended.Go(func() { _ = s.log.Run(ctx) })
	ended.Go(func() { _ = server.Serve(pipe) })
	s.stop = func() {
		server.Stop()
		cancel()
		ended.Wait()
	}
}

func (s *served) client(t *testing.T) eventv1.EventServiceClient {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:pipe", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.pipe.DialContext(ctx)
		}))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return eventv1.NewEventServiceClient(conn)
}

func (w *followWorld) source(name string) engine.Source {
	if name == "own" {
		return engine.Own(w.logs["own"].log)
	}
	return engine.Of(w.logs["other"].client(w.T), func(context.Context) ([]string, error) { return []string{"workspaces/default"}, nil })
}

// append tells n events from the number on.
func (w *followWorld) append(name string, from, n int) {
	w.Helper()
	s := w.logs[name]
	for i := from; i < from+n; i++ {
		require.NoError(w, s.db.Tx(w.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			return s.log.Append(ctx, tx, feed.Record{Resource: "workspaces/default/things/t", Type: "test.thing.updated", Revision: int64(i), Actor: "users/a"})
		}))
	}
}

// handle notes what is committed.
func (w *followWorld) handle(_ context.Context, tx *sqldb.Tx, events []*eventv1.Event) error {
	tx.AfterCommit(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, e := range events {
			w.told = append(w.told, fmt.Sprint(e.GetRevision()))
		}
	})
	return nil
}

// follow runs a follower until the test ends or stop is called.
func (w *followWorld) follow(name string, handle func(ctx context.Context, tx *sqldb.Tx, events []*eventv1.Event) error) (stop func()) {
	w.Helper()
	f := engine.NewFollower(w.store, "test", w.source(name), handle, zap.NewNop())
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.Context()))
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(w, <-done)
	})
	w.Cleanup(stop)
	return stop
}

// hears waits until the events were handled, and sees that each was once and in order.
func (w *followWorld) hears(from, n int) {
	w.Helper()
	want := make([]string, n)
	for i := range want {
		want[i] = fmt.Sprint(from + i)
	}
	require.Eventually(w, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.told) >= n
	}, patience, 5*time.Millisecond)
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Equal(w, want, w.told)
}

func TestAFollowerHearsEverythingOnceAndInOrder(t *testing.T) {
	for _, name := range []string{"own", "other"} {
		t.Run(name, func(t *testing.T) {
			eachFollow(t, func(t *testing.T, w *followWorld) {
				t.Helper()
				w.append(name, 0, 3) // just before it begins: it is told of them
				stop := w.follow(name, w.handle)
				w.hears(0, 3)
				w.append(name, 3, 40)
				w.hears(0, 43)
				stop()
				w.append(name, 43, 20) // while nobody follows
				w.follow(name, w.handle)
				w.hears(0, 63)
			})
		})
	}
}

func TestTwoReplicasHandleNothingTwice(t *testing.T) {
	eachFollow(t, func(t *testing.T, w *followWorld) {
		t.Helper()
		first := w.follow("other", w.handle)
		w.follow("other", w.handle)
		w.append("other", 0, 150)
		w.hears(0, 150)
		first() // the other takes over
		w.append("other", 150, 10)
		w.hears(0, 160)
	})
}

func TestAFollowerOutlivesTheOtherService(t *testing.T) {
	eachFollow(t, func(t *testing.T, w *followWorld) {
		t.Helper()
		w.follow("other", w.handle)
		w.append("other", 0, 2)
		w.hears(0, 2)
		w.logs["other"].stop()
		w.append("other", 2, 5)
		w.logs["other"].start(t)
		w.append("other", 7, 1)
		w.hears(0, 8)
	})
}

func TestWhatFailsIsHandledAgain(t *testing.T) {
	eachFollow(t, func(t *testing.T, w *followWorld) {
		t.Helper()
		failures := 3
		w.follow("own", func(ctx context.Context, tx *sqldb.Tx, events []*eventv1.Event) error {
			if failures--; failures >= 0 {
				return errors.New("not today")
			}
			return w.handle(ctx, tx, events)
		})
		w.append("own", 0, 5)
		w.hears(0, 5)
	})
}

func TestALogThatWasRestoredIsFollowedFromThenOn(t *testing.T) {
	eachFollow(t, func(t *testing.T, w *followWorld) {
		t.Helper()
		stop := w.follow("other", w.handle)
		w.append("other", 0, 2)
		w.hears(0, 2)
		stop()
		w.logs["other"].stop()
		w.logs["other"].start(t)
		require.NoError(t, w.logs["other"].log.Renew(t.Context()))
		w.logs["other"].stop()
		w.logs["other"].start(t)
		w.follow("other", w.handle)
		w.append("other", 2, 1)
		require.Eventually(t, func() bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return slices.Contains(w.told, "2")
		}, patience, 5*time.Millisecond)
	})
}

func TestWhatIsOldIsNotLookedBackAt(t *testing.T) {
	eachFollow(t, func(t *testing.T, w *followWorld) {
		t.Helper()
		s := w.logs["other"]
		watcher, err := s.log.Watch(t.Context(), "", nil)
		require.NoError(t, err)
		require.NoError(t, s.db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			return s.log.Append(ctx, tx, feed.Record{Resource: "workspaces/default/things/t", Type: "test.thing.updated", Revision: 99, Actor: "users/a", Time: time.Now().Add(-time.Hour)})
		}))
		<-watcher.C // who begins before the log has told it hears it as new
		w.follow("other", w.handle)
		w.append("other", 0, 2)
		w.hears(0, 2)
	})
}
