package e2e

import (
	"io"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// roleEnv makes this test binary play something that has to be a process of its own, for its memory and its processor time
// not to be those of what is measured. The benchmark calls its methods over its standard input and output.
const roleEnv = "GOLIVE_E2E_ROLE"

// playRole serves a role until its input ends. It tells whether there was one to play.
func playRole() bool {
	roles := map[string]any{"Swarm": &Swarm{}, "Bare": &Bare{}}
	role := os.Getenv(roleEnv)
	if roles[role] == nil {
		return false
	}
	server := rpc.NewServer()
	if err := server.RegisterName(role, roles[role]); err != nil {
		panic(err)
	}
	server.ServeCodec(jsonrpc.NewServerCodec(struct {
		io.Reader
		io.WriteCloser
	}{os.Stdin, os.Stdout}))
	return true
}

// role is such a process.
type role struct {
	tb   testing.TB
	name string
	pid  int
	rpc  *rpc.Client
}

// play starts one; it ends with the test at the latest.
func play(tb testing.TB, name string) *role {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"="+name, "GOGC=200")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	require.NoError(tb, err)
	out, err := cmd.StdoutPipe()
	require.NoError(tb, err)
	require.NoError(tb, cmd.Start())
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	return &role{tb: tb, name: name, pid: cmd.Process.Pid, rpc: jsonrpc.NewClient(struct {
		io.Reader
		io.WriteCloser
	}{out, in})}
}

// call has it do something and returns its answer.
func call[T any](r *role, method string, args any) (answer T) {
	r.tb.Helper()
	require.NoError(r.tb, r.rpc.Call(r.name+"."+method, args, &answer), "%s of %s", method, r.name)
	return answer
}
