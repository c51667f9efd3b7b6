package resource_test

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/resource/internal/librarypb"
	"github.com/golive-dev/golive/pkg/sqldb"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// library is a service with two resources, as a real one would define them.
type library struct {
	t       testing.TB
	db      *sqldb.DB
	log     *feed.Log
	store   *resource.Store
	shelves *resource.Kind[*librarypb.Shelf]
	books   *resource.Kind[*librarypb.Book]
	elapsed atomic.Int64 // of the store's clock, which stands still unless told
	written atomic.Int64 // how many writes the hook saw committed
}

const (
	shelf = "workspaces/default/shelves/fiction"
	start = "2026-03-01T08:00:00Z"
)

// define shows what a resource costs.
func (l *library) define() {
	l.shelves = resource.Define(resource.Spec[*librarypb.Shelf]{
		Table: "shelves",
		Hooks: resource.Hooks[*librarypb.Shelf]{BeforeDelete: l.empty},
	})
	l.books = resource.Define(resource.Spec[*librarypb.Book]{
		Table:  "books",
		Parent: l.shelves.RequiredLater,
		Columns: []resource.Column[*librarypb.Book]{
			{Field: "title"},
			{Field: "isbn"},
			{Field: "pages"},
			{Field: "reference_only"},
			{Field: "publish_time"},
			{Field: "state"},
			{Field: "author.display_name"},
			{Field: "labels"},
			{Field: "subjects"},
			{Name: "edition_count", Int: func(b *librarypb.Book) int64 { return int64(len(b.GetEditions())) }, Internal: true},
		},
		Terminal: func(b *librarypb.Book) bool { return b.GetState() == librarypb.Book_DISCARDED },
		Hooks: resource.Hooks[*librarypb.Book]{
			Default: func(_ context.Context, _ *sqldb.Tx, b *librarypb.Book) error {
				b.State = librarypb.Book_AVAILABLE
				return nil
			},
			Validate: func(_ context.Context, _ *sqldb.Tx, _, b *librarypb.Book) error { return agreeable(b) },
			AfterWrite: func(_ context.Context, tx *sqldb.Tx, _, _ *librarypb.Book) error {
				tx.AfterCommit(func() { l.written.Add(1) })
				return nil
			},
		},
	})
}

// agreeable is a rule that no annotation can say.
func agreeable(b *librarypb.Book) error {
	if b.GetPages() < 0 {
		return fault.Invalid("NEGATIVE_PAGES", "a book has pages, not debts").Field("book.pages", "must not be negative")
	}
	return nil
}

// empty keeps a shelf that has books.
func (l *library) empty(ctx context.Context, tx *sqldb.Tx, s *librarypb.Shelf) error {
	books, err := l.books.Select(ctx, tx, "WHERE parent = $1 LIMIT 1", s.GetName())
	if err == nil && len(books) > 0 {
		return fault.Precondition("RESOURCE_IN_USE", "%s still has books; remove them first", s.GetName())
	}
	return err
}

// open makes a library with one shelf, and proves at the end of the test that every column is what its message says.
func open(tb testing.TB, db *sqldb.DB) *library {
	tb.Helper()
	migrations, err := fs.Sub(os.DirFS("testdata"), "migrations")
	require.NoError(tb, err)
	require.NoError(tb, db.Migrate(tb.Context(), feed.Source(), resource.Source(), sqldb.Source{Name: "library", FS: migrations}))
	l := &library{t: tb, db: db, log: feed.New(db, feed.Config{})}
	l.define()
	began, err := time.Parse(time.RFC3339, start)
	require.NoError(tb, err)
	l.store = resource.NewStore(db, l.log, resource.Config{
		Now:   func() time.Time { return began.Add(time.Duration(l.elapsed.Load())) },
		Actor: actorOf,
	})
	_, err = l.shelves.Create(tb.Context(), l.store, &librarypb.CreateShelfRequest{
		Parent: "workspaces/default", ShelfId: "fiction", Shelf: &librarypb.Shelf{Theme: "Fiction"},
	})
	require.NoError(tb, err)
	tb.Cleanup(func() {
		require.NoError(tb, l.books.Rederive(context.WithoutCancel(tb.Context()), db))
		require.NoError(tb, l.shelves.Rederive(context.WithoutCancel(tb.Context()), db))
	})
	return l
}

type actorKey struct{}

func as(ctx context.Context, actor string) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

func actorOf(ctx context.Context) string {
	actor, _ := ctx.Value(actorKey{}).(string)
	return actor
}

func (l *library) advance(d time.Duration) { l.elapsed.Add(int64(d)) }

// add creates a book that must be possible.
func (l *library) add(id string, b *librarypb.Book) *librarypb.Book {
	l.t.Helper()
	made, err := l.books.Create(l.t.Context(), l.store, &librarypb.CreateBookRequest{Parent: shelf, BookId: id, Book: b})
	require.NoError(l.t, err)
	return made
}

func (l *library) get(id string) *librarypb.Book {
	l.t.Helper()
	b, err := l.books.Get(l.t.Context(), l.store, &librarypb.GetBookRequest{Name: bookName(id)})
	require.NoError(l.t, err)
	return b
}

func bookName(id string) string { return shelf + "/books/" + id }

// events are what happened to resources below a name, oldest first, as "type revision actor".
func (l *library) events(prefix string) []string {
	l.t.Helper()
	rows, err := l.db.Read().QueryContext(l.t.Context(),
		"SELECT type, revision, actor FROM events WHERE resource >= $1 AND resource < $2 ORDER BY seq", prefix, prefix+"~")
	var typ, actor string
	var revision int64
	all, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (string, error) {
		err := rows.Scan(&typ, &revision, &actor)
		return fmt.Sprintf("%s %d %s", typ, revision, actor), err
	})
	require.NoError(l.t, err)
	return all
}

// faultOf is the code and the reason of an error.
func faultOf(err error) string {
	f := fault.From(err)
	return f.Kind().String() + " " + f.Reason()
}

// refused requires a fault of this kind and reason, and returns it.
func refused(tb testing.TB, err error, kind fault.Kind, reason string) *fault.Error {
	tb.Helper()
	require.Error(tb, err)
	f := fault.From(err)
	require.Equal(tb, kind.String()+" "+reason, faultOf(err), "%v", err)
	require.NotEmpty(tb, f.Message())
	return f
}

// fieldsOf are the violated fields of a fault.
func fieldsOf(f *fault.Error) []string {
	var paths []string
	for _, violation := range f.Fields() {
		paths = append(paths, violation.GetField())
	}
	return paths
}
