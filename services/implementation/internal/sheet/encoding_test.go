package sheet_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/sheet"
)

// wide is a text in UTF-16 with a byte order mark.
func wide(text string, order binary.AppendByteOrder) []byte {
	var data []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		data = order.AppendUint16(data, unit)
	}
	return data
}

const lettered = "session,start_time,end_time,place\none,2026-03-02T09:00:00Z,2026-03-02T10:00:00Z,Saal Zürich – 1. OG\n"

func TestOneTextInEveryEncoding(t *testing.T) {
	for name, c := range map[string]struct {
		data     []byte
		encoding string
	}{
		"UTF-8":                  {[]byte(lettered), sheet.UTF8},
		"UTF-8 with a mark":      {[]byte("\xef\xbb\xbf" + lettered), sheet.UTF8},
		"UTF-16, little end":     {wide(lettered, binary.LittleEndian), sheet.UTF16LE},
		"UTF-16, big end":        {wide(lettered, binary.BigEndian), sheet.UTF16BE},
		"Windows-1252":           {[]byte(strings.NewReplacer("ü", "\xfc", "–", "\x96").Replace(lettered)), sheet.Windows1252},
		"ASCII is UTF-8 as well": {[]byte(strings.NewReplacer("ü", "u", "–", "-").Replace(lettered)), sheet.UTF8},
	} {
		t.Run(name, func(t *testing.T) {
			all, f, err := sheet.Sessions(c.data, nil, ws+"/trainings/t", ws)
			require.NoError(t, err)
			require.Empty(t, told(f))
			require.Equal(t, c.encoding, f.Encoding)
			want := "Saal Zürich – 1. OG"
			if strings.HasPrefix(name, "ASCII") {
				want = "Saal Zurich - 1. OG"
			}
			require.Equal(t, want, all[0].Place)
		})
	}
}

func TestAByteThatIsNoTextIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		data string
		line int32
		says string
	}{
		"UTF-8 that breaks off":            {"person\np-1\né\xc3\n", 3, "byte 13 is 0xc3"},
		"behind a mark":                    {"\xef\xbb\xbfperson\n\xff\n", 2, "byte 10 is 0xff"},
		"not in any":                       {"person\r\np\x9d\r\n", 2, "byte 9 is 0x9d, which is neither UTF-8 nor Windows-1252"},
		"zero":                             {"person\np\x00", 2, "byte 8 is zero"},
		"UTF-16 without a mark":            {"p\x00e\x00r\x00", 1, "byte 1 is zero: the file is no text, or UTF-16 without a byte order mark"},
		"UTF-16 that breaks off":           {string(wide("person\np", binary.LittleEndian)) + "1", 2, "byte 18 is the half"},
		"half a pair of UTF-16":            {string(wide("person\n", binary.BigEndian)) + "\xd8\x00\x00a", 2, "byte 16 begins half a character"},
		"a character beyond 0xffff before": {string(wide("😀\n\x00", binary.BigEndian)), 2, "byte 8 begins a character zero"},
	} {
		t.Run(name, func(t *testing.T) {
			_, f, err := sheet.People([]byte(c.data), nil, ws)
			require.NoError(t, err)
			require.Len(t, f.Problems.Rows(), 1)
			p := f.Problems.Rows()[0]
			require.Equal(t, "ENCODING_INVALID", p.GetReason())
			require.Equal(t, c.line, p.GetLine(), p.GetMessage())
			require.Contains(t, p.GetMessage(), c.says)
		})
	}
}

func TestColumnsThatNobodyKnowsAreTold(t *testing.T) {
	_, f, err := sheet.Memberships([]byte("person,begin_date,,note\np-1,2026-01-01,,x\n"), nil, ws, false)
	require.NoError(t, err)
	require.Equal(t, []string{"begin_date", "note"}, f.Ignored)
}

func TestManyCohortsInOneFile(t *testing.T) {
	all, f, err := sheet.Memberships([]byte("cohort,person,role\nsales,p-1,\nlogistics,p-1,super user\n"+ws+"/cohorts/sales,p-2,Super-User\n"), nil, ws, true)
	require.NoError(t, err)
	require.Empty(t, told(f), "one person may be in two cohorts")
	super := implementationv1.Membership_SUPER_USER
	require.Equal(t, []sheet.Membership{
		{Line: 2, Cohort: "sales", Person: "p-1"}, {Line: 3, Cohort: "logistics", Person: "p-1", Role: super}, {Line: 4, Cohort: "sales", Person: "p-2", Role: super},
	}, all)
	_, f, err = sheet.Memberships([]byte("person,cohort\np-1,\np-1,Sales!\np-1,a\np-1,a\n"), nil, ws, true)
	require.NoError(t, err)
	require.Equal(t, []string{"2 cohort VALUE_MISSING", "3 cohort INVALID_RESOURCE_ID", "5  DUPLICATE_ROW"}, told(f))
}

func TestSessionsAndAccountsAndDues(t *testing.T) {
	_, f, err := sheet.Sessions([]byte("session,start_time,end_time,seats,trainer\nOne,2026-01-01,2026-01-02,,\na,2026-01-01,2026-01-02,0,Bad!\nb,,2026-01-02,1,\nc,2026-01-01,2026-01-02,9,ada\nc,2026-01-01,2026-01-02,9,\n"),
		nil, ws+"/trainings/t", ws)
	require.NoError(t, err)
	require.Equal(t, []string{
		"2 session INVALID_RESOURCE_ID", "3 seats SEATS_INVALID", "3 trainer INVALID_RESOURCE_ID", "4 start_time VALUE_MISSING", "6 session DUPLICATE_ROW",
	}, told(f))
	accounts, f, err := sheet.Accounts([]byte("person,application,provision_time,revoke_time\np-1,crm,2026-01-01,2026-02-01\np-1,erp,,\np-2,crm,2026-02-01,2026-01-01\np-3,crm,2027-01-01,\np-1,crm,,\n"), nil, ws, true, now)
	require.NoError(t, err)
	require.Len(t, accounts, 2)
	require.Equal(t, []string{"4 revoke_time DATE_INVALID", "5 provision_time TIME_IN_FUTURE", "6 person DUPLICATE_ROW"}, told(f))
	dues, f, err := sheet.Assignments([]byte("person,due_time\np-1,2027-01-01\np-2,\np-2,\n"), nil, ws)
	require.NoError(t, err)
	require.Equal(t, []string{"4 person DUPLICATE_ROW"}, told(f))
	require.Equal(t, []sheet.Assignment{{Line: 2, Person: "p-1", Due: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}, {Line: 3, Person: "p-2"}}, dues)
}

func TestACompletionsFileThatIsAnExportCompletesNobody(t *testing.T) {
	all, f, err := sheet.Completions([]byte("person,state,complete_time\np-1,ASSIGNED,\np-2,COMPLETED,2026-01-01\np-3,BOOKED,\n"), nil, ws, now)
	require.NoError(t, err)
	require.Empty(t, told(f))
	require.Len(t, all, 1)
}

func TestASpreadsheetComputesNothing(t *testing.T) {
	w := sheet.NewWriter("place")
	for _, cell := range []string{"=1+1", "+1", "-1", "@x", "\tx", "\rx", "'=x", "fine", "", "a,b", `a"b`, "'quoted'"} {
		w.Row(cell)
	}
	require.Equal(t, 12, w.Rows())
	require.Equal(t, "place\n'=1+1\n'+1\n'-1\n'@x\n'\tx\n\"'\rx\"\n''=x\nfine\n\n\"a,b\"\n\"a\"\"b\"\n'quoted'\n", string(w.Bytes()))
}

// TestWhatIsWrittenIsReadAgain draws places and times: a file of sessions that was written is read as it was.
func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		place := strings.TrimSpace(rapid.StringMatching(`[-=+@' ,;|"a-zé\n]{0,20}`).Draw(t, "place"))
		start := time.UnixMicro(rapid.Int64Range(1, 4e15).Draw(t, "start")).UTC()
		w := sheet.NewWriter("session", "start_time", "end_time", "place")
		w.Row("one", sheet.Time(start), sheet.Time(start.Truncate(24*time.Hour).Add(24*time.Hour)), place)
		all, f, err := sheet.Sessions(w.Bytes(), nil, ws+"/trainings/t", ws)
		require.NoError(t, err)
		require.Empty(t, told(f))
		require.Equal(t, start, all[0].Start)
		require.Equal(t, place, all[0].Place)
	})
}

func FuzzFiles(f *testing.F) {
	for _, seed := range []string{
		"person,start_date,end_date\np-1,2026-03-01,\n", "\xef\xbb\xbfperson;x\n\"a\"\"b\";1\n", "person\tscore\n\n\n,\n",
		"\"per\nson\"\n1", "person\r\np-1\r\n", "\"", ",", "\xff\xfe", "person\np-1\x00", "person|role\np|super user", "\xfe\xff\x00p", "person\np\xe9\x81",
		"session,start_time,end_time,place,seats\na,2026-01-01,2026-01-02,'=x,4\n", "\xff\xfe\x00\xd8", "person\rp-1\r",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		check := func(rows int, file *sheet.File, err error) {
			require.NoError(t, err)
			require.LessOrEqual(t, rows, file.RowCount)
			for _, p := range file.Problems.Rows() {
				require.Positive(t, p.GetLine())
				require.LessOrEqual(t, int(p.GetLine()), len(data)+1)
				require.NotEmpty(t, p.GetReason())
				require.True(t, utf8.ValidString(p.GetMessage()), "it goes into a message of text")
				require.True(t, utf8.ValidString(p.GetColumn()))
			}
		}
		memberships, file, err := sheet.Memberships(data, nil, ws, false)
		check(len(memberships), file, err)
		for _, m := range memberships {
			require.True(t, sheet.IsPersonID(m.Person))
			require.True(t, m.End.IsZero() || m.End.After(m.Start))
		}
		completions, file, err := sheet.Completions(data, nil, ws, now)
		check(len(completions), file, err)
		for _, c := range completions {
			require.False(t, c.Time.After(now))
		}
		sessions, file, err := sheet.Sessions(data, nil, ws+"/trainings/t", ws)
		check(len(sessions), file, err)
		accounts, file, err := sheet.Accounts(data, nil, ws, true, now)
		check(len(accounts), file, err)
	})
}
