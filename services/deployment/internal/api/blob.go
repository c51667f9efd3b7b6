package api

import (
	"context"
	"errors"
	"io"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/blob"
)

// BlobService answers golive.deployment.v1.BlobService.
type BlobService struct {
	deploymentv1.UnimplementedBlobServiceServer

	blobs *blob.Store
}

// NewBlobService serves the blobs.
func NewBlobService(blobs *blob.Store) *BlobService { return &BlobService{blobs: blobs} }

// UploadBlob stores what the stream carries.
func (a *BlobService) UploadBlob(stream deploymentv1.BlobService_UploadBlobServer) error {
	first, err := stream.Recv()
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if first.GetParent() == "" {
		return fault.Invalid("REQUIRED_FIELD", "the upload names no workspace; set parent in its first message").
			Field("parent", "is required in the first message")
	}
	info, err := a.blobs.Put(stream.Context(), first.GetParent(), first.GetSha256(), &upload{stream: stream, rest: first.GetData(), parent: first.GetParent()})
	if err != nil {
		return err
	}
	return stream.SendAndClose(blobOf(first.GetParent(), info))
}

// GetBlob tells whether a blob is there.
func (a *BlobService) GetBlob(ctx context.Context, req *deploymentv1.GetBlobRequest) (*deploymentv1.Blob, error) {
	part := strings.Split(req.GetName(), "/")
	if len(part) != 4 || part[0] != "workspaces" || part[2] != "blobs" {
		return nil, fault.Invalid("INVALID_NAME", "that is no name of a blob; write workspaces/{workspace}/blobs/{sha256}").
			Field("name", "is no name of a blob")
	}
	info, err := a.blobs.Stat(ctx, "workspaces/"+part[1], part[3])
	if err != nil {
		return nil, err
	}
	return blobOf("workspaces/"+part[1], info), nil
}

func blobOf(workspace string, info blob.Info) *deploymentv1.Blob {
	return &deploymentv1.Blob{
		Name: workspace + "/blobs/" + info.SHA256, SizeBytes: info.Size, CreateTime: timestamppb.New(info.Created),
	}
}

// upload reads the bytes of a stream.
type upload struct {
	stream deploymentv1.BlobService_UploadBlobServer
	rest   []byte
	parent string
}

// Read gives the bytes of the next message.
func (u *upload) Read(p []byte) (int, error) {
	for len(u.rest) == 0 {
		next, err := u.stream.Recv()
		if err != nil {
			return 0, err
		}
		if next.GetParent() != "" && next.GetParent() != u.parent {
			return 0, fault.Invalid("INVALID_FIELD", "an upload stays in the workspace of its first message; name no other parent after it").
				Field("parent", "differs from the first message")
		}
		u.rest = next.GetData()
	}
	n := copy(p, u.rest)
	u.rest = u.rest[n:]
	return n, nil
}
