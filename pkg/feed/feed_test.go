package feed_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/sqldb"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const wait = 20 * time.Second

type world struct {
	db  *sqldb.DB
	log *feed.Log
}

func each(t *testing.T, cfg feed.Config, fn func(t *testing.T, w world)) {
	t.Helper()
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		t.Helper()
		fn(t, setup(t, db, cfg))
	})
}

func setup(tb testing.TB, db *sqldb.DB, cfg feed.Config) world {
	tb.Helper()
	require.NoError(tb, db.Migrate(tb.Context(), feed.Source()))
	return world{db: db, log: feed.New(db, cfg)}
}

// run tails the log until the test ends or stop is called.
func run(tb testing.TB, log *feed.Log) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	ended := make(chan error, 1)
	go func() { ended <- log.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			require.NoError(tb, err)
		case <-time.After(wait):
			require.Fail(tb, "Run did not return")
		}
	})
	tb.Cleanup(stop)
	return stop
}

func (w world) append(tb testing.TB, records ...feed.Record) {
	tb.Helper()
	require.NoError(tb, w.db.Tx(context.WithoutCancel(tb.Context()), func(ctx context.Context, tx *sqldb.Tx) error {
		return w.log.Append(ctx, tx, records...)
	}))
}

func record(resource string, revision int64) feed.Record {
	return feed.Record{Resource: resource, Type: "test.thing.updated", Revision: revision, Actor: "users/a"}
}

func next(tb testing.TB, w *feed.Watcher) *eventv1.Event {
	tb.Helper()
	select {
	case event, open := <-w.C:
		require.True(tb, open, "ended: %v", w.Err())
		return event
	case <-time.After(wait):
		require.Fail(tb, "no event came")
		return nil
	}
}

func resources(events []*eventv1.Event) (all []string) {
	for _, event := range events {
		all = append(all, event.GetResource())
	}
	return all
}

func TestEventHoldsWhatWasRecorded(t *testing.T) {
	each(t, feed.Config{}, func(t *testing.T, w world) {
		t.Helper()
		want := feed.Record{
			Resource: "workspaces/w/things/a", Type: "test.thing.updated", Revision: 7, Actor: "users/a", Cause: "because",
			After: wrapperspb.String("the thing"), Before: []byte{1, 2, 3}, Time: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC),
		}
		w.append(t, want, feed.Record{Resource: "workspaces/w/things/b", Type: "test.thing.deleted"})
		events, more, err := w.log.List(t.Context(), feed.Query{OldestFirst: true})
		require.NoError(t, err)
		require.Empty(t, more)
		require.Len(t, events, 2)
		got := events[0]
		require.Equal(t, want.Resource, got.GetResource())
		require.Equal(t, want.Type, got.GetType())
		require.Equal(t, want.Revision, got.GetRevision())
		require.Equal(t, want.Actor, got.GetActor())
		require.Equal(t, want.Cause, got.GetCause())
		require.Equal(t, want.Before, got.GetBeforeDigest())
		require.Equal(t, want.Time, got.GetTime().AsTime())
		after, err := got.GetAfter().UnmarshalNew()
		require.NoError(t, err)
		require.True(t, proto.Equal(want.After, after))
		require.Nil(t, events[1].GetAfter())
		require.WithinDuration(t, time.Now(), events[1].GetTime().AsTime(), time.Minute)
	})
}

func TestRolledBackChangesLeaveNoEvent(t *testing.T) {
	each(t, feed.Config{}, func(t *testing.T, w world) {
		t.Helper()
		refused := errors.New("refused")
		require.ErrorIs(t, w.db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			return errors.Join(w.log.Append(ctx, tx, record("workspaces/w/things/a", 1)), refused)
		}), refused)
		events, _, err := w.log.List(t.Context(), feed.Query{})
		require.NoError(t, err)
		require.Empty(t, events)
	})
}

func TestListSelectsBySubtreeTypeAndActor(t *testing.T) {
	each(t, feed.Config{}, func(t *testing.T, w world) {
		t.Helper()
		// Collations other than C sort these differently.
		for i, name := range []string{"things/a", "things/a/parts/1", "things/A", "things/a-b", "things/a.b", "things/ab", "other/a"} {
			one := record("workspaces/w/"+name, int64(i))
			one.Type = []string{"test.thing.created", "test.part.created"}[i%2]
			one.Actor = []string{"users/a", "users/b", "users/c"}[i%3]
			w.append(t, one)
		}
		w.append(t, record("workspaces/w2/things/a", 1))
		list := func(q feed.Query) string {
			events, _, err := w.log.List(t.Context(), q)
			require.NoError(t, err)
			return strings.ReplaceAll(strings.Join(resources(events), " "), "workspaces/w/", "")
		}
		require.Equal(t, "things/a/parts/1 things/a", list(feed.Query{Prefix: "workspaces/w/things/a"}))
		require.Equal(t, "things/a things/a/parts/1", list(feed.Query{Prefix: "workspaces/w/things/a", OldestFirst: true}))
		require.Equal(t, "other/a things/ab things/a.b things/a-b things/A things/a/parts/1 things/a", list(feed.Query{Prefix: "workspaces/w"}))
		require.Equal(t, "things/ab things/a-b things/a/parts/1", list(feed.Query{Prefix: "workspaces/w", Types: []string{"test.part.created"}}))
		require.Equal(t, "things/ab things/a-b things/a/parts/1", list(feed.Query{Prefix: "workspaces/w", Types: []string{"test.part."}}))
		require.Empty(t, list(feed.Query{Prefix: "workspaces/w", Types: []string{"test.part"}}))
		require.Equal(t, "things/ab things/A", list(feed.Query{Prefix: "workspaces/w", Actor: "users/c"}))
		require.Empty(t, list(feed.Query{Prefix: "workspaces/w/things/a_b"}))
	})
}

func TestListPagesEveryEventOnce(t *testing.T) {
	each(t, feed.Config{}, func(t *testing.T, w world) {
		t.Helper()
		const total = 237 // more than one size of INSERT
		var records []feed.Record
		for i := range total {
			records = append(records, record("workspaces/w/things/a", int64(i)))
		}
		w.append(t, records...)
		for _, oldest := range []bool{false, true} {
			q := feed.Query{Prefix: "workspaces/w", Limit: 50, OldestFirst: oldest}
			var seen []int64
			for {
				events, more, err := w.log.List(t.Context(), q)
				require.NoError(t, err)
				for _, event := range events {
					seen = append(seen, event.GetRevision())
				}
				if q.After = more; more == "" {
					break
				}
			}
			require.Len(t, seen, total)
			for i, revision := range seen {
				want := int64(i)
				if !oldest {
					want = total - 1 - want
				}
				require.Equal(t, want, revision)
			}
		}
	})
}

func TestPageTokenOfAnotherQueryIsRefused(t *testing.T) {
	each(t, feed.Config{}, func(t *testing.T, w world) {
		t.Helper()
		w.append(t, record("workspaces/w/a", 1), record("workspaces/w/a", 2))
		_, more, err := w.log.List(t.Context(), feed.Query{Prefix: "workspaces/w", Limit: 1})
		require.NoError(t, err)
		for name, q := range map[string]feed.Query{
			"other parent": {Prefix: "workspaces/w2", After: more},
			"other order":  {Prefix: "workspaces/w", After: more, OldestFirst: true},
			"other types":  {Prefix: "workspaces/w", After: more, Types: []string{"a."}},
			"garbage":      {Prefix: "workspaces/w", After: "garbage"},
		} {
			_, _, err = w.log.List(t.Context(), q)
			require.Equal(t, "PAGE_TOKEN_MISMATCH", fault.ReasonOf(err), name)
		}
	})
}

func TestWatchFromNowAndFromAToken(t *testing.T) {
	each(t, feed.Config{Poll: time.Hour}, func(t *testing.T, w world) {
		t.Helper()
		w.append(t, record("workspaces/w/a", 1), record("workspaces/w/b", 1), record("workspaces/w/a", 2))
		stop := run(t, w.log)
		now, err := w.log.Watch(t.Context(), "", nil)
		require.NoError(t, err)
		w.append(t, record("workspaces/w/a", 3))
		require.EqualValues(t, 3, next(t, now).GetRevision())

		first, _, err := w.log.List(t.Context(), feed.Query{OldestFirst: true, Limit: 1})
		require.NoError(t, err)
		onlyA := func(event *eventv1.Event) bool { return event.GetResource() == "workspaces/w/a" }
		again, err := w.log.Watch(t.Context(), first[0].GetToken(), onlyA)
		require.NoError(t, err)
		require.EqualValues(t, 2, next(t, again).GetRevision())
		third := next(t, again)
		require.EqualValues(t, 3, third.GetRevision())
		require.Eventually(t, func() bool { _, ok := again.Token(); return ok }, wait, time.Millisecond)
		token, _ := again.Token()
		require.Equal(t, third.GetToken(), token)
		w.append(t, record("workspaces/w/b", 2))
		require.Eventually(t, func() bool { token, ok := again.Token(); return ok && token != third.GetToken() }, wait, time.Millisecond,
			"the place moves past events that were not chosen")

		stop()
		require.Equal(t, "workspaces/w/b", next(t, now).GetResource())
		_, open := <-now.C
		require.False(t, open)
		require.ErrorIs(t, now.Err(), feed.ErrStopped)
		_, err = w.log.Watch(t.Context(), "", nil)
		require.ErrorIs(t, err, feed.ErrStopped)
	})
}

func TestWatchEndsWithItsContext(t *testing.T) {
	each(t, feed.Config{Buffer: 1}, func(t *testing.T, w world) {
		t.Helper()
		w.append(t, record("workspaces/w/a", 1))
		first, _, err := w.log.List(t.Context(), feed.Query{})
		require.NoError(t, err)
		for i := range 20 {
			w.append(t, record("workspaces/w/a", int64(i)))
		}
		run(t, w.log)
		for name, token := range map[string]string{"live": "", "catching up": first[0].GetToken()} {
			ctx, cancel := context.WithCancel(t.Context())
			watcher, err := w.log.Watch(ctx, token, nil)
			require.NoError(t, err)
			cancel()
			require.Eventually(t, func() bool {
				select {
				case _, open := <-watcher.C:
					return !open
				default:
					return false
				}
			}, wait, time.Millisecond, name)
			require.ErrorIs(t, watcher.Err(), context.Canceled, name)
		}
	})
}

func TestSlowWatcherIsCutAndResumesWithoutLoss(t *testing.T) {
	each(t, feed.Config{Buffer: 4}, func(t *testing.T, w world) {
		t.Helper()
		run(t, w.log)
		slow, err := w.log.Watch(t.Context(), "", nil)
		require.NoError(t, err)
		quick, err := w.log.Watch(t.Context(), "", nil)
		require.NoError(t, err)
		const total = 20
		for i := range total {
			w.append(t, record("workspaces/w/a", int64(i)))
			require.EqualValues(t, i, next(t, quick).GetRevision(), "a slow neighbour disturbs nobody")
		}
		var seen int64
		token := slow.Start()
		for event := range slow.C {
			require.Equal(t, seen, event.GetRevision())
			token = event.GetToken()
			seen++
		}
		require.ErrorIs(t, slow.Err(), feed.ErrSlow)
		require.Less(t, seen, int64(total))
		resumed, err := w.log.Watch(t.Context(), token, nil)
		require.NoError(t, err)
		for ; seen < total; seen++ {
			require.Equal(t, seen, next(t, resumed).GetRevision())
		}
	})
}

func TestTokensOfAnotherLifeAreRefused(t *testing.T) {
	each(t, feed.Config{}, func(t *testing.T, w world) {
		t.Helper()
		w.append(t, record("workspaces/w/a", 1))
		events, _, err := w.log.List(t.Context(), feed.Query{})
		require.NoError(t, err)
		old := events[0].GetToken()
		run(t, w.log)
		_, err = w.log.Watch(t.Context(), old, nil)
		require.NoError(t, err)
		parts := strings.Split(old, ":")
		for _, token := range []string{
			"x", "v1:", "v2" + old[2:], old + ":1", "v1:" + parts[1] + ":-1:1",
			"v1:" + parts[1] + ":9000000000000:9000000000000", // a backup older than the token was restored
		} {
			_, err = w.log.Watch(t.Context(), token, nil)
			require.Equal(t, "RESUME_TOKEN_INVALID", fault.ReasonOf(err), token)
			require.True(t, fault.Is(err, fault.KindInvalid))
		}
		require.NoError(t, w.log.Renew(t.Context()))
		_, err = w.log.Watch(t.Context(), old, nil)
		require.Equal(t, "RESUME_TOKEN_INVALID", fault.ReasonOf(err))
		require.False(t, feed.Reached(old, "v1:0:"+strings.Join(parts[2:], ":")), "of another epoch")
	})
}

// TestEventsOfAnotherServerAreAdopted restores a dump: its transaction ids are
// ahead of this server's, and would stay above the horizon for ever.
func TestEventsOfAnotherServerAreAdopted(t *testing.T) {
	if !pgtest.Available(t) {
		return
	}
	w := setup(t, pgtest.Databases(t)[1].Open(t), feed.Config{})
	w.append(t, record("workspaces/w/a", 1), record("workspaces/w/a", 2))
	events, _, err := w.log.List(t.Context(), feed.Query{OldestFirst: true})
	require.NoError(t, err)
	_, err = w.db.Writer().ExecContext(t.Context(), "UPDATE events SET xid = (xid::text::bigint + 1000000000)::text::xid8")
	require.NoError(t, err)

	restored := feed.New(w.db, feed.Config{})
	run(t, restored)
	watcher, err := restored.Watch(t.Context(), "", nil)
	require.NoError(t, err)
	_, err = restored.Watch(t.Context(), events[0].GetToken(), nil)
	require.Equal(t, "RESUME_TOKEN_INVALID", fault.ReasonOf(err))
	w.append(t, record("workspaces/w/a", 3))
	require.EqualValues(t, 3, next(t, watcher).GetRevision())
	events, _, err = restored.List(t.Context(), feed.Query{OldestFirst: true})
	require.NoError(t, err)
	require.Len(t, events, 3)
	require.EqualValues(t, 3, events[2].GetRevision(), "new events come after the adopted ones")
}

func TestOtherProcessesAreTold(t *testing.T) {
	if !pgtest.Available(t) {
		return
	}
	w := setup(t, pgtest.Databases(t)[1].Open(t), feed.Config{Poll: time.Hour})
	other := feed.New(w.db, feed.Config{Poll: time.Hour})
	run(t, w.log)
	run(t, other)
	watcher, err := other.Watch(t.Context(), "", nil)
	require.NoError(t, err)
	for i := range int64(3) { // the first may come before the other listens
		w.append(t, record("workspaces/w/a", i))
		require.Equal(t, i, next(t, watcher).GetRevision())
	}
}

func TestPollStandsBehindLostHints(t *testing.T) {
	each(t, feed.Config{Poll: 20 * time.Millisecond}, func(t *testing.T, w world) {
		t.Helper()
		run(t, w.log)
		watcher, err := w.log.Watch(t.Context(), "", nil)
		require.NoError(t, err)
		silent := world{db: w.db, log: feed.New(w.db, feed.Config{})} // never runs, so it tells nobody
		silent.append(t, record("workspaces/w/a", 1))
		require.EqualValues(t, 1, next(t, watcher).GetRevision())
	})
}

// TestNothingIsLostUnderConcurrentWriters has 16 writers, and a watcher that
// reconnects at random. Beside it, on PostgreSQL, the obvious reader that
// remembers the highest sequence number does lose events: the test can fail.
func TestNothingIsLostUnderConcurrentWriters(t *testing.T) {
	each(t, feed.Config{Buffer: 64, Batch: 50}, func(t *testing.T, w world) {
		t.Helper()
		const writers, rounds = 16, 120
		run(t, w.log)
		watcher, err := w.log.Watch(t.Context(), "", nil)
		require.NoError(t, err)
		var naive *naiveReader
		if w.db.Dialect() == sqldb.Postgres {
			naive = startNaive(t, w.db)
		}
		var writing sync.WaitGroup
		for writer := range writers {
			writing.Go(func() {
				for round := range rounds {
					require.NoError(t, w.db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
						return errors.Join(
							w.log.Append(ctx, tx, record(fmt.Sprintf("workspaces/w/%d-%d", writer, round), 0)),
							w.log.Append(ctx, tx, record(fmt.Sprintf("workspaces/w/%d-%d-b", writer, round), 0)))
					}))
				}
			})
		}
		seen, reconnects := map[string]bool{}, 0
		for token := watcher.Start(); len(seen) < 2*writers*rounds; reconnects++ {
			ctx, cancel := context.WithCancel(t.Context())
			watcher, err := w.log.Watch(ctx, token, nil)
			require.NoError(t, err)
			for range 1 + rand.IntN(100) {
				if len(seen) == 2*writers*rounds {
					break
				}
				event, open := receive(t, watcher)
				if !open {
					require.ErrorIs(t, watcher.Err(), feed.ErrSlow)
					break
				}
				require.False(t, seen[event.GetResource()], "twice without a reconnect before it")
				seen[event.GetResource()], token = true, event.GetToken()
			}
			cancel()
		}
		writing.Wait()
		t.Logf("%d events, %d reconnects", len(seen), reconnects)
		if naive != nil {
			lost := 2*writers*rounds - naive.finish(t)
			t.Logf("the naive reader lost %d", lost)
			require.Positive(t, lost, "the writers did not overlap: this run proves nothing")
		}
	})
}

func receive(t *testing.T, watcher *feed.Watcher) (event *eventv1.Event, open bool) {
	t.Helper()
	select {
	case event, open = <-watcher.C:
		return event, open
	case <-time.After(wait):
		require.Fail(t, "an event was lost")
		return nil, false
	}
}

// naiveReader counts what "seq > last" finds.
type naiveReader struct {
	stop chan struct{}
	seen chan int
	fail error
}

func startNaive(t *testing.T, db *sqldb.DB) *naiveReader {
	t.Helper()
	n := &naiveReader{stop: make(chan struct{}), seen: make(chan int, 1)}
	go func() {
		last, count, stopping := int64(0), 0, false
		for {
			var found int
			var highest int64
			err := db.Read().QueryRowContext(t.Context(),
				"SELECT COUNT(*), COALESCE(MAX(seq), $1) FROM events WHERE seq > $1", last).Scan(&found, &highest)
			n.fail = errors.Join(n.fail, err)
			last, count = highest, count+found
			if stopping || err != nil {
				n.seen <- count
				return
			}
			select {
			case <-n.stop:
				stopping = true // one last look
			default:
			}
		}
	}()
	return n
}

func (n *naiveReader) finish(t *testing.T) int {
	t.Helper()
	close(n.stop)
	seen := <-n.seen
	require.NoError(t, n.fail)
	return seen
}

func TestAPlaceIsReachedByWhatIsAtItOrAfterIt(t *testing.T) {
	for _, c := range []struct {
		token, start string
		want         bool
	}{
		{"v1:e:0:4", "v1:e:0:5", true},
		{"v1:e:0:5", "v1:e:0:5", true},
		{"v1:e:0:6", "v1:e:0:5", false},
		{"v1:e:7:9", "v1:e:8:1", true}, // the transaction goes before the sequence
		{"v1:e:8:1", "v1:e:7:9", false},
		{"v1:e:0:4", "v1:f:0:5", false},
		{"", "v1:e:0:5", false},
		{"v1:e:0:4", "x", false},
	} {
		require.Equal(t, c.want, feed.Reached(c.token, c.start), "%s of %s", c.token, c.start)
	}
}
