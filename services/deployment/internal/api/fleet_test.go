package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/jointoken"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/rpc"
	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/api"
	"github.com/golive-dev/golive/services/deployment/internal/authority"
	"github.com/golive-dev/golive/services/deployment/internal/blob"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

const (
	workspace   = "workspaces/default"
	environment = workspace + "/environments/prod"
)

// fleetBundle is the agents' and blobs' part of the API behind the whole chain.
type fleetBundle struct {
	store  *store.Store
	folder string
	issuer *auth.Issuer
	local  grpc.ClientConnInterface
	agents deploymentv1.AgentServiceClient
	blobs  deploymentv1.BlobServiceClient
}

func setupFleet(t *testing.T) *fleetBundle {
	t.Helper()
	dir := t.TempDir()
	b := &fleetBundle{folder: filepath.Join(dir, "blobs")}
	var err error
	b.store, err = store.Open(t.Context(), store.Config{
		Database: sqldb.Config{URL: "sqlite:" + filepath.Join(dir, "main.db")}, Metrics: sqldb.Config{URL: "sqlite:" + filepath.Join(dir, "metrics.db")},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.store.Close()) })
	authorities, err := authority.Open(dir, nil)
	require.NoError(t, err)
	blobs, err := blob.Open(t.Context(), blob.Config{URL: blob.FolderURL(b.folder), MaxBytes: 1 << 20})
	require.NoError(t, err)
	b.issuer, err = auth.LoadIssuer(filepath.Join(dir, "issuer.pem"))
	require.NoError(t, err)
	verifier, err := auth.NewVerifier([]auth.TrustedIssuer{b.issuer.Trusted()}, nil)
	require.NoError(t, err)
	server, err := rpc.NewServer(rpc.Config{Name: "deployment", Verifier: verifier})
	require.NoError(t, err)
	deploymentv1.RegisterAgentServiceServer(server, api.NewAgentService(b.store, authorities, blobs))
	deploymentv1.RegisterBlobServiceServer(server, api.NewBlobService(blobs))
	require.NoError(t, server.Check())
	t.Cleanup(server.Stop)
	b.local = server.Local()
	conn := b.as(t, "default", auth.Operator)
	b.agents, b.blobs = deploymentv1.NewAgentServiceClient(conn), deploymentv1.NewBlobServiceClient(conn)
	require.NoError(t, b.store.DB.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		return store.Environments.Insert(ctx, tx, b.store.Resources, &deploymentv1.Environment{Name: environment}, resource.Meta{})
	}))
	return b
}

func (b *fleetBundle) as(t *testing.T, in string, role auth.Role) grpc.ClientConnInterface {
	t.Helper()
	token, _, err := b.issuer.Mint(auth.Claims{Name: "users/ann", Grants: map[string][]auth.Role{in: {role}}})
	require.NoError(t, err)
	return rpc.WithToken(b.local, func(context.Context) (string, error) { return token, nil })
}

func (b *fleetBundle) upload(t *testing.T, messages ...*deploymentv1.UploadBlobRequest) (*deploymentv1.Blob, error) {
	t.Helper()
	stream, err := b.blobs.UploadBlob(t.Context())
	require.NoError(t, err)
	for _, m := range messages {
		if err := stream.Send(m); err != nil {
			require.ErrorIs(t, err, io.EOF)
			break
		}
	}
	return stream.CloseAndRecv()
}

func (b *fleetBundle) kept(t *testing.T) (n int) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(b.folder, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			n++
		}
		return err
	}))
	return n
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func TestUploadIsKeptOnlyWhole(t *testing.T) {
	b := setupFleet(t)
	data := bytes.Repeat([]byte("golive"), 1000)
	first := func(sum string, data []byte) *deploymentv1.UploadBlobRequest {
		return &deploymentv1.UploadBlobRequest{Parent: workspace, Sha256: sum, Data: data}
	}
	for name, test := range map[string]struct {
		messages []*deploymentv1.UploadBlobRequest
		reason   string
	}{
		"wrong digest":      {[]*deploymentv1.UploadBlobRequest{first(digest([]byte("x")), data)}, "DIGEST_MISMATCH"},
		"truncated":         {[]*deploymentv1.UploadBlobRequest{first(digest(data), data[:100])}, "DIGEST_MISMATCH"},
		"empty":             {[]*deploymentv1.UploadBlobRequest{first("", nil)}, "BLOB_EMPTY"},
		"nothing at all":    {nil, "REQUIRED_FIELD"},
		"too large":         {[]*deploymentv1.UploadBlobRequest{first("", make([]byte, 1<<20)), {Data: []byte{1}}}, "BLOB_TOO_LARGE"},
		"no parent":         {[]*deploymentv1.UploadBlobRequest{{Data: data}}, ""},
		"another workspace": {[]*deploymentv1.UploadBlobRequest{first("", data), {Parent: "workspaces/other", Data: data}}, "INVALID_FIELD"},
		"no digest":         {[]*deploymentv1.UploadBlobRequest{first("../../etc", data)}, "INVALID_FIELD"},
		"not mine":          {[]*deploymentv1.UploadBlobRequest{{Parent: "workspaces/other", Data: data}}, "PERMISSION_DENIED"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.upload(t, test.messages...)
			require.Error(t, err)
			if test.reason != "" {
				require.Equal(t, test.reason, fault.ReasonOf(err))
			}
			require.Zero(t, b.kept(t))
		})
	}

	ctx, cancel := context.WithCancel(t.Context())
	stream, err := b.blobs.UploadBlob(ctx)
	require.NoError(t, err)
	require.NoError(t, stream.Send(first(digest(data), data[:100])))
	cancel()
	_, err = stream.CloseAndRecv()
	require.Equal(t, codes.Canceled, status.Code(err))
	require.Eventually(t, func() bool { return b.kept(t) == 0 }, 5*time.Second, 5*time.Millisecond)

	for range 2 {
		made, err := b.upload(t, first(digest(data), data[:10]), &deploymentv1.UploadBlobRequest{Data: data[10:]})
		require.NoError(t, err)
		require.Equal(t, workspace+"/blobs/"+digest(data), made.GetName())
		require.EqualValues(t, len(data), made.GetSizeBytes())
	}
	require.Equal(t, 1, b.kept(t))
	found, err := b.blobs.GetBlob(t.Context(), &deploymentv1.GetBlobRequest{Name: workspace + "/blobs/" + digest(data)})
	require.NoError(t, err)
	require.EqualValues(t, len(data), found.GetSizeBytes())
	_, err = b.blobs.GetBlob(t.Context(), &deploymentv1.GetBlobRequest{Name: workspace + "/blobs/" + digest([]byte("x"))})
	require.Equal(t, "BLOB_NOT_FOUND", fault.ReasonOf(err))
}

func TestJoinTokenSaysWhatItLetsIn(t *testing.T) {
	b := setupFleet(t)
	for name, test := range map[string]struct {
		req    *deploymentv1.CreateJoinTokenRequest
		reason string
	}{
		"nothing to serve":  {&deploymentv1.CreateJoinTokenRequest{}, "JOIN_TOKEN_SERVES_NOTHING"},
		"unknown target":    {&deploymentv1.CreateJoinTokenRequest{Targets: []string{environment + "/targets/none"}}, "RESOURCE_NOT_FOUND"},
		"unknown place":     {&deploymentv1.CreateJoinTokenRequest{Environment: workspace + "/environments/none"}, "RESOURCE_NOT_FOUND"},
		"another workspace": {&deploymentv1.CreateJoinTokenRequest{Environment: "workspaces/other/environments/prod"}, "OTHER_WORKSPACE"},
		"too long":          {&deploymentv1.CreateJoinTokenRequest{Environment: environment, Ttl: durationpb.New(8 * 24 * time.Hour)}, "INVALID_FIELD"},
	} {
		t.Run(name, func(t *testing.T) {
			test.req.Parent, test.req.AgentId = workspace, "host-1"
			_, err := b.agents.CreateJoinToken(t.Context(), test.req)
			require.Equal(t, test.reason, fault.ReasonOf(err))
		})
	}
	ok := &deploymentv1.CreateJoinTokenRequest{Parent: workspace, AgentId: "host-1", Environment: environment}
	_, err := deploymentv1.NewAgentServiceClient(b.as(t, "default", auth.Viewer)).CreateJoinToken(t.Context(), ok)
	require.Equal(t, "PERMISSION_DENIED", fault.ReasonOf(err))
	made, err := b.agents.CreateJoinToken(t.Context(), ok)
	require.NoError(t, err)
	token, err := jointoken.Decode(made.GetToken())
	require.NoError(t, err)
	require.Equal(t, workspace+"/agents/host-1", token.Agent)
	require.WithinDuration(t, time.Now().Add(time.Hour), token.Expires, time.Minute)

	key := sha256.Sum256([]byte("key"))
	_, err = b.store.Redeem(t.Context(), store.Redemption{Hash: token.SecretHash(), Agent: token.Agent, Key: key, Expires: time.Now().Add(time.Hour)})
	require.NoError(t, err)
	listed, err := b.agents.ListAgents(t.Context(), &deploymentv1.ListAgentsRequest{Parent: workspace, Filter: "connected = false"})
	require.NoError(t, err)
	require.Len(t, listed.GetAgents(), 1)
	require.Equal(t, []string{environment + "/targets/host-1"}, listed.GetAgents()[0].GetTargets())

	_, err = b.agents.DeleteAgent(t.Context(), &deploymentv1.DeleteAgentRequest{Name: token.Agent, Etag: `"stale"`})
	require.Equal(t, "ETAG_MISMATCH", fault.ReasonOf(err))
	_, err = b.agents.DeleteAgent(t.Context(), &deploymentv1.DeleteAgentRequest{Name: token.Agent, ValidateOnly: true})
	require.NoError(t, err)
	for range 2 { // the second is a retry of the first
		_, err = b.agents.DeleteAgent(t.Context(), &deploymentv1.DeleteAgentRequest{Name: token.Agent, RequestId: "r1"})
		require.NoError(t, err)
	}
	_, err = deploymentv1.NewAgentServiceClient(b.as(t, "default", auth.Viewer)).ReleaseQuarantine(t.Context(), &deploymentv1.ReleaseQuarantineRequest{Name: token.Agent})
	require.Equal(t, "PERMISSION_DENIED", fault.ReasonOf(err), "takes an operator")
	_, err = b.agents.ReleaseQuarantine(t.Context(), &deploymentv1.ReleaseQuarantineRequest{Name: token.Agent})
	require.Equal(t, "RESOURCE_NOT_FOUND", fault.ReasonOf(err))
}

func TestLogsAreFollowed(t *testing.T) {
	b := setupFleet(t)
	logs := api.NewLogs(b.store)
	name := workspace + "/applications/shop/deployments/d1/installations/web-1"
	write := func(text string) {
		require.NoError(t, b.store.AppendLogs(t.Context(), []*agentv1.LogChunk{{
			Installation: name, Attempt: 1, Lines: []*deploymentv1.LogLine{{Text: text}},
		}}))
		logs.Arrived([]string{name})
	}
	enough := errors.New("enough")
	var seen []string
	first := make(chan struct{}, 1)
	done := make(chan error, 1)
	go func() {
		done <- logs.Read(t.Context(), name, 0, true, func(lines []*deploymentv1.LogLine) error {
			for _, line := range lines {
				seen = append(seen, line.GetText())
			}
			if len(seen) >= 2 {
				return enough
			}
			first <- struct{}{}
			return nil
		})
	}()
	write("one")
	<-first
	begin := time.Now()
	write("two")
	require.ErrorIs(t, <-done, enough)
	require.Less(t, time.Since(begin), 500*time.Millisecond, "told, not polled")
	require.Equal(t, []string{"one", "two"}, seen)
	seen = nil
	require.NoError(t, logs.Read(t.Context(), name, 1, false, func(lines []*deploymentv1.LogLine) error {
		seen = append(seen, lines[0].GetText())
		return nil
	}))
	require.Equal(t, []string{"one"}, seen[:1])
}
