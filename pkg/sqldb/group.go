package sqldb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// What one COMMIT holds at most: who came first waits for those who came last.
const (
	maxMembers   = 64
	maxGroupTime = 5 * time.Millisecond
)

// errUndone says that a transaction was undone for the sake of another in its group; it runs again.
var errUndone = errors.New("undone with another transaction")

// group is SQLite's one writer. Waiting for the disk is most of what a small
// write costs, so writers that queue share a commit: whoever finishes while
// others wait leaves the transaction open for the next, and the last one
// commits for all. Each is acknowledged after that commit, and has a savepoint of
// its own, so that its failure undoes nothing of the others.
//
//	take ─▶ join ─▶ fn ─▶ leave ──next waits──▶ its turn, same transaction
//	                        └──nobody waits, or enough──▶ COMMIT, all are told
type group struct {
	writer *sql.DB
	open   *shared // belongs to whoever has the turn

	mu    sync.Mutex
	taken bool // somebody has the turn
	queue []chan struct{}
}

// shared is a transaction of several members.
type shared struct {
	conn    *sql.Conn
	std     *sql.Tx
	began   time.Time
	members int
	ended   chan struct{}
	err     error // why nothing of it was committed; set before ended is closed
}

// run runs fn as a member. Also one that fails waits for the end: what it
// refused may rest on what another had not committed yet.
func (g *group) run(ctx context.Context, tx *Tx, fn func(ctx context.Context, tx *Tx) error) error {
	if err := g.take(ctx); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	s, err := g.member(ctx, tx, fn)
	if s == nil {
		return err
	}
	<-s.ended
	if s.err != nil {
		return s.err
	}
	return err
}

// take waits for the turn, in the order of arrival.
func (g *group) take(ctx context.Context) error {
	g.mu.Lock()
	if !g.taken {
		g.taken = true
		g.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	g.queue = append(g.queue, turn)
	g.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	at := slices.Index(g.queue, turn)
	if at >= 0 {
		g.queue = slices.Delete(g.queue, at, at+1)
	}
	g.mu.Unlock()
	if at < 0 {
		<-turn
		g.leave() // the one before counts on us to commit
	}
	return context.Cause(ctx)
}

// member has the turn, and gives it on also when fn panics.
func (g *group) member(ctx context.Context, tx *Tx, fn func(ctx context.Context, tx *Tx) error) (s *shared, err error) {
	defer g.leave()
	whole := context.WithoutCancel(ctx) // what is shared does not end with one of those who share it
	if s, err = g.join(whole); err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	tx.std = s.std
	done := false
	defer func() {
		if !done {
			g.undo(whole, s)
		}
	}()
	err = cmp.Or(tx.reason(fn(ctx, tx)), ctx.Err())
	done = err == nil
	return s, err
}

// join begins a transaction, or a savepoint in the open one.
func (g *group) join(ctx context.Context) (*shared, error) {
	if g.open != nil {
		text := "RELEASE member; SAVEPOINT member"
		if g.open.members++; g.open.members == 2 {
			text = "SAVEPOINT member" // the first one's failure undoes all there is
		}
		if _, err := g.open.std.ExecContext(ctx, text); err != nil {
			g.end(fmt.Errorf("%w: %w", errUndone, err))
			return nil, err
		}
		return g.open, nil
	}
	conn, err := g.writer.Conn(ctx)
	if err != nil {
		return nil, err
	}
	std, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	g.open = &shared{conn: conn, std: std, began: time.Now(), members: 1, ended: make(chan struct{})}
	return g.open, nil
}

// undo takes back what the last member did.
func (g *group) undo(ctx context.Context, s *shared) {
	if s.members == 1 {
		g.end(nil)
		return
	}
	if _, err := s.std.ExecContext(ctx, "ROLLBACK TO member"); err != nil {
		g.end(fmt.Errorf("%w: %w", errUndone, err)) // SQLite undid all: the disk is full, or broken
	}
}

// end rolls the open transaction back.
func (g *group) end(why error) {
	_ = g.open.std.Rollback() // why says more
	g.tell(why)
}

func (g *group) commit() {
	err := g.open.std.Commit()
	if err != nil {
		err = fmt.Errorf("commit: %w", err)
	}
	g.tell(err)
}

func (g *group) tell(err error) {
	s := g.open
	g.open = nil
	_ = s.conn.Close() // hands it back to the pool; a broken one has failed its statement already
	s.err = err
	close(s.ended)
}

// leave commits unless somebody goes on, and gives the turn to who is next.
func (g *group) leave() {
	next := g.next(false)
	if s := g.open; s != nil && (next == nil || s.members >= maxMembers || time.Since(s.began) > maxGroupTime) {
		g.commit()
	}
	if next == nil {
		next = g.next(true)
	}
	if next != nil {
		close(next)
	}
}

// next takes the first out of the queue, who cannot go without its turn from
// then on. When there is nobody the turn is free, if free is set.
func (g *group) next(free bool) chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.queue) == 0 {
		g.taken = !free
		return nil
	}
	first := g.queue[0]
	g.queue = g.queue[1:]
	return first
}
