package server_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/stretchr/testify/require"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"

	"github.com/golive-dev/golive/pkg/fault"
)

// row is one piece of bad input and the answer that it must get. The same request
// goes over gRPC and over HTTP, and both must say the same.
type row struct {
	name   string
	rpc    string // The short name of the rpc, unique in the product.
	json   string // The request as proto3 JSON, with the names of the world as $name.
	code   codes.Code
	reason string
	says   string // What the sentence must tell: the remedy, or the thing at fault.

	token string                    // Whose, out of the world; admin when empty.
	path  string                    // The field that is blamed; not checked when empty.
	http  string                    // A request that only HTTP can say: "POST /v1/…", with json as its body.
	do    func(w *badWorld) error   // A call that is more than one message, over gRPC.
	raw   func(w *badWorld) *answer // The same over HTTP, or what only HTTP can say.
	own   int                       // The status where HTTP has a more exact one than the code gives.
}

func bad(name, rpc, json string, code codes.Code, reason, says string) row {
	return row{name: name, rpc: rpc, json: json, code: code, reason: reason, says: says}
}

// overHTTP is bad input that gRPC has no words for.
func overHTTP(name, request, body string, code codes.Code, reason, says string) row {
	return row{name: name, http: request, json: body, code: code, reason: reason, says: says}
}

// byHand is a conversation rather than one message.
func byHand(name string, do func(w *badWorld) error, code codes.Code, reason, says string) row {
	return row{name: name, do: do, code: code, reason: reason, says: says}
}

func (r row) as(token string) row                  { r.token = token; return r }
func (r row) at(field string) row                  { r.path = field; return r }
func (r row) status(code int) row                  { r.own = code; return r }
func (r row) on(raw func(w *badWorld) *answer) row { r.raw = raw; return r }

// TestBadInputIsAnsweredWell walks the table. Every answer has the right code on
// both transports, a stable reason, and a sentence that says what is wrong and what
// to do; and afterwards every row of every table is as it was.
func TestBadInputIsAnsweredWell(t *testing.T) {
	w := newBadWorld(t)
	report := new(strings.Builder)
	table := tabwriter.NewWriter(report, 0, 4, 2, ' ', 0)
	rows := 0
	for _, chapter := range []struct {
		name string
		rows []row
	}{
		{"requests", badRequests()},
		{"wire", badWire()},
		{"pages", badPages()},
		{"blobs", badBlobs()},
		{"releases and environments", badReleases()},
		{"deployments", badDeployments()},
		{"migrations and signatures", badMigrations()},
		{"lines and promotions", badTurns()},
		{"gates and feedback", badGates()},
		{"people", badPeople()},
		{"trainings", badTrainings()},
		{"reaching people", badReach()},
		{"money and readiness", badBenefits()},
		{"plans", badPlans()},
		{"stages that wait", badStages()},
		{"schedules", badSchedules()},
		{"challenges", badChallenges()},
		{"subscriptions", badSubscriptions()},
		{"decisions", badDecisions()},
		{"what waits", badWaiting()},
		{"what waits in plans", badInbox()},
		{"scorecards and comparisons", badScorecards()},
		{"forecasts and proposals", badForecasts()},
		{"usage and adoption", badUsage()},
		{"access", badAccess()},
		{"tokens for one thing", badSecrets()},
		{"agents", badAgents()},
		{"history", badHistory()},
		{"policies", badPolicies()},
		{"surveys", badSurveys()},
	} {
		_, _ = fmt.Fprintf(table, "\n%s\tgRPC\tHTTP\treason\tmessage\n", strings.ToUpper(chapter.name))
		for _, r := range chapter.rows {
			rows++
			t.Run(chapter.name+"/"+r.name, func(t *testing.T) {
				w.T = t
				before := w.digest()
				grpc, http := w.overGRPC(r), w.overHTTP(r)
				said := r.judge(t, grpc, http)
				require.Equal(t, before, w.digest(), "a refusal changes nothing")
				_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", r.name, column(grpc), column(http), r.reason, said)
			})
		}
	}
	require.NoError(t, table.Flush())
	t.Logf("%d rows\n%s", rows, report)
	if path := os.Getenv("GOLIVE_BAD_INPUT_REPORT"); path != "" {
		require.NoError(t, os.WriteFile(path, []byte(report.String()), 0o600))
	}
}

// answer is what came back: nothing where this transport cannot say the request.
type answer struct {
	status int // of HTTP
	body   *statuspb.Status
}

func column(a *answer) string {
	switch {
	case a == nil:
		return "-"
	case a.status != 0:
		return fmt.Sprint(a.status)
	default:
		return codes.Code(a.body.GetCode()).String()
	}
}

// judge holds the answers against the row and returns what they say.
func (r row) judge(t *testing.T, grpc, http *answer) string {
	t.Helper()
	require.False(t, grpc == nil && http == nil, "nothing was asked")
	said := ""
	for _, a := range []*answer{grpc, http} {
		if a == nil {
			continue
		}
		f := fault.FromStatus(a.body)
		require.NotNil(t, f, "it was accepted")
		require.Equal(t, r.code, f.Kind().Code(), f.Message())
		require.Equal(t, r.reason, f.Reason(), f.Message())
		require.Contains(t, f.Message(), r.says)
		sentence(t, f.Message())
		if r.path != "" {
			require.NotEmpty(t, f.Fields(), f.Message())
			require.Equal(t, r.path, f.Fields()[0].GetField(), f.Message())
		}
		for _, field := range f.Fields() {
			require.NotEmpty(t, field.GetDescription(), field.GetField())
		}
		said = f.Message()
	}
	if http != nil {
		require.Equal(t, r.httpStatus(), http.status, said)
	}
	if http != nil && grpc != nil {
		require.Equal(t, bare(grpc.body), bare(http.body), "both transports say the same")
	}
	return said
}

// sentence holds a message against the house rule: what is wrong; what to do. It speaks
// to a person: nothing of Go, of SQL or of a stack is in it.
func sentence(t *testing.T, message string) {
	t.Helper()
	_, remedy, found := strings.Cut(message, "; ")
	require.True(t, found && len(remedy) > 3, "says what is wrong, but not what to do: %s", message)
	for _, leak := range []string{"SQLITE", "constraint", "goroutine", "rpc error", "desc =", "%!", "<nil>", ".go:", "proto:"} {
		require.NotContains(t, message, leak)
	}
}
