package rpc_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/rpc"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
)

const (
	concurrent  = 32
	loadEnv     = "RPCTEST_LOAD" // address, kind and number of requests, which makes this process a client
	tokenEnv    = "RPCTEST_TOKEN"
	benchParent = "workspaces/default/applications/crm"
)

// loader starts a process of clients, which connects and warms the server up,
// and returns what lets it make b.N requests and waits for it.
func loader(b *testing.B, address, kind, token string) func() {
	b.Helper()
	client := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^TestLoad$", "-test.v=false")
	client.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %d", loadEnv, address, kind, b.N), tokenEnv+"="+token)
	stdin, err := client.StdinPipe()
	require.NoError(b, err)
	stdout, err := client.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, client.Start())
	lines := bufio.NewScanner(stdout)
	hear := func(want string) {
		require.True(b, lines.Scan(), "client ended")
		require.Equal(b, want, lines.Text())
	}
	hear("ready")
	return func() {
		_, err := io.WriteString(stdin, "go\n")
		require.NoError(b, err)
		hear("done")
		b.StopTimer()
		_, err = io.Copy(io.Discard, stdout)
		require.NoError(b, err)
		require.NoError(b, client.Wait())
	}
}

// TestLoad is the client process of loader; in a run of the tests it has nothing to do.
func TestLoad(t *testing.T) {
	task := strings.Fields(os.Getenv(loadEnv))
	if len(task) != 3 {
		return
	}
	n, err := strconv.Atoi(task[2])
	require.NoError(t, err)
	var request func(context.Context) error
	if kind, web := strings.CutSuffix(task[1], "-http"); web {
		request = webRequests(t, task[0], kind)
	} else {
		conn, err := grpc.NewClient(task[0], grpc.WithTransportCredentials(insecure.NewCredentials()))
		require.NoError(t, err)
		request = requests(t, rpc.WithToken(conn, auth.StaticToken(os.Getenv(tokenEnv))), kind)
	}
	hammer(t, 2*concurrent, request)
	_, err = os.Stdout.WriteString("ready\n")
	require.NoError(t, err)
	_, err = bufio.NewReader(os.Stdin).ReadString('\n')
	require.NoError(t, err)
	hammer(t, n, request)
	_, err = os.Stdout.WriteString("done\n")
	require.NoError(t, err)
}

// hammer makes n requests, 32 at once.
func hammer(tb testing.TB, n int, request func(context.Context) error) {
	tb.Helper()
	var left atomic.Int64
	left.Store(int64(n))
	failed := make(chan error, concurrent)
	for range concurrent {
		go func() {
			var err error
			for err == nil && left.Add(-1) >= 0 {
				err = request(tb.Context())
			}
			failed <- err
		}()
	}
	for range concurrent {
		require.NoError(tb, <-failed)
	}
}

func requests(tb testing.TB, conn grpc.ClientConnInterface, kind string) func(context.Context) error {
	tb.Helper()
	if kind == "get" {
		return func(ctx context.Context) error { _, err := get(ctx, conn, benchParent); return err }
	}
	return func(ctx context.Context) error {
		_, err := call[accessv1.MintTokenResponse](ctx, conn, "Create", mintRequest)
		return err
	}
}

func webRequests(tb testing.TB, address, kind string) func(context.Context) error {
	tb.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: concurrent}}
	method, body := http.MethodGet, []byte(nil)
	if kind == "create" {
		var err error
		method = http.MethodPost
		body, err = protojson.Marshal(mintRequest)
		require.NoError(tb, err)
	}
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, method, "http://"+address+"/v1/events", strings.NewReader(string(body)))
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", resp.StatusCode)
		}
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}
}
