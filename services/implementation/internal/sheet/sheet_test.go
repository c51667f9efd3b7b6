package sheet_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/services/implementation/internal/sheet"
)

const ws = "workspaces/default"

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// told is every problem as one line.
func told(f *sheet.File) (all []string) {
	for _, p := range f.Problems.Rows() {
		all = append(all, fmt.Sprintf("%d %s %s", p.GetLine(), p.GetColumn(), p.GetReason()))
	}
	return all
}

func TestTheSameFileInManyForms(t *testing.T) {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	want := []sheet.Membership{{Line: 2, Person: "p-1", Start: day}, {Line: 3, Person: "p-2", Start: day, End: day.AddDate(0, 1, 0)}}
	for name, file := range map[string]string{
		"comma":                  "person,start_date,end_date\np-1,2026-03-01,\np-2,2026-03-01,2026-04-01\n",
		"semicolon":              "person;start_date;end_date\np-1;2026-03-01;\np-2;2026-03-01;2026-04-01\n",
		"pipe":                   "person|start_date|end_date\np-1|2026-03-01|\np-2|2026-03-01|2026-04-01\n",
		"line ends of old":       "person,start_date,end_date\rp-1,2026-03-01,\rp-2,2026-03-01,2026-04-01\r",
		"tab":                    "person\tstart_date\tend_date\np-1\t2026-03-01\t\np-2\t2026-03-01\t2026-04-01\n",
		"byte order mark, CRLF":  "\xef\xbb\xbfperson,start_date,end_date\r\np-1,2026-03-01,\r\np-2,2026-03-01,2026-04-01\r\n",
		"no line break at end":   "person,start_date,end_date\np-1,2026-03-01,\np-2,2026-03-01,2026-04-01",
		"quoted":                 "\"person\",\"start_date\",\"end_date\"\n\"p-1\",2026-03-01,\"\"\np-2,\"2026-03-01\",2026-04-01\n",
		"another order and more": "note;end_date;person;start_date\n\"a;b\";;p-1;2026-03-01\nx;2026-04-01;p-2;2026-03-01\n",
		"names as people write":  " Person , Start Date,END-DATE\n p-1 ,2026-03-01 ,\np-2, 2026-03-01,2026-04-01\n",
		"times and full names": "person,start_date,end_date\n" + ws + "/people/p-1,2026-03-01T00:00:00Z,\n" +
			ws + "/people/p-2,2026-03-01T02:00:00+02:00,2026-04-01\n",
		"separator in a quoted name": "\"note, of; whom;;;\",person,start_date,end_date\n,p-1,2026-03-01,\n,p-2,2026-03-01,2026-04-01\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, f, err := sheet.Memberships([]byte(file), nil, ws, false)
			require.NoError(t, err)
			require.Empty(t, told(f))
			require.Equal(t, want, got)
			require.Equal(t, 2, f.RowCount)
		})
	}
}

func TestColumnsUnderOtherNames(t *testing.T) {
	file := []byte("Mitarbeiter;Beginn\np-1;2026-03-01\n")
	got, f, err := sheet.Memberships(file, map[string]string{"person": "mitarbeiter", "start_date": "Beginn"}, ws, false)
	require.NoError(t, err)
	require.Empty(t, told(f))
	require.Equal(t, "p-1", got[0].Person)

	_, f, err = sheet.Memberships([]byte("Mitarbeiter;Beginn\np-@;bad\n"), map[string]string{"person": "mitarbeiter", "start_date": "Beginn"}, ws, false)
	require.NoError(t, err)
	require.Equal(t, []string{"2 Mitarbeiter PERSON_INVALID", "2 Beginn DATE_INVALID"}, told(f), "as the file names them")

	_, _, err = sheet.Memberships(file, map[string]string{"people": "Mitarbeiter"}, ws, false)
	require.Equal(t, "UNKNOWN_FIELD", fault.ReasonOf(err))
}

func TestWhatIsWrongIsToldWhereItIs(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"empty":                      {"", []string{"1  FORMAT_INVALID"}},
		"only blank lines":           {"\n\n\n", []string{"1  FORMAT_INVALID"}},
		"no such column":             {"who,when\np-1,now\n", []string{"1 person COLUMN_MISSING"}},
		"a column twice":             {"person,Person\np-1,p-2\n", []string{"1 Person COLUMN_DUPLICATE"}},
		"latin-1 and UTF-8 at once":  {"person,note\np-1,\u00e9\np-2,M\xfcller\n", []string{"3  ENCODING_INVALID"}},
		"no Windows-1252 either":     {"person,note\np-1,M\xfcller\np-2,\x81\n", []string{"3  ENCODING_INVALID"}},
		"half of a UTF-16 character": {"\xff\xfep\x00e", []string{"1  ENCODING_INVALID"}},
		"a letter in Windows-1252":   {"person\np-1\n\xe9mile\n", []string{"3 person PERSON_INVALID"}},
		"no such role":               {"person,role\np-1,boss\n", []string{"2 role ROLE_INVALID"}},
		"zero bytes":                 {"person\np-1\np\x00", []string{"3  ENCODING_INVALID"}},
		"too few fields":             {"person,start_date\np-1\np-2,2026-03-01\n", []string{"2  COLUMN_COUNT"}},
		"an open quote":              {"person\np-1\n\"p-2\np-3\n", []string{"3  FORMAT_INVALID"}},
		"a stray quote":              {"person\np\"1\n", []string{"2  FORMAT_INVALID"}},
		"no person":                  {"person,start_date\n,2026-03-01\n", []string{"2 person VALUE_MISSING"}},
		"an address":                 {"person\nann@example.com\n", []string{"2 person PERSON_INVALID"}},
		"of another workspace":       {"person\nworkspaces/other/people/p-1\n", []string{"2 person OTHER_WORKSPACE"}},
		"no dates":                   {"person,start_date,end_date\np-1,1.3.2026,soon\n", []string{"2 start_date DATE_INVALID", "2 end_date DATE_INVALID"}},
		"ends before it begins":      {"person,start_date,end_date\np-1,2026-03-02,2026-03-01\n", []string{"2 end_date DATE_INVALID"}},
		"the same again":             {"person\np-1\np-2\np-1\n", []string{"4  DUPLICATE_ROW"}},
		"an overlap":                 {"person,start_date\np-1,2026-03-01\np-1,\n", []string{"3  MEMBERSHIP_OVERLAPS"}},
		"after a value of two lines": {"person,note\np-1,\"a\nb\"\n@,\n", []string{"4 person PERSON_INVALID"}},
		"all at once, in order":      {"person,start_date\n@,x\np-1,\np-1,\n,\n.,\n", []string{"2 person PERSON_INVALID", "2 start_date DATE_INVALID", "4  DUPLICATE_ROW", "6 person PERSON_INVALID"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, f, err := sheet.Memberships([]byte(c.file), nil, ws, false)
			require.NoError(t, err)
			require.Equal(t, c.want, told(f))
			require.Equal(t, len(c.want), f.Problems.Count())
		})
	}
}

func TestOneAfterTheOtherDoesNotOverlap(t *testing.T) {
	got, f, err := sheet.Memberships([]byte("person,start_date,end_date\np-1,,2026-03-01\np-1,2026-03-01,2026-04-01\np-1,2026-04-01,\n"), nil, ws, false)
	require.NoError(t, err)
	require.Empty(t, told(f))
	require.Len(t, got, 3)
}

func TestCompletions(t *testing.T) {
	got, f, err := sheet.Completions([]byte("person,complete_time,score\np-1,,\np-2,2026-03-01,0.5\np-3,2026-03-02T09:00:30Z,1\np-4,2026-03-02,0\n"), nil, ws, now)
	require.NoError(t, err)
	require.Empty(t, told(f))
	require.Equal(t, []sheet.Completion{
		{Line: 2, Person: "p-1"},
		{Line: 3, Person: "p-2", Time: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Score: new(0.5)},
		{Line: 4, Person: "p-3", Time: now, Score: new(1.0)}, // a clock that is half a minute ahead
		{Line: 5, Person: "p-4", Time: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), Score: new(0.0)},
	}, got)

	_, f, err = sheet.Completions([]byte("person,complete_time,score\np-1,2026-03-04,2\np-1,2027-01-01T00:00:00Z,NaN\np-2,,\np-2,,\n"), nil, ws, now)
	require.NoError(t, err)
	require.Equal(t, []string{
		"2 complete_time TIME_IN_FUTURE", "2 score SCORE_INVALID",
		"3 complete_time TIME_IN_FUTURE", "3 score SCORE_INVALID", "5 person DUPLICATE_ROW",
	}, told(f))
}

func TestTomorrowInTheEastIsNow(t *testing.T) {
	evening := time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC)
	got, f, err := sheet.Completions([]byte("person,complete_time\np-1,2026-03-02\n"), nil, ws, evening)
	require.NoError(t, err)
	require.Empty(t, told(f))
	require.Equal(t, evening, got[0].Time)
}

func TestAThousandProblemsAreToldAndAllCounted(t *testing.T) {
	_, f, err := sheet.Memberships([]byte("person\n"+strings.Repeat("@\n", 5000)), nil, ws, false)
	require.NoError(t, err)
	require.Len(t, f.Problems.Rows(), 1000)
	require.Equal(t, 5000, f.Problems.Count())
	require.Equal(t, 5000, f.RowCount)
}

func large(rows int) []byte {
	var b strings.Builder
	b.WriteString("person,start_date,end_date\n")
	for i := range rows {
		fmt.Fprintf(&b, "p-%07d,2026-03-01,2027-03-01\n", i)
	}
	return []byte(b.String())
}

func TestAHundredThousandRowsAreReadInASecond(t *testing.T) {
	began := time.Now()
	got, f, err := sheet.Memberships(large(100_000), nil, ws, false)
	require.NoError(t, err)
	require.False(t, f.Problems.Any())
	require.Len(t, got, 100_000)
	require.Less(t, time.Since(began), 2*time.Second)
}

func BenchmarkMemberships(b *testing.B) {
	data := large(100_000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		_, _, err := sheet.Memberships(data, nil, ws, false)
		require.NoError(b, err)
	}
}
