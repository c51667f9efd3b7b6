package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/golive-dev/golive/services/demo"
)

// The controls of the rollout benchmark: the same installation (digest, unpack, fsync, stop, start,
// healthy) of the same archive, canary of one and then a quarter in flight, by an in-process
// pusher with nothing durable, and by a shell loop.

// slot is one place of a control where the application runs.
type slot struct {
	dir  string
	port string
	cmd  *exec.Cmd
}

func slots(b *testing.B, n int) []*slot {
	b.Helper()
	out := make([]*slot, n)
	dir := b.TempDir()
	var ports demo.Ports
	for i := range out {
		_, port, _ := strings.Cut(address(b, &ports), ":")
		out[i] = &slot{dir: filepath.Join(dir, strconv.Itoa(i)), port: port}
		require.NoError(b, os.MkdirAll(out[i].dir, 0o700))
	}
	b.Cleanup(func() {
		for _, s := range out {
			s.stop()
		}
	})
	return out
}

// waves runs install on the first slot, then on the others with a quarter in flight.
func waves(ctx context.Context, all []*slot, install func(context.Context, *slot) error) error {
	if err := install(ctx, all[0]); err != nil {
		return err
	}
	flight, ctx := errgroup.WithContext(ctx)
	flight.SetLimit(window(len(all)))
	for _, s := range all[1:] {
		flight.Go(func() error { return install(ctx, s) })
	}
	return flight.Wait()
}

// maxWindow bounds what is in flight on one small machine.
const maxWindow = 50

// window is a quarter, rounded up and bounded.
func window(n int) int { return min(maxWindow, max(1, (n+3)/4)) }

// push installs an archive as plainly as it can be done in Go.
func (s *slot) push(ctx context.Context, archive []byte, sum, version string) error {
	if got := sha256.Sum256(archive); hex.EncodeToString(got[:]) != sum {
		return errors.New("digest mismatch")
	}
	release := filepath.Join(s.dir, version)
	if err := unpack(archive, release); err != nil {
		return err
	}
	s.stop()
	if err := s.run(filepath.Join(release, "app")); err != nil {
		return err
	}
	return s.answers(ctx, version)
}

func unpack(archive []byte, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	zip, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return err
	}
	for files := tar.NewReader(zip); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		f, err := os.OpenFile(filepath.Join(dir, header.Name), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o700)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, files)
		if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
			return err
		}
	}
}

func (s *slot) run(app string) error {
	for {
		s.cmd = exec.Command(app)
		s.cmd.Env = []string{"ADDRESS=127.0.0.1:" + s.port, "GREETING=hello"}
		err := s.cmd.Start()
		if !errors.Is(err, syscall.ETXTBSY) {
			return err
		}
	}
}

func (s *slot) stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
	s.cmd = nil
}

// answers waits until the version answers, asked from outside.
func (s *slot) answers(ctx context.Context, version string) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if got, err := versionAt(ctx, "127.0.0.1:"+s.port); err == nil && got == version {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s never answered %s: %w", s.port, version, ctx.Err())
		case <-tick.C:
		}
	}
}

func versionAt(ctx context.Context, address string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/version", nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return strings.TrimSpace(string(text)), err
}

// shellInstall is what people write first.
const shellInstall = `set -eu
cd "$1"; port=$2; version=$3; archive=$4; sum=$5
echo "$sum  $archive" | sha256sum -c --status
mkdir -p "$version"; tar xzf "$archive" -C "$version"; sync "$version/app"
if [ -f pid ]; then kill "$(cat pid)" 2>/dev/null || true; while curl -s -o /dev/null "http://127.0.0.1:$port/version"; do sleep 0.005; done; fi
ln -sfn "$version" current
ADDRESS=127.0.0.1:$port GREETING=hello setsid ./current/app >log 2>&1 & echo $! >pid
for i in $(seq 1 2000); do [ "$(curl -s "http://127.0.0.1:$port/version" 2>/dev/null)" = "$version" ] && exit 0; sleep 0.005; done; exit 1
`

// shell runs the loop over all slots with xargs, a canary first.
func shell(ctx context.Context, all []*slot, archive, sum, version string) error {
	one := func(some []*slot, parallel int) error {
		var lines strings.Builder
		for _, s := range some {
			fmt.Fprintln(&lines, s.dir, s.port, version, archive, sum)
		}
		cmd := exec.CommandContext(ctx, "xargs", "-P", strconv.Itoa(parallel), "-L", "1", "sh", "-c", shellInstall, "install")
		cmd.Stdin = strings.NewReader(lines.String())
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
	if err := one(all[:1], 1); err != nil {
		return err
	}
	return one(all[1:], window(len(all)))
}

// killShell ends what the loop started.
func killShell(all []*slot) {
	for _, s := range all {
		text, err := os.ReadFile(filepath.Join(s.dir, "pid"))
		if err != nil {
			continue
		}
		if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}
