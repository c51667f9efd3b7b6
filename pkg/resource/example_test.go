package resource_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/resource/internal/librarypb"
	"github.com/golive-dev/golive/pkg/sqldb"
)

// A new resource: what its message does not say about itself, and its handlers.

type bookAPI struct {
	store *resource.Store
	books *resource.Kind[*librarypb.Book]
}

func newBookAPI(store *resource.Store) *bookAPI {
	return &bookAPI{store: store, books: resource.Define(resource.Spec[*librarypb.Book]{
		Table: "books",
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
			{Name: "edition_count", Int: func(b *librarypb.Book) int64 { return int64(len(b.GetEditions())) }},
		},
		Terminal: func(b *librarypb.Book) bool { return b.GetState() == librarypb.Book_DISCARDED },
	})}
}

func (a *bookAPI) CreateBook(ctx context.Context, req *librarypb.CreateBookRequest) (*librarypb.Book, error) {
	return a.books.Create(ctx, a.store, req)
}

func (a *bookAPI) UpdateBook(ctx context.Context, req *librarypb.UpdateBookRequest) (*librarypb.Book, error) {
	return a.books.Update(ctx, a.store, req)
}

func (a *bookAPI) ListBooks(ctx context.Context, req *librarypb.ListBooksRequest) (books []*librarypb.Book, next string, err error) {
	return a.books.List(ctx, a.store, req)
}

// Up to here. The rest is what a service does once, and a client.

func Example() {
	if err := example(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// created workspaces/default/shelves/fiction/books/dune
	// ABORTED ETAG_MISMATCH
	// found Dune, 412 pages
}

func example(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "library")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	db, err := sqldb.Open(ctx, sqldb.Config{URL: "sqlite:" + filepath.Join(dir, "library.db")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	migrations, err := fs.Sub(os.DirFS("testdata"), "migrations")
	if err != nil {
		return err
	}
	if err := db.Migrate(ctx, feed.Source(), resource.Source(), sqldb.Source{Name: "library", FS: migrations}); err != nil {
		return err
	}
	return visit(ctx, newBookAPI(resource.NewStore(db, feed.New(db, feed.Config{}), resource.Config{})))
}

func visit(ctx context.Context, api *bookAPI) error {
	made, err := api.CreateBook(ctx, &librarypb.CreateBookRequest{
		Parent: "workspaces/default/shelves/fiction", BookId: "dune", RequestId: "6f1c",
		Book: &librarypb.Book{Title: "Dune", Labels: map[string]string{"genre": "sf"}},
	})
	if err != nil {
		return err
	}
	fmt.Println("created", made.GetName())
	change := &librarypb.Book{Name: made.GetName(), Etag: made.GetEtag(), Pages: 412}
	if _, err := api.UpdateBook(ctx, &librarypb.UpdateBookRequest{Book: change}); err != nil {
		return err
	}
	change.Pages = 500 // from a state that is not the stored one any more
	_, stale := api.UpdateBook(ctx, &librarypb.UpdateBookRequest{Book: change})
	fmt.Println(faultOf(stale))
	books, _, err := api.ListBooks(ctx, &librarypb.ListBooksRequest{
		Parent: "workspaces/default/shelves/-", Filter: `labels.genre = "sf" AND pages > 400`, OrderBy: "pages desc",
	})
	if err != nil {
		return err
	}
	for _, b := range books {
		fmt.Printf("found %s, %d pages\n", b.GetTitle(), b.GetPages())
	}
	return nil
}
