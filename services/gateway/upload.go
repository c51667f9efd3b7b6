package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

const (
	uploadRoute = "/v1/{parent=workspaces/*}/blobs"
	uploadPiece = 256 << 10 // a message of an upload; the contract allows 1 MiB
)

// upload streams a body into the blob store: POST …/blobs?sha256=… with the
// bytes as they are. A body that breaks off cancels the call, so that nothing is kept.
func (g *Gateway) upload(w http.ResponseWriter, r *http.Request, params map[string]string) {
	query := r.URL.Query()
	for key, values := range query {
		if key != "sha256" || len(values) != 1 {
			g.writeProblem(w, fault.Invalid("UNKNOWN_FIELD", "%q is not a query parameter here; this route takes sha256, once", key).
				Field(key, "is not a query parameter of an upload"))
			return
		}
	}
	ctx, cancel := context.WithCancel(g.annotate(r.Context(), r))
	defer cancel()
	call, err := g.blobs.UploadBlob(ctx)
	if err != nil {
		g.writeProblem(w, err)
		return
	}
	blob, err := sendBody(call, &deploymentv1.UploadBlobRequest{Parent: params["parent"], Sha256: query.Get("sha256")}, w, r)
	if err != nil {
		g.writeProblem(w, err)
		return
	}
	data, err := marshalJSON(blob)
	if err != nil {
		g.writeProblem(w, err)
		return
	}
	w.Header()["Content-Type"] = contentJSON
	_, _ = w.Write(data)
}

func sendBody(call grpc.ClientStreamingClient[deploymentv1.UploadBlobRequest, deploymentv1.Blob], first *deploymentv1.UploadBlobRequest, w http.ResponseWriter, r *http.Request) (*deploymentv1.Blob, error) {
	controller := http.NewResponseController(w)
	source := io.Reader(r.Body)
	if limited, ok := r.Body.(*body); ok {
		source = limited.ReadCloser // the blob store has a limit of its own
	}
	piece := make([]byte, uploadPiece) // free again after Send, which copies
	var total int64
	for msg, done := first, false; !done; msg = new(deploymentv1.UploadBlobRequest) {
		// As long as bytes come, an upload may take its time.
		_ = controller.SetReadDeadline(time.Now().Add(frameTimeout))
		_ = controller.SetWriteDeadline(time.Now().Add(requestTimeout))
		n, err := fill(source, piece)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, truncated(total+int64(n), r.ContentLength).Cause(err)
		}
		done = err != nil
		msg.Data = piece[:n]
		total += int64(n)
		if err := call.Send(msg); errors.Is(err, io.EOF) {
			break // refused; CloseAndRecv says why
		} else if err != nil {
			return nil, err
		}
	}
	return call.CloseAndRecv()
}

// fill reads until p is full; io.EOF is the true end of the body, and nothing else is.
func fill(source io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = source.Read(p[n:])
		n += m
	}
	return n, err
}

func truncated(got, announced int64) *fault.Error {
	if announced >= 0 {
		return fault.Invalid("BODY_TRUNCATED", "the upload broke off after %d of %d bytes; nothing was kept, so send it again", got, announced)
	}
	return fault.Invalid("BODY_TRUNCATED", "the upload broke off after %d bytes; nothing was kept, so send it again", got)
}
