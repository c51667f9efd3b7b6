package resource_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/resource/internal/librarypb"
	"github.com/golive-dev/golive/pkg/sqldb"
)

// clients write at the same time.
const clients = 16

// together runs fn n times, shared by the clients, and returns how long that took.
func together(n int, fn func()) time.Duration {
	var left atomic.Int64
	left.Store(int64(n))
	began := time.Now()
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				fn()
			}
		})
	}
	all.Wait()
	return time.Since(began)
}

// BenchmarkDurableCreate measures creations by 16 clients (the row, its request
// id and its event, under a parent that must exist; durable) beside two loops of
// the same clients on the same database through the same driver, in turns in the same run:
//
//	bare/s  one INSERT of a row of two columns, committed by itself (autocommit):
//	        on SQLite a BEGIN IMMEDIATE less, on PostgreSQL one round trip
//	tx/s    the same INSERT in sqldb's transaction, which on SQLite shares commits
//
// create:bare is what a create costs beside the least that is durable. On
// SQLite it is above one, because creates share their waits for the disk and
// the bare loop does not.
func BenchmarkDurableCreate(b *testing.B) {
	for _, kind := range pgtest.Databases(b) {
		b.Run(kind.Name, func(b *testing.B) {
			db := kind.Open(b)
			l := open(b, db)
			_, err := db.Writer().ExecContext(b.Context(), "CREATE TABLE bare (id BIGINT PRIMARY KEY, data TEXT NOT NULL)")
			require.NoError(b, err)
			var last atomic.Int64
			bare := func() {
				id := last.Add(1)
				if _, err := db.Writer().ExecContext(b.Context(), "INSERT INTO bare (id, data) VALUES ($1, $2)", id, "a hundred bytes or so, as a small row has"); err != nil {
					b.Error(err)
				}
			}
			create := func() {
				id := last.Add(1)
				_, err := l.books.Create(b.Context(), l.store, &librarypb.CreateBookRequest{
					Parent: shelf, BookId: fmt.Sprintf("b%d", id), RequestId: fmt.Sprintf("r%d", id),
					Book: &librarypb.Book{Title: "Dune", Pages: 412, Author: &librarypb.Author{DisplayName: "Herbert"}},
				})
				if err != nil {
					b.Error(err)
				}
			}
			inTx := func() {
				id := last.Add(1)
				err := db.Tx(b.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
					_, err := tx.ExecContext(ctx, "INSERT INTO bare (id, data) VALUES ($1, $2)", id, "a hundred bytes or so, as a small row has")
					return err
				})
				if err != nil {
					b.Error(err)
				}
			}
			const some = 400
			together(some, bare)
			together(some, create)
			var bared, txed, created time.Duration
			rounds := 0
			for b.Loop() {
				bared += together(some, bare)
				txed += together(some, inTx)
				created += together(some, create)
				rounds++
			}
			perSecond := func(d time.Duration) float64 { return float64(rounds*some) / d.Seconds() }
			b.ReportMetric(perSecond(created), "create/s")
			b.ReportMetric(perSecond(bared), "bare/s")
			b.ReportMetric(perSecond(txed), "tx/s")
			b.ReportMetric(bared.Seconds()/created.Seconds(), "create:bare")
			b.ReportMetric(txed.Seconds()/created.Seconds(), "create:tx")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func BenchmarkGet(b *testing.B) {
	for _, kind := range pgtest.Databases(b) {
		b.Run(kind.Name, func(b *testing.B) {
			l := open(b, kind.Open(b))
			name := l.add("dune", dune()).GetName()
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := l.books.Get(b.Context(), l.store, &librarypb.GetBookRequest{Name: name}); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

func BenchmarkList(b *testing.B) {
	for _, kind := range pgtest.Databases(b) {
		b.Run(kind.Name, func(b *testing.B) {
			l := open(b, kind.Open(b))
			for i := range 500 {
				l.add(fmt.Sprintf("b%d", i), &librarypb.Book{Title: fmt.Sprint(i), Pages: int32(i), Labels: map[string]string{"k": fmt.Sprint(i % 2)}})
			}
			b.ReportAllocs()
			for b.Loop() {
				books, _, err := l.books.List(b.Context(), l.store, &librarypb.ListBooksRequest{
					Parent: shelf, PageSize: 50, Filter: `labels.k = "1" AND pages > 100`, OrderBy: "pages desc",
				})
				require.NoError(b, err)
				require.Len(b, books, 50)
			}
		})
	}
}
