package auth

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
)

//go:embed migrations
var migrations embed.FS

// Source returns the migrations of the revocation list.
func Source() sqldb.Source { return sqldb.NewSource("auth", migrations, "migrations") }

const (
	refreshEvery = 400 * time.Millisecond // a revocation elsewhere holds here after at most that and one query
	reloadEvery  = time.Minute            // even if the table looks unchanged
	staleAfter   = 10 * time.Second       // Ready complains
)

// Revocations is the revocation list of one service: a table, and in memory the
// ids in it. Asking it costs no query. A revocation in this process holds at
// once; Run brings in those of other replicas within half a second. While the
// database does not answer the last known list stays in force.
type Revocations struct {
	db     *sqldb.DB
	logger *zap.Logger

	// reading is held from looking at the table to changing ids, so that an
	// older look never overwrites a newer one.
	reading sync.Mutex

	mu       sync.RWMutex
	ids      map[string]struct{}
	watchers map[string]map[*watcher]struct{} // by token id
	seen     fingerprint
	loaded   time.Time // last full read
	fresh    time.Time // last look that succeeded
}

// watcher is one open stream that ends with its token.
type watcher struct{ end func() }

// fingerprint changes whenever the table does.
type fingerprint struct{ count, last int64 }

// NewRevocations returns the list in db and reads it once.
func NewRevocations(ctx context.Context, db *sqldb.DB, logger *zap.Logger) (*Revocations, error) {
	r := &Revocations{db: db, logger: logger, watchers: make(map[string]map[*watcher]struct{})}
	if err := r.refresh(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// Run keeps the list current until ctx ends.
func (r *Revocations) Run(ctx context.Context) error {
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := r.refresh(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			r.logger.Warn("revocation list not refreshed; the last known one stays in force", zap.Error(err))
		}
		failing = err != nil
	}
}

// Ready returns an error while the list is too old to be trusted to be complete.
func (r *Revocations) Ready(context.Context) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if age := time.Since(r.fresh); age > staleAfter {
		return fmt.Errorf("revocation list is %s old", age.Round(time.Second))
	}
	return nil
}

// Has tells whether a token is revoked. A nil list has none.
func (r *Revocations) Has(tokenID string) bool {
	if r == nil {
		return false
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, revoked := r.ids[tokenID]
	return revoked
}

// watch calls end once when the token is revoked; at once if it is.
func (r *Revocations) watch(tokenID string, end func()) (stop func()) {
	if r == nil || tokenID == "" {
		return func() {}
	}
	w := &watcher{end: end}
	r.mu.Lock()
	_, revoked := r.ids[tokenID]
	if !revoked {
		if r.watchers[tokenID] == nil {
			r.watchers[tokenID] = make(map[*watcher]struct{})
		}
		r.watchers[tokenID][w] = struct{}{}
	}
	r.mu.Unlock()
	if revoked {
		end()
		return func() {}
	}
	return func() { r.unwatch(tokenID, w) }
}

func (r *Revocations) unwatch(tokenID string, w *watcher) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.watchers[tokenID], w)
	if len(r.watchers[tokenID]) == 0 {
		delete(r.watchers, tokenID)
	}
}

// refresh reads the list again if it changed, and ends the streams of what is new in it.
func (r *Revocations) refresh(ctx context.Context) error {
	r.reading.Lock()
	defer r.reading.Unlock()
	var now fingerprint
	err := r.db.Read().QueryRowContext(ctx,
		"SELECT count(*), coalesce(max(seq), 0) FROM revoked_tokens").Scan(&now.count, &now.last)
	if err != nil {
		return fmt.Errorf("read revocation list: %w", err)
	}
	r.mu.Lock()
	unchanged := r.ids != nil && now == r.seen && time.Since(r.loaded) < reloadEvery
	if unchanged {
		r.fresh = time.Now()
	}
	r.mu.Unlock()
	if unchanged {
		return nil
	}
	rows, err := r.db.Read().QueryContext(ctx, "SELECT token_id FROM revoked_tokens")
	ids, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (id string, err error) { return id, rows.Scan(&id) })
	if err != nil {
		return fmt.Errorf("read revocation list: %w", err)
	}
	set := make(map[string]struct{}, len(ids))
	for _, id := range ids {
		set[id] = struct{}{}
	}
	r.replace(set, now)
	return nil
}

func (r *Revocations) replace(ids map[string]struct{}, seen fingerprint) {
	r.mu.Lock()
	r.ids, r.seen, r.loaded, r.fresh = ids, seen, time.Now(), time.Now()
	var over []*watcher
	for id := range r.watchers {
		if _, revoked := ids[id]; revoked {
			over = append(over, r.take(id)...)
		}
	}
	r.mu.Unlock()
	endAll(over)
}

// add puts one committed id into force without waiting for the next look.
func (r *Revocations) add(id string) {
	r.reading.Lock()
	defer r.reading.Unlock()
	r.mu.Lock()
	r.ids[id] = struct{}{}
	over := r.take(id)
	r.mu.Unlock()
	endAll(over)
}

// take removes and returns the watchers of a token; mu is held.
func (r *Revocations) take(id string) []*watcher {
	over := slices.Collect(maps.Keys(r.watchers[id]))
	delete(r.watchers, id)
	return over
}

// endAll runs without the lock, since a stream that ends calls unwatch.
func endAll(over []*watcher) {
	for _, w := range over {
		w.end()
	}
}

// Revocation is one entry of the list.
type Revocation struct {
	TokenID, RevokedBy, Reason string
	Time, Expires              time.Time
	seq                        int64
}

// Revoke puts a token on the list; it holds in this process when Revoke
// returns. A token that is there already keeps its first entry, which is returned.
func (r *Revocations) Revoke(ctx context.Context, tokenID, by, reason string) (Revocation, error) {
	var entry Revocation
	err := r.db.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now := time.Now()
		// What has expired needs no entry any more. Whoever writes cleans up, so that nothing must run for it.
		if _, err := tx.ExecContext(ctx, "DELETE FROM revoked_tokens WHERE expire_time < $1", now.UnixMicro()); err != nil {
			return fmt.Errorf("prune revocation list: %w", err)
		}
		// The id does not tell when the token ends; no token lives longer than this.
		_, err := tx.ExecContext(ctx, `INSERT INTO revoked_tokens (token_id, revoked_by, reason, revoke_time, expire_time)
			VALUES ($1, $2, $3, $4, $5) ON CONFLICT (token_id) DO NOTHING`,
			tokenID, by, reason, now.UnixMicro(), now.Add(MaxTTL+Leeway).UnixMicro())
		if err != nil {
			return fmt.Errorf("revoke token: %w", err)
		}
		entry, err = scanRevocation(tx.QueryRowContext(ctx, selectRevocation+" WHERE token_id = $1", tokenID))
		if err != nil {
			return fmt.Errorf("revoke token: %w", err)
		}
		return nil
	})
	if err != nil {
		return Revocation{}, err
	}
	r.add(tokenID)
	return entry, nil
}

const selectRevocation = "SELECT seq, token_id, revoked_by, reason, revoke_time, expire_time FROM revoked_tokens"

// List returns up to limit entries, newest first, after the page token of the
// call before, and the next token, empty at the end. By, if not empty, asks for the entries of one principal.
func (r *Revocations) List(ctx context.Context, by string, limit int, after string) ([]Revocation, string, error) {
	before, err := decodePage(after)
	if err != nil {
		return nil, "", err
	}
	rows, err := r.db.Read().QueryContext(ctx,
		selectRevocation+" WHERE seq < $1 AND ($2 = '' OR revoked_by = $2) ORDER BY seq DESC LIMIT $3", before, by, limit+1)
	entries, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (Revocation, error) { return scanRevocation(rows) })
	if err != nil {
		return nil, "", fmt.Errorf("list revocations: %w", err)
	}
	if len(entries) <= limit {
		return entries, "", nil
	}
	return entries[:limit], encodePage(entries[limit-1].seq), nil
}

func scanRevocation(row interface{ Scan(dest ...any) error }) (Revocation, error) {
	var (
		e              Revocation
		revoked, until int64
	)
	err := row.Scan(&e.seq, &e.TokenID, &e.RevokedBy, &e.Reason, &revoked, &until)
	e.Time, e.Expires = time.UnixMicro(revoked).UTC(), time.UnixMicro(until).UTC()
	return e, err
}

func badPage() *fault.Error {
	return fault.Invalid("PAGE_TOKEN_MISMATCH",
		"the page token is not one that this list gave out; start again without it").
		Field("page_token", "is not a next_page_token of this list")
}
