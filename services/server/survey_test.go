package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/server"
)

// browser is somebody with a link and no account.
type browser struct {
	*testing.T
	base string
}

func (b browser) do(method, path, kind, body string) (int, string, http.Header) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), method, b.base+path, strings.NewReader(body))
	require.NoError(b, err)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(b, err)
	defer func() { require.NoError(b, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(b, err)
	return resp.StatusCode, string(text), resp.Header
}

const formKind = "application/x-www-form-urlencoded"

// links opens a survey of nine people through HTTP and returns the paths of their links.
func links(t *testing.T, s *server.Server) []string {
	t.Helper()
	call := func(method, path string, body any) map[string]any {
		raw, err := json.Marshal(body)
		require.NoError(t, err)
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.Addresses().HTTP+"/v1/workspaces/default/"+path, strings.NewReader(string(raw)))
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+s.BootstrapToken())
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer func() { require.NoError(t, resp.Body.Close()) }()
		var answer map[string]any
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
		require.Equal(t, 200, resp.StatusCode, "%v", answer)
		return answer
	}
	call("POST", "cohorts?cohortId=sales", map[string]any{})
	rows := "person\n"
	for i := range 9 {
		rows += fmt.Sprintf("workspaces/default/people/p-%d\n", i)
	}
	call("POST", "cohorts/sales/memberships:import", map[string]any{"csv": []byte(rows), "createPeople": true})
	call("POST", "surveys?surveyId=pulse", map[string]any{"displayName": "The <new> CRM", "questions": []map[string]any{
		{"id": "happy", "kind": "CSAT", "text": "How satisfied are you?"}, {"id": "change", "kind": "ADKAR"}, {"id": "words", "kind": "COMMENT", "text": "What else?"},
	}})
	call("POST", "surveys/pulse/surveyWaves?surveyWaveId=w", map[string]any{"cohorts": []string{"workspaces/default/cohorts/sales"}, "baseUrl": "http://" + s.Addresses().HTTP})
	call("POST", "surveys/pulse/surveyWaves/w:open", map[string]any{})
	sent := call("POST", "surveys/pulse/surveyWaves/w:send", map[string]any{"handOver": true})
	var file []byte
	require.NoError(t, json.Unmarshal([]byte(fmt.Sprintf("%q", sent["csv"])), &file))
	var paths []string
	for _, line := range strings.Split(strings.TrimSpace(string(file)), "\n")[1:] {
		paths = append(paths, line[strings.Index(line, "/r/"):])
	}
	require.Len(t, paths, 9)
	return paths
}

func TestALinkIsAnsweredInABrowserAndByPrograms(t *testing.T) {
	s, err := server.Up(t.Context(), config(t))
	require.NoError(t, err)
	serve(t, s)
	ready(t, s)
	paths := links(t, s)
	b := browser{t, "http://" + s.Addresses().HTTP}

	code, page, header := b.do("GET", paths[0], "", "")
	require.Equal(t, 200, code)
	require.Contains(t, page, "The &lt;new&gt; CRM")
	require.Contains(t, page, `<legend>How satisfied are you?</legend>`)
	require.Equal(t, 6, strings.Count(page, "<fieldset"), "one question and five elements")
	require.Equal(t, 30, strings.Count(page, `type="radio"`))
	require.Contains(t, page, `<label for="words">`)
	require.NotContains(t, page, "<script")
	require.NotRegexp(t, `(src|href|action)="(https?:)?//`, page, "nothing is loaded from elsewhere")
	require.Equal(t, "no-referrer", header.Get("Referrer-Policy"), "the link is told to nobody")
	require.Equal(t, "no-store", header.Get("Cache-Control"))
	require.Contains(t, header.Get("Content-Security-Policy"), "default-src 'none'")

	answers := url.Values{"happy": {"9"}, "words": {"It <works>."}}
	for i := range 5 {
		answers.Set(fmt.Sprintf("change.%d", i+1), "4")
	}
	code, page, _ = b.do("POST", paths[0], formKind, answers.Encode())
	require.Equal(t, 422, code)
	require.Contains(t, page, `role="alert"`)
	require.Contains(t, page, "It &lt;works&gt;.", "what was written is not lost")
	require.Equal(t, 5, strings.Count(page, " checked"))
	answers.Set("happy", "4")
	code, page, _ = b.do("POST", paths[0], formKind, answers.Encode())
	require.Equal(t, 200, code)
	require.Contains(t, page, "Thank you")
	code, page, _ = b.do("POST", paths[0], formKind, answers.Encode())
	require.Equal(t, 400, code)
	require.Contains(t, page, "This link has been used")
	code, page, _ = b.do("GET", "/r/AAAAAAAAAAAAAAAAAAAAAA", "", "")
	require.Equal(t, 404, code)
	require.Contains(t, page, "This link is not known")
	code, _, _ = b.do("POST", paths[1], formKind, "words="+strings.Repeat("x", 300<<10))
	require.Equal(t, 400, code, "a form has its limits")
	code, _, _ = b.do("DELETE", paths[1], "", "")
	require.Equal(t, 405, code)

	// Programs speak JSON, at the link or at the route of the API, without a token.
	const all = `{"answers": [{"question": "happy", "value": 5}, {"question": "change", "item": 1, "value": 5}, {"question": "change", "item": 2, "value": 5},
		{"question": "change", "item": 3, "value": 5}, {"question": "change", "item": 4, "value": 5}, {"question": "change", "item": 5, "value": 5}]}`
	code, text, _ := b.do("POST", paths[1], "application/json", all)
	require.Equal(t, 200, code, text)
	token := strings.TrimPrefix(paths[2], "/r/")
	code, text, _ = b.do("GET", "/v1/surveyLinks/"+token, "", "")
	require.Equal(t, 200, code)
	require.Contains(t, text, `"questions"`)
	code, text, _ = b.do("POST", "/v1/surveyLinks/"+token+":submit", "application/json", all)
	require.Equal(t, 200, code, text)
	code, text, _ = b.do("POST", "/v1/surveyLinks/"+token+":submit", "application/json", all)
	require.Equal(t, 400, code)
	require.Contains(t, text, "LINK_USED")

	code, page, _ = b.do("GET", "/privacy/default/pulse", "", "")
	require.Equal(t, 200, code)
	require.Contains(t, page, "<h1>The &lt;new&gt; CRM</h1>")
	require.Contains(t, page, "For how long")
	code, _, _ = b.do("GET", "/privacy/default/none", "", "")
	require.Equal(t, 404, code)
	code, _, _ = b.do("GET", "/v1/workspaces/default/surveys", "", "")
	require.Equal(t, 401, code, "everything else wants an account")
}
