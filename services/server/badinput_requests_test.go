package server_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// The codes in short: a table has no room for their names.
const (
	invalid      = codes.InvalidArgument
	notFound     = codes.NotFound
	exists       = codes.AlreadyExists
	aborted      = codes.Aborted
	precondition = codes.FailedPrecondition
	denied       = codes.PermissionDenied
	stranger     = codes.Unauthenticated
	exhausted    = codes.ResourceExhausted
	unsupported  = codes.Unimplemented
)

// badRequests are what any resource refuses.
func badRequests() []row {
	return []row{
		bad("no resource in a create", "CreateApplication", `{"parent": "$ws"}`, invalid, "INVALID_FIELD", "application").at("application"),
		bad("no parent", "CreateApplication", `{"application": {}}`, invalid, "INVALID_FIELD", "workspaces/"),
		bad("a parent that is none", "CreateApplication", `{"parent": "$ws/applications/crm", "application": {}}`, invalid, "INVALID_PARENT", "workspaces/{workspace}"),
		bad("a parent that does not exist", "CreateTarget", `{"parent": "$ws/environments/none", "target": {}}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("an id with capitals", "CreateApplication", `{"parent": "$ws", "applicationId": "CRM", "application": {}}`, invalid, "INVALID_RESOURCE_ID", "CRM").at("application_id"),
		bad("an id with a slash", "CreateApplication", `{"parent": "$ws", "applicationId": "a/b", "application": {}}`, invalid, "INVALID_RESOURCE_ID", "a/b"),
		bad("an id that is a number", "CreateCohort", `{"parent": "$ws", "cohortId": "42", "cohort": {}}`, invalid, "INVALID_RESOURCE_ID", "42"),
		bad("an id that is too long", "CreateEnvironment", `{"parent": "$ws", "environmentId": "$long", "environment": {}}`, invalid, "INVALID_RESOURCE_ID", "xxx"),
		bad("an id that is the wildcard", "CreateDeploymentPlan", `{"parent": "$ws", "deploymentPlanId": "-", "deploymentPlan": {"rollout": {}}}`, invalid, "INVALID_RESOURCE_ID", "-"),
		bad("an id with an accent", "CreateTraining", `{"parent": "$ws", "trainingId": "é", "training": {}}`, invalid, "INVALID_RESOURCE_ID", "é"),
		bad("a workspace against AIP-122", "CreateApplication", `{"parent": "workspaces/Default!", "application": {}}`, invalid, "INVALID_PARENT", "Default!"),
		bad("what exists already", "CreateApplication", `{"parent": "$ws", "applicationId": "crm", "application": {}}`, exists, "ALREADY_EXISTS", "crm"),
		bad("a name that does not exist", "GetApplication", `{"name": "$ws/applications/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("a name of another kind", "GetApplication", `{"name": "$prod"}`, invalid, "INVALID_NAME", "applications/{application}"),
		bad("a name without a workspace", "GetApplication", `{"name": "applications/crm"}`, invalid, "INVALID_FIELD", "workspaces/"),
		bad("a text that is too long", "CreateApplication", `{"parent": "$ws", "application": {"displayName": "$long"}}`, invalid, "INVALID_FIELD", "200").at("application.display_name"),
		bad("several mistakes at once", "CreateApplication", `{"parent": "$ws", "application": {"displayName": "$long", "owner": "$long"}}`, invalid, "INVALID_FIELD", "2 fields"),
		bad("an immutable field", "UpdateTarget", `{"target": {"name": "$t1", "kind": "DEVICE"}, "updateMask": "kind"}`, invalid, "IMMUTABLE_FIELD", "kind").at("target.kind"),
		bad("another cohort for a plan", "UpdateCohortPlan", `{"cohortPlan": {"name": "$plan", "cohort": "$ws/cohorts/none"}, "updateMask": "cohort"}`, invalid, "IMMUTABLE_FIELD", "cohort"),
		bad("an unknown path in the mask", "UpdateApplication", `{"application": {"name": "$crm"}, "updateMask": "colour"}`, invalid, "UNKNOWN_FIELD", "colour"),
		bad("a path through a scalar", "UpdateApplication", `{"application": {"name": "$crm"}, "updateMask": "displayName.first"}`, invalid, "UNKNOWN_FIELD", "first"),
		bad("an update of nothing that is", "UpdateApplication", `{"application": {"name": "$ws/applications/none", "displayName": "x"}}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("a stale etag in an update", "UpdateApplication", `{"application": {"name": "$crm", "displayName": "x", "etag": "stale"}}`, aborted, "ETAG_MISMATCH", "again"),
		bad("a stale etag in a delete", "DeleteEnvironment", `{"name": "$empty", "etag": "stale"}`, aborted, "ETAG_MISMATCH", "again"),
		bad("a stale etag in a command", "ResumeDeployment", `{"name": "$paused", "etag": "stale"}`, aborted, "ETAG_MISMATCH", "again"),
		bad("a stale etag in an approval", "ApproveWave", `{"name": "$wave", "etag": "stale"}`, aborted, "ETAG_MISMATCH", "again").as("approver"),
		bad("a stale etag of a release", "AbandonRelease", `{"name": "$win", "reason": "x", "etag": "stale"}`, aborted, "ETAG_MISMATCH", "again"),
		bad("a stale etag of an agent", "DeleteAgent", `{"name": "$ws/agents/h1", "etag": "stale"}`, aborted, "ETAG_MISMATCH", "again"),
		bad("a stale etag of a training", "RetireTraining", `{"name": "$basics", "etag": "stale"}`, aborted, "ETAG_MISMATCH", "again"),
		bad("a request id with another body", "CreateApplication", `{"parent": "$ws", "applicationId": "crm2", "application": {"displayName": "other"}, "requestId": "taken"}`, aborted, "REQUEST_ID_REUSED", "taken"),
		bad("a request id that is too long", "CreateApplication", `{"parent": "$ws", "application": {}, "requestId": "$long"}`, invalid, "INVALID_FIELD", "request_id").at("request_id"),
		bad("deleting an application with releases", "DeleteApplication", `{"name": "$crm"}`, precondition, "RESOURCE_IN_USE", "releases/"),
		bad("deleting an environment with targets", "DeleteEnvironment", `{"name": "$prod"}`, precondition, "RESOURCE_IN_USE", "targets/"),
		bad("deleting where another is promoted from", "DeleteEnvironment", `{"name": "$test"}`, precondition, "RESOURCE_IN_USE", "prod"),
		bad("deleting a target in a deployment", "DeleteTarget", `{"name": "$t1"}`, precondition, "RESOURCE_IN_USE", "held"),
		bad("deleting a cohort with a plan", "DeleteCohort", `{"name": "$sales"}`, precondition, "RESOURCE_IN_USE", "cohortPlans/sales"),
		bad("deleting a training that was published", "DeleteTraining", `{"name": "$basics"}`, precondition, "STATE_FORBIDS", "PUBLISHED"),
		bad("deleting a project with plans", "DeleteImplementation", `{"name": "$project"}`, precondition, "RESOURCE_IN_USE", "cohortPlans/sales"),
		bad("deleting a member of a cohort", "DeletePerson", `{"name": "$p1"}`, precondition, "RESOURCE_IN_USE", "p1"),
		bad("deleting what is not there", "DeleteDeploymentPlan", `{"name": "$ws/deploymentPlans/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
	}
}

// badPages are what lists refuse.
func badPages() []row {
	list := func(name, fields string, code codes.Code, reason, says string) row {
		return bad(name, "ListApplications", `{"parent": "$ws", `+fields+`}`, code, reason, says)
	}
	return []row{
		list("a filter that does not parse", `"filter": "display_name = = 3"`, invalid, "INVALID_FILTER", "filter").at("filter"),
		list("a filter on a field that is none", `"filter": "colour = \"red\""`, invalid, "INVALID_FILTER", "colour"),
		list("a filter of another type", `"filter": "display_name > 3"`, invalid, "INVALID_FILTER", "filter"),
		list("a filter without its end", `"filter": "display_name = \"CRM"`, invalid, "INVALID_FILTER", "filter"),
		list("a filter that is too long", `"filter": "$long"`, invalid, "INVALID_FIELD", "2000"),
		list("an order by nothing known", `"orderBy": "colour"`, invalid, "INVALID_ORDER_BY", "colour").at("order_by"),
		list("an order that does not parse", `"orderBy": "display_name upwards"`, invalid, "INVALID_ORDER_BY", "upwards"),
		list("a page of less than nothing", `"pageSize": -1`, invalid, "INVALID_FIELD", "page_size"),
		list("a page token of nobody", `"pageToken": "abc"`, invalid, "INVALID_PAGE_TOKEN", "begin again").at("page_token"),
		list("a page token of another filter", `"pageToken": "$page", "pageSize": 1, "filter": "display_name = \"CRM\""`, invalid, "PAGE_TOKEN_MISMATCH", "begin again"),
		list("a page token of another order", `"pageToken": "$page", "pageSize": 1, "orderBy": "display_name"`, invalid, "PAGE_TOKEN_MISMATCH", "begin again"),
		bad("a page token of another list", "ListEnvironments", `{"parent": "$ws", "pageToken": "$page"}`, invalid, "PAGE_TOKEN_MISMATCH", "begin again"),
		bad("a page token of another workspace", "ListApplications", `{"parent": "$other", "pageToken": "$page"}`, invalid, "PAGE_TOKEN_MISMATCH", "begin again"),
		bad("a list of all workspaces", "ListApplications", `{"parent": "workspaces/-"}`, invalid, "INVALID_PARENT", "workspace"),
		bad("a filter of people in another language", "ListPeople", `{"parent": "$ws", "filter": "SELECT 1"}`, invalid, "INVALID_FILTER", "filter"),
		bad("a filter of enrolments on nothing known", "ListEnrolments", `{"parent": "$basics", "filter": "colour = 1"}`, invalid, "INVALID_FILTER", "colour"),
		bad("a filter of installations on nothing known", "ListInstallations", `{"parent": "$held", "filter": "colour = 1"}`, invalid, "INVALID_FILTER", "colour"),
		bad("an event page of nobody", "ListEvents", `{"parent": "$crm", "pageToken": "abc"}`, invalid, "PAGE_TOKEN_MISMATCH", "without"),
		bad("a watch that resumes nowhere", "WatchEvents", `{"parent": "$crm", "resumeToken": "abc"}`, invalid, "RESUME_TOKEN_INVALID", "without"),
		bad("events of no resource", "ListEvents", `{"parent": "nothing"}`, invalid, "INVALID_FIELD", "workspaces/"),
	}
}

// badWire is what only HTTP can say, and what no service is asked about.
func badWire() []row {
	const create = "POST /v1/$ws/applications"
	return []row{
		overHTTP("a field that is unknown", create, `{"colour": "red"}`, invalid, "UNKNOWN_FIELD", "displayName").at("colour"),
		overHTTP("a field that is unknown, deep inside", "POST /v1/$crm/deployments", `{"rollout": {"waves": [{"members": {"kohort": "x"}}]}}`, invalid, "UNKNOWN_FIELD", "kohort").at("rollout.waves[0].members.kohort"),
		overHTTP("a number for a text", create, `{"displayName": 7}`, invalid, "INVALID_JSON", "must be a string").at("displayName"),
		overHTTP("a text for a number", "POST /v1/$ws/environments", `{"ordinal": "first"}`, invalid, "INVALID_JSON", "integer").at("ordinal"),
		overHTTP("a list for an object", create, `[]`, invalid, "INVALID_JSON", "must be an object"),
		overHTTP("a time that is none", "POST /v1/$ws/implementations", `{"targetDate": "tomorrow"}`, invalid, "INVALID_JSON", "targetDate"),
		overHTTP("an enum value that is none", "POST /v1/$prod/targets", `{"kind": "TOASTER"}`, invalid, "INVALID_JSON", "SERVER"),
		overHTTP("a body that is not JSON", create, `displayName=CRM`, invalid, "INVALID_JSON", "line 1"),
		overHTTP("a body that ends early", create, `{"displayName": "C`, invalid, "INVALID_JSON", "line 1"),
		overHTTP("two bodies", create, `{} {}`, invalid, "INVALID_JSON", "exactly one"),
		overHTTP("no body", create, ``, invalid, "INVALID_FIELD", "application"),
		overHTTP("a body that is not UTF-8", create, "{\"displayName\": \"\xff\"}", invalid, "INVALID_JSON", "UTF-8"),
		overHTTP("a body that is too large", create, `{"displayName": "`+strings.Repeat("x", 24<<20)+`"}`, exhausted, "BODY_TOO_LARGE", "bytes").status(http.StatusRequestEntityTooLarge),
		bad("a message that is too large", "CreateApplication", `{"parent": "$ws", "application": {"displayName": "`+strings.Repeat("x", 5<<20)+`"}}`, exhausted, "MESSAGE_TOO_LARGE", "bytes").
			on(func(*badWorld) *answer { return nil }),
		overHTTP("a query parameter that is unknown", "GET /v1/$ws/applications?pagesize=3", ``, invalid, "UNKNOWN_FIELD", "pageSize").at("pagesize"),
		overHTTP("a query parameter of another type", "GET /v1/$ws/applications?pageSize=many", ``, invalid, "INVALID_QUERY", "integer").at("pageSize"),
		overHTTP("a query parameter twice", "GET /v1/$ws/applications?pageSize=3&pageSize=4", ``, invalid, "INVALID_QUERY", "once"),
		overHTTP("a route that is unknown", "GET /v1/$ws/gadgets", ``, notFound, "ROUTE_NOT_FOUND", "/openapi.yaml"),
		overHTTP("a route outside of the API", "GET /admin", ``, notFound, "ROUTE_NOT_FOUND", "/openapi.yaml"),
		overHTTP("a verb that is unknown", "POST /v1/$held:explode", `{}`, notFound, "ROUTE_NOT_FOUND", "/openapi.yaml"),
		overHTTP("a method that is not taken", "PUT /v1/$crm", `{}`, unsupported, "METHOD_NOT_ALLOWED", "GET").status(http.StatusMethodNotAllowed),
		overHTTP("an agent's call over HTTP", "POST /v1/agents:enrol", `{}`, notFound, "ROUTE_NOT_FOUND", "/openapi.yaml"),
		byHand("a method that is unknown", func(w *badWorld) error {
			return w.invoke(w.deployment, "/golive.deployment.v1.ApplicationService/PaintApplication")
		}, unsupported, "METHOD_UNKNOWN", "versions"),
		byHand("reflection on a public port", func(w *badWorld) error {
			return w.invoke(w.implementation, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
		}, unsupported, "METHOD_UNKNOWN", "versions"),
		byHand("health on a public port", func(w *badWorld) error {
			return w.invoke(w.deployment, "/grpc.health.v1.Health/Check")
		}, unsupported, "METHOD_UNKNOWN", "versions"),
		byHand("an agent's method on a public port", func(w *badWorld) error {
			return w.invoke(w.deployment, "/golive.agent.v1.AgentService/Enrol")
		}, unsupported, "METHOD_UNKNOWN", "versions"),
		byHand("a method of the other service", func(w *badWorld) error {
			return w.invoke(w.implementation, "/golive.deployment.v1.ApplicationService/GetApplication")
		}, unsupported, "METHOD_UNKNOWN", "versions"),
	}
}

func (w *badWorld) invoke(conn grpc.ClientConnInterface, method string) error {
	return conn.Invoke(w.Context(), method, &deploymentv1.GetApplicationRequest{}, &deploymentv1.Application{})
}

// badBlobs are uploads.
func badBlobs() []row {
	upload := func(name string, code codes.Code, reason, says, query, body string, pieces ...*deploymentv1.UploadBlobRequest) row {
		r := byHand(name, func(w *badWorld) error {
			_, err := w.send(w.Context(), "", pieces...)
			return err
		}, code, reason, says)
		if query == "" {
			return r
		}
		return r.on(func(w *badWorld) *answer {
			return w.ask(http.MethodPost, "/v1/workspaces/default/blobs"+query, strings.NewReader(body), "")
		})
	}
	other := strings.Repeat("0", 64)
	piece := func(parent, sum, data string) *deploymentv1.UploadBlobRequest {
		return &deploymentv1.UploadBlobRequest{Parent: parent, Sha256: sum, Data: []byte(data)}
	}
	const ws = "workspaces/default"
	return []row{
		upload("a digest that is another", invalid, "DIGEST_MISMATCH", "send the artifact again", "?sha256="+other, "bytes", piece(ws, other, "bytes")),
		upload("a digest that is none", invalid, "INVALID_FIELD", "sha256", "?sha256=abc", "bytes", piece(ws, "abc", "bytes")),
		upload("no bytes", invalid, "BLOB_EMPTY", "file", "?sha256=", "", piece(ws, "", "")),
		upload("no workspace", invalid, "INVALID_FIELD", "parent", "", "", piece("", "", "bytes")),
		upload("a workspace in the middle", invalid, "INVALID_FIELD", "first message", "", "", piece(ws, "", "a"), piece("workspaces/other", "", "b")),
		upload("a piece that is too large", invalid, "INVALID_FIELD", "data", "", "", piece(ws, "", strings.Repeat("x", 1<<20+1))),
		overHTTP("a parameter that is unknown", "POST /v1/$ws/blobs?sha=1", "bytes", invalid, "UNKNOWN_FIELD", "sha256"),
		bad("a name that is none", "GetBlob", `{"name": "$ws/blobs/a/b"}`, invalid, "INVALID_NAME", "blobs/{sha256}"),
		bad("a blob that is not there", "GetBlob", `{"name": "$ws/blobs/`+other+`"}`, notFound, "BLOB_NOT_FOUND", "upload"),
		bad("a blob of another workspace", "GetBlob", `{"name": "$other/blobs/$sha"}`, notFound, "BLOB_NOT_FOUND", "upload"),
		{name: "an upload that breaks off", code: invalid, reason: "BODY_TRUNCATED", says: "nothing was kept", raw: (*badWorld).breakOff},
	}
}

// breakOff promises a hundred bytes, sends five and closes its half of the connection.
func (w *badWorld) breakOff() *answer {
	w.Helper()
	conn, err := new(net.Dialer).DialContext(w.Context(), "tcp", w.server.Addresses().HTTP)
	require.NoError(w, err)
	defer func() { require.NoError(w, conn.Close()) }()
	_, err = fmt.Fprintf(conn, "POST /v1/workspaces/default/blobs HTTP/1.1\r\nHost: golive\r\nAuthorization: Bearer %s\r\nContent-Length: 100\r\n\r\nbytes", w.token(""))
	require.NoError(w, err)
	tcp, ok := conn.(*net.TCPConn)
	require.True(w, ok)
	require.NoError(w, tcp.CloseWrite())
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(w, err)
	defer func() { require.NoError(w, resp.Body.Close()) }()
	return w.read(resp)
}
