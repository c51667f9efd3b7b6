package fetch

import (
	"context"
	"fmt"
	"io"

	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/fault"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
)

// Server fetches an uploaded blob from the deployment service.
type Server struct {
	// Client waits for a connection and returns it.
	Client func(ctx context.Context) (agentv1.AgentServiceClient, error)
	SHA256 string
}

// Open implements [Source].
func (s Server) Open(ctx context.Context, offset int64) (io.ReadCloser, int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	client, err := s.Client(ctx)
	if err != nil {
		cancel()
		return nil, 0, err
	}
	stream, err := client.ReadArtifact(ctx, &agentv1.ReadArtifactRequest{Sha256: s.SHA256, Offset: offset})
	if err != nil {
		cancel()
		return nil, 0, sort(err)
	}
	return &streamReader{stream: stream, cancel: cancel}, offset, nil
}

// sort marks the answers that another try would only repeat.
func sort(err error) error {
	switch fault.KindOf(err) {
	case fault.KindNotFound, fault.KindDenied, fault.KindInvalid, fault.KindUnsupported, fault.KindPrecondition:
		return fmt.Errorf("%w: %w", ErrFinal, err)
	default:
		return err
	}
}

// streamReader reads the chunks of a stream.
type streamReader struct {
	stream grpc.ServerStreamingClient[agentv1.ReadArtifactResponse]
	cancel context.CancelFunc
	rest   []byte
}

// Read implements io.Reader.
func (r *streamReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		chunk, err := r.stream.Recv()
		if err == io.EOF { //nolint:errorlint // the one value that Recv returns at the end
			return 0, io.EOF
		}
		if err != nil {
			return 0, sort(err)
		}
		r.rest = chunk.GetData()
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// Close implements io.Closer.
func (r *streamReader) Close() error {
	r.cancel()
	return nil
}
