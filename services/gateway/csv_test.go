package gateway_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// file is a service whose file has two pages; the second one can be broken.
type file struct {
	grpc.ClientConnInterface

	broken bool
}

func (f file) Invoke(_ context.Context, _ string, args, reply any, _ ...grpc.CallOption) error {
	page := &implementationv1.ExportResult{Csv: []byte("person\np1\n"), NextPageToken: "two"}
	req, isExport := args.(*implementationv1.ExportMembershipsRequest)
	answer, isMessage := reply.(proto.Message)
	switch {
	case !isExport || !isMessage:
		return fault.Internal("INTERNAL", "this is no export")
	case req.GetPageToken() == "two" && f.broken:
		return fault.Unavailable("DOWN", "the service is away; try again")
	case req.GetPageToken() == "two":
		page = &implementationv1.ExportResult{Csv: []byte("p2\n")}
	case req.GetPageToken() != "":
		return fault.Invalid("INVALID_PAGE_TOKEN", "no such page; begin again")
	}
	proto.Merge(answer, page)
	return nil
}

func TestAnExportIsAFile(t *testing.T) {
	ask := func(f file, query, accept string) (status int, header http.Header, body string, err error) {
		t.Helper()
		server := httptest.NewServer(newGateway(t, f))
		t.Cleanup(server.Close)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v1/workspaces/w/cohorts/-/memberships:export"+query, nil)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer x")
		req.Header.Set("Accept", accept)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, nil, "", err
		}
		defer func() { _ = resp.Body.Close() }()
		data, err := io.ReadAll(resp.Body)
		return resp.StatusCode, resp.Header, string(data), err
	}
	_, header, body, err := ask(file{}, "", "text/csv")
	require.NoError(t, err)
	require.Equal(t, "person\np1\np2\n", body, "the pages put behind each other")
	require.Equal(t, "text/csv; charset=utf-8", header.Get("Content-Type"))
	require.Equal(t, `attachment; filename="memberships.csv"`, header.Get("Content-Disposition"))

	_, _, body, err = ask(file{}, "?pageSize=1", "application/json")
	require.NoError(t, err)
	require.JSONEq(t, `{"csv": "cGVyc29uCnAxCg==", "nextPageToken": "two"}`, body)

	status, _, body, err := ask(file{}, "?pageToken=none", "text/csv")
	require.NoError(t, err)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, body, "INVALID_PAGE_TOKEN")
	status, _, body, err = ask(file{}, "?colour=red", "text/csv")
	require.NoError(t, err)
	require.Equal(t, http.StatusBadRequest, status, body)

	_, _, body, err = ask(file{broken: true}, "", "text/csv")
	require.Error(t, err, "a file that breaks off does not look whole: %q", body)
}

// taker is a service that keeps the import it gets.
type taker struct {
	grpc.ClientConnInterface

	got chan *implementationv1.ImportMembershipsRequest
}

func (i taker) Invoke(_ context.Context, _ string, args, _ any, _ ...grpc.CallOption) error {
	req, ok := args.(*implementationv1.ImportMembershipsRequest)
	if !ok {
		return fault.Internal("INTERNAL", "this is no import")
	}
	i.got <- req
	return nil
}

func TestAFileIsAnImport(t *testing.T) {
	i := taker{got: make(chan *implementationv1.ImportMembershipsRequest, 1)}
	server := httptest.NewServer(newGateway(t, i))
	t.Cleanup(server.Close)
	send := func(query string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/workspaces/w/cohorts/-/memberships:import"+query, strings.NewReader("who;cohort\np1;sales\n"))
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer x")
		req.Header.Set("Content-Type", "text/csv; charset=utf-8")
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode
	}
	require.Equal(t, http.StatusOK, send("?createPeople=true&columns.person=who&requestId=r1"))
	want := &implementationv1.ImportMembershipsRequest{
		Parent: "workspaces/w/cohorts/-", Csv: []byte("who;cohort\np1;sales\n"), CreatePeople: true, RequestId: "r1", Columns: map[string]string{"person": "who"},
	}
	require.True(t, proto.Equal(want, <-i.got))
	require.Equal(t, http.StatusBadRequest, send("?colour=red"))
	require.Equal(t, http.StatusBadRequest, send("?createPeople=perhaps"))
	require.Empty(t, i.got)
}
