//go:build unix

package pgtest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	prefix       = "golive-pgtest-"
	startTimeout = 30 * time.Second
)

type server struct {
	dir       string
	process   *exec.Cmd
	exited    chan struct{}
	databases atomic.Int64
}

// started is what Main stops; set once by start.
var started atomic.Pointer[server]

// binaries finds the folder of initdb: on the path, else Debian's newest.
func binaries() (dir string, found bool) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), true
	}
	all, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is valid
	if len(all) == 0 {
		return "", false
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(strings.Split(path, "/")[4]) // no number sorts first
		return n
	}
	newest := slices.MaxFunc(all, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(newest), true
}

func start() (*server, error) {
	bin, found := binaries()
	if !found {
		return nil, errors.New("no PostgreSQL binaries: install Debian's postgresql, or put initdb on the PATH")
	}
	removeStale()
	dir, err := os.MkdirTemp("/tmp", fmt.Sprintf("%s%d-", prefix, os.Getpid())) // short: a socket's path is at most 107 bytes
	if err != nil {
		return nil, err
	}
	attr, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir, exited: make(chan struct{})}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", s.data(), "-U", "postgres", "-A", "trust", //nolint:gosec // found above
		"-E", "UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en", "--no-sync", "--no-instructions")
	initdb.SysProcAttr, initdb.Dir = attr, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	s.process = exec.Command(filepath.Join(bin, "postgres"), "-D", s.data(), "-k", dir, //nolint:gosec,noctx // found above; it lives as long as the process
		"-c", "listen_addresses=", "-c", "max_connections=300", "-c", "shared_buffers=64MB", "-c", "log_min_messages=fatal", "-c", "deadlock_timeout=100ms",
		"-c", "fsync="+fsync(), "-c", "full_page_writes="+fsync())
	s.process.SysProcAttr, s.process.Dir = dieWithParent(attr), dir
	if err := s.launch(); err != nil {
		return nil, err
	}
	started.Store(s)
	return s, s.ready(ctx)
}

// fsync is on where something is measured. A test cannot tell the difference, because the server never outlives it,
// and each of its databases would cost a second of flushing.
func fsync() string {
	if measured := flag.Lookup("test.bench"); measured != nil && measured.Value.String() != "" {
		return "on"
	}
	return "off"
}

// launch starts the server on a thread that lives as long as the process: the
// kernel takes the death of the starting thread for the parent's.
func (s *server) launch() error {
	failed := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := s.process.Start()
		failed <- err
		if err == nil {
			_ = s.process.Wait() // ready and stop look at exited
			close(s.exited)
		}
	}()
	return <-failed
}

func (s *server) ready(ctx context.Context) error {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.url("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("start postgres: %w", err)
		case <-s.exited:
			return fmt.Errorf("postgres ended at once: %s", s.process.ProcessState)
		case <-again.C:
		}
	}
}

func (s *server) data() string { return filepath.Join(s.dir, "data") }

func (s *server) url(database string) string {
	return "postgres://postgres@/" + database + "?host=" + url.QueryEscape(s.dir)
}

// stop disconnects everyone and ends the server; nothing in it is worth a checkpoint.
func stop() {
	s := started.Load()
	if s == nil {
		return
	}
	_ = s.process.Process.Signal(syscall.SIGQUIT) // gone already is as good
	<-s.exited
	_ = os.RemoveAll(s.dir) // a left-over is removed by the next start
}

// removeStale deletes the folders of processes that were killed.
func removeStale() {
	dirs, _ := filepath.Glob(filepath.Join("/tmp", prefix+"*")) // the pattern is valid
	for _, dir := range dirs {
		owner, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), prefix), "-")
		pid, err := strconv.Atoi(owner)
		if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(dir) // somebody else's folder stays
		}
	}
}
