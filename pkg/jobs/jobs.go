// Package jobs wakes handlers: once for many reasons, again after a crash, and never twice at a time for one name.
//
// The truth is a row in the table wakes, written by [Jobs.Wake] in the
// transaction that changed the state:
//
//	(no row) ──Wake──▶ due ──────────▶ handed over ────claim────▶ held ──finish──▶ (no row)
//	                    ▲  here or River  │                        │  │
//	                    └── lease ends ◀──┴────────────────────────┘  └─ woken meanwhile, or failed ──▶ due
//
// A due wake goes to a free worker of the process that committed it, which is
// a matter of a millisecond, or else is carried by River, by a job in the same
// transaction, to a worker of any process. Either way the worker learns no
// more than a name: it claims the row, and finds nothing to do when another
// was first. So a job may be lost, late or doubled, and nothing goes wrong:
//
//   - Wakes coalesce. A row that is due and handed over needs no second job, and a
//     wake that comes while the handler runs makes it run again, because the
//     generation moved.
//   - The claim is a lease that its process renews. When the process dies the
//     lease ends, and the sweep of any process hands the row over again. River's own
//     rescue looks only every 30 s and so is a last resort.
//   - A wake for later has no job until it is due: River moves scheduled jobs only
//     every 5 s. The process that wrote it keeps a timer as a hint, and the sweep
//     stands behind that.
//   - Failures are retried by the row's due time, with backoff. River's job ends well either way.
//
// A handler reads the truth again and is idempotent. Its context ends when the
// lease is lost, and what it writes must still be guarded by the revision of what it changes.
package jobs

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// Handler does what is due for name. It must be idempotent and heed ctx.
type Handler func(ctx context.Context, name string) error

// Config tunes Jobs; only handlers are needed to work.
type Config struct {
	// Logger hears of handlers that fail; nil is silent.
	Logger *zap.Logger
	// Metrics registers counters of runs by kind and result; nil for none.
	Metrics prometheus.Registerer
	// Handlers by kind. A process without handlers can wake but not work.
	Handlers map[string]Handler
	// Workers bounds the handlers that run at once; 16 when 0.
	Workers int
	// Sweep is how often rows are looked for that are due without a job; 1 s when 0.
	Sweep time.Duration
	// Lease is how long a silent process keeps its claims; 5 s when 0.
	Lease time.Duration
	// Timeout ends a handler's context; 30 s when 0.
	Timeout time.Duration
	// Backoff is the wait after so many failures in a row; 50 ms doubling to 30 s, with jitter, when nil.
	Backoff func(failures int) time.Duration
}

// Jobs wakes and works in one database. One a process.
type Jobs struct {
	db      *sqldb.DB
	cfg     Config
	holder  string // this process in the rows it claims
	carrier carrier
	metrics *metrics
	sql     queries
	sooner  chan time.Time // a wake for later was committed here
	direct  direct
	slots   chan struct{} // bounds the handlers that run, whoever brought them

	mu      sync.Mutex
	running map[subject]context.CancelCauseFunc
}

// subject is what is woken.
type subject struct{ kind, name string }

// New makes Jobs in db, whose tables come from [Source].
func New(db *sqldb.DB, cfg Config) (*Jobs, error) {
	if cfg.Logger == nil {
		cfg.Logger = zap.NewNop()
	}
	if cfg.Workers <= 0 {
		cfg.Workers = 16
	}
	if cfg.Sweep <= 0 {
		cfg.Sweep = time.Second
	}
	if cfg.Lease <= 0 {
		cfg.Lease = 5 * time.Second
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 30 * time.Second
	}
	if cfg.Backoff == nil {
		cfg.Backoff = backoff
	}
	j := &Jobs{
		db:      db,
		cfg:     cfg,
		holder:  rand.Text(),
		metrics: newMetrics(),
		sooner:  make(chan time.Time, 64),
		direct:  direct{ready: make(chan struct{}, 1)},
		slots:   make(chan struct{}, cfg.Workers),
		running: map[subject]context.CancelCauseFunc{},
	}
	j.sql = j.queries()
	if cfg.Metrics != nil {
		if err := j.metrics.register(cfg.Metrics); err != nil {
			return nil, fmt.Errorf("register job metrics: %w", err)
		}
	}
	var err error
	if j.carrier, err = newCarrier(db, cfg, j.work); err != nil {
		return nil, fmt.Errorf("set up River: %w", err)
	}
	return j, nil
}

// Run works until ctx ends; handlers still running are told to stop, and their wakes stay due.
func (j *Jobs) Run(ctx context.Context) error {
	if j.db.Dialect() == sqldb.SQLite {
		// A SQLite file belongs to one process, so whoever held a row is dead.
		if err := j.releaseAll(ctx); err != nil {
			return err
		}
	}
	if err := j.carrier.start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start River: %w", err)
	}
	group, inner := errgroup.WithContext(ctx)
	j.direct.setOpen(true)
	for range j.cfg.Workers {
		group.Go(func() error { j.serve(inner); return nil })
	}
	group.Go(func() error { j.sweep(inner); return nil })
	group.Go(func() error { j.renew(inner); return nil })
	<-ctx.Done()
	j.direct.setOpen(false)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(j.carrier.stop(stopping), group.Wait())
}

func backoff(failures int) time.Duration {
	limit := min(50*time.Millisecond<<min(failures, 20), 30*time.Second)
	return limit/2 + mathrand.N(limit/2) //nolint:gosec // jitter is no secret
}

//go:embed migrations
var migrations embed.FS

// Source is the tables of this package and of River.
func Source() sqldb.Source {
	source := sqldb.NewSource("jobs", migrations, "migrations")
	source.After = migrateRiver
	return source
}
