package fleet

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/golive-dev/golive/pkg/fault"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

const (
	artifactChunk = 128 << 10
	// maxReading bounds the artifacts that are read at once, and so their buffers: 32 MiB. The others wait.
	maxReading = 256
)

// ReadArtifact streams a blob that an installation on one of the caller's targets needs.
func (h *Hub) ReadArtifact(req *agentv1.ReadArtifactRequest, stream agentv1.AgentService_ReadArtifactServer) error {
	ctx := stream.Context()
	id, _, err := identify(ctx)
	if err != nil {
		return err
	}
	agent, err := h.cfg.Store.EnrolledAgent(ctx, id.Agent, id.Enrolment)
	if err != nil {
		return err
	}
	if why := agent.GetQuarantineReason(); why != "" {
		return quarantined(id.Agent, why)
	}
	targets, err := h.cfg.Store.AgentTargets(ctx, h.cfg.Store.DB.Read(), id.Agent)
	if err != nil {
		return err
	}
	workspace, allowed, err := h.cfg.Work.ArtifactAllowed(ctx, targets[id.Agent], req.GetSha256())
	if err == nil && !allowed {
		workspace, allowed, err = h.ownProgram(ctx, id.Agent, req.GetSha256())
	}
	if err != nil {
		return err
	}
	if !allowed {
		return fault.Denied("ARTIFACT_FORBIDDEN", "no installation on the targets of %s needs artifact %s; ask only for what a command names",
			id.Agent, req.GetSha256())
	}
	select {
	case h.reading <- struct{}{}:
		defer func() { <-h.reading }()
	case <-ctx.Done():
		return ctx.Err()
	}
	reader, err := h.cfg.Blobs.Read(ctx, workspace, req.GetSha256(), req.GetOffset())
	if err != nil {
		return err
	}
	return errors.Join(copyTo(stream, reader), reader.Close())
}

// ownProgram tells whether a blob is the program that an agent should run itself.
func (h *Hub) ownProgram(ctx context.Context, agent, sha256 string) (workspace string, ok bool, err error) {
	program, err := h.cfg.Store.AgentProgram(ctx, agent)
	if err != nil || program == nil {
		return "", false, err
	}
	return store.WorkspaceOf(agent), slices.ContainsFunc(program.Artifacts, func(a *deploymentv1.Artifact) bool {
		return a.GetSha256() == sha256 && a.GetUri() == ""
	}), nil
}

func copyTo(stream agentv1.AgentService_ReadArtifactServer, reader io.Reader) error {
	buffer := make([]byte, artifactChunk)
	for {
		n, err := io.ReadFull(reader, buffer)
		if n > 0 {
			if err := stream.Send(&agentv1.ReadArtifactResponse{Data: buffer[:n]}); err != nil {
				return err
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		default:
			return err
		}
	}
}
