package gateway_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// printer writes reports of everything but of what is not there.
type printer struct{ grpc.ClientConnInterface }

func (printer) Invoke(_ context.Context, _ string, args, reply any, _ ...grpc.CallOption) error {
	const html, markdown = "<!DOCTYPE html><h1>Report</h1>", "# Report"
	switch req := args.(type) {
	case *implementationv1.ComputeScorecardReportRequest:
		if req.GetParent() == "workspaces/w/implementations/none" {
			return fault.NotFound("RESOURCE_NOT_FOUND", "there is none; name another")
		}
		r := reply.(*implementationv1.ScorecardReport) //nolint:forcetypeassert // it is
		r.Html, r.Markdown = html, markdown
	case *implementationv1.ComputeStatusReportRequest:
		reply.(*implementationv1.StatusReport).Html = html + req.GetWeek() //nolint:forcetypeassert // it is
	case *implementationv1.ComputeDecisionReportRequest:
		reply.(*implementationv1.DecisionReport).Html = html //nolint:forcetypeassert // it is
	case *implementationv1.GetComparisonRequest:
		if req.GetReport() {
			reply.(*implementationv1.Comparison).Html = html //nolint:forcetypeassert // it is
		}
	default:
		return fault.Internal("INTERNAL", "this is no report: %T", args)
	}
	return nil
}

func TestAReportIsAPage(t *testing.T) {
	server := httptest.NewServer(newGateway(t, printer{}))
	t.Cleanup(server.Close)
	ask := func(path, accept string) (status int, kind, body string, header http.Header) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v1/workspaces/w/implementations/"+path, nil)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer x")
		req.Header.Set("Accept", accept)
		resp, err := server.Client().Do(req)
		require.NoError(t, err)
		defer func() { require.NoError(t, resp.Body.Close()) }()
		data, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, resp.Header.Get("Content-Type"), string(data), resp.Header
	}
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, path := range []string{"crm/scorecardReport:compute", "crm/statusReport:compute", "crm/decisions/go:computeDecisionReport", "crm/comparison"} {
		status, kind, body, header := ask(path, browser)
		require.Equal(t, http.StatusOK, status, body)
		require.Equal(t, "text/html; charset=utf-8", kind, path)
		require.Equal(t, "<!DOCTYPE html><h1>Report</h1>", body)
		require.Contains(t, header.Get("Content-Security-Policy"), "default-src 'none'")
		require.NotContains(t, header.Get("Content-Security-Policy"), "script")
		require.Equal(t, "Accept", header.Get("Vary"))
		_, kind, _, _ = ask(path+"?format=html", "*/*")
		require.Equal(t, "text/html; charset=utf-8", kind)
		_, kind, _, _ = ask(path, "application/json")
		require.Equal(t, "application/json", kind)
	}
	_, kind, body, _ := ask("crm/scorecardReport:compute?format=markdown", browser)
	require.Equal(t, "text/markdown; charset=utf-8", kind)
	require.Equal(t, "# Report", body)
	_, _, body, _ = ask("crm/statusReport:compute?format=html&week=2026-W12", "*/*")
	require.Contains(t, body, "2026-W12", "the rest of the question is kept")
	status, kind, _, _ := ask("none/scorecardReport:compute", browser)
	require.Equal(t, http.StatusNotFound, status)
	require.Contains(t, kind, "json", "a refusal is a problem as everywhere")
	status, _, _, _ = ask("crm/scorecardReport:compute?format=pdf", browser)
	require.Equal(t, http.StatusBadRequest, status)
}
