package resource_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/resource/internal/librarypb"
	"github.com/golive-dev/golive/pkg/sqldb"
)

func mask(paths ...string) *fieldmaskpb.FieldMask { return &fieldmaskpb.FieldMask{Paths: paths} }

// dune is a book with something in every sort of field.
func dune() *librarypb.Book {
	return &librarypb.Book{
		Title: "Dune", Isbn: "1", Pages: 412, ReferenceOnly: true,
		Labels: map[string]string{"genre": "sf", "with.dots": "1"}, Subjects: []string{"desert", "spice"},
		Author:   &librarypb.Author{DisplayName: "Herbert", Birthplace: "Tacoma", Nickname: "Frank"},
		Editions: []*librarypb.Edition{{Year: 1965, Publisher: "Chilton"}},
		Form:     &librarypb.Book_Paper{Paper: 80},
		Read:     new(false),
	}
}

func TestUpdateMasks(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		for name, c := range map[string]struct {
			paths []string
			input *librarypb.Book
			want  func(b *librarypb.Book)
		}{
			"no mask takes what is set": {
				nil, &librarypb.Book{Pages: 500, Subjects: []string{"worms"}, Author: &librarypb.Author{Nickname: "F."}},
				func(b *librarypb.Book) { b.Pages, b.Subjects, b.Author.Nickname = 500, []string{"worms"}, "F." },
			},
			"a named field that is not set is cleared": {
				[]string{"pages", "author.nickname"},
				&librarypb.Book{Title: "ignored"},
				func(b *librarypb.Book) { b.Pages, b.Author.Nickname = 0, "" },
			},
			"a nested path leaves its siblings": {
				[]string{"author.nickname"},
				&librarypb.Book{Author: &librarypb.Author{DisplayName: "ignored", Nickname: "F."}},
				func(b *librarypb.Book) { b.Author.Nickname = "F." },
			},
			"a message replaced as a whole keeps what is immutable": {
				[]string{"author"},
				&librarypb.Book{Author: &librarypb.Author{DisplayName: "F. Herbert"}},
				func(b *librarypb.Book) {
					b.Author = &librarypb.Author{DisplayName: "F. Herbert", Birthplace: "Tacoma"}
				},
			},
			"a star replaces everything that may change": {
				[]string{"*"},
				&librarypb.Book{Title: "Dune II", Author: &librarypb.Author{DisplayName: "F. Herbert"}},
				func(b *librarypb.Book) {
					proto.Reset(b)
					b.Title, b.Isbn = "Dune II", "1"
					b.Author = &librarypb.Author{DisplayName: "F. Herbert", Birthplace: "Tacoma"}
				},
			},
			"one key of a map": {
				[]string{"labels.genre", "labels.with.dots"},
				&librarypb.Book{Labels: map[string]string{"genre": "classic", "else": "ignored"}},
				func(b *librarypb.Book) { b.Labels = map[string]string{"genre": "classic"} },
			},
			"a new key of a map": {
				[]string{"labels.`new.key`"},
				&librarypb.Book{Labels: map[string]string{"new.key": "1"}},
				func(b *librarypb.Book) { b.Labels["new.key"] = "1" },
			},
			"another member of a oneof": {
				[]string{"file"},
				&librarypb.Book{Form: &librarypb.Book_File{File: "epub"}},
				func(b *librarypb.Book) { b.Form = &librarypb.Book_File{File: "epub"} },
			},
			"an optional field that is set to its zero, then cleared": {
				[]string{"read"},
				&librarypb.Book{},
				func(b *librarypb.Book) { b.Read = nil },
			},
			"output fields are not the client's, even when named": {
				[]string{"state", "author.book_count", "uid", "create_time", "etag", "revision", "name", "pages"},
				&librarypb.Book{State: librarypb.Book_LENT, Uid: "mine", Pages: 1, Author: &librarypb.Author{BookCount: 9}},
				func(b *librarypb.Book) { b.Pages = 1 },
			},
			"an immutable field that stays the same": {
				[]string{"isbn", "pages"},
				&librarypb.Book{Isbn: "1", Pages: 1},
				func(b *librarypb.Book) { b.Pages = 1 },
			},
		} {
			t.Run(name, func(t *testing.T) {
				want := l.add("dune", dune())
				old := proto.CloneOf(want)
				c.want(want)
				l.advance(time.Minute)
				c.input.Name = bookName("dune")
				input := proto.CloneOf(c.input)
				got, err := l.books.Update(t.Context(), l.store, &librarypb.UpdateBookRequest{Book: c.input, UpdateMask: mask(c.paths...)})
				require.NoError(t, err)
				require.Truef(t, proto.Equal(input, c.input), "the request stays as it came")
				require.Truef(t, proto.Equal(got, l.get("dune")), "the answer is what is stored")

				require.EqualValues(t, 2, got.GetRevision())
				require.NotEqual(t, old.GetEtag(), got.GetEtag())
				require.Equal(t, time.Minute, got.GetUpdateTime().AsTime().Sub(old.GetUpdateTime().AsTime()))
				want.Name, want.Uid, want.CreateTime, want.State = old.GetName(), old.GetUid(), old.GetCreateTime(), old.GetState()
				want.Revision, want.Etag, want.UpdateTime = got.GetRevision(), got.GetEtag(), got.GetUpdateTime()
				require.Truef(t, proto.Equal(want, got), "want %v\n got %v", want, got)

				require.NoError(t, l.books.Rederive(t.Context(), db))
				_, err = l.books.Delete(t.Context(), l.store, &librarypb.DeleteBookRequest{Name: bookName("dune")})
				require.NoError(t, err)
			})
		}
	})
}

func TestUpdateRefuses(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		before := l.add("dune", dune())
		name := bookName("dune")
		for title, c := range map[string]struct {
			paths  []string
			input  *librarypb.Book
			kind   fault.Kind
			reason string
			fields []string
		}{
			"an unknown path":             {[]string{"pages", "nonsense"}, &librarypb.Book{Name: name}, fault.KindInvalid, "UNKNOWN_FIELD", []string{"update_mask"}},
			"an unknown nested path":      {[]string{"author.shoe_size"}, &librarypb.Book{Name: name}, fault.KindInvalid, "UNKNOWN_FIELD", []string{"update_mask"}},
			"a path into a scalar":        {[]string{"title.first"}, &librarypb.Book{Name: name}, fault.KindInvalid, "UNKNOWN_FIELD", []string{"update_mask"}},
			"a path into a list":          {[]string{"editions.year"}, &librarypb.Book{Name: name}, fault.KindInvalid, "UNKNOWN_FIELD", []string{"update_mask"}},
			"an empty path":               {[]string{""}, &librarypb.Book{Name: name}, fault.KindInvalid, "UNKNOWN_FIELD", []string{"update_mask"}},
			"a star with others":          {[]string{"*", "title"}, &librarypb.Book{Name: name}, fault.KindInvalid, "UNKNOWN_FIELD", []string{"update_mask"}},
			"immutable, by what is set":   {nil, &librarypb.Book{Name: name, Isbn: "2"}, fault.KindInvalid, "IMMUTABLE_FIELD", []string{"book.isbn"}},
			"immutable, by name":          {[]string{"isbn"}, &librarypb.Book{Name: name}, fault.KindInvalid, "IMMUTABLE_FIELD", []string{"book.isbn"}},
			"immutable, by replacing":     {[]string{"*"}, &librarypb.Book{Name: name, Title: "T", Isbn: "2", Author: &librarypb.Author{DisplayName: "H"}}, fault.KindInvalid, "IMMUTABLE_FIELD", []string{"book.isbn"}},
			"immutable and nested":        {[]string{"author.birthplace"}, &librarypb.Book{Name: name, Author: &librarypb.Author{Birthplace: "Rome"}}, fault.KindInvalid, "IMMUTABLE_FIELD", []string{"book.author.birthplace"}},
			"what holds an immutable one": {[]string{"author"}, &librarypb.Book{Name: name}, fault.KindInvalid, "IMMUTABLE_FIELD", []string{"book.author.birthplace"}},
			"required and removed":        {[]string{"title"}, &librarypb.Book{Name: name}, fault.KindInvalid, "REQUIRED_FIELD", []string{"book.title"}},
			"required and nested":         {[]string{"author.display_name"}, &librarypb.Book{Name: name}, fault.KindInvalid, "REQUIRED_FIELD", []string{"book.author.display_name"}},
			"what a hook refuses":         {nil, &librarypb.Book{Name: name, Pages: -3}, fault.KindInvalid, "NEGATIVE_PAGES", []string{"book.pages"}},
			"a text no column has":        {nil, &librarypb.Book{Name: name, Title: "\x00"}, fault.KindInvalid, "INVALID_FIELD", []string{"book.title"}},
			"another etag":                {nil, &librarypb.Book{Name: name, Etag: `"other"`, Pages: 1}, fault.KindConflict, "ETAG_MISMATCH", nil},
			"what is not there":           {nil, &librarypb.Book{Name: bookName("none"), Pages: 1}, fault.KindNotFound, "RESOURCE_NOT_FOUND", nil},
			"no name":                     {nil, &librarypb.Book{Pages: 1}, fault.KindInvalid, "INVALID_NAME", []string{"name"}},
		} {
			t.Run(title, func(t *testing.T) {
				_, err := l.books.Update(t.Context(), l.store, &librarypb.UpdateBookRequest{Book: c.input, UpdateMask: mask(c.paths...)})
				require.ElementsMatch(t, c.fields, fieldsOf(refused(t, err, c.kind, c.reason)))
			})
		}
		_, err := l.books.Update(t.Context(), l.store, &librarypb.UpdateBookRequest{})
		refused(t, err, fault.KindInvalid, "REQUIRED_FIELD")
		require.Truef(t, proto.Equal(before, l.get("dune")), "nothing changed")
		require.Len(t, l.events(bookName("")), 1)
	})
}

func TestAnEtagCoversWhatAClientMaySet(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		first := l.add("dune", dune())

		// The engine writes: another revision, the same etag.
		lent, err := l.books.Load(t.Context(), db.Read(), first.GetName())
		require.NoError(t, err)
		lent.State = librarypb.Book_LENT
		require.NoError(t, l.save(lent, 1))
		require.EqualValues(t, 2, lent.GetRevision())
		require.Equal(t, first.GetEtag(), lent.GetEtag())

		// So the person who read before that still may write, quoted or not.
		second, err := l.books.Update(t.Context(), l.store, &librarypb.UpdateBookRequest{
			Book: &librarypb.Book{Name: first.GetName(), Etag: first.GetEtag()[1 : len(first.GetEtag())-1], Pages: 1},
		})
		require.NoError(t, err)
		require.Equal(t, librarypb.Book_LENT, second.GetState(), "what the engine wrote is kept")

		// And once only.
		_, err = l.books.Update(t.Context(), l.store, &librarypb.UpdateBookRequest{
			Book: &librarypb.Book{Name: first.GetName(), Etag: first.GetEtag(), Pages: 2},
		})
		require.Contains(t, refused(t, err, fault.KindConflict, "ETAG_MISMATCH").Message(), "get it again")
	})
}

func TestAnEtagIsNotTheNextOnesOfTheSameName(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		first := l.add("dune", dune())
		_, err := l.books.Delete(t.Context(), l.store, &librarypb.DeleteBookRequest{Name: first.GetName(), Etag: first.GetEtag()})
		require.NoError(t, err)
		require.NotEqual(t, first.GetEtag(), l.add("dune", dune()).GetEtag())
	})
}

func TestAnUpdateThatChangesNothingStoresNothing(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		before := l.add("dune", dune())
		l.advance(time.Hour)
		after, err := l.books.Update(t.Context(), l.store, &librarypb.UpdateBookRequest{Book: before})
		require.NoError(t, err)
		require.Truef(t, proto.Equal(before, after), "the same revision")
		require.Len(t, l.events(bookName("")), 1)
		require.EqualValues(t, 1, l.written.Load())
	})
}

func TestAllowMissingCreates(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		made, err := l.books.Update(t.Context(), l.store, &librarypb.UpdateBookRequest{
			Book: &librarypb.Book{Name: bookName("dune"), Title: "Dune"}, UpdateMask: mask("pages"), AllowMissing: true,
		})
		require.NoError(t, err)
		require.EqualValues(t, 1, made.GetRevision())
		require.Equal(t, "Dune", made.GetTitle(), "the mask does not matter then")
		for reason, b := range map[string]*librarypb.Book{
			"INVALID_RESOURCE_ID": {Name: bookName("Not OK"), Title: "T"},
			"ETAG_MISMATCH":       {Name: bookName("it"), Title: "T", Etag: `"seen"`},
			"REQUIRED_FIELD":      {Name: bookName("it")},
			"RESOURCE_NOT_FOUND":  {Name: "workspaces/default/shelves/none/books/it", Title: "T"},
		} {
			_, err := l.books.Update(t.Context(), l.store, &librarypb.UpdateBookRequest{Book: b, AllowMissing: true})
			require.Equal(t, reason, fault.ReasonOf(err), "%v", err)
		}
	})
}

func TestDelete(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		b := l.add("dune", dune())
		_, err := l.books.Delete(t.Context(), l.store, &librarypb.DeleteBookRequest{Name: b.GetName(), Etag: "stale"})
		refused(t, err, fault.KindConflict, "ETAG_MISMATCH")
		_, err = l.shelves.Delete(t.Context(), l.store, &librarypb.DeleteShelfRequest{Name: shelf})
		refused(t, err, fault.KindPrecondition, "RESOURCE_IN_USE")

		_, err = l.books.Delete(as(t.Context(), "users/ann"), l.store, &librarypb.DeleteBookRequest{Name: b.GetName(), Etag: b.GetEtag()})
		require.NoError(t, err)
		_, err = l.books.Delete(t.Context(), l.store, &librarypb.DeleteBookRequest{Name: b.GetName()})
		refused(t, err, fault.KindNotFound, "RESOURCE_NOT_FOUND")
		_, err = l.books.Delete(t.Context(), l.store, &librarypb.DeleteBookRequest{Name: b.GetName(), AllowMissing: true})
		require.NoError(t, err)
		require.Equal(t, []string{"library.book.created 1 services/unknown", "library.book.deleted 2 users/ann"}, l.events(bookName("")))

		var members int
		require.NoError(t, db.Read().QueryRowContext(t.Context(), "SELECT count(*) FROM resource_sets").Scan(&members))
		require.Zero(t, members)
		_, err = l.shelves.Delete(t.Context(), l.store, &librarypb.DeleteShelfRequest{Name: shelf})
		require.NoError(t, err)
	})
}

// save is what an engine does.
func (l *library) save(b *librarypb.Book, expect int64) error {
	return l.db.Tx(l.t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		return l.books.Save(ctx, tx, l.store, b, expect, resource.Meta{Actor: "services/library", Cause: "asked", Verb: "lent"})
	})
}

func TestSaveComparesAndSwaps(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		b := l.add("dune", dune())
		stored, err := l.books.LoadRow(t.Context(), db.Read(), b.GetName())
		require.NoError(t, err)
		require.EqualValues(t, 1, stored.Revision)

		b.State = librarypb.Book_LENT
		require.NoError(t, l.save(b, 1))
		require.Equal(t, []string{"library.book.created 1 services/unknown", "library.book.lent 2 services/library"}, l.events(bookName("")))
		var before []byte
		require.NoError(t, db.Read().QueryRowContext(t.Context(), "SELECT before_digest FROM events WHERE revision = 2").Scan(&before))
		require.Equal(t, stored.Digest, before, "the event names the bytes that were stored before")

		refused(t, l.save(b, 1), fault.KindConflict, "REVISION_MISMATCH")
		b.State = librarypb.Book_DISCARDED
		require.NoError(t, l.save(b, 2))
		b.State = librarypb.Book_AVAILABLE
		refused(t, l.save(b, 3), fault.KindPrecondition, "TERMINAL_STATE")
		refused(t, l.save(b, 2), fault.KindConflict, "REVISION_MISMATCH")
		b.Name = bookName("none")
		refused(t, l.save(b, 3), fault.KindNotFound, "RESOURCE_NOT_FOUND")
		require.Equal(t, librarypb.Book_DISCARDED, l.get("dune").GetState())

		_, err = l.books.Update(t.Context(), l.store, &librarypb.UpdateBookRequest{Book: &librarypb.Book{Name: bookName("dune"), Pages: 3}})
		refused(t, err, fault.KindPrecondition, "TERMINAL_STATE")
	})
}

func TestLoadManyFindsWhatIsThere(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		a, b := l.add("a", &librarypb.Book{Title: "A"}), l.add("b", &librarypb.Book{Title: "B"})
		found, err := l.books.LoadMany(t.Context(), db.Read(), []string{a.GetName(), bookName("none"), b.GetName()})
		require.NoError(t, err)
		require.Len(t, found, 2)
		require.Equal(t, "B", found[b.GetName()].GetTitle())
		rows, err := l.books.SelectRows(t.Context(), db.Read(), "WHERE parent = $1 ORDER BY title DESC", shelf)
		require.NoError(t, err)
		require.Equal(t, "B", rows[0].Message.GetTitle())
		require.EqualValues(t, 1, rows[0].Revision)
	})
}

func TestColumnsAreProvedAndFilled(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		l.add("dune", dune())
		exec := func(text string) {
			_, err := db.Writer().ExecContext(t.Context(), text)
			require.NoError(t, err)
		}
		exec("UPDATE books SET title = 'Dunes'")
		require.ErrorContains(t, l.books.Rederive(t.Context(), db), "column title is Dunes, the message says Dune")
		exec("UPDATE books SET title = 'Dune'")
		exec("DELETE FROM resource_sets WHERE value = 'spice'")
		require.ErrorContains(t, l.books.Rederive(t.Context(), db), "sets are")
		exec("INSERT INTO resource_sets (name, field, key, value) VALUES ('" + bookName("dune") + "', 'subjects', '', 'spice')")

		exec("UPDATE books SET isbn = NULL") // as a column that was just added
		require.Error(t, l.books.Rederive(t.Context(), db))
		filled, err := l.books.Backfill(t.Context(), l.store)
		require.NoError(t, err)
		require.Equal(t, 1, filled)
		filled, err = l.books.Backfill(t.Context(), l.store)
		require.NoError(t, err)
		require.Zero(t, filled)
	})
}

func TestInsertManyIsInsertWithoutEvents(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		many := func(n int) error {
			var all []*librarypb.Book
			for i := range n {
				b := dune()
				b.Name, b.Isbn = bookName(fmt.Sprintf("b%d", i)), ""
				all = append(all, b)
			}
			return db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				return l.books.InsertMany(ctx, tx, l.store, all)
			})
		}
		require.NoError(t, many(213))
		all, err := l.books.Select(t.Context(), db.Read(), "")
		require.NoError(t, err)
		require.Len(t, all, 213)
		require.NotEmpty(t, all[212].GetUid())
		require.Empty(t, l.events(bookName("")))
		refused(t, many(300), fault.KindAlreadyExists, "ALREADY_EXISTS")
		require.NoError(t, many(0))
	})
}
