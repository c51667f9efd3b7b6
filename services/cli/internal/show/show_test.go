package show_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func TestStatesAreNeverToldByColourAlone(t *testing.T) {
	require.Equal(t, "✗ FAILED", show.Style{}.State("FAILED"))
	require.Equal(t, "✓ DONE", show.Style{}.State("DONE"))
	require.Equal(t, "✗ BOUNCED", show.Style{}.State("BOUNCED"))
	require.Equal(t, "✓ SENT", show.Style{}.State("SENT"))
	require.Equal(t, "‖ INTERRUPTED", show.Style{}.State("INTERRUPTED"), "a person has to say what became of it")
	require.Equal(t, "\x1b[31m✗ FAILED\x1b[0m", show.Style{Colour: true}.State("FAILED"))
	for number, word := range deploymentv1.Deployment_State_name {
		if number > 0 {
			require.GreaterOrEqual(t, show.Rank(word), 0, word)
		}
	}
	require.Less(t, show.Rank("FAILED"), show.Rank("RUNNING"))
	require.Less(t, show.Rank("RUNNING"), show.Rank("WAITING"))
	require.Less(t, show.Rank("WAITING"), show.Rank("SEALED"))
}

func TestATerminalObeysNothingThatPeopleWrote(t *testing.T) {
	painted := show.Style{Colour: true}.State("DONE")
	require.Equal(t, painted+" a\nb\tc", show.Safe(painted+" a\nb\tc"))
	require.Equal(t, "x�[2Jy�z�]0;t�e�", show.Safe("x\x1b[2Jy\x07z\x1b]0;t\x07e\u202e"))
	require.Equal(t, "�[31", show.Safe("\x1b[31"), "cut off")
}

func TestColumnsAlignByWhatIsSeen(t *testing.T) {
	colour := show.Style{Colour: true}
	painted := show.Align([][]string{{"NAME", "STATE", "AGE"}, {"a", colour.State("RUNNING"), "1s"}, {"bbbbbb", colour.State("OK"), "2s"}})
	require.Equal(t, []string{
		"NAME    STATE      AGE", "a       \x1b[34m▶ RUNNING\x1b[0m  1s", "bbbbbb  \x1b[34m▶ OK\x1b[0m       2s",
	}, painted)
	wide := show.Align([][]string{{"漢字", "a"}, {"e\u0301te\u0301", "b"}, {"four", "c"}})
	require.Equal(t, []string{"漢字  a", "e\u0301te\u0301   b", "four  c"}, wide, "what is wide takes two columns, an accent none")
	require.Equal(t, "漢…", show.Cut("漢字", 3))
}

func TestLiveStaysInsideItsTerminal(t *testing.T) {
	var out strings.Builder
	live := show.Live{Out: &out, Size: func() (int, int) { return 10, 5 }}
	require.NoError(t, live.Draw([]string{"one", "two", "three", "four", "five", "six"}))
	require.Equal(t, "\r\x1b[2Kone\n\r\x1b[2Ktwo\n\r\x1b[2Kthree\n\r\x1b[2K… and 3 m…\n\x1b[J", out.String())
	out.Reset()
	require.NoError(t, live.Draw([]string{"short", "a line that is too long"}))
	require.Equal(t, "\x1b[4A\r\x1b[2Kshort\n\r\x1b[2Ka line th…\n\x1b[J", out.String(), "it goes up by what it drew, and clears the rest")
}

func TestCutNeverShowsMoreThanFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([a-zäß▶]|\x1b\[3[0-9]m){0,30}`).Draw(t, "text")
		width := rapid.IntRange(2, 20).Draw(t, "width")
		cut := show.Cut(text, width)
		visible := 0
		for _, r := range strings.NewReplacer("\x1b[30m", "", "\x1b[31m", "", "\x1b[32m", "", "\x1b[33m", "", "\x1b[34m", "", "\x1b[35m", "",
			"\x1b[36m", "", "\x1b[37m", "", "\x1b[38m", "", "\x1b[39m", "", "\x1b[0m", "").Replace(cut) {
			_ = r
			visible++
		}
		require.LessOrEqual(t, visible, width)
		if cut != text && strings.Contains(text, "\x1b") {
			require.True(t, strings.HasSuffix(cut, "\x1b[0m"), "colours end with the line")
		}
	})
}

func TestFormsForProgramsAreStable(t *testing.T) {
	release := &deploymentv1.Release{Name: "workspaces/w/applications/a/releases/v1", Version: "1.0", Notes: "one\ntwo", Commit: "0123"}
	for format, want := range map[show.Format]string{
		show.NDJSON: `{"name":"workspaces/w/applications/a/releases/v1","version":"1.0","commit":"0123","notes":"one\ntwo"}` + "\n",
		show.JSON:   "{\n  \"name\": \"workspaces/w/applications/a/releases/v1\",\n  \"version\": \"1.0\",\n  \"commit\": \"0123\",\n  \"notes\": \"one\\ntwo\"\n}\n",
		show.YAML:   "name: workspaces/w/applications/a/releases/v1\nversion: \"1.0\"\ncommit: \"0123\"\nnotes: |-\n  one\n  two\n",
	} {
		for range 10 { // protojson adds spaces at random between builds
			var out strings.Builder
			require.NoError(t, show.Encode(&out, format, release))
			require.Equal(t, want, out.String())
		}
	}
	var out strings.Builder
	require.NoError(t, show.EncodeList(&out, show.JSON, []proto.Message{}))
	require.Equal(t, "[]\n", out.String(), "nothing is an empty list and not null")
	_, err := show.ParseFormat("xml")
	require.Error(t, err)
}

func TestTableOfDeployments(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	k, err := kind.Find("deployment")
	require.NoError(t, err)
	d := &deploymentv1.Deployment{
		Name: "workspaces/w/applications/crm/deployments/d1", State: deploymentv1.Deployment_RUNNING, Release: "workspaces/w/applications/crm/releases/v2",
		Environment: "workspaces/w/environments/prod", CreateTime: timestamppb.New(now.Add(-90 * time.Minute)), Creator: "users/alice",
		Counts: &deploymentv1.InstallationCounts{Total: 10, Sealed: 4, Healthy: 1, Failed: 1, InProgress: 2},
	}
	var out strings.Builder
	require.NoError(t, show.List(&out, k, []proto.Message{d}, false, show.Style{}, now))
	require.Equal(t, "NAME                STATE      RELEASE  ENVIRONMENT  PROGRESS                AGE\n"+
		"crm/deployments/d1  ▶ RUNNING  v2       prod         5/10 2 moving 1 failed  1h30m\n", out.String())
	out.Reset()
	require.NoError(t, show.List(&out, k, []proto.Message{d}, true, show.Style{}, now))
	require.Contains(t, out.String(), "users/alice")
	require.Contains(t, out.String(), d.GetName())
}

func TestTimesReadAsPeopleSayThem(t *testing.T) {
	for d, want := range map[time.Duration]string{
		20 * time.Millisecond: "20ms", 59 * time.Second: "59s", 61 * time.Second: "1m1s", 2 * time.Hour: "2h0m", 50 * time.Hour: "2d",
	} {
		require.Equal(t, want, show.Span(d))
	}
	now := time.Unix(1000, 0)
	require.Equal(t, "in 5s", show.Ago(now.Add(5*time.Second), now))
	require.Equal(t, "5s ago", show.Ago(now.Add(-5*time.Second), now))
}

func TestEveryKindHasATable(t *testing.T) {
	for _, k := range kind.All() {
		var out strings.Builder
		require.NoError(t, show.List(&out, k, []proto.Message{k.Message.New().Interface()}, true, show.Style{}, time.Now()))
		require.Contains(t, out.String(), "NAME", k.Singular)
	}
}
