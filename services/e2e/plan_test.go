package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAPlanFromDraftToClosed is the day of a person who leads an implementation, with the programs as they are shipped:
// through the command line and HTTP, on both databases. The numbers are those of a plan that one can count by hand.
func TestAPlanFromDraftToClosed(t *testing.T) {
	planes(t, func(t *testing.T, p *plane) {
		l := &lead{plane: p, t: t, dir: t.TempDir()}
		l.drafts()
		l.counts()
		l.asks()
		l.races()
		l.levels()
		l.edits()
		l.agrees()
		l.works()
		l.closes()
	})
}

// lead is somebody with a plan.
type lead struct {
	*plane
	t   *testing.T
	dir string
}

// run is the CLI, with the exit code that is expected and all that it printed.
func (l *lead) run(code int, args ...string) string {
	l.t.Helper()
	cmd := exec.CommandContext(l.t.Context(), program(l.t, "golive"), args...)
	cmd.Env, cmd.Dir = append(l.environment(), "TZ=UTC"), l.dir
	out, _ := cmd.CombinedOutput() // the code is looked at
	require.Equal(l.t, code, cmd.ProcessState.ExitCode(), "golive %v: %s", args, out)
	return string(out)
}

// call is HTTP, with the status that is expected and the answer. A path begins below the workspace.
func (l *lead) call(status int, method, path, body string) map[string]any {
	l.t.Helper()
	got, answer := l.send(method, path, body)
	require.Equal(l.t, status, got, "%s %s: %v", method, path, answer)
	return answer
}

func (l *lead) send(method, path, body string) (status int, answer map[string]any) {
	req, err := http.NewRequestWithContext(l.t.Context(), method, "http://"+l.addresses["http"]+"/v1/workspaces/default/"+path, bytes.NewBufferString(body))
	require.NoError(l.t, err)
	req.Header.Set("Authorization", "Bearer "+l.token)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(l.t, err)
	defer func() { require.NoError(l.t, resp.Body.Close()) }()
	require.NoError(l.t, json.NewDecoder(resp.Body).Decode(&answer), path)
	return resp.StatusCode, answer
}

func (l *lead) write(name, text string) {
	l.t.Helper()
	require.NoError(l.t, os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o600))
}

// lines are those of a text, without their paddings.
func lines(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		all = append(all, strings.Join(strings.Fields(line), " "))
	}
	return all
}

// drafts begins two plans: one with a template, one with a file.
func (l *lead) drafts() {
	l.run(0, "implementation", "create", "erp", "--title", "ERP for finance", "--owner", "users/lead", "--template", "erp-cutover", "--start", "2027-03-01")
	require.Contains(l.t, l.run(0, "plan", "lint", "erp"), "erp  0 errors")

	l.run(0, "implementation", "create", "seven", "--title", "Seven tasks", "--owner", "users/lead", "--start", "2027-03-01")
	require.Contains(l.t, l.run(0, "plan", "show", "seven"), "golive plan template apply seven")
	l.write("seven.csv", "Kennung;Vorgang;stage;likely;Nach\na;Ä;build;6d;\nb;B;build;2d;a\nc;C;build;2d;a\nd;D;build;3d;b\nf;F;build;2d;c\ne;E;go;4d;d, f\ng;G;go;1d;e\n")
	columns := []string{"plan", "import", "seven", "-f", "seven.csv", "--create-stages", "--columns", "id=Kennung,name=Vorgang,predecessors=Nach"}
	require.Contains(l.t, l.run(0, append(columns, "--dry-run")...), "7 rows: 7 recorded")
	require.Contains(l.t, l.run(0, "plan", "show", "seven"), "no tasks", "it was tried only")
	l.run(0, columns...)
	require.Contains(l.t, l.run(0, columns...), "7 were so already")
}

func readFile(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	return string(text)
}

// counts holds the schedule to the numbers of the textbook: 16 days, and a day of float for what is not on the way.
func (l *lead) counts() {
	var schedule struct {
		DurationMinutes, EndTime string
		Tasks                    []struct{ Name, TotalFloatMinutes string }
	}
	require.NoError(l.t, json.Unmarshal([]byte(l.run(0, "api", "GET", "/v1/workspaces/default/implementations/seven/schedule", "--url", "http://"+l.addresses["http"])), &schedule))
	float := map[string]string{}
	for _, task := range schedule.Tasks {
		float[filepath.Base(task.Name)] = task.TotalFloatMinutes
	}
	require.Equal(l.t, map[string]string{"a": "", "b": "", "c": "480", "d": "", "e": "", "f": "480", "g": ""}, float, "0 is left out")
	require.Equal(l.t, strconv.Itoa(16*480), schedule.DurationMinutes)
	require.Equal(l.t, "2027-03-22T17:00:00Z", schedule.EndTime, "the sixteenth working day")

	shown := lines(l.run(0, "plan", "critical-path", "seven"))
	require.Contains(l.t, shown[0], "2027-03-01 to 2027-03-22, 16d")
	require.Contains(l.t, shown, "c C 2027-03-09 2027-03-10 2d 1d a", "one that nearly decides")
}

// asks what would be, which changes nothing, and by when it is sure.
func (l *lead) asks() {
	require.Contains(l.t, l.run(0, "plan", "whatif", "seven", "--set", "f.likely=4d"), "2027-03-22 → 2027-03-23, 1d later")
	require.Contains(l.t, l.run(0, "plan", "whatif", "seven", "--set", "c.likely=3d"), "the end stays", "it has a day")
	require.Contains(l.t, l.run(2, "plan", "whatif", "seven", "--set", "z.likely=4d"), "no task z")
	require.Contains(l.t, l.run(0, "plan", "show", "seven"), "2027-03-01 to 2027-03-22, 16d")

	forecast := `{"seed": "7", "iterations": 2000, "asOfTime": "2027-01-01T00:00:00Z"}`
	l.call(http.StatusOK, http.MethodPatch, "implementations/seven/tasks/e?updateMask=estimate", `{"estimate": {"optimisticMinutes": 960, "likelyMinutes": 1920, "pessimisticMinutes": 4800}}`)
	first := l.call(http.StatusOK, http.MethodPost, "implementations/seven/forecasts?forecastId=one", forecast)
	second := l.call(http.StatusOK, http.MethodPost, "implementations/seven/forecasts?forecastId=two", forecast)
	for _, field := range []string{"inputDigest", "p50Time", "p80Time", "p90Time"} {
		require.NotEmpty(l.t, first[field], field)
		require.Equal(l.t, first[field], second[field], "the same plan and seed are the same %s", field)
	}
	require.Contains(l.t, l.run(0, "plan", "forecast", "seven", "--target", "2027-03-26"), "the date to promise")
}

// races lets two people close a circle between them: one of them may not.
func (l *lead) races() {
	const tasks = "workspaces/default/implementations/seven/tasks/"
	statuses := [2]int{}
	var both sync.WaitGroup
	for i, edge := range [][2]string{{"c", "d"}, {"d", "c"}} {
		both.Go(func() {
			statuses[i], _ = l.send(http.MethodPatch, "implementations/seven/tasks/"+edge[0]+"?updateMask=dependencies", `{"dependencies": [{"predecessor": "`+tasks+edge[1]+`"}]}`)
		})
	}
	both.Wait()
	require.ElementsMatch(l.t, []int{http.StatusOK, http.StatusBadRequest}, statuses[:])
	refused := l.call(http.StatusBadRequest, http.MethodPatch, "implementations/seven/tasks/a?updateMask=dependencies", `{"dependencies": [{"predecessor": "`+tasks+`g"}]}`)
	require.Contains(l.t, refused["message"], " → ", "the circle is named")
	l.call(http.StatusOK, http.MethodPatch, "implementations/seven/tasks/c?updateMask=dependencies", `{"dependencies": [{"predecessor": "`+tasks+`a"}]}`)
	l.call(http.StatusOK, http.MethodPatch, "implementations/seven/tasks/d?updateMask=dependencies", `{"dependencies": [{"predecessor": "`+tasks+`b"}]}`)
	l.call(http.StatusConflict, http.MethodPatch, "implementations/seven/tasks/d?updateMask=priority", `{"priority": 3, "etag": "\"of yesterday\""}`)
}

// levels a plan in which one person has two things to do at once, is on holiday, and pays for both in days.
func (l *lead) levels() {
	l.call(http.StatusOK, http.MethodPost, "resources?resourceId=ada",
		`{"displayName": "Ada", "kind": "PERSON", "principal": "users/admin", "absences": [{"startTime": "2027-03-11T00:00:00Z", "endTime": "2027-03-12T00:00:00Z"}]}`)
	for _, task := range []string{"b", "c"} {
		l.call(http.StatusOK, http.MethodPatch, "implementations/seven/tasks/"+task+"?updateMask=assignments", `{"assignments": [{"resource": "workspaces/default/resources/ada"}]}`)
	}
	proposed := lines(l.run(0, "plan", "level", "seven", "--id", "fair"))
	require.Equal(l.t, "seven/proposals/fair ends 2027-03-24 instead of 2027-03-22: scarcity costs 2.0 working days", proposed[0])
	require.Contains(l.t, proposed, "ada 2027-03-09 16.0 h 8.0 h b, c")
	l.run(0, "plan", "apply-proposal", "seven/proposals/fair", "--yes")
	l.run(4, "plan", "apply-proposal", "seven/proposals/fair", "--yes")
	require.Contains(l.t, l.run(0, "plan", "show", "seven"), "2027-03-01 to 2027-03-24, 18d")
	require.Contains(l.t, l.run(0, "plan", "level", "seven"), "nothing moves")
	require.Contains(l.t, l.run(4, "delete", "resource", "ada", "--yes"), "is needed by")
}

// edits takes the plan out to a spreadsheet and back.
func (l *lead) edits() {
	l.run(0, "plan", "export", "seven", "-f", "out.csv")
	text := readFile(l.t, l.dir, "out.csv")
	require.Contains(l.t, l.run(0, "plan", "import", "seven", "-f", "out.csv"), "7 were so already")
	l.write("bad.csv", strings.Replace(strings.Replace(text, "b,B,build", "b,B,nowhere", 1), "f,F,build,,2d,,c", "f,F,build,,soon,,g", 1))
	told := l.run(6, "plan", "import", "seven", "-f", "bad.csv")
	require.Contains(l.t, told, "2 of 7 rows are bad, nothing was changed")
	require.Regexp(l.t, `line \d+ likely: "soon" is no duration`, told)
	l.write("better.csv", strings.Replace(text, ",C,build", ",Test 漢字,build", 1))
	require.Contains(l.t, l.run(0, "plan", "import", "seven", "-f", "better.csv"), "1 changed")
}

// agrees on the plan: what it still needs is said one after the other.
func (l *lead) agrees() {
	require.Contains(l.t, l.run(7, "why", "seven"), "a sponsor")
	l.call(http.StatusOK, http.MethodPatch, "implementations/seven?updateMask=sponsor", `{"sponsor": "users/cfo"}`)
	refused := l.call(http.StatusBadRequest, http.MethodPost, "implementations/seven:submit", `{}`)
	require.Contains(l.t, refused["message"], "golive plan baseline seven")
	require.Contains(l.t, l.run(7, "why", "seven"), "golive plan baseline seven")
	l.run(0, "plan", "baseline", "seven", "agreed")
	l.run(0, "implementation", "submit", "seven")
	require.Contains(l.t, l.run(7, "why", "seven"), "golive implementation start seven")
	l.run(0, "implementation", "start", "seven")
	l.run(0, "implementation", "hold", "seven", "--reason", "no money until March")
	require.Contains(l.t, l.run(7, "why", "implementations/seven"), "no money until March")
	l.run(0, "implementation", "resume", "seven")
	if crashed := l.processes["golive"]; crashed != nil { // where one process is all there is
		crashed.kill()
		crashed.start()
		l.answers(l.t, l.implementation)
	}
}

// works on it, from the list of what is to be done to the end of the stages.
func (l *lead) works() {
	mine := l.run(0, "tasks")
	require.Contains(l.t, mine, "seven/tasks/b")
	require.Contains(l.t, mine, "waits", "nothing of it can begin")
	l.call(http.StatusOK, http.MethodPatch, "implementations/seven/stages/build?updateMask=exitCriteria",
		`{"exitCriteria": [{"id": "tasks", "tasksDone": {}}, {"id": "word", "confirmation": {"owner": "users/cfo"}}]}`)
	l.run(0, "stage", "start", "seven/build")
	l.run(0, "task", "start", "seven/a")
	l.run(0, "task", "report", "seven/a", "--progress", "50", "--left", "1d", "--effort", "2d")
	require.Contains(l.t, l.run(7, "why", "seven/tasks/b"), "50 % done")
	l.run(0, "comment", "seven/tasks/a", "waits for the **licence** <script>alert(1)</script>")
	require.Contains(l.t, l.run(0, "comment", "seven/tasks/a"), "**licence**")
	require.Contains(l.t, l.run(7, "why", "seven/stages/build"), "golive stage confirm seven/stages/build --criterion word")
	l.run(0, "stage", "review", "seven/build")
	require.Contains(l.t, l.run(4, "stage", "complete", "seven/build"), "0 of 5 tasks are done")
	for _, task := range []string{"a", "b", "c", "d", "f"} {
		l.run(0, "task", "complete", "seven/"+task)
	}
	l.run(0, "stage", "confirm", "seven/build", "--criterion", "word", "--note", "seen it")
	l.run(0, "stage", "complete", "seven/build")

	report := l.run(0, "report", "seven")
	require.Contains(l.t, report, "# Seven tasks: week ")
	require.Contains(l.t, report, "Test 漢字")
	page := l.run(0, "report", "seven", "--html")
	require.Contains(l.t, page, "<!DOCTYPE html>")
	require.NotContains(l.t, page, "<script")
	require.Contains(l.t, l.run(0, "plan", "value", "seven"), "earned value (EV)")
}

// closes it: nothing is left, and every outcome has a verdict.
func (l *lead) closes() {
	l.call(http.StatusOK, http.MethodPost, "implementations/seven/outcomes?outcomeId=faster", `{"displayName": "Offers in a day", "metric": "days to an offer", "baselineValue": 5, "targetValue": 1, "owner": "users/lead"}`)
	l.run(0, "stage", "start", "seven/go")
	l.run(0, "task", "complete", "seven/e")
	l.run(0, "task", "cancel", "seven/g", "--reason", "done by others")
	l.run(0, "stage", "review", "seven/go")
	l.run(0, "stage", "complete", "seven/go")
	l.run(0, "implementation", "sustain", "seven")
	require.Contains(l.t, l.run(4, "implementation", "complete", "seven"), "faster")
	require.Contains(l.t, l.run(7, "why", "implementations/seven"), "golive outcome decide seven/outcomes/faster")
	l.run(0, "outcome", "decide", "seven/outcomes/faster", "missed", "--reason", "half way", "--owner", "users/lead")
	l.run(0, "implementation", "complete", "seven")
	require.Contains(l.t, l.run(0, "why", "implementations/seven"), "waits for nothing")
	require.Equal(l.t, "CLOSED", l.call(http.StatusOK, http.MethodGet, "implementations/seven", "")["state"])
	l.run(4, "task", "reopen", "seven/a", "--reason", "too late")
	eventsAreDocumented(l.t, l.run(0, "events", "implementations/seven", "--limit", "1000"))
}
