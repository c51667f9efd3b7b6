package fleet_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
)

func (h *host) read(s *server, sha256 string, offset int64) (data []byte, err error) {
	h.t.Helper()
	stream, err := agentv1.NewAgentServiceClient(h.dial(s)).ReadArtifact(h.t.Context(), &agentv1.ReadArtifactRequest{Sha256: sha256, Offset: offset})
	require.NoError(h.t, err)
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return data, nil
		}
		if err != nil {
			return nil, err
		}
		require.LessOrEqual(h.t, len(m.GetData()), 256<<10)
		data = append(data, m.GetData()...)
	}
}

func TestArtifactIsReadFromWhereTheAgentLeftOff(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		s := b.serve()
		one, two := b.target("web-1"), b.target("web-2")
		mine, other := b.enrolled(s, "host-1", one), b.enrolled(s, "host-2", two)
		data := bytes.Repeat([]byte("0123456789abcdef"), 50_000)
		put, err := b.blobs.Put(t.Context(), workspace, "", bytes.NewReader(data))
		require.NoError(t, err)
		b.work.with(func() { b.work.allowed[one+put.SHA256] = workspace })
		for _, offset := range []int{0, 1, 128 << 10, len(data) - 1, len(data)} {
			got, err := mine.read(s, put.SHA256, int64(offset))
			require.NoError(t, err)
			require.True(t, bytes.Equal(data[offset:], got))
		}
		_, err = mine.read(s, put.SHA256, int64(len(data))+1)
		require.Equal(t, "OFFSET_OUT_OF_RANGE", fault.ReasonOf(err))
		_, err = other.read(s, put.SHA256, 0)
		require.Equal(t, "ARTIFACT_FORBIDDEN", fault.ReasonOf(err))
		_, err = mine.read(s, digestOf("another"), 0)
		require.Equal(t, "ARTIFACT_FORBIDDEN", fault.ReasonOf(err))
		_, err = b.newHost("host-3").read(s, put.SHA256, 0)
		require.Equal(t, "CERTIFICATE_MISSING", fault.ReasonOf(err))
	})
}
