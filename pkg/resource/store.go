package resource

import (
	"context"
	"embed"
	"errors"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/sqldb"
)

//go:embed migrations
var migrations embed.FS

// Source are the tables of this package: request_ids and resource_sets. A
// service migrates it, and package feed's, before its own.
func Source() sqldb.Source { return sqldb.NewSource("resource", migrations, "migrations") }

// Store is what the standard methods need beside the kind: where rows and
// events go, what time it is and who asks.
type Store struct {
	db  *sqldb.DB
	log *feed.Log
	cfg Config
}

// Config has what a [Store] may be told; its zero value works.
type Config struct {
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	// Actor names the principal of a request, in events and as the scope of
	// request ids; "services/unknown" when nil.
	Actor func(ctx context.Context) string
	// PageSize is how many a List answers when not asked; 50 when 0.
	PageSize int
	// MaxPageSize is how many a List answers at most, whatever it is asked; 1000 when 0.
	MaxPageSize int
}

// NewStore makes a store.
func NewStore(db *sqldb.DB, log *feed.Log, cfg Config) *Store {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.PageSize <= 0 {
		cfg.PageSize = 50
	}
	if cfg.MaxPageSize <= 0 {
		cfg.MaxPageSize = 1000
	}
	return &Store{db: db, log: log, cfg: cfg}
}

// DB is the database that the store writes to.
func (s *Store) DB() *sqldb.DB { return s.db }

// Now is the store's clock as it is stored: UTC, whole microseconds.
func (s *Store) Now() time.Time { return s.cfg.Now().UTC().Truncate(time.Microsecond) }

func (s *Store) actor(ctx context.Context) string {
	if s.cfg.Actor != nil {
		if name := s.cfg.Actor(ctx); name != "" {
			return name
		}
	}
	return "services/unknown"
}

// errRollback ends the transaction of a request that only validates.
var errRollback = errors.New("validate_only")

// Do runs one write of a client: fn in one transaction, whose answer is kept
// under the request's request_id (AIP-155) and undone when its validate_only
// is set (AIP-163). Create, Update and Delete are made of it; a custom verb
// calls it with its own request. fn may run more than once; it changes nothing
// but the database. Requests that have neither field are fine too.
//
// The same request again, also at the same time, answers what the first one
// answered and does nothing; another request under the same id is REQUEST_ID_REUSED.
func Do[R proto.Message](ctx context.Context, s *Store, req proto.Message, fn func(ctx context.Context, tx *sqldb.Tx) (R, error)) (R, error) {
	var none R
	r := request{req.ProtoReflect()}
	validateOnly := r.bool("validate_only")
	var key replayKey
	if id := r.text("request_id"); id != "" && !validateOnly {
		var err error
		if key, err = s.replayKey(ctx, r, id); err != nil {
			return none, err
		}
	}
	for again := 2; ; again-- {
		answer, err := once(ctx, s, key, validateOnly, fn)
		if err == nil || key.id == "" {
			return answer, err
		}
		// The same request before may be the reason: its id is taken, what it
		// created exists, what it changed is stale. Looking first would cost
		// every request what only a repeated one needs.
		if earlier, ok, found := replay[R](ctx, s, key); ok || found != nil {
			return earlier, found
		}
		if !errors.Is(err, errRaced) || again == 0 {
			return none, err
		}
		if err := s.forget(ctx, key); err != nil { // what stands there has expired
			return none, err
		}
	}
}

// once is [Do] without a look at what was answered before.
func once[R proto.Message](ctx context.Context, s *Store, key replayKey, validateOnly bool, fn func(ctx context.Context, tx *sqldb.Tx) (R, error)) (answer R, err error) {
	err = s.db.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		if answer, err = fn(ctx, tx); err != nil {
			return err
		}
		if validateOnly {
			if err := tx.Flush(ctx); err != nil {
				return err
			}
			return errRollback
		}
		return s.remember(ctx, tx, key, answer)
	})
	if err == nil || errors.Is(err, errRollback) {
		return answer, nil
	}
	var none R
	return none, err
}
