package resource_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/resource/internal/librarypb"
	"github.com/golive-dev/golive/pkg/sqldb"
)

// ids lists the ids of one page.
func (l *library) ids(req *librarypb.ListBooksRequest) (ids []string, next string, err error) {
	if req.GetParent() == "" {
		req.Parent = shelf
	}
	books, next, err := l.books.List(l.t.Context(), l.store, req)
	ids = []string{}
	for _, b := range books {
		ids = append(ids, b.GetName()[strings.LastIndexByte(b.GetName(), '/')+1:])
	}
	return ids, next, err
}

// shelve adds a few different books.
func (l *library) shelve() {
	published := func(year int) *timestamppb.Timestamp {
		return timestamppb.New(time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC))
	}
	for id, b := range map[string]*librarypb.Book{
		"dune":    {Title: "Dune", Pages: 412, PublishTime: published(1984), Labels: map[string]string{"genre": "sf", "a.b/c": "1"}, Subjects: []string{"desert", "spice"}, Author: &librarypb.Author{DisplayName: "Herbert"}},
		"emma":    {Title: "Emma", Pages: 474, PublishTime: published(1972), Labels: map[string]string{"genre": "classic"}, Author: &librarypb.Author{DisplayName: "Austen"}},
		"oxford":  {Title: "Oxford Dictionary", Pages: 20000, ReferenceOnly: true, Subjects: []string{"words"}},
		"percent": {Title: "100%_'\\\"; DROP TABLE books; --", Pages: -0, Labels: map[string]string{"genre": "100%"}},
		"umlaut":  {Title: "Über Österreich", Pages: 100, PublishTime: published(1990), Author: &librarypb.Author{DisplayName: "Äh"}},
	} {
		l.add(id, b)
	}
	lent := l.get("emma")
	lent.State = librarypb.Book_LENT
	require.NoError(l.t, l.save(lent, 1))
}

func TestFilter(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		l.shelve()
		for filter, want := range map[string]string{
			``:                "dune emma oxford percent umlaut",
			`   `:             "dune emma oxford percent umlaut",
			`title = "Dune"`:  "dune",
			`title = Dune`:    "dune",
			`title = dune`:    "",
			`title != "Dune"`: "emma oxford percent umlaut",
			`title = "D*"`:    "dune",
			`title = "Ü*"`:    "umlaut",
			`title = "100%*"`: "percent",
			`title = "*"`:     "dune emma oxford percent umlaut",
			`title != "D*"`:   "emma oxford percent umlaut",
			`title > "Emma"`:  "oxford umlaut",
			`title <= Emma`:   "dune emma percent",
			`title = "100%_'\\\"; DROP TABLE books; --"`:             "percent",
			`author.display_name = Austen`:                           "emma",
			`author.display_name:*`:                                  "dune emma umlaut",
			`NOT author.display_name:*`:                              "oxford percent",
			`pages >= 412`:                                           "dune emma oxford",
			`pages > 412 pages < 1000`:                               "emma",
			`pages = -5`:                                             "",
			`pages > 0x64 AND NOT pages = 412`:                       "emma oxford",
			`reference_only = true`:                                  "oxford",
			`reference_only = false pages:*`:                         "dune emma umlaut",
			`reference_only != true`:                                 "dune emma percent umlaut",
			`state = LENT`:                                           "emma",
			`state != "LENT"`:                                        "dune oxford percent umlaut",
			`state = LENT OR state = AVAILABLE`:                      "dune emma oxford percent umlaut",
			`publish_time > "1980-01-01T00:00:00Z"`:                  "dune umlaut",
			`publish_time < "1980-01-01"`:                            "emma",
			`publish_time >= timestamp("1984-06-01T02:00:00+02:00")`: "dune umlaut",
			`publish_time:*`:                                         "dune emma umlaut",
			`create_time = "` + start + `"`:                          "dune emma oxford percent umlaut",
			`name = "` + bookName("dune") + `"`:                      "dune",
			`labels:genre`:                                           "dune emma percent",
			`labels:"gen*"`:                                          "dune emma percent",
			`labels.genre = sf`:                                      "dune",
			`labels.genre:"sf"`:                                      "dune",
			`labels.genre:*`:                                         "dune emma percent",
			`labels.genre = "1*"`:                                    "percent",
			`labels.genre != sf`:                                     "emma oxford percent umlaut",
			`labels."a.b/c" = "1"`:                                   "dune",
			`-labels:genre`:                                          "oxford umlaut",
			`subjects:spice`:                                         "dune",
			`subjects:"s*"`:                                          "dune",
			`subjects:*`:                                             "dune oxford",
			`subjects:spice OR subjects:words`:                       "dune oxford",
			`subjects:spice subjects:desert`:                         "dune",
			// OR binds tighter than AND: (emma or dune) and long, not emma or (dune and long).
			`title = Emma OR title = Dune AND pages > 450`:                    "emma",
			`(title = Emma) OR (title = Dune AND pages > 1)`:                  "dune emma",
			`NOT (pages > 450 OR state = LENT) reference_only = false`:        "dune percent umlaut",
			strings.Repeat("pages > 1 AND ", 140) + "pages > 1":               "dune emma oxford umlaut",
			strings.Repeat("pages = 412 OR ", 120) + "pages = 474":            "dune emma",
			strings.Repeat("(", 20) + "pages = 412" + strings.Repeat(")", 20): "dune",
		} {
			got, _, err := l.ids(&librarypb.ListBooksRequest{Filter: filter})
			require.NoError(t, err, filter)
			require.Equal(t, want, strings.Join(got, " "), filter)
		}
	})
}

func TestFilterRefuses(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		for filter, says := range map[string]string{
			`nonsense = 1`:                 `there is no field "nonsense" to filter by; there are: author.display_name, `,
			`uid = "x"`:                    `no field "uid"`,
			`edition_count = 1`:            `no field "edition_count"`,
			`message = "x"`:                `no field "message"`,
			`books.title = "x"`:            `no field "books.title"`,
			`title`:                        `"title" stands alone; compare a field`,
			`"title"`:                      `"title" stands alone`,
			`Dune Emma`:                    `"Dune" stands alone`,
			`title = `:                     `at column`,
			`title = "open`:                `at column`,
			`(title = a`:                   `at column`,
			`title = 1`:                    `title is compared with a text, not 1`,
			`title = "*ne"`:                `a text that ends in *`,
			`title:Dune`:                   `title has one value`,
			`title = "\x00"`:               `zero byte`,
			`pages = many`:                 `pages is compared with a whole number, not "many"`,
			`pages = 1.5`:                  `not 1.5`,
			`pages = 99999999999999999999`: ``,
			`state = GONE`:                 `state has no value "GONE"; it has: AVAILABLE, DISCARDED, LENT, STATE_UNSPECIFIED`,
			`state > LENT`:                 `state has no order`,
			`reference_only = yes`:         `it has: false, true`,
			`publish_time > yesterday`:     `in quotes, not "yesterday"`,
			`publish_time > 5`:             `a time such as`,
			`labels = sf`:                  "labels has many values; ask `labels:key`",
			`labels.genre > a`:             `can be compared with =, != and :`,
			`subjects = spice`:             "ask `subjects:value`",
			`subjects.a:b`:                 `subjects is a list`,
			`f(title)`:                     `there is no function "f"`,
			`AND(pages = 1)`:               ``,
			`title = f(1)`:                 `title is compared with a text`,
			`1 = 1`:                        `1 is no field`,
			`NOT`:                          ``,
			`title = "a" AND`:              ``,
			strings.Repeat("NOT (", 40) + "pages = 1" + strings.Repeat(")", 40): `nested more than 32 deep`,
			strings.Repeat("x", 3000): `it has 3000 bytes`,
		} {
			_, _, err := l.ids(&librarypb.ListBooksRequest{Filter: filter})
			f := refused(t, err, fault.KindInvalid, "INVALID_FILTER")
			require.Contains(t, f.Message(), says, filter)
			require.NotContains(t, f.Message(), "\n")
			require.Equal(t, []string{"filter"}, fieldsOf(f))
		}
	})
}

func TestOrder(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		l.shelve()
		for order, want := range map[string]string{
			``:                               "dune emma oxford percent umlaut",
			`name desc`:                      "umlaut percent oxford emma dune",
			`pages`:                          "percent umlaut dune emma oxford",
			`pages desc`:                     "oxford emma dune umlaut percent",
			`title`:                          "percent dune emma oxford umlaut",
			`author.display_name,title`:      "percent oxford emma dune umlaut",
			`reference_only desc, pages`:     "oxford percent umlaut dune emma",
			`state, publish_time desc`:       "umlaut dune percent oxford emma",
			`create_time`:                    "dune emma oxford percent umlaut",
			` create_time  desc , pages asc`: "percent umlaut dune emma oxford",
		} {
			got, _, err := l.ids(&librarypb.ListBooksRequest{OrderBy: order})
			require.NoError(t, err, order)
			require.Equal(t, want, strings.Join(got, " "), order)
		}
		for _, order := range []string{"nonsense", "uid", "edition_count", "labels", "subjects", "title, title", "title down", "title;", "title,,pages", "1"} {
			_, _, err := l.ids(&librarypb.ListBooksRequest{OrderBy: order})
			require.Equal(t, []string{"order_by"}, fieldsOf(refused(t, err, fault.KindInvalid, "INVALID_ORDER_BY")))
		}
	})
}

func TestPagesVisitEveryRowOnce(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		for i := range 60 { // few values, so that many rows tie
			l.add(fmt.Sprintf("b%d", i), &librarypb.Book{
				Title: []string{"a", "B", "ä", ""}[i%4] + "x", Pages: int32(i % 3), ReferenceOnly: i%2 == 0,
				Author: &librarypb.Author{DisplayName: fmt.Sprint(i % 5)},
			})
			l.advance(time.Duration(i%2) * time.Second)
		}
		everything, _, err := l.ids(&librarypb.ListBooksRequest{PageSize: 1000})
		require.NoError(t, err)
		require.Len(t, everything, 60)
		rapid.Check(t, func(t *rapid.T) {
			fields := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"title", "pages", "reference_only", "create_time", "update_time", "author.display_name", "state", "name"}), 0, 4, rapid.ID).Draw(t, "fields")
			for i := range fields {
				fields[i] += rapid.SampledFrom([]string{"", " desc", " asc"}).Draw(t, "direction")
			}
			req := &librarypb.ListBooksRequest{
				Parent: rapid.SampledFrom([]string{shelf, "workspaces/default/shelves/-"}).Draw(t, "parent"), OrderBy: strings.Join(fields, ","),
			}
			req.PageSize = 1000
			want, next, err := l.ids(req)
			require.NoError(t, err)
			require.Empty(t, next)
			var got []string
			for pages := 0; ; pages++ {
				req.PageSize = int32(rapid.IntRange(1, 40).Draw(t, "size"))
				ids, next, err := l.ids(req)
				require.NoError(t, err)
				require.LessOrEqual(t, len(ids), int(req.GetPageSize()))
				got = append(got, ids...)
				if req.PageToken = next; next == "" {
					break
				}
				require.Less(t, pages, 60)
			}
			require.Equal(t, want, got, "pages are the whole, cut")
			slices.Sort(got)
			require.Equal(t, slices.Sorted(slices.Values(everything)), got)
		})
	})
}

func TestPagesGoOnWhileRowsComeAndGo(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		for _, id := range []string{"b", "d", "f", "h"} {
			l.add(id, &librarypb.Book{Title: id})
		}
		first, next, err := l.ids(&librarypb.ListBooksRequest{PageSize: 2})
		require.NoError(t, err)
		require.Equal(t, []string{"b", "d"}, first)
		l.add("a", &librarypb.Book{Title: "a"})
		l.add("g", &librarypb.Book{Title: "g"})
		_, err = l.books.Delete(t.Context(), l.store, &librarypb.DeleteBookRequest{Name: bookName("d")})
		require.NoError(t, err)
		second, next, err := l.ids(&librarypb.ListBooksRequest{PageSize: 2, PageToken: next})
		require.NoError(t, err)
		require.Equal(t, []string{"f", "g"}, second)
		third, next, err := l.ids(&librarypb.ListBooksRequest{PageSize: 1, PageToken: next})
		require.NoError(t, err)
		require.Equal(t, []string{"h"}, third, "another page size is no other list")
		require.Empty(t, next)
	})
}

func TestPageTokensAreBoundToTheirList(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		l.shelve()
		_, next, err := l.ids(&librarypb.ListBooksRequest{PageSize: 2, Filter: "pages > 1", OrderBy: "title"})
		require.NoError(t, err)
		require.NotEmpty(t, next)
		for _, req := range []*librarypb.ListBooksRequest{
			{PageToken: next},
			{PageToken: next, Filter: "pages > 2", OrderBy: "title"},
			{PageToken: next, Filter: "pages > 1", OrderBy: "title desc"},
			{PageToken: next, Filter: "pages > 1", OrderBy: "title", Parent: "workspaces/default/shelves/other"},
			{PageToken: next, Filter: "pages > 1", OrderBy: "title", Parent: "workspaces/other/shelves/fiction"},
		} {
			_, _, err := l.ids(req)
			require.Equal(t, []string{"page_token"}, fieldsOf(refused(t, err, fault.KindInvalid, "PAGE_TOKEN_MISMATCH")))
		}
		for _, token := range []string{"x", "!", next[:len(next)-4], base64.RawURLEncoding.EncodeToString([]byte("{}"))} {
			_, _, err := l.ids(&librarypb.ListBooksRequest{PageToken: token, Filter: "pages > 1", OrderBy: "title"})
			require.Equal(t, []string{"page_token"}, fieldsOf(fault.From(err)), "%q: %v", token, err)
		}
	})
}

func TestPageSizesAreSoftLimits(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		l.shelve()
		l.store = resource.NewStore(db, l.log, resource.Config{PageSize: 2, MaxPageSize: 3})
		for size, want := range map[int32]int{0: 2, 1: 1, 3: 3, 4: 3, 1_000_000: 3} {
			ids, next, err := l.ids(&librarypb.ListBooksRequest{PageSize: size})
			require.NoError(t, err)
			require.Len(t, ids, want)
			require.NotEmpty(t, next)
		}
		_, _, err := l.ids(&librarypb.ListBooksRequest{PageSize: -1})
		refused(t, err, fault.KindInvalid, "INVALID_PAGE_SIZE")
	})
}

func TestWildcardParents(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		for _, parent := range []string{"workspaces/default", "workspaces/default-2"} {
			for _, id := range []string{"s", "s-1"} {
				made, err := l.shelves.Create(t.Context(), l.store, &librarypb.CreateShelfRequest{Parent: parent, ShelfId: id, Shelf: &librarypb.Shelf{}})
				require.NoError(t, err)
				_, err = l.books.Create(t.Context(), l.store, &librarypb.CreateBookRequest{Parent: made.GetName(), BookId: "a" + id, Book: &librarypb.Book{Title: "T"}})
				require.NoError(t, err)
			}
		}
		for parent, want := range map[string]string{
			"workspaces/default/shelves/-":    "as as-1",
			"workspaces/default-2/shelves/-":  "as as-1",
			"workspaces/default/shelves/s":    "as",
			"workspaces/default/shelves/none": "",
		} {
			ids, _, err := l.ids(&librarypb.ListBooksRequest{Parent: parent})
			require.NoError(t, err)
			slices.Sort(ids)
			require.Equal(t, want, strings.Join(ids, " "), parent)
		}
		for _, parent := range []string{"workspaces/-/shelves/-", "workspaces/-/shelves/s", "workspaces/default", "workspaces/default/shelves/", "-"} {
			_, _, err := l.ids(&librarypb.ListBooksRequest{Parent: parent})
			refused(t, err, fault.KindInvalid, "INVALID_PARENT")
		}
	})
}
