package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/smtptest"
)

// TestPeopleFromOutside takes twenty people through a change as their company would: the programs as they are shipped,
// the command line, HTTP, a browser's form and a mail server. Then somebody tries to find out about one of them.
func TestPeopleFromOutside(t *testing.T) {
	t.Run("one process on SQLite", func(t *testing.T) {
		walk(t, func(t *testing.T, flags ...string) *plane { t.Helper(); return onePlane(t, flags...) })
	})
	t.Run("three processes on PostgreSQL", func(t *testing.T) {
		walk(t, func(t *testing.T, flags ...string) *plane { t.Helper(); return threePlanes(t, flags...) })
	})
}

func walk(t *testing.T, start func(t *testing.T, flags ...string) *plane) {
	t.Helper()
	c := newCompany(t, start)
	c.imported()
	c.trained()
	c.told()
	c.asked()
	c.counted()
	c.accounted()
	c.attacked()
	c.erased()
	c.silent()
}

// company is who changes something, with a mail server.
type company struct {
	*yard

	mail    *smtptest.Server
	read    int      // messages looked at so far
	secrets []string // what must never be logged
	viewer  string
}

const (
	headcount = 20
	refused   = "p07@example.com"
)

const companyWorld = `
{name: cohorts/sales, owner: users/carol}
---
{name: resources/ada, kind: PERSON}
---
{name: trainings/basics, displayName: "The basics", passMark: 0.8, seats: 3}
---
{name: features/quotes, kind: NEW}
---
{name: implementations/crm, displayName: CRM, currency: EUR}
---
name: implementations/crm/cohortPlans/sales
cohort: cohorts/sales
goLiveTime: %s
adoption: {target: 0.8, targetDay: 60, activeDays: 1, plannedCurve: {logistic: {midpointDay: 35, riseDays: 40}}}
readinessPolicy:
  criteria:
  - {id: trained, trained: {trainings: [basics], threshold: 0.5}}
  - {id: messages, messages: {}}
  - {id: sponsor, sponsor: {}}
---
{name: implementations/crm/outcomes/offers, metric: minutes for an offer, baselineValue: 30, targetValue: 10}
`

func newCompany(t *testing.T, start func(t *testing.T, flags ...string) *plane) *company {
	t.Helper()
	dir := t.TempDir()
	c := &company{mail: smtptest.Start(t, smtptest.Options{Auth: true}), secrets: []string{smtptest.Password, "@example.com"}}
	c.mail.Refuse(refused, 550)
	password := filepath.Join(dir, "password")
	require.NoError(t, os.WriteFile(password, []byte(smtptest.Password+"\n"), 0o600))
	p := start(t, "--log-level", "debug", "--mail-server", c.mail.Addr, "--mail-ca-file", c.mail.CAFile, "--mail-from", "Roll-out <rollout@sender.example>",
		"--mail-user", smtptest.User, "--mail-password-file", password)
	c.yard = &yard{plane: p, t: t, dir: dir}
	c.run(0, "apply", "-f", c.write("world.yaml", fmt.Sprintf(companyWorld, time.Now().UTC().AddDate(0, 0, -40).Format(time.RFC3339))))
	c.viewer = c.mint("vera", "viewer")
	return c
}

func (c *company) mint(person, role string) string {
	c.t.Helper()
	for word := range strings.FieldsSeq(c.run(0, "token", "mint", "users/"+person, "--role", role, "--ttl", "1h")) {
		if strings.Count(word, ".") == 2 {
			c.secrets = append(c.secrets, word)
			return word
		}
	}
	c.t.Fatal("no token")
	return ""
}

// everybody is a file with a row for each person.
func everybody(header, row string) string {
	var b strings.Builder
	b.WriteString(header + "\n")
	for i := range headcount {
		b.WriteString(strings.ReplaceAll(row, "#", fmt.Sprintf("%02d", i)) + "\n")
	}
	return b.String()
}

// imported reads the file as a spreadsheet of the company writes it, and refuses one with mistakes as a whole.
func (c *company) imported() {
	wide := utf16.Encode([]rune("\ufeff" + everybody("Personalnr;Büro;Eintritt", "p#;Köln;2026-01-01")))
	var file []byte
	for _, unit := range wide {
		file = binary.LittleEndian.AppendUint16(file, unit)
	}
	path := c.write("people.csv", string(file))
	require.Contains(c.t, c.run(6, "members", "import", "sales", "-f", path, "--create-people"), "the file cannot be read, nothing was changed")
	out := c.run(0, "members", "import", "sales", "-f", path, "--create-people", "--columns", "person=Personalnr,start_date=Eintritt")
	require.Contains(c.t, out, "20 rows: 20 recorded")
	require.Contains(c.t, out, "read as UTF-16LE")
	require.Contains(c.t, c.run(0, "members", "import", "sales", "-f", path, "--columns", "person=Personalnr,start_date=Eintritt"), "20 were so already")

	bad := c.write("bad.csv", "person,email\np00,ada@example.com\np00,eve@example.com\np01,\"eve@example.com\nBcc: all@example.com\"\n=cmd(),x@example.com\n")
	out = c.run(6, "contact", "import", "-f", bad)
	require.Contains(c.t, out, "DUPLICATE_ROW")
	require.Contains(c.t, out, "ADDRESS_INVALID")
	require.NotContains(c.t, out, "example.com\n", "no error repeats an address")
	c.run(3, "get", "contact", "p00")
	require.Contains(c.t, c.run(0, "contact", "import", "-f", c.write("contacts.csv", everybody("person;email", "p#;p#@example.com"))), "20 recorded")
	c.run(0, "contact", "opt-out", "p02")
}

// trained gives seats out, judges, and invites those who have to come.
func (c *company) trained() {
	c.run(0, "train", "publish", "basics")
	c.run(0, "train", "enrol", "basics", "--cohort", "sales")
	c.run(0, "train", "session", "create", "basics/monday", "--start", time.Now().UTC().AddDate(0, 0, 7).Format(time.RFC3339), "--lasts", "3h", "--trainer", "ada")
	c.run(0, "train", "book", "basics/monday", "p17", "p18", "p19")
	require.Contains(c.t, c.run(4, "train", "book", "basics/monday", "p16"), "SEATS_FULL")
	c.run(0, "train", "decline", "basics", "p19", "--reason", "conflict")
	c.run(0, "train", "book", "basics/monday", "p16")
	for i := range 12 {
		c.run(0, "train", "assess", "basics", fmt.Sprintf("p%02d=%.1f", i, 0.9))
	}
	require.Contains(c.t, c.run(4, "train", "book", "basics/monday", "p00"), "p00: the enrolment is COMPLETED")
	require.Contains(c.t, c.run(0, "mail", "invite", "basics", "--cohort", "sales", "--link", "https://example.org/basics"), "5 messages queued")
	for _, m := range c.messages(5) {
		require.True(c.t, m.TLS)
		require.Equal(c.t, smtptest.User, m.User)
		require.Equal(c.t, "You are invited: The basics", m.Parse(c.t).Header.Get("Subject"))
	}
}

// messages are the next n that the mail server took.
func (c *company) messages(n int) []smtptest.Message {
	c.t.Helper()
	all := c.mail.Wait(c.t, c.read+n)[c.read:]
	require.Len(c.t, all, n)
	c.read += n
	return all
}

// told is what everybody has to know, and whom it reached.
func (c *company) told() {
	body := c.write("begin.md", "Hello <script>alert(1)</script>,\n\nit *begins*.\n")
	require.Contains(c.t, c.run(2, "communication", "create", "crm/begin", "--subject", "It begins\r\nBcc: all@example.com", "--body", body, "--cohort", "sales"), "communication.subject")
	c.run(0, "communication", "create", "crm/begin", "--subject", "It begins", "--body", body, "--cohort", "sales", "--must-know")
	c.run(0, "communication", "send", "crm/begin", "--yes")
	for _, m := range c.messages(headcount - 2) {
		html, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(string(m.Raw[strings.Index(string(m.Raw), "text/html"):]))))
		require.NoError(c.t, err)
		require.NotContains(c.t, string(html), "<script")
	}
	out := c.says(0, "SENT", "communication", "status", "crm/begin")
	require.Regexp(c.t, `reached +18`, out)
	require.Regexp(c.t, `came back +1`, out)
	require.Regexp(c.t, `not written to +1`, out)
	require.Regexp(c.t, `✗ BOUNCED +REFUSED +550`, c.run(0, "list", "mails", "--filter", "state = BOUNCED"))
	require.Regexp(c.t, `trained +✓ MET +12/20`, c.run(7, "readiness", "crm/sales"))
	require.Contains(c.t, c.run(0, "readiness", "override", "crm/sales", "sponsor", "--reason", "she is away", "--for", "4h"), "sales")
	require.Contains(c.t, c.run(0, "readiness", "crm/sales"), "waived by users/admin")
}

var surveyLink = regexp.MustCompile(`<(http://[^>]+/r/[A-Za-z0-9_-]+)>`)

// asked sends links, answers as browsers do, and reads what may be told.
func (c *company) asked() {
	c.run(0, "survey", "create", "pulse", "--title", "<b>The CRM</b>", "--ask", "enps", "--csat", "How satisfied are you?", "--comment", "What else?")
	c.run(0, "survey", "open", "pulse/march", "--cohort", "sales", "--mail", "--base-url", "http://"+c.addresses["http"])
	var last string
	for i, m := range c.messages(headcount - 2) {
		text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(string(m.Raw))))
		require.NoError(c.t, err)
		found := surveyLink.FindStringSubmatch(string(text))
		require.NotNil(c.t, found, "%s", text)
		last = found[1]
		c.secrets = append(c.secrets, last[strings.LastIndexByte(last, '/')+1:])
		if i < 15 {
			code, page := c.answer(last, map[string]string{"csat-1": "5", "enps": "9", "comment-1": "=1+1<script>\x00\x1b[2J"})
			require.Equal(c.t, http.StatusOK, code, page)
		}
		if i == 0 {
			code, page := c.answer(last, map[string]string{"csat-1": "1", "enps": "0"})
			require.Equal(c.t, http.StatusBadRequest, code)
			require.Contains(c.t, page, "This link has been used")
		}
	}
	code, page := c.answer(last, map[string]string{"csat-1": "6", "enps": "9"})
	require.Equal(c.t, http.StatusUnprocessableEntity, code)
	require.Contains(c.t, page, "How satisfied are you?&#34; takes a number from 1 to 5")
	require.NotContains(c.t, page, "<b>The CRM")
	code, _ = c.answer(last+"x", map[string]string{"csat-1": "5"})
	require.Equal(c.t, http.StatusNotFound, code, "a link that was guessed")
	require.Contains(c.t, c.run(4, "survey", "results", "pulse/march"), "WAVE_NOT_PUBLISHED")
	c.run(0, "survey", "close", "pulse/march")
	code, page = c.answer(last, map[string]string{"csat-1": "5", "enps": "9"})
	require.Equal(c.t, http.StatusBadRequest, code)
	require.Contains(c.t, page, "takes no more answers")
	c.run(0, "survey", "publish", "pulse/march")
	out := c.run(0, "survey", "results", "pulse/march", "--comments")
	require.Contains(c.t, out, "15 of 20")
	require.Contains(c.t, out, "100 %")
	require.NotContains(c.t, out, "\x1b", "a comment is text")
	code, page = c.page("/privacy/default/pulse")
	require.Equal(c.t, http.StatusOK, code)
	require.Contains(c.t, page, "Nobody sees what one person answered")
}

// answer fills in the form behind a link.
func (c *company) answer(link string, fields map[string]string) (code int, page string) {
	c.t.Helper()
	form := url.Values{}
	for name, value := range fields {
		form.Set(name, value)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, link, strings.NewReader(form.Encode()))
	require.NoError(c.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.do(req)
}

func (c *company) page(path string) (code int, text string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, "http://"+c.addresses["http"]+path, http.NoBody)
	require.NoError(c.t, err)
	return c.do(req)
}

func (c *company) do(req *http.Request) (code int, text string) {
	c.t.Helper()
	resp, err := http.DefaultClient.Do(req)
	require.NoError(c.t, err)
	defer func() { require.NoError(c.t, resp.Body.Close()) }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		require.Contains(c.t, resp.Header.Get("Content-Security-Policy"), "default-src 'none'", "no script runs on a page for people")
	}
	return resp.StatusCode, string(body)
}

// counted sends usage as an application does, by HTTP with keys of its own, and reads adoption.
func (c *company) counted() {
	secret := filepath.Join(c.dir, "usage.key")
	c.run(0, "usage", "key", secret)
	text, err := os.ReadFile(secret)
	require.NoError(c.t, err)
	key := strings.TrimSpace(string(text))
	c.secrets = append(c.secrets, key)
	c.run(0, "usage", "bind", "-f", c.write("bind.csv", everybody("user,person", "u#,p#")), "--key-file", secret)
	var events []map[string]string
	for i := range 12 {
		mac := hmac.New(sha256.New, []byte(key))
		_, _ = fmt.Fprintf(mac, "u%02d", i)
		events = append(events, map[string]string{"feature": "quotes", "subject": hex.EncodeToString(mac.Sum(nil)), "day": time.Now().UTC().AddDate(0, 0, -2).Format(time.DateOnly)})
	}
	events = append(events, map[string]string{"feature": "quotes", "subject": "ada@example.com", "day": "2026-13-01"})
	body, err := json.Marshal(map[string]any{"events": events})
	require.NoError(c.t, err)
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, "http://"+c.addresses["http"]+"/v1/workspaces/default/usage:report", strings.NewReader(string(body)))
	require.NoError(c.t, err)
	req.Header.Set("Authorization", "Bearer "+c.mint("robot", "operator"))
	code, said := c.do(req)
	require.Equal(c.t, http.StatusOK, code, said)
	require.Regexp(c.t, `"acceptedCount":12, ?"rejectedCount":1`, said)
	require.NotContains(c.t, said, "ada@")
	c.streamed(events[:12])
	require.Regexp(c.t, `sales +60\.0 % .* 12/20 `, c.run(0, "adoption", "crm"))
	require.Contains(c.t, c.run(0, "adoption", "crm", "--forecast"), "planned curve only")
}

// streamed sends the same again as a steady flow does: it is told what became of each batch, and nothing counts twice.
func (c *company) streamed(events []map[string]string) {
	c.t.Helper()
	stream, err := implementationv1.NewUsageServiceClient(c.implementation).IngestUsage(c.t.Context())
	require.NoError(c.t, err)
	for sequence, event := range events {
		batch := []*implementationv1.UsageEvent{{Feature: event["feature"], Subject: event["subject"], Day: event["day"]}, {Feature: "nothing", Subject: event["subject"]}}
		require.NoError(c.t, stream.Send(&implementationv1.IngestUsageRequest{Parent: "workspaces/default", Sequence: int64(sequence), Events: batch}))
		answer, err := stream.Recv()
		require.NoError(c.t, err)
		require.Equal(c.t, int64(sequence), answer.GetSequence())
		require.Equal(c.t, int32(1), answer.GetAcceptedCount())
		require.Equal(c.t, "FEATURE_UNKNOWN", answer.GetErrors()[0].GetReason())
	}
	require.NoError(c.t, stream.CloseSend())
	_, err = stream.Recv()
	require.ErrorIs(c.t, err, io.EOF)
}

// accounted is money, outcomes and what stands in the way.
func (c *company) accounted() {
	c.run(0, "ledger", "claim", "crm", "cost", "12500.00", "--date", "2026-03-31", "--description", "licences", "--id", "licences")
	c.run(0, "ledger", "claim", "crm", "benefit", "4100", "--date", "2026-04-30", "--id", "april")
	require.NotEqual(c.t, 0, first(c.try("ledger", "verify", "crm/april")), "nobody verifies their own")
	c.run(0, "ledger", "verify", "crm/april", "--token", c.mint("frank", "approver"))
	require.Regexp(c.t, `Benefit +0\.00 +4,?100\.00`, c.run(0, "ledger", "show", "crm"))
	c.run(0, "ledger", "reverse", "crm/april", "--reason", "counted twice", "--token", c.mint("grace", "approver"))
	require.Regexp(c.t, `Benefit +0\.00 +0\.00`, c.run(0, "ledger", "show", "crm"))
	c.run(0, "outcome", "record", "crm/offers", "9.5")
	c.run(0, "outcome", "decide", "crm/offers", "met")
	c.run(0, "challenges", "raise", "crm", "the works council has not agreed", "--class", "priorities", "--impact", "5", "--probability", "4", "--id", "council")
	require.Contains(c.t, c.run(0, "challenges", "crm"), "works council")
	require.Contains(c.t, c.run(0, "challenges", "detect", "crm", "--dry-run"), "week ")
}

func first(code int, _ string) int { return code }

// attacked asks, as somebody who may only look, for everything that is about one person.
func (c *company) attacked() {
	c.run(0, "stakeholder", "add", "crm/head", "--influence", "5", "--stance", "sceptical", "--person", "p03")
	for _, args := range [][]string{
		{"list", "enrolments", "--parent", "basics"},
		{"train", "export", "basics"},
		{"list", "contacts"},
		{"get", "contact", "p00"},
		{"list", "mails"},
		{"list", "stakeholders", "crm"},
		{"stakeholder", "history", "crm/head"},
		{"list", "erasures"},
		{"survey", "links", "pulse/march", "--renew"},
		{"events", "trainings/basics/enrolments/p19"},
		{"erase", "p00", "--yes"},
		{"readiness", "override", "crm/sales", "messages", "--reason", "x"},
	} {
		require.Equal(c.t, 5, first(c.try(append(args, "--token", c.viewer)...)), args)
	}
	for _, parent := range []string{"", "/trainings/basics", "/trainings/basics/enrolments", "/implementations/crm", "/implementations/crm/stakeholders"} {
		req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, "http://"+c.addresses["http"]+"/v1/workspaces/default"+parent+"/events?pageSize=1000", http.NoBody)
		require.NoError(c.t, err)
		req.Header.Set("Authorization", "Bearer "+c.viewer)
		code, log := c.do(req)
		require.Equal(c.t, http.StatusOK, code, log)
		require.Contains(c.t, log, `"implementation.`)
		require.NotRegexp(c.t, `enrolments/p|stakeholders/head|SCEPTICAL`, log, "the log of %q", parent)
	}
	for _, parent := range []string{"/trainings/basics/enrolments/p19", "/implementations/crm/stakeholders/head"} {
		req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, "http://"+c.addresses["http"]+"/v1/workspaces/default"+parent+"/events?pageSize=1", http.NoBody)
		require.NoError(c.t, err)
		req.Header.Set("Authorization", "Bearer "+c.viewer)
		code, log := c.do(req)
		require.Equal(c.t, http.StatusForbidden, code, "how many events there are says what a person did: %s", log)
	}
	require.NotContains(c.t, c.run(0, "adoption", "crm", "-o", "json", "--token", c.viewer), "people/p")
	require.NotContains(c.t, c.run(0, "survey", "results", "pulse/march", "-o", "json", "--token", c.viewer), "people/p")

	// One person more may not be told apart: the numbers stay about the same people.
	c.run(0, "usage", "opt-out", "p00")
	require.Regexp(c.t, ` 12/20 `, c.run(0, "adoption", "crm"))
}

// erased forgets somebody for good.
func (c *company) erased() {
	out := c.run(0, "erase", "p01", "--yes", "--reason", "request of today")
	require.Regexp(c.t, `contact +REMOVED +1`, out)
	c.run(3, "get", "person", "p01")
	c.run(3, "get", "contact", "p01")
	require.Contains(c.t, c.run(6, "members", "import", "sales", "-f", c.write("again.csv", "person\np01\n"), "--create-people"), "PERSON_ERASED")
}

// silent looks for secrets in everything that was logged, of each request a line.
func (c *company) silent() {
	for name, p := range c.processes {
		log, err := os.ReadFile(p.log)
		require.NoError(c.t, err)
		for _, secret := range c.secrets {
			require.NotContains(c.t, string(log), secret, "the log of %s", name)
		}
	}
}
