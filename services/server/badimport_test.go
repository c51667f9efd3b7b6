package server_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// TestFilesWithMistakesImportNothing: a file is answered with what is wrong in each
// line, over both transports, and not one of its good lines is taken.
func TestFilesWithMistakesImportNothing(t *testing.T) {
	w := newBadWorld(t)
	for _, c := range []struct {
		name, rpc, route, subject string
		file                      string
		line                      int32
		reason                    string
	}{
		{"a person who is not known", "ImportMemberships", "/v1/$sales/memberships:import", `"parent": "$sales"`, "person\np2\nnobody\n", 3, "PERSON_UNKNOWN"},
		{"a person by an address", "ImportMemberships", "/v1/$sales/memberships:import", `"parent": "$sales", "createPeople": true`, "person\np2\nann@example.com\n", 3, "PERSON_INVALID"},
		{"a membership that overlaps", "ImportMemberships", "/v1/$sales/memberships:import", `"parent": "$sales"`, "person,start_date\np2,2026-01-01\np1,2026-06-01\n", 3, "MEMBERSHIP_OVERLAPS"},
		{"no column for people", "ImportMemberships", "/v1/$sales/memberships:import", `"parent": "$sales"`, "name\np2\n", 1, "COLUMN_MISSING"},
		{"a row with a field too many", "ImportMemberships", "/v1/$sales/memberships:import", `"parent": "$sales"`, "person\np2\np3,x,y\n", 3, "COLUMN_COUNT"},
		{"a date that is none", "ImportMemberships", "/v1/$sales/memberships:import", `"parent": "$sales"`, "person,start_date\np2,2026-01-01\np3,yesterday\n", 3, "DATE_INVALID"},
		{"a letter that no pseudonym has", "ImportMemberships", "/v1/$sales/memberships:import", `"parent": "$sales"`, "person\np2\n\xe9mile\n", 3, "PERSON_INVALID"},
		{"two encodings at once", "ImportMemberships", "/v1/$sales/memberships:import", `"parent": "$sales"`, "person,note\np2,\xc3\xa9\np3,\xe9\n", 3, "ENCODING_INVALID"},
		{"no encoding at all", "ImportMemberships", "/v1/$sales/memberships:import", `"parent": "$sales"`, "person\np2\n\x81\n", 3, "ENCODING_INVALID"},
		{"a spreadsheet that is cut off", "ImportMemberships", "/v1/$sales/memberships:import", `"parent": "$sales"`, "\xff\xfep\x00e", 1, "ENCODING_INVALID"},
		{"another column in a spreadsheet", "ImportMemberships", "/v1/$sales/memberships:import", `"parent": "$sales"`, "\xff\xfep\x00e\x00", 1, "COLUMN_MISSING"},
		{"a cohort that is not there", "ImportMemberships", "/v1/$ws/cohorts/-/memberships:import", `"parent": "$ws/cohorts/-"`, "cohort,person\nsales,p2\nnone,p3\n", 3, "COHORT_UNKNOWN"},
		{"a role that is none", "ImportMemberships", "/v1/$sales/memberships:import", `"parent": "$sales"`, "person|role\np2|member\np3|boss\n", 3, "ROLE_INVALID"},
		{"a pseudonym twice", "ImportPeople", "/v1/$ws/people:import", `"parent": "$ws"`, "person\nq1\nq1\n", 3, "DUPLICATE_ROW"},
		{"a session without an end", "ImportSessions", "/v1/$advanced/sessions:import", `"parent": "$advanced"`, "session;start_time;end_time;seats\na;2099-01-01;2099-01-02;5\nb;2099-01-01;;5\n", 3, "VALUE_MISSING"},
		{"a session that is off", "ImportSessions", "/v1/$advanced/sessions:import", `"parent": "$advanced"`, "session,start_time,end_time,seats\nnew,2099-01-01,2099-01-02,5\noff,2099-01-01,2099-01-02,5\n", 3, "STATE_FORBIDS"},
		{"a due date that is none", "ImportEnrolments", "/v1/$advanced/enrolments:import", `"training": "$advanced"`, "person,due_time\np2,2099-01-01\np3,soon\n", 3, "DATE_INVALID"},
		{"an account in no application", "ImportProvisionings", "/v1/$ws/provisionings:import", `"parent": "$ws"`, "person,application\np2,crm\np3,\n", 3, "VALUE_MISSING"},
		{"an account that ends before it begins", "ImportProvisionings", "/v1/$ws/provisionings:import", `"parent": "$ws", "application": "workspaces/default/applications/crm"`, "person,provision_time,revoke_time\np2,,\np3,2026-02-01,2026-01-01\n", 3, "DATE_INVALID"},
		{"a score that is none", "ImportCompletions", "/v1/$basics/enrolments:importCompletions", `"training": "$basics"`, "person,score\np2,0.9\np3,excellent\n", 3, "SCORE_INVALID"},
		{"a completion in the future", "ImportCompletions", "/v1/$basics/enrolments:importCompletions", `"training": "$basics"`, "person,complete_time\np2,2026-01-02\np3,2999-01-01\n", 3, "TIME_IN_FUTURE"},
		{"somebody twice", "ImportCompletions", "/v1/$basics/enrolments:importCompletions", `"training": "$basics"`, "person\np2\np2\n", 3, "DUPLICATE_ROW"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.T = t
			before := w.digest()
			fields := c.subject + `, "csv": "` + base64.StdEncoding.EncodeToString([]byte(c.file)) + `"`
			overGRPC, ok := w.allowed(w.implementation, c.rpc, `{`+fields+`}`).(*implementationv1.ImportResult)
			require.True(t, ok)
			_, body, _ := strings.Cut(fields, ", ") // the path has the rest
			overHTTP := w.imported(w.fill(c.route), `{`+body+`}`)
			for _, result := range []*implementationv1.ImportResult{overGRPC, overHTTP} {
				require.NotEmpty(t, result.GetErrors())
				first := result.GetErrors()[0]
				require.Equal(t, c.reason, first.GetReason(), first.GetMessage())
				require.Equal(t, c.line, first.GetLine(), first.GetMessage())
				require.NotEmpty(t, first.GetMessage())
				require.Zero(t, result.GetCreatedCount())
			}
			require.Equal(t, before, w.digest(), "all of it or nothing")
		})
	}
}

func (w *badWorld) imported(path, body string) *implementationv1.ImportResult {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), http.MethodPost, "http://"+w.server.Addresses().HTTP+path, strings.NewReader(body))
	require.NoError(w, err)
	req.Header.Set("Authorization", "Bearer "+w.token(""))
	resp, err := http.DefaultClient.Do(req)
	require.NoError(w, err)
	defer func() { require.NoError(w, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(w, err)
	require.Equal(w, http.StatusOK, resp.StatusCode, "%s", text)
	result := new(implementationv1.ImportResult)
	require.NoError(w, protojson.Unmarshal(text, result))
	return result
}
