package server_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/rpc"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// seedUsage makes a feature that a plan counts, somebody who opted out, and days around today.
func (w *badWorld) seedUsage() {
	w.Helper()
	today := time.Now().UTC()
	w.names["tomorrow"], w.names["yesterday"] = today.AddDate(0, 0, 2).Format(time.DateOnly), today.AddDate(0, 0, -1).Format(time.DateOnly)
	w.make("quotes", "CreateFeature", `{"parent": "$ws", "featureId": "quotes", "feature": {"kind": "NEW"}}`)
	w.make("otherFeature", "CreateFeature", `{"parent": "$other", "featureId": "quotes", "feature": {"kind": "NEW"}}`)
	w.make("adopts", "CreateImplementation", `{"parent": "$ws", "implementationId": "adopts", "implementation": {}}`)
	w.make("adoptsPlan", "CreateCohortPlan", `{"parent": "$adopts", "cohortPlanId": "sales", "cohortPlan": {"cohort": "$sales", "adoption": {"features": ["$quotes"]}}}`)
	w.allowed(w.implementation, "OptOut", `{"person": "$p1"}`)
}

// badUsage is usage, opt-outs and questions about adoption that make no sense.
func badUsage() []row {
	counted := func(name, fields, reason, says, at string) row {
		return bad(name, "UpdateCohortPlan", `{"cohortPlan": {"name": "$adoptsPlan", "adoption": {`+fields+`}}, "updateMask": "adoption"}`, invalid, reason, says).at("cohort_plan.adoption." + at)
	}
	points := func(text string) string { return `"plannedCurve": {"points": {"points": [` + text + `]}}` }
	return []row{
		bad("a feature without a kind", "CreateFeature", `{"parent": "$ws", "feature": {}}`, invalid, "REQUIRED_FIELD", "feature.kind"),
		bad("a feature that is there", "CreateFeature", `{"parent": "$ws", "featureId": "quotes", "feature": {"kind": "NEW"}}`, exists, "ALREADY_EXISTS", "quotes"),
		bad("a feature with a name for an id", "CreateFeature", `{"parent": "$ws", "featureId": "My Quotes", "feature": {"kind": "NEW"}}`, invalid, "INVALID_RESOURCE_ID", "lower-case"),
		bad("deleting what a plan counts", "DeleteFeature", `{"name": "$quotes"}`, precondition, "RESOURCE_IN_USE", "cohortPlans/sales"),
		counted("more active days than days", `"windowDays": 7, "activeDays": 8`, "WINDOW_INVALID", "nobody is active on 8 of 7 days", "active_days"),
		counted("tasks on more days than there are", `"windowDays": 7, "activeDays": 1, "taskStandard": {"days": 8}`, "WINDOW_INVALID", "nobody does a task", "task_standard.days"),
		counted("more tasks than there are", `"taskStandard": {"features": ["$quotes"], "tasks": 2}`, "TASKS_INVALID", "nobody does 2 of 1 tasks", "task_standard.tasks"),
		counted("a target of more than all", `"target": 1.5`, "INVALID_FIELD", "target", "target"),
		counted("a curve that goes back", points(`{"day": 9, "share": 0.1}, {"day": 3, "share": 0.2}`), "CURVE_INVALID", "order its points by day", "planned_curve.points.points[1].day"),
		counted("a curve of more than all", points(`{"day": 9, "share": 2}`), "INVALID_FIELD", "share", "planned_curve.points.points[0].share"),
		counted("a curve to no target", `"plannedCurve": {"logistic": {"midpointDay": 30, "riseDays": 20}}`, "CURVE_INVALID", "set target", "target"),
		counted("an S that does not rise", `"target": 0.8, "plannedCurve": {"logistic": {"midpointDay": 30}}`, "INVALID_FIELD", "rise_days", "planned_curve.logistic.rise_days"),
		counted("a feature that is none", `"features": ["$ws/features/none"]`, "REFERENCE_NOT_FOUND", "create it first", "features[0]"),
		counted("a feature of others", `"features": ["$otherFeature"]`, "OTHER_WORKSPACE", "another workspace", "features[0]"),
		bad("usage as one who may look", "ReportUsage", `{"parent": "$ws"}`, denied, "PERMISSION_DENIED", "implementation.usage.report").as("viewer"),
		bad("too many events", "ReportUsage", `{"parent": "$ws", "events": [`+strings.Repeat("{},", 10000)+`{}]}`, invalid, "INVALID_FIELD", "events"),
		bad("keys of no file", "BindSubjects", `{"parent": "$ws"}`, invalid, "INVALID_FIELD", "csv"),
		bad("keys in unknown columns", "BindSubjects", `{"parent": "$ws", "csv": "a2V5LHBlcnNvbgo=", "columns": {"name": "x"}}`, invalid, "UNKNOWN_FIELD", "key, person"),
		bad("opting nobody out", "OptOut", `{"person": "$ws/people/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("opting out of the future", "OptOut", `{"person": "$p1", "day": "$tomorrow"}`, invalid, "DATE_INVALID", "write it as 2026-03-02").at("day"),
		bad("opting out on no day", "OptOut", `{"person": "$p1", "day": "2026-02-30"}`, invalid, "DATE_INVALID", "is no day").at("day"),
		bad("opting in before the opt-out", "OptIn", `{"person": "$p1", "day": "$yesterday"}`, invalid, "DATE_INVALID", "give that day or a later one").at("day"),
		bad("opting in who is not out", "OptIn", `{"person": "$p2"}`, precondition, "NOT_OPTED_OUT", "nothing to take back"),
		bad("adoption of nothing", "GetAdoption", `{"parent": "$ws/implementations/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("adoption of another's cohort", "GetAdoption", `{"parent": "$adopts", "cohortPlan": "$plan"}`, invalid, "REFERENCE_NOT_FOUND", "name one of it").at("cohort_plan"),
		bad("adoption of the future", "GetAdoption", `{"parent": "$adopts", "endDay": "$tomorrow"}`, invalid, "DATE_INVALID", "is no day up to today").at("end_day"),
		bad("adoption backwards", "GetAdoption", `{"parent": "$adopts", "startDay": "2026-03-02", "endDay": "2026-03-01"}`, invalid, "DATE_INVALID", "before 2026-03-01").at("start_day"),
		bad("adoption of years", "GetAdoption", `{"parent": "$adopts", "startDay": "2020-03-02"}`, invalid, "DATE_INVALID", "of the 400").at("start_day"),
		bad("adoption in another form of day", "GetAdoption", `{"parent": "$adopts", "startDay": "2.3.2026"}`, invalid, "INVALID_FIELD", "start_day").at("start_day"),
		bad("a forecast of centuries", "ForecastAdoption", `{"parent": "$adopts", "weeks": 5000}`, invalid, "INVALID_FIELD", "weeks").at("weeks"),
	}
}

// The real composition takes a batch over HTTP and a stream over gRPC, and counts both as one.
func TestUsageComesInOverBothTransports(t *testing.T) {
	w := newBadWorld(t)
	cohort := w.make("adopters", "CreateCohort", `{"parent": "$ws", "cohortId": "adopters", "cohort": {}}`)
	csv := "person\n"
	for i := range 12 {
		csv += fmt.Sprintf("adopter-%02d\n", i)
	}
	conn := rpc.WithToken(w.implementation, auth.StaticToken(w.token("")))
	imported, err := implementationv1.NewMembershipServiceClient(conn).ImportMemberships(t.Context(), &implementationv1.ImportMembershipsRequest{Parent: cohort, Csv: []byte(csv), CreatePeople: true})
	require.NoError(t, err)
	require.EqualValues(t, 12, imported.GetCreatedCount())
	w.make("adoptersPlan", "CreateCohortPlan", `{"parent": "$adopts", "cohortPlanId": "adopters", "cohortPlan": {"cohort": "$adopters", "adoption": {"activeDays": 1}}}`)

	var events []string
	for i := range 6 {
		events = append(events, fmt.Sprintf(`{"feature": "quotes", "subject": "people/adopter-%02d"}`, i))
	}
	events = append(events, `{"feature": "none", "subject": "people/adopter-00"}`)
	body := w.posted(t, "/v1/workspaces/default/usage:report", `{"events": [`+strings.Join(events, ",")+`]}`)
	var answer implementationv1.ReportUsageResponse
	require.NoError(t, protojson.Unmarshal(body, &answer))
	require.Equal(t, []int32{6, 1}, []int32{answer.GetAcceptedCount(), answer.GetRejectedCount()})
	require.Equal(t, "FEATURE_UNKNOWN", answer.GetErrors()[0].GetReason())

	stream, err := implementationv1.NewUsageServiceClient(conn).IngestUsage(t.Context())
	require.NoError(t, err)
	batch := &implementationv1.IngestUsageRequest{Parent: "workspaces/default", Sequence: 7}
	for i := range 6 {
		batch.Events = append(batch.Events, &implementationv1.UsageEvent{Feature: "quotes", Subject: fmt.Sprintf("people/adopter-%02d", 3+i)})
	}
	require.NoError(t, stream.Send(batch))
	taken, err := stream.Recv()
	require.NoError(t, err)
	require.Equal(t, []int64{7, 6}, []int64{taken.GetSequence(), int64(taken.GetAcceptedCount())})
	require.NoError(t, stream.CloseSend())

	today := time.Now().UTC().Format(time.DateOnly)
	adoption, err := implementationv1.NewAdoptionServiceClient(conn).GetAdoption(t.Context(), &implementationv1.GetAdoptionRequest{
		Parent: w.names["adopts"], CohortPlan: w.names["adoptersPlan"], StartDay: today, EndDay: today,
	})
	require.NoError(t, err)
	point := adoption.GetCohorts()[0].GetPoints()[0]
	require.Equal(t, []int64{9, 12}, []int64{point.GetActive(), point.GetEligible()}, "three came over both")
}

// posted sends JSON to the gateway as an admin and returns what came back with 200.
func (w *badWorld) posted(t *testing.T, path, body string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+w.server.Addresses().HTTP+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+w.token(""))
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	said, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, string(said))
	return said
}
