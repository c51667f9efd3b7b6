package resource_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/resource/internal/librarypb"
	"github.com/golive-dev/golive/pkg/sqldb"
)

const (
	racers = 16
	rounds = 20
)

// race runs fn once for every racer at the same time.
func race(fn func(racer int)) {
	var all sync.WaitGroup
	begin := make(chan struct{})
	for racer := range racers {
		all.Go(func() {
			<-begin
			fn(racer)
		})
	}
	close(begin)
	all.Wait()
}

func TestOneOfSixteenWritersWinsAnEtag(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		b := l.add("dune", dune())
		for round := range rounds {
			var won atomic.Int64
			var winner atomic.Value
			errs := make([]error, racers)
			race(func(racer int) {
				title := fmt.Sprintf("%d by %d", round, racer)
				_, err := l.books.Update(t.Context(), l.store, &librarypb.UpdateBookRequest{
					Book: &librarypb.Book{Name: b.GetName(), Etag: b.GetEtag(), Title: title},
				})
				if err == nil {
					won.Add(1)
					winner.Store(title)
				}
				errs[racer] = err
			})
			require.EqualValues(t, 1, won.Load())
			for _, err := range errs {
				if err != nil {
					refused(t, err, fault.KindConflict, "ETAG_MISMATCH")
				}
			}
			b = l.get("dune")
			require.Equal(t, winner.Load(), b.GetTitle())
			require.EqualValues(t, round+2, b.GetRevision())
		}
		require.Len(t, l.events(b.GetName()), rounds+1)
	})
}

func TestNoUpdateWithoutAnEtagIsLost(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		b := l.add("dune", dune())
		race(func(racer int) {
			key := fmt.Sprintf("k%d", racer)
			_, err := l.books.Update(t.Context(), l.store, &librarypb.UpdateBookRequest{
				Book:       &librarypb.Book{Name: b.GetName(), Labels: map[string]string{key: "1"}},
				UpdateMask: mask("labels." + key),
			})
			if err != nil {
				t.Error(err)
			}
		})
		b = l.get("dune")
		require.Len(t, b.GetLabels(), 2+racers)
		require.EqualValues(t, 1+racers, b.GetRevision())
	})
}

func TestOneOfSixteenEnginesWinsARevision(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		l.add("dune", dune())
		for round := range rounds {
			var won atomic.Int64
			errs := make([]error, racers)
			race(func(racer int) {
				errs[racer] = db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
					m, err := l.books.Load(ctx, tx, bookName("dune"))
					if err != nil {
						return err
					}
					m.Pages++
					return l.books.Save(ctx, tx, l.store, m, int64(round+1), resource.Meta{})
				})
				if errs[racer] == nil {
					won.Add(1)
				}
			})
			require.EqualValues(t, 1, won.Load())
			for _, err := range errs {
				if err != nil {
					refused(t, err, fault.KindConflict, "REVISION_MISMATCH")
				}
			}
		}
		require.EqualValues(t, 412+rounds, l.get("dune").GetPages())
	})
}

func TestNothingIsCreatedUnderAParentThatGoes(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		for round := range rounds {
			parent := fmt.Sprintf("workspaces/default/shelves/s%d", round)
			_, err := l.shelves.Create(t.Context(), l.store, &librarypb.CreateShelfRequest{
				Parent: "workspaces/default", ShelfId: fmt.Sprintf("s%d", round), Shelf: &librarypb.Shelf{},
			})
			require.NoError(t, err)
			var created, deleted atomic.Int64
			race(func(racer int) {
				if racer%4 == 0 {
					if _, err := l.shelves.Delete(t.Context(), l.store, &librarypb.DeleteShelfRequest{Name: parent}); err == nil {
						deleted.Add(1)
					}
					return
				}
				if _, err := l.books.Create(t.Context(), l.store, &librarypb.CreateBookRequest{Parent: parent, Book: &librarypb.Book{Title: "T"}}); err == nil {
					created.Add(1)
				}
			})
			require.Falsef(t, created.Load() > 0 && deleted.Load() > 0, "%d books on a shelf that is gone", created.Load())
			require.Positive(t, created.Load()+deleted.Load())
		}
	})
}
