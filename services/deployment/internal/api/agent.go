package api

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/jointoken"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/authority"
	"github.com/golive-dev/golive/services/deployment/internal/blob"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// joinTokenLife is for how long a join token may be redeemed when nothing is said.
const joinTokenLife = time.Hour

// AgentService answers golive.deployment.v1.AgentService.
type AgentService struct {
	deploymentv1.UnimplementedAgentServiceServer

	store     *store.Store
	authority *authority.Authority
	blobs     *blob.Store
}

// NewAgentService serves the store. Join tokens carry the hash of the authority; the agents' own programs are among the blobs.
func NewAgentService(s *store.Store, a *authority.Authority, blobs *blob.Store) *AgentService {
	return &AgentService{store: s, authority: a, blobs: blobs}
}

// GetAgent returns one.
func (a *AgentService) GetAgent(ctx context.Context, req *deploymentv1.GetAgentRequest) (*deploymentv1.Agent, error) {
	agent, err := store.Agents.Get(ctx, a.store.Resources, req)
	if err != nil {
		return nil, err
	}
	return agent, a.store.DescribeAgents(ctx, agent)
}

// ListAgents answers one page.
func (a *AgentService) ListAgents(ctx context.Context, req *deploymentv1.ListAgentsRequest) (*deploymentv1.ListAgentsResponse, error) {
	items, next, err := store.Agents.List(ctx, a.store.Resources, req)
	if err != nil {
		return nil, err
	}
	return &deploymentv1.ListAgentsResponse{Agents: items, NextPageToken: next}, a.store.DescribeAgents(ctx, items...)
}

// DeleteAgent removes one; the event that tells of it ends its stream.
func (a *AgentService) DeleteAgent(ctx context.Context, req *deploymentv1.DeleteAgentRequest) (*emptypb.Empty, error) {
	return resource.Do(ctx, a.store.Resources, req, func(ctx context.Context, tx *sqldb.Tx) (*emptypb.Empty, error) {
		return &emptypb.Empty{}, a.store.DeleteAgent(ctx, tx, req.GetName(), req.GetEtag())
	})
}

// CreateJoinToken lets one agent in. Only the hash of its secret is kept.
func (a *AgentService) CreateJoinToken(ctx context.Context, req *deploymentv1.CreateJoinTokenRequest) (*deploymentv1.JoinToken, error) {
	if len(req.GetTargets()) == 0 && req.GetEnvironment() == "" {
		return nil, fault.Invalid("JOIN_TOKEN_SERVES_NOTHING",
			"the join token would serve nothing; name the targets that the agent will serve, or an environment in which one is created").
			Field("targets", "is empty, and so is environment")
	}
	for i, target := range append([]string{req.GetEnvironment()}, req.GetTargets()...) {
		if target == "" {
			continue
		}
		if err := store.SameWorkspace(map[bool]string{true: "environment", false: "targets"}[i == 0], req.GetParent()+"/agents", target); err != nil {
			return nil, err
		}
	}
	life := joinTokenLife
	if req.GetTtl() != nil {
		life = req.GetTtl().AsDuration()
	}
	agent := store.Agents.Name(req.GetParent(), req.GetAgentId())
	token := jointoken.New(agent, a.authority.Certificate(), a.store.Now().Add(life))
	if err := a.store.AddJoinToken(ctx, token.SecretHash(), agent, auth.Actor(ctx), req, token.Expires); err != nil {
		return nil, err
	}
	return &deploymentv1.JoinToken{Token: token.Encode(), Agent: agent, ExpireTime: timestamppb.New(token.Expires)}, nil
}

// RevokeAgent refuses one for good; the event that tells of it ends its stream.
func (a *AgentService) RevokeAgent(ctx context.Context, req *deploymentv1.RevokeAgentRequest) (*deploymentv1.Agent, error) {
	agent, err := resource.Do(ctx, a.store.Resources, req, func(ctx context.Context, tx *sqldb.Tx) (*deploymentv1.Agent, error) {
		return a.store.RevokeAgent(ctx, tx, req.GetName(), req.GetReason())
	})
	if err != nil {
		return nil, err
	}
	return agent, a.store.DescribeAgents(ctx, agent)
}

// UpgradeAgent says which program one should run; the event that tells of it greets it anew. A
// host whose platform is known must be served by one of the archives.
func (a *AgentService) UpgradeAgent(ctx context.Context, req *deploymentv1.UpgradeAgentRequest) (*deploymentv1.Agent, error) {
	for i, artifact := range req.GetArtifacts() {
		if artifact.GetUri() != "" {
			continue
		}
		if _, err := a.blobs.Stat(ctx, store.WorkspaceOf(req.GetName()), artifact.GetSha256()); err != nil {
			if fault.Is(err, fault.KindNotFound) {
				return nil, fault.Precondition("BLOB_NOT_FOUND", "the program for %s/%s has neither an address nor an uploaded archive %s; upload it first",
					artifact.GetOs(), artifact.GetArch(), artifact.GetSha256()).Field(fmt.Sprintf("artifacts[%d]", i), "is not uploaded")
			}
			return nil, err
		}
	}
	agent, err := resource.Do(ctx, a.store.Resources, req, func(ctx context.Context, tx *sqldb.Tx) (*deploymentv1.Agent, error) {
		agent, err := a.store.SetProgram(ctx, tx, req)
		if err != nil {
			return nil, err
		}
		program, facts := store.Program{Artifacts: req.GetArtifacts()}, agent.GetFacts()
		if facts.GetOs() != "" && program.For(facts) == nil {
			return nil, fault.Precondition("PLATFORM_UNSUPPORTED", "no archive of the program is for %s/%s, which %s is; add one",
				facts.GetOs(), facts.GetArch(), req.GetName())
		}
		return agent, nil
	})
	if err != nil {
		return nil, err
	}
	return agent, a.store.DescribeAgents(ctx, agent)
}

// ReleaseQuarantine lets an agent connect again. Releasing one that is free changes nothing.
func (a *AgentService) ReleaseQuarantine(ctx context.Context, req *deploymentv1.ReleaseQuarantineRequest) (*deploymentv1.Agent, error) {
	agent, err := resource.Do(ctx, a.store.Resources, req, func(ctx context.Context, tx *sqldb.Tx) (*deploymentv1.Agent, error) {
		return a.store.Quarantine(ctx, tx, req.GetName(), "", resource.Meta{Verb: "released"})
	})
	if err != nil {
		return nil, err
	}
	return agent, a.store.DescribeAgents(ctx, agent)
}
