// Package feed is the event log of a service: the audit trail, and the source of every watch.
//
// [Log.Append] writes events in the transaction that changed something, so an
// event exists exactly when its change does. Nothing edits or removes them.
//
//	change ──Append──▶ events ──Run: one tailer a process──▶ watchers
//	   └─ after commit: a hint in process, a debounced NOTIFY to the others ─┘
//
// A reader's place is a position (xid, seq), told to clients as an opaque
// resume token. On SQLite the sequence alone is enough, because there is one
// writer. On PostgreSQL sequence numbers become visible out of order, and a
// reader that remembers the highest it saw loses what commits later with a
// lower one. So events carry their transaction's id, and the tailer reads only
// below the snapshot's horizon, under which every transaction has ended. While
// something waits above the horizon it looks again after 5 ms. (A write
// transaction that stays open for long holds the horizon, and with it all watches.)
//
// Hints may be lost: a poll stands behind them. A watcher that does not keep up
// is cut with [ErrSlow] and resumes from its token without loss. Watchers treat
// delivery as at-least-once and drop revisions they have seen: two transactions
// that overlap may be told in either order, a resource's newest revision is always told.
//
// A token names the epoch of its database. A database restored from a backup
// gets a new epoch ([Log.Renew]), and older tokens are refused rather than
// misread.
package feed

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// Config tunes a Log; its zero value works.
type Config struct {
	// Logger hears of reads that fail; nil is silent.
	Logger *zap.Logger
	// Poll stands behind lost hints; 1 s when 0.
	Poll time.Duration
	// Buffer is how many events a watcher may lag behind before it is cut; 256 when 0.
	Buffer int
	// Batch is how many events one read takes; 500 when 0.
	Batch int
}

// Log is the event log in one database. One Log a process, with one [Log.Run].
type Log struct {
	db     *sqldb.DB
	cfg    Config
	sql    statements
	self   string        // tells our own notifications from others'
	hinted chan struct{} // an event may have come: the tailer looks
	dirty  chan struct{} // an event came from here: the notifier tells the others

	epochMu sync.Mutex
	epoch   string // empty until read

	started chan struct{} // closed when Run knows its position
	done    chan struct{} // closed when Run ends
	mu      sync.Mutex
	at      position // every event up to here has been handed to the live watchers
	live    map[*Watcher]struct{}
	stopped bool
	joining sync.WaitGroup // watchers that still catch up
}

// New makes the log of db, whose tables come from [Source].
func New(db *sqldb.DB, cfg Config) *Log {
	if cfg.Logger == nil {
		cfg.Logger = zap.NewNop()
	}
	if cfg.Poll <= 0 {
		cfg.Poll = time.Second
	}
	if cfg.Buffer <= 0 {
		cfg.Buffer = 256
	}
	if cfg.Batch <= 0 {
		cfg.Batch = 500
	}
	return &Log{
		db:      db,
		cfg:     cfg,
		sql:     statementsFor(db.Dialect()),
		self:    rand.Text(),
		hinted:  make(chan struct{}, 1),
		dirty:   make(chan struct{}, 1),
		started: make(chan struct{}),
		done:    make(chan struct{}),
		live:    map[*Watcher]struct{}{},
	}
}

//go:embed migrations
var migrations embed.FS

// Source is the tables of this package.
func Source() sqldb.Source { return sqldb.NewSource("feed", migrations, "migrations") }

// Renew begins a new epoch: every token given out before is refused from now
// on. Call it after restoring a database from a backup, before [Log.Run].
func (l *Log) Renew(ctx context.Context) error {
	return l.db.Tx(ctx, l.renew)
}

func (l *Log) renew(ctx context.Context, tx *sqldb.Tx) error {
	var fresh [8]byte
	_, _ = rand.Read(fresh[:]) // never fails
	epoch := hex.EncodeToString(fresh[:])
	if _, err := tx.ExecContext(ctx, "UPDATE event_epoch SET epoch = $1", epoch); err != nil {
		return fmt.Errorf("renew the epoch of events: %w", err)
	}
	tx.AfterCommit(func() {
		l.epochMu.Lock()
		defer l.epochMu.Unlock()
		l.epoch = epoch
	})
	return nil
}

func (l *Log) currentEpoch(ctx context.Context) (string, error) {
	l.epochMu.Lock()
	defer l.epochMu.Unlock()
	if l.epoch == "" {
		if err := l.db.Read().QueryRowContext(ctx, "SELECT epoch FROM event_epoch").Scan(&l.epoch); err != nil {
			return "", fmt.Errorf("read the epoch of events: %w", err)
		}
	}
	return l.epoch, nil
}

// hint makes the tailer look soon; a hint that is already waiting is enough.
func hint(to chan<- struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}
