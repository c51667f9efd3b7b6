// Package store keeps what the implementation service knows.
//
// What people name and edit are resource kinds, one file each, named as the noun:
// task.go has the kind, task_move.go what happens to one, task_import.go its files.
// Enrolments, accounts, stances and messages are plain rows, because they come by
// the ten thousand and are mostly counted. Every write is one transaction with its
// event; an import is one event with counts, so that the log does not fill with who was in a file.
//
// What is computed is computed by pure packages from facts that are gathered here in
// few statements: plan_input.go for plans, facts*.go for readiness, detect*.go for
// detectors, usage*.go and adoption.go for use, survey_*.go for surveys, report and
// scorecard files for what is summed up.
package store

import (
	"context"
	"embed"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
)

//go:embed migrations metrics_migrations
var migrations embed.FS

// Source is the tables of the service; those of packages feed and resource come before it.
func Source() sqldb.Source { return sqldb.NewSource("implementation", migrations, "migrations") }

// Store is the store of one service. The kinds' methods take its [resource.Store].
type Store struct {
	*resource.Store

	log       *feed.Log
	mailHint  chan struct{} // messages were queued
	eventHint chan struct{} // events were queued for subscriptions
	metrics   *sqldb.DB     // usage, see UseMetrics
	usage     usageMemory
}

// New makes a store over a migrated database.
func New(db *sqldb.DB, log *feed.Log, now func() time.Time) *Store {
	return &Store{Store: resource.NewStore(db, log, resource.Config{Now: now, Actor: actor}), log: log, mailHint: make(chan struct{}, 1), eventHint: make(chan struct{}, 1)}
}

// UseMetrics keeps usage in a database of its own, which may lose its last second, and brings its tables up to date.
func (s *Store) UseMetrics(ctx context.Context, db *sqldb.DB) error {
	s.metrics = db
	return db.Migrate(ctx, sqldb.NewSource("implementation_metrics", migrations, "metrics_migrations"))
}

// actor is who asks, for events and request ids; the service itself where nobody does.
func actor(ctx context.Context) string {
	if p, ok := auth.FromContext(ctx); ok {
		return p.Name
	}
	return "services/implementation"
}

// tell appends the event of a change that is no resource of its own: a batch of
// enrolments, an import, a verdict. The resource is a collection or a facet below
// a resource, so that its revisions do not mix with that resource's.
func (s *Store) tell(ctx context.Context, tx *sqldb.Tx, r feed.Record) error {
	if r.Actor == "" {
		r.Actor = actor(ctx)
	}
	r.Time = s.Now()
	if r.Revision == 0 {
		r.Revision = r.Time.UnixMicro() // a batch has none; this one rises
	}
	return s.log.Append(ctx, tx, r)
}

// do is [resource.Do] on this store.
func do[R proto.Message](ctx context.Context, s *Store, req proto.Message, fn func(ctx context.Context, tx *sqldb.Tx) (R, error)) (R, error) {
	return resource.Do(ctx, s.Store, req, fn)
}
