package server_test

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/rpc"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/server"
)

// badWorld is a whole product with something in it, on real ports.
type badWorld struct {
	*testing.T // of the row that is on

	server                     *server.Server
	dir                        string
	deployment, implementation *grpc.ClientConn
	methods                    map[string]protoreflect.MethodDescriptor
	names                      map[string]string // what rows call $name
	tokens                     map[string]string
	hosts                      map[string]*host
}

func newBadWorld(t *testing.T) *badWorld {
	t.Helper()
	cfg := config(t)
	cfg.Log.Level = "error"
	s, err := server.Up(t.Context(), cfg)
	require.NoError(t, err)
	serve(t, s)
	ready(t, s)
	w := &badWorld{
		T: t, server: s, dir: cfg.DataDir, methods: methods(), hosts: map[string]*host{},
		names: map[string]string{"ws": "workspaces/default", "other": "workspaces/other", "long": strings.Repeat("x", 5000)},
	}
	w.deployment, w.implementation = w.dial(s.Addresses().Deployment), w.dial(s.Addresses().Implementation)
	w.mint()
	w.seedReleases()
	w.seedPeople()
	w.seedSurveys()
	w.seedTrainings()
	w.seedReach()
	w.seedBenefits()
	w.seedPlan()
	w.seedUsage()
	w.seedForecasts()
	w.seedChallenges()
	w.seedSubscriptions()
	w.seedDecisions()
	w.seedSecrets()
	w.seedHosts()
	w.seedDeployments()
	page, ok := w.allowed(w.deployment, "ListApplications", `{"parent": "$ws", "pageSize": 1}`).(*deploymentv1.ListApplicationsResponse)
	require.True(t, ok)
	w.names["page"] = page.GetNextPageToken()
	w.settle()
	return w
}

func (w *badWorld) dial(address string) *grpc.ClientConn {
	w.Helper()
	conn, err := rpc.Dial(address, rpc.ClientConfig{})
	require.NoError(w, err)
	w.Cleanup(func() { require.NoError(w, conn.Close()) })
	return conn
}

// port is where the service listens that has the rpc.
func (w *badWorld) port(m protoreflect.MethodDescriptor) grpc.ClientConnInterface {
	switch m.ParentFile().Package() {
	case "golive.implementation.v1", "golive.gate.v1":
		return w.implementation
	default:
		return w.deployment
	}
}

// mint makes a token for everybody who calls, good and bad.
func (w *badWorld) mint() {
	w.Helper()
	w.tokens = map[string]string{"admin": w.server.BootstrapToken(), "nobody": "", "garbage": "this.is.nothing"}
	add := func(name string, ttl time.Duration, workspace string, roles ...auth.Role) string {
		token, id, err := w.server.Issuer().Mint(auth.Claims{Name: "users/" + name, Grants: map[string][]auth.Role{workspace: roles}, TTL: ttl})
		require.NoError(w, err)
		w.tokens[name] = token
		return id
	}
	for _, role := range []auth.Role{auth.Viewer, auth.Operator, auth.Approver, auth.Service, auth.Agent} {
		add(string(role), 0, "default", role)
	}
	add("solo", 0, "default", auth.Operator, auth.Approver)
	add("elsewhere", 0, "other", auth.Admin)
	add("expired", -time.Hour, "default", auth.Admin)
	id := add("revoked", 0, "default", auth.Admin)
	for _, conn := range []*grpc.ClientConn{w.deployment, w.implementation} {
		w.allowed(conn, "RevokeToken", fmt.Sprintf(`{"tokenId": %q, "reason": "lost"}`, id))
	}
	stranger, err := auth.LoadIssuer(filepath.Join(w.TempDir(), "stranger.key"))
	require.NoError(w, err)
	w.tokens["stranger"], _, err = stranger.Mint(auth.Claims{Name: "users/admin", Grants: map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}}})
	require.NoError(w, err)
	w.tokens["unsigned"], err = jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{
		"iss": auth.DefaultIssuer, "sub": "users/admin", "jti": "1", "exp": time.Now().Add(time.Hour).Unix(), "grants": map[string][]string{"*": {"admin"}},
	}).SignedString(jwt.UnsafeAllowNoneSignatureType)
	require.NoError(w, err)
	part := strings.Split(w.tokens["viewer"], ".")
	w.tokens["edited"] = part[0] + "." + strings.Split(w.tokens["admin"], ".")[1] + "." + part[2]
}

// token is the credential of somebody; admin's where nobody is named.
func (w *badWorld) token(who string) string {
	w.Helper()
	if who == "" {
		who = "admin"
	}
	token, ok := w.tokens[who]
	require.True(w, ok, "nobody has the token %q", who)
	return token
}

// make does something that is allowed, and keeps the name that it got as $name.
func (w *badWorld) make(name, method, json string) string {
	w.Helper()
	return w.makeAs("", name, method, json)
}

func (w *badWorld) makeAs(who, name, method, json string) string {
	w.Helper()
	m := w.method(method)
	answer := w.allowedAs(who, w.port(m), method, json).ProtoReflect()
	got := answer.Get(answer.Descriptor().Fields().ByName("name")).String()
	w.names[name] = got
	if etag := answer.Descriptor().Fields().ByName("etag"); etag != nil {
		w.names[name+"Etag"] = strings.Trim(answer.Get(etag).String(), `"`)
	}
	return got
}

func (w *badWorld) allowed(conn grpc.ClientConnInterface, method, json string) proto.Message {
	w.Helper()
	return w.allowedAs("", conn, method, json)
}

func (w *badWorld) allowedAs(who string, conn grpc.ClientConnInterface, method, json string) proto.Message {
	w.Helper()
	m := w.method(method)
	req, out := w.message(m.Input()), w.message(m.Output())
	require.NoError(w, protojson.Unmarshal([]byte(w.fill(json)), req), method)
	conn = rpc.WithToken(conn, auth.StaticToken(w.token(who)))
	require.NoError(w, conn.Invoke(w.Context(), fullMethod(m), req, out), method)
	return out
}

// run and artifact are the parts of a release that rows do not care about.
const (
	runs     = `"run": {"command": ["app"]}`
	uploaded = `"artifacts": [{"os": "linux", "arch": "amd64", "format": "TAR_GZ", "sha256": "$sha"}]`
	absent   = `"artifacts": [{"os": "linux", "arch": "amd64", "format": "TAR_GZ", "sha256": "0000000000000000000000000000000000000000000000000000000000000000"}]`
	windows  = `"artifacts": [{"os": "windows", "arch": "arm64", "format": "TAR_GZ", "uri": "https://example.com/crm.tar.gz", "sizeBytes": "1000", "sha256": "$sha"}]`
)

func (w *badWorld) seedReleases() {
	w.Helper()
	content := []byte("the bytes of an archive")
	sum := sha256.Sum256(content)
	w.names["sha"] = hex.EncodeToString(sum[:])
	require.Equal(w, codes.OK, codes.Code(w.upload(&deploymentv1.UploadBlobRequest{Parent: w.names["ws"], Sha256: w.names["sha"], Data: content}).GetCode()))
	w.make("crm", "CreateApplication", `{"parent": "$ws", "applicationId": "crm", "application": {"displayName": "CRM"}, "requestId": "taken"}`)
	w.make("shop", "CreateApplication", `{"parent": "$ws", "applicationId": "shop", "application": {}}`)
	w.make("otherApp", "CreateApplication", `{"parent": "$other", "applicationId": "crm", "application": {}}`)
	w.make("v1", "CreateRelease", `{"parent": "$crm", "releaseId": "v1", "release": {"version": "1.0.0", `+uploaded+`, `+runs+`}}`)
	w.make("win", "CreateRelease", `{"parent": "$crm", "releaseId": "win", "release": {"version": "1.1.0", `+windows+`, `+runs+`}}`)
	w.make("bad", "CreateRelease", `{"parent": "$crm", "releaseId": "bad", "release": {"version": "1.2.0", `+uploaded+`, `+runs+`}}`)
	w.make("bad", "AbandonRelease", `{"name": "$bad", "reason": "loses orders"}`)
	w.make("shop1", "CreateRelease", `{"parent": "$shop", "releaseId": "s1", "release": {"version": "1.0.0", `+uploaded+`, `+runs+`}}`)
	w.make("otherV1", "CreateRelease", `{"parent": "$otherApp", "releaseId": "v1", "release": {"version": "1.0.0", `+windows+`, `+runs+`}}`)
	w.make("test", "CreateEnvironment", `{"parent": "$ws", "environmentId": "test", "environment": {"ordinal": 1}}`)
	w.make("prod", "CreateEnvironment", `{"parent": "$ws", "environmentId": "prod", "environment": {"ordinal": 2, "promotedFrom": "$test"}}`)
	w.make("empty", "CreateEnvironment", `{"parent": "$ws", "environmentId": "empty", "environment": {}}`)
	w.make("otherEnv", "CreateEnvironment", `{"parent": "$other", "environmentId": "prod", "environment": {}}`)
	w.make("t1", "CreateTarget", `{"parent": "$prod", "targetId": "t1", "target": {"kind": "SERVER", "cohorts": ["sales"]}}`)
	w.make("t2", "CreateTarget", `{"parent": "$prod", "targetId": "t2", "target": {"kind": "SERVER"}}`)
	w.make("canary", "CreateDeploymentPlan", `{"parent": "$ws", "deploymentPlanId": "canary", "deploymentPlan": {"rollout": {"canary": {}}}}`)
	w.make("otherPlan", "CreateDeploymentPlan", `{"parent": "$other", "deploymentPlanId": "canary", "deploymentPlan": {"rollout": {"canary": {}}}}`)
}

// signed is a rollout that waits for a second person.
const signed = `{"waves": [{"id": "all", "members": {"rest": true}, "gates": [{"id": "signed", "approval": {}}]}]}`

func (w *badWorld) seedDeployments() {
	w.Helper()
	w.makeAs("solo", "held", "CreateDeployment", `{"parent": "$crm", "deploymentId": "held", "deployment": {"release": "$v1", "environment": "$prod", "rollout": `+signed+`}}`)
	w.makeAs("solo", "done", "CreateDeployment", `{"parent": "$shop", "deploymentId": "done", "deployment": {"release": "$shop1", "environment": "$prod", "rollout": `+signed+`}}`)
	w.make("done", "CancelDeployment", `{"name": "$done", "reason": "not today"}`)
	w.names["wave"], w.names["doneWave"] = w.names["held"]+"/waves/all", w.names["done"]+"/waves/all"
	w.names["installation"] = w.names["held"] + "/installations/t1"
	w.becomes("$held", "WAITING")
	w.becomes("$done", "CANCELLED")
	w.make("paused", "CreateDeployment", `{"parent": "$shop", "deploymentId": "paused", "deployment": {"release": "$shop1", "environment": "$prod", "rollout": `+signed+`}}`)
	w.becomes("$paused", "WAITING")
	w.make("paused", "PauseDeployment", `{"name": "$paused"}`)
	w.becomes("$paused", "PAUSED")
	w.seedPolicies()
}

func (w *badWorld) becomes(deployment, state string) {
	w.Helper()
	require.Eventually(w, func() bool {
		d, ok := w.allowed(w.deployment, "GetDeployment", `{"name": "`+deployment+`"}`).(*deploymentv1.Deployment)
		return ok && d.GetState().String() == state
	}, 20*time.Second, 10*time.Millisecond, "%s does not become %s", deployment, state)
}

func (w *badWorld) seedPeople() {
	w.Helper()
	w.make("sales", "CreateCohort", `{"parent": "$ws", "cohortId": "sales", "cohort": {"displayName": "Sales"}}`)
	w.make("otherCohort", "CreateCohort", `{"parent": "$other", "cohortId": "sales", "cohort": {}}`)
	for _, id := range []string{"p1", "p2", "p3"} {
		w.make(id, "CreatePerson", `{"parent": "$ws", "personId": "`+id+`", "person": {}}`)
	}
	w.make("otherPerson", "CreatePerson", `{"parent": "$other", "personId": "p1", "person": {}}`)
	w.make("member", "CreateMembership", `{"parent": "$sales", "membershipId": "m1", "membership": {"person": "$p1", "startDate": "2026-01-01T00:00:00Z"}}`)
	for name, verbs := range map[string][]string{"draft": nil, "basics": {"PublishTraining"}, "old": {"PublishTraining", "RetireTraining"}} {
		w.make(name, "CreateTraining", `{"parent": "$ws", "trainingId": "`+name+`", "training": {"displayName": "`+name+`"}}`)
		for _, verb := range verbs {
			w.make(name, verb, `{"name": "$`+name+`"}`)
		}
	}
	w.make("otherTraining", "CreateTraining", `{"parent": "$other", "trainingId": "basics", "training": {}}`)
	w.make("project", "CreateImplementation", `{"parent": "$ws", "implementationId": "crm", "implementation": {}}`)
	w.make("plan", "CreateCohortPlan", `{"parent": "$project", "cohortPlanId": "sales", "cohortPlan": {"cohort": "$sales", "readinessPolicy": {"criteria": [{"id": "trained", "trained": {"trainings": ["$basics"]}}]}}}`)
	w.allowed(w.implementation, "EnrolPeople", `{"training": "$basics", "people": ["$p1"]}`)
}

// resting are the tables that move by themselves: they hold when something is to be
// looked at again, who was heard last and up to when it was counted, and nothing that anybody asked for.
func resting(table string) bool {
	switch table {
	case "wakes", "heartbeats", "probe_rollups", "event_positions", "freeze_asks", "freezes", "seen_deployments", "started_waves":
		return true
	default:
		return strings.HasPrefix(table, "river_") || strings.HasPrefix(table, "detector_")
	}
}

// digest is what every table holds, by database and table, and which blobs are there.
// The event log is one of the tables, so its position is in it.
func (w *badWorld) digest() map[string]string {
	w.Helper()
	all := map[string]string{}
	for _, file := range []string{"deployment.db", "deployment.metrics.db", "implementation.db", "implementation.metrics.db", "contacts.db"} {
		db, err := sql.Open("sqlite", "file:"+filepath.Join(w.dir, file)+"?mode=ro")
		require.NoError(w, err)
		for _, table := range w.column(db, `SELECT name FROM sqlite_master WHERE type = 'table'`) {
			if !resting(table) {
				all[file+" "+table] = w.tableDigest(db, table)
			}
		}
		require.NoError(w, db.Close())
	}
	require.NoError(w, filepath.WalkDir(filepath.Join(w.dir, "blobs"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			info, err := entry.Info()
			require.NoError(w, err)
			all["blob "+path] = fmt.Sprint(info.Size())
		}
		return err
	}))
	return all
}

func (w *badWorld) column(db *sql.DB, query string) []string {
	w.Helper()
	rows, err := db.QueryContext(w.Context(), query)
	require.NoError(w, err)
	defer func() { require.NoError(w, rows.Close()) }()
	var all []string
	for rows.Next() {
		var text string
		require.NoError(w, rows.Scan(&text))
		all = append(all, text)
	}
	require.NoError(w, rows.Err())
	return all
}

func (w *badWorld) tableDigest(db *sql.DB, table string) string {
	w.Helper()
	rows, err := db.QueryContext(w.Context(), `SELECT * FROM "`+table+`"`)
	require.NoError(w, err)
	defer func() { require.NoError(w, rows.Close()) }()
	columns, err := rows.Columns()
	require.NoError(w, err)
	sum, count := sha256.New(), 0
	for rows.Next() {
		cells, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		require.NoError(w, rows.Scan(into...))
		_, _ = fmt.Fprintf(sum, "%v\n", cells)
		count++
	}
	require.NoError(w, rows.Err())
	return fmt.Sprintf("%d rows %x", count, sum.Sum(nil)[:8])
}

// settle waits until nothing moves any more.
func (w *badWorld) settle() {
	w.Helper()
	last := w.digest()
	quiet := 0
	require.Eventually(w, func() bool {
		now := w.digest()
		if fmt.Sprint(now) == fmt.Sprint(last) {
			quiet++
		} else {
			quiet = 0
		}
		last = now
		return quiet > 10
	}, 20*time.Second, 50*time.Millisecond, "the world does not come to rest")
}

// change writes to a database behind the server's back, where the world would
// have to wait for a clock.
func (w *badWorld) change(file, statement string, args ...any) {
	w.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.dir, file)+"?_pragma=busy_timeout(5000)")
	require.NoError(w, err)
	result, err := db.ExecContext(w.Context(), statement, args...)
	require.NoError(w, err)
	changed, err := result.RowsAffected()
	require.NoError(w, err)
	require.Positive(w, changed, statement)
	require.NoError(w, db.Close())
}
