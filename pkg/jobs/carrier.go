package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/golive-dev/golive/pkg/sqldb"
)

const (
	fetchCooldown = 5 * time.Millisecond
	// sqlitePoll is how River learns of a job on SQLite, which cannot notify. It carries only what
	// no worker was free for, so it may look ten times a second; fifty cost 5 % of a core at rest.
	sqlitePoll = 100 * time.Millisecond
	// postgresPoll stands behind LISTEN: River tells of jobs inside the inserting
	// transaction and at most once per cooldown, so of two that overlap the later may go untold.
	postgresPoll = 100 * time.Millisecond
	// keepDone is how long finished jobs stay for somebody to look at.
	keepDone = time.Minute
)

// carrier brings due wakes to workers: River on either database.
type carrier interface {
	carry(ctx context.Context, tx *sqldb.Tx, due []subject) error
	start(ctx context.Context) error
	stop(ctx context.Context) error
}

// wakeArgs is all that a job of River holds.
type wakeArgs struct {
	Subject string `json:"kind"`
	Name    string `json:"name"`
}

// Kind is River's name for this one sort of job.
func (wakeArgs) Kind() string { return "wake" }

type worker struct {
	river.WorkerDefaults[wakeArgs]
	do func(ctx context.Context, who subject) error
}

// Work serves one job.
func (w *worker) Work(ctx context.Context, job *river.Job[wakeArgs]) error {
	return w.do(ctx, subject{kind: job.Args.Subject, name: job.Args.Name})
}

// riverCarrier is River with the transaction type of one driver.
type riverCarrier[T any] struct {
	client *river.Client[T]
	join   func(ctx context.Context, tx *sqldb.Tx) (T, error)
}

func newCarrier(db *sqldb.DB, cfg Config, do func(context.Context, subject) error) (carrier, error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker{do: do})
	config := &river.Config{
		Schema:                      db.Schema(),
		Logger:                      slog.New(&riverLog{logger: cfg.Logger}),
		Queues:                      map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: cfg.Workers}},
		Workers:                     workers,
		FetchCooldown:               fetchCooldown,
		MaxAttempts:                 3, // the wakes row has the last word
		JobTimeout:                  -1,
		RescueStuckJobsAfter:        2 * cfg.Timeout,
		CompletedJobRetentionPeriod: keepDone,
		DiscardedJobRetentionPeriod: time.Hour,
	}
	if db.Dialect() == sqldb.SQLite {
		config.PollOnly, config.FetchPollInterval = true, sqlitePoll
		return newRiver(riversqlite.New(db.Writer()), config, func(_ context.Context, tx *sqldb.Tx) (*sql.Tx, error) { return tx.Std(), nil })
	}
	config.FetchPollInterval = postgresPoll
	return newRiver(riverpgxv5.New(db.Pgx()), config, join)
}

func newRiver[T any](driver riverdriver.Driver[T], config *river.Config, join func(context.Context, *sqldb.Tx) (T, error)) (carrier, error) {
	client, err := river.NewClient(driver, config)
	if err != nil {
		return nil, err
	}
	return &riverCarrier[T]{client: client, join: join}, nil
}

func (c *riverCarrier[T]) carry(ctx context.Context, tx *sqldb.Tx, due []subject) error {
	jobs := make([]river.InsertManyParams, 0, len(due))
	for _, who := range due {
		jobs = append(jobs, river.InsertManyParams{Args: wakeArgs{Subject: who.kind, Name: who.name}})
	}
	joined, err := c.join(ctx, tx)
	if err != nil {
		return err
	}
	_, err = c.client.InsertManyTx(ctx, joined, jobs)
	return err
}

func (c *riverCarrier[T]) start(ctx context.Context) error { return c.client.Start(ctx) }

func (c *riverCarrier[T]) stop(ctx context.Context) error { return c.client.StopAndCancel(ctx) }

// migrateRiver makes River's tables in the schema of db.
func migrateRiver(ctx context.Context, db *sqldb.DB) error {
	if db.Dialect() == sqldb.SQLite {
		return migrateWith[*sql.Tx](ctx, riversqlite.New(db.Writer()), db)
	}
	return migrateWith[pgx.Tx](ctx, riverpgxv5.New(db.Pgx()), db)
}

func migrateWith[T any](ctx context.Context, driver riverdriver.Driver[T], db *sqldb.DB) error {
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Schema: db.Schema(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("river: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("river: %w", err)
	}
	return nil
}
