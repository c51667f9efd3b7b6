package resource_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/resource/internal/librarypb"
	"github.com/golive-dev/golive/pkg/sqldb"
)

func TestTheMigrationIsWhatTheKindExpects(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		require.NoError(t, l.shelves.CheckTable(t.Context(), db))
		require.NoError(t, l.books.CheckTable(t.Context(), db))

		other := resource.Define(resource.Spec[*librarypb.Book]{
			Table:   "books",
			Columns: []resource.Column[*librarypb.Book]{{Field: "read"}, {Name: "title", Int: func(*librarypb.Book) int64 { return 0 }}},
		})
		err := other.CheckTable(t.Context(), db)
		require.ErrorContains(t, err, `column read is ""`)
		require.ErrorContains(t, err, "column title is")
		require.ErrorContains(t, err, "CREATE TABLE books (", "it says what is expected")
		require.NotContains(t, err.Error(), "column digest")
	})
}

func TestTheDDLIsATableThatServes(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		_, err := db.Writer().ExecContext(t.Context(), "DROP TABLE books; "+l.books.DDL(db.Dialect()))
		require.NoError(t, err)
		require.NoError(t, l.books.CheckTable(t.Context(), db))
		l.add("dune", &librarypb.Book{Title: "Dune"})
		require.Equal(t, "Dune", l.get("dune").GetTitle())
	})
}

func TestCreateFillsWhatTheServerSets(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		made, err := l.books.Create(as(t.Context(), "users/ann"), l.store, &librarypb.CreateBookRequest{
			Parent: shelf, BookId: "dune",
			Book: &librarypb.Book{
				Name: "ignored", Uid: "mine", Etag: "mine", Revision: 77, State: librarypb.Book_LENT, CreateTime: timestamppb.Now(),
				Title: "Dune", Author: &librarypb.Author{DisplayName: "Herbert", BookCount: 99},
				Editions: []*librarypb.Edition{{Publisher: "Chilton", Sold: 1_000_000}},
				Labels:   map[string]string{"genre": "sf"}, Subjects: []string{"desert", "desert"},
			},
		})
		require.NoError(t, err)
		require.Equal(t, bookName("dune"), made.GetName())
		require.NotEqual(t, "mine", made.GetUid())
		require.Len(t, made.GetUid(), 36)
		require.True(t, strings.HasPrefix(made.GetEtag(), `"`))
		require.EqualValues(t, 1, made.GetRevision())
		require.Equal(t, start, made.GetCreateTime().AsTime().Format(time.RFC3339))
		require.Equal(t, start, made.GetUpdateTime().AsTime().Format(time.RFC3339))
		require.Equal(t, librarypb.Book_AVAILABLE, made.GetState(), "output is cleared, then the Default hook speaks")
		require.Zero(t, made.GetAuthor().GetBookCount(), "in nested messages too")
		require.Zero(t, made.GetEditions()[0].GetSold(), "in lists too")
		require.EqualExportedValues(t, made, l.get("dune"))
		require.Equal(t, []string{"library.book.created 1 users/ann"}, l.events(bookName("")))
	})
}

func TestCreateWithoutAnIDMakesOne(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		first, second := l.add("", &librarypb.Book{Title: "A"}), l.add("", &librarypb.Book{Title: "B"})
		require.NotEqual(t, first.GetName(), second.GetName())
		ids, err := l.books.Parse(first.GetName())
		require.NoError(t, err)
		require.Equal(t, []string{"default", "fiction"}, ids[:2])
		require.Regexp(t, "^b[a-z2-7]{15}$", ids[2])
	})
}

func TestCreateRefuses(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		l.add("dune", &librarypb.Book{Title: "Dune", Isbn: "1"})
		good := func() *librarypb.Book { return &librarypb.Book{Title: "Title"} }
		before := len(l.events("workspaces/"))
		for name, c := range map[string]struct {
			req    *librarypb.CreateBookRequest
			kind   fault.Kind
			reason string
			fields []string
		}{
			"no parent":             {&librarypb.CreateBookRequest{BookId: "x", Book: good()}, fault.KindInvalid, "INVALID_PARENT", []string{"parent"}},
			"a parent of others":    {&librarypb.CreateBookRequest{Parent: "workspaces/default", Book: good()}, fault.KindInvalid, "INVALID_PARENT", []string{"parent"}},
			"a parent too deep":     {&librarypb.CreateBookRequest{Parent: bookName("dune"), Book: good()}, fault.KindInvalid, "INVALID_PARENT", []string{"parent"}},
			"a wildcard parent":     {&librarypb.CreateBookRequest{Parent: "workspaces/default/shelves/-", Book: good()}, fault.KindInvalid, "INVALID_PARENT", []string{"parent"}},
			"a zero byte":           {&librarypb.CreateBookRequest{Parent: "workspaces/default/shelves/\x00", Book: good()}, fault.KindInvalid, "INVALID_PARENT", []string{"parent"}},
			"a parent that is not":  {&librarypb.CreateBookRequest{Parent: "workspaces/default/shelves/none", Book: good()}, fault.KindNotFound, "RESOURCE_NOT_FOUND", nil},
			"upper case in the id":  {&librarypb.CreateBookRequest{Parent: shelf, BookId: "Dune", Book: good()}, fault.KindInvalid, "INVALID_RESOURCE_ID", []string{"book_id"}},
			"a slash in the id":     {&librarypb.CreateBookRequest{Parent: shelf, BookId: "a/books/b", Book: good()}, fault.KindInvalid, "INVALID_RESOURCE_ID", []string{"book_id"}},
			"a wildcard as id":      {&librarypb.CreateBookRequest{Parent: shelf, BookId: "-", Book: good()}, fault.KindInvalid, "INVALID_RESOURCE_ID", []string{"book_id"}},
			"an id too long":        {&librarypb.CreateBookRequest{Parent: shelf, BookId: strings.Repeat("a", 64), Book: good()}, fault.KindInvalid, "INVALID_RESOURCE_ID", []string{"book_id"}},
			"no book":               {&librarypb.CreateBookRequest{Parent: shelf, BookId: "x"}, fault.KindInvalid, "REQUIRED_FIELD", []string{"book"}},
			"no title":              {&librarypb.CreateBookRequest{Parent: shelf, Book: &librarypb.Book{}}, fault.KindInvalid, "REQUIRED_FIELD", []string{"book.title"}},
			"nested required":       {&librarypb.CreateBookRequest{Parent: shelf, Book: &librarypb.Book{Title: "T", Author: &librarypb.Author{}, Editions: []*librarypb.Edition{{Publisher: "P"}, {}}}}, fault.KindInvalid, "REQUIRED_FIELD", []string{"book.author.display_name", "book.editions[1].publisher"}},
			"required in itself":    {&librarypb.CreateBookRequest{Parent: shelf, Book: &librarypb.Book{Title: "T", Original: &librarypb.Book{Title: "O", Original: &librarypb.Book{}}}}, fault.KindInvalid, "REQUIRED_FIELD", []string{"book.original.original.title"}},
			"what a hook refuses":   {&librarypb.CreateBookRequest{Parent: shelf, Book: &librarypb.Book{Title: "T", Pages: -1}}, fault.KindInvalid, "NEGATIVE_PAGES", []string{"book.pages"}},
			"a text no column has":  {&librarypb.CreateBookRequest{Parent: shelf, Book: &librarypb.Book{Title: "T\x00", Subjects: []string{"\x00"}}}, fault.KindInvalid, "INVALID_FIELD", []string{"book.title", "book.subjects"}},
			"a name that is taken":  {&librarypb.CreateBookRequest{Parent: shelf, BookId: "dune", Book: good()}, fault.KindAlreadyExists, "ALREADY_EXISTS", nil},
			"a value that is taken": {&librarypb.CreateBookRequest{Parent: shelf, BookId: "other", Book: &librarypb.Book{Title: "T", Isbn: "1"}}, fault.KindAlreadyExists, "ALREADY_EXISTS", []string{"book.isbn"}},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := l.books.Create(t.Context(), l.store, c.req)
				require.ElementsMatch(t, c.fields, fieldsOf(refused(t, err, c.kind, c.reason)))
			})
		}
		require.Len(t, l.events("workspaces/"), before, "nothing happened")
	})
}

func TestAWorkspaceIsOnlyAName(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		made, err := l.shelves.Create(t.Context(), l.store, &librarypb.CreateShelfRequest{
			Parent: "workspaces/other", ShelfId: "fiction", Shelf: &librarypb.Shelf{},
		})
		require.NoError(t, err, "no record of it is needed")
		require.Equal(t, "workspaces/other/shelves/fiction", made.GetName())
		for _, parent := range []string{"workspaces/-", "workspaces/", "workspaces/Not OK", "workspaces/" + strings.Repeat("a", 70)} {
			_, err := l.shelves.Create(t.Context(), l.store, &librarypb.CreateShelfRequest{Parent: parent, Shelf: &librarypb.Shelf{}})
			refused(t, err, fault.KindInvalid, "INVALID_PARENT")
		}
	})
}

func TestGetRefuses(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		for name, want := range map[string]string{
			bookName("none"):               "RESOURCE_NOT_FOUND",
			"":                             "INVALID_NAME",
			shelf:                          "INVALID_NAME",
			bookName(""):                   "INVALID_NAME",
			bookName("-"):                  "INVALID_NAME",
			bookName("a") + "/pages/1":     "INVALID_NAME",
			"/" + bookName("a"):            "INVALID_NAME",
			strings.Repeat("x", 1_000_000): "INVALID_NAME",
			bookName("a\x00"):              "INVALID_NAME",
		} {
			_, err := l.books.Get(t.Context(), l.store, &librarypb.GetBookRequest{Name: name})
			f := fault.From(err)
			require.Equal(t, want, f.Reason())
			require.Less(t, len(f.Message()), 500)
		}
	})
}
