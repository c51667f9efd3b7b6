package resource

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource/internal/librarypb"
)

// fuzzed is a kind with a column of every type.
func fuzzed() *Kind[*librarypb.Book] {
	return Define(Spec[*librarypb.Book]{Table: "books", Columns: []Column[*librarypb.Book]{
		{Field: "title"},
		{Field: "pages"},
		{Field: "reference_only"},
		{Field: "publish_time"},
		{Field: "state"},
		{Field: "author.display_name"},
		{Field: "labels"},
		{Field: "subjects"},
	}})
}

// vocabulary is all that the SQL of a filter, a place in a list and an order
// may be made of. A client's text that got into SQL would be something else, but for
// what is spelled like one of these, which cannot do harm.
var vocabulary = regexp.MustCompile(`^(AND|OR|NOT|EXISTS|SELECT|FROM|WHERE|ORDER|BY|DESC|LIMIT|1|=|<>|<|<=|>|>=|0|''|` +
	`(books\.)?(name|parent|create_time|update_time|title|pages|reference_only|publish_time|state|author_display_name)|` +
	`resource_sets(\.(name|field|key|value))?|\$[0-9]+)$`)

// requireClean takes SQL apart; every word must be of the vocabulary, every placeholder have its argument.
func requireClean(t *testing.T, text string, args []any) {
	t.Helper()
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ' ' || r == '(' || r == ')' || r == ',' }) {
		require.Regexp(t, vocabulary, word, text)
	}
	require.Equal(t, strings.Count(text, "("), strings.Count(text, ")"))
	for i, arg := range args {
		if s, ok := arg.(string); ok {
			require.Truef(t, utf8.ValidString(s) && !strings.Contains(s, "\x00"), "PostgreSQL cannot take %q", s)
		}
		require.Contains(t, text, (&arguments{args: args[:i]}).mark(nil))
	}
	require.NotContains(t, text, (&arguments{args: args}).mark(nil))
}

// requireAnswer says what may come of anything a client writes: a query, or a refusal that names the field.
func requireAnswer(t *testing.T, q *query, err error) {
	t.Helper()
	if err != nil {
		f := fault.From(err)
		require.Equal(t, fault.KindInvalid, f.Kind(), "%v", err)
		require.NotEmpty(t, f.Fields())
		require.Less(t, len(f.Message()), 1000)
		return
	}
	requireClean(t, q.tail(11), q.args)
}

func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		"", `title = "D*" AND (pages > 5 OR NOT state = LENT)`, `labels."a.b" != 'x' -subjects:y`, `publish_time < timestamp("2026-01-01T00:00:00Z")`,
		`author.display_name:*`, `title = "'; DROP TABLE books; --"`, `a(b(c(d(`, `((((((`, `NOT NOT NOT`, `pages = -0x7fffffffffffffff`, `"\xff\000\u0000" = 1`,
		`labels."\xff\x00" = a`, `reference_only = true FUZZY(pages = 1, pages = 2)`, `labels:"*" labels.x:"\x00"`, "title = \x00", `1.`, `.5 = -.5`, `title:title:title`,
	} {
		f.Add(seed)
	}
	k := fuzzed()
	f.Fuzz(func(t *testing.T, filter string) {
		q, err := k.query(request{(&librarypb.ListBooksRequest{Parent: "workspaces/w/shelves/-", Filter: filter}).ProtoReflect()})
		requireAnswer(t, q, err)
	})
}

func FuzzOrderBy(f *testing.F) {
	for _, seed := range []string{"", "title desc, pages", "name", "state,state", "title; DROP TABLE books", "author.display_name asc", ",", "create_time DESC"} {
		f.Add(seed)
	}
	k := fuzzed()
	f.Fuzz(func(t *testing.T, orderBy string) {
		q, err := k.query(request{(&librarypb.ListBooksRequest{Parent: "workspaces/w/shelves/s", OrderBy: orderBy}).ProtoReflect()})
		requireAnswer(t, q, err)
	})
}

// FuzzPageToken tries tokens as they come, and tokens of the right list with anything in them.
func FuzzPageToken(f *testing.F) {
	k := fuzzed()
	req := &librarypb.ListBooksRequest{Parent: "workspaces/w/shelves/s", OrderBy: "title desc, pages, publish_time"}
	whole, err := k.query(request{req.ProtoReflect()})
	require.NoError(f, err)
	f.Add(k.pageToken(whole, &librarypb.Book{Name: "n", Title: "t"}), "t", "n", int64(1), int64(2))
	for _, seed := range []string{"", "x", "e30", base64.RawURLEncoding.EncodeToString([]byte(`{"s":[]}`)), strings.Repeat("A", 5000)} {
		f.Add(seed, "'", "\x00", int64(-1), int64(0))
	}
	f.Fuzz(func(t *testing.T, anything, title, name string, pages, publish int64) {
		forged, err := json.Marshal(token{Sum: whole.sum, Texts: []string{title, name}, Numbers: []int64{pages, publish}})
		require.NoError(t, err)
		for _, pageToken := range []string{anything, base64.RawURLEncoding.EncodeToString(forged)} {
			req.PageToken = pageToken
			q, err := k.query(request{req.ProtoReflect()})
			requireAnswer(t, q, err)
		}
	})
}

func FuzzUpdateMask(f *testing.F) {
	for _, seed := range []string{"", "*", "title", "author.display_name", "labels.a.b", "labels.`x`", "editions.year", "original.original.title", ".", "a..b", "uid"} {
		f.Add(seed)
	}
	k := fuzzed()
	f.Fuzz(func(t *testing.T, path string) {
		parsed, err := parseMask(k.desc, []string{path})
		if err != nil {
			require.Equal(t, ReasonUnknownField, fault.ReasonOf(err))
			return
		}
		c := change[*librarypb.Book]{paths: []string{path}, mask: parsed, input: &librarypb.Book{Name: "n", Title: "T"}}
		old := &librarypb.Book{Name: "workspaces/w/shelves/s/books/b", Uid: "u", Title: "O", State: librarypb.Book_LENT}
		m, err := k.merge(c, old)
		if err == nil {
			require.Equal(t, []any{old.GetName(), "u", librarypb.Book_LENT}, []any{m.GetName(), m.GetUid(), m.GetState()})
		}
	})
}

func TestAPrefixIsARange(t *testing.T) {
	for prefix, above := range map[string]string{
		"":            "",
		"a":           "b",
		"a/":          "a0",
		"a\U0010FFFF": "b",
		"\U0010FFFF":  "",
		"\uD7FF":      "\uE000", // between them are no texts
		"\x7f":        "\u0080",
	} {
		require.Equal(t, above, after(prefix))
		require.True(t, utf8.ValidString(after(prefix)))
	}
}
