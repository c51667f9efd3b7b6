package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/run"
	"github.com/golive-dev/golive/services/cli"
)

// TestMain lets the test binary stand in for golive, so that scripts run the
// real command in a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"golive": func() {
			ctx, stop := run.Signals(context.Background())
			code := cli.Main(ctx, "v0.0.0-test", os.Args[1:])
			stop()
			os.Exit(code)
		},
	})
}

// TestScripts runs testdata/*.txtar. Commands of their own:
//
//	code N golive …    runs golive and requires the exit code N
//	start              runs golive up on free ports and waits until it answers; needs 'kill' or the end
//	fetch N URL        reads an address without a token and requires the status N
//	setenv KEY         sets KEY to the first line of the last stdout
//	jsonenv KEY PATH   sets KEY to a field of the last stdout, a.b
//	soon N RE golive … repeats golive until its exit code is N and its stdout matches RE
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata", RequireExplicitExec: false, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("GOLIVE_CONFIG", filepath.Join(env.WorkDir, "config.yaml"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("TZ", "UTC")
			env.Setenv("TODAY", time.Now().UTC().Format(time.DateOnly))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code": code, "start": start, "setenv": setenv, "soon": soon, "mode": mode, "jsonenv": jsonenv, "fetch": fetch,
		},
	})
}

// code runs a command and compares its exit code.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := exitCode(ts.Exec(args[1], args[2:]...)); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func exitCode(err error) int {
	if err == nil {
		return 0
	}
	if exit, ok := err.(interface{ ExitCode() int }); ok {
		return exit.ExitCode()
	}
	return -1
}

// start runs a server in the background and waits until it answers.
func start(ts *testscript.TestScript, _ bool, _ []string) {
	const port = "127.0.0.1:0"
	ctx, stop := context.WithCancel(context.Background())
	ts.Defer(stop)
	out, done := &lockedBuffer{changed: make(chan struct{}, 1)}, make(chan error, 1)
	server := serverCommand(ctx, ts, "up", "--data-dir", ts.MkAbs("data"), "--listen", port, "--listen-deployment", port,
		"--listen-implementation", port, "--listen-agents", port, "--listen-admin", port)
	log := &lockedBuffer{changed: make(chan struct{}, 1)}
	server.Stdout, server.Stderr = out, log
	ts.Check(server.Start())
	go func() { done <- server.Wait() }()
	ts.Defer(func() { stop(); <-done })
	select {
	case <-out.changed:
	case err := <-done:
		done <- err
		ts.Fatalf("golive up ended: %v\n%s", err, log.String())
	case <-time.After(30 * time.Second):
		ts.Fatalf("golive up does not answer")
	}
	ts.Check(os.WriteFile(ts.MkAbs("up.out"), []byte(out.String()), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("up.err"), []byte(log.String()), 0o600))
	soon(ts, false, []string{"0", "admin", "golive", "token", "whoami"})
}

// setenv keeps a line of output for later commands.
func setenv(ts *testscript.TestScript, _ bool, args []string) {
	line, _, _ := strings.Cut(ts.ReadFile("stdout"), "\n")
	ts.Setenv(args[0], strings.TrimSpace(line))
}

// jsonenv keeps a field of output for later commands.
func jsonenv(ts *testscript.TestScript, _ bool, args []string) {
	var value any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &value))
	for key := range strings.SplitSeq(args[1], ".") {
		object, ok := value.(map[string]any)
		if !ok || object[key] == nil {
			ts.Fatalf("stdout has no %s", args[1])
		}
		value = object[key]
	}
	ts.Setenv(args[0], fmt.Sprint(value))
}

// soon repeats a command until it answers as wanted, for what the engine does a moment later.
func soon(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		if exitCode(ts.Exec(args[2], args[3:]...)) == want && pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
		<-tick.C
	}
	ts.Fatalf("exit code %d with %q never came", want, args[1])
}

// mode compares the permissions of a file.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := info.Mode().Perm().String(); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

func TestReferenceIsWhatTheCommandsSay(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "reference", "cli.md")
	var fresh bytes.Buffer
	require.NoError(t, cli.WriteReference(&fresh))
	if os.Getenv("GOLIVE_UPDATE") != "" {
		require.NoError(t, os.WriteFile(path, fresh.Bytes(), 0o600))
	}
	committed, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, fresh.String(), string(committed), "docs/reference/cli.md is stale: GOLIVE_UPDATE=1 go test ./services/cli -run Reference")
}

// fetch reads an address as a tool does that cannot send headers.
func fetch(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: fetch STATUS URL")
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, args[1], nil)
	ts.Check(err)
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	body, err := io.ReadAll(resp.Body)
	ts.Check(errors.Join(err, resp.Body.Close()))
	_, err = ts.Stdout().Write(body)
	ts.Check(err)
	if strconv.Itoa(resp.StatusCode) != args[0] {
		ts.Fatalf("status %d, want %s", resp.StatusCode, args[0])
	}
}
