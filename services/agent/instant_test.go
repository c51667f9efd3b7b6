//go:build linux

package agent_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// repack returns the archive with one more file in it.
func repack(archive []byte, content string) ([]byte, error) {
	in, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	from, to := tar.NewReader(in), tar.NewWriter(z)
	for {
		h, err := from.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = to.WriteHeader(h)
		}
		if err == nil {
			_, err = io.Copy(to, from)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := to.WriteHeader(&tar.Header{Name: "note", Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
		return nil, err
	}
	if _, err := to.Write([]byte(content)); err != nil {
		return nil, err
	}
	if err := to.Close(); err != nil {
		return nil, err
	}
	err = z.Close()
	return b.Bytes(), err
}

// TestARollbackAfterTheSealNeedsNoDownload: the release before is on the host still. The server
// has lost its archive, and the way back takes the time of a stop and a start.
func TestARollbackAfterTheSealNeedsNoDownload(t *testing.T) {
	t.Parallel()
	w := setup(t)
	v1 := w.other(w.workload("1.0.0", ""), "one")
	v2 := w.workload("2.0.0", "")
	sealed := func(epoch int64, v, previous *agentv1.Workload) {
		c := w.up(epoch, v, previous)
		seal := follow(c, epoch+1, agentv1.Command_SEAL)
		w.send(seal)
		w.sealing(seal)
	}
	sealed(1, v1, nil)
	sealed(3, v2, v1)
	w.mu.Lock()
	delete(w.blobs, v1.GetArtifact().GetSha256())
	w.offsets = nil
	w.mu.Unlock()
	began := time.Now()
	w.up(5, v1, v2)
	took := time.Since(began)
	w.only("1.0.0")
	w.mu.Lock()
	require.Empty(t, w.offsets, "nobody asked the server for anything")
	w.mu.Unlock()
	t.Logf("back and healthy in %v, with a probe every 50 ms", took.Round(time.Millisecond))
	require.Less(t, took, 5*time.Second)

	// One more release on, and the first is gone.
	v3 := w.other(w.workload("3.0.0", ""), "three")
	sealed(6, v2, v1)
	sealed(8, v3, v2)
	c := w.installation(10, v1, v3)
	c.StepTimeout.Seconds = 1
	w.send(c)
	require.Equal(t, deploymentv1.Installation_FAILED, w.end(c).GetState(), "one release is kept, not two")
	w.only("3.0.0")
}
