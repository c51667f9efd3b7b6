package api

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/blob"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// ReleaseService answers golive.deployment.v1.ReleaseService.
type ReleaseService struct {
	deploymentv1.UnimplementedReleaseServiceServer

	store *store.Store
	blobs *blob.Store
}

// NewReleaseService serves the store.
func NewReleaseService(s *store.Store, blobs *blob.Store) *ReleaseService {
	return &ReleaseService{store: s, blobs: blobs}
}

// CreateRelease registers a release whose uploaded archives are there.
func (a *ReleaseService) CreateRelease(ctx context.Context, req *deploymentv1.CreateReleaseRequest) (*deploymentv1.Release, error) {
	if err := checkRun(req.GetRelease()); err != nil {
		return nil, err
	}
	req = proto.CloneOf(req)
	for i, artifact := range req.GetRelease().GetArtifacts() {
		if err := a.complete(ctx, req.GetParent(), i, artifact); err != nil {
			return nil, err
		}
	}
	return a.store.CreateRelease(ctx, req)
}

// complete fills what the server knows of an artifact, and refuses one that nobody can fetch.
func (a *ReleaseService) complete(ctx context.Context, parent string, position int, artifact *deploymentv1.Artifact) error {
	if artifact.GetFormat() == deploymentv1.Artifact_FORMAT_UNSPECIFIED {
		artifact.Format = formatOf(artifact.GetUri())
	}
	if artifact.GetUri() != "" {
		if artifact.GetSizeBytes() == 0 {
			return artifactFault(position, "size_bytes", "an archive that is fetched from elsewhere needs its size")
		}
		return nil
	}
	info, err := a.blobs.Stat(ctx, store.WorkspaceOf(parent), artifact.GetSha256())
	if fault.Is(err, fault.KindNotFound) {
		return fault.Precondition("BLOB_NOT_FOUND", "no archive with SHA-256 %s was uploaded to %s; upload it first, or give its uri", artifact.GetSha256(), store.WorkspaceOf(parent)).
			Subject("BLOB_NOT_FOUND", artifactField(position, "sha256"), "must be uploaded before the release is created")
	}
	if err != nil {
		return err
	}
	if size := artifact.GetSizeBytes(); size != 0 && size != info.Size {
		return artifactFault(position, "size_bytes", "does not agree with the uploaded archive")
	}
	artifact.SizeBytes = info.Size
	return nil
}

// GetRelease returns one.
func (a *ReleaseService) GetRelease(ctx context.Context, req *deploymentv1.GetReleaseRequest) (*deploymentv1.Release, error) {
	return store.Releases.Get(ctx, a.store.Resources, req)
}

// ListReleases answers one page.
func (a *ReleaseService) ListReleases(ctx context.Context, req *deploymentv1.ListReleasesRequest) (*deploymentv1.ListReleasesResponse, error) {
	items, next, err := store.Releases.List(ctx, a.store.Resources, req)
	if err != nil {
		return nil, err
	}
	return &deploymentv1.ListReleasesResponse{Releases: items, NextPageToken: next}, nil
}

// AbandonRelease makes a release undeployable for ever.
func (a *ReleaseService) AbandonRelease(ctx context.Context, req *deploymentv1.AbandonReleaseRequest) (*deploymentv1.Release, error) {
	return resource.Do(ctx, a.store.Resources, req, func(ctx context.Context, tx *sqldb.Tx) (*deploymentv1.Release, error) {
		row, err := store.Releases.LockRow(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		release := row.Message
		if etag := req.GetEtag(); etag != "" && etag != release.GetEtag() {
			return nil, fault.Conflict(resource.ReasonEtagMismatch, "%s was changed by somebody else; read it again and repeat the command", release.GetName())
		}
		if release.GetState() == deploymentv1.Release_ABANDONED {
			return release, nil
		}
		release.State, release.AbandonReason = deploymentv1.Release_ABANDONED, req.GetReason()
		return release, store.Releases.Save(ctx, tx, a.store.Resources, release, row.Revision, resource.Meta{Verb: "abandoned", Cause: req.GetReason()})
	})
}
