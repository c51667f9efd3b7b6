package fleet

import (
	"context"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/jointoken"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	"github.com/golive-dev/golive/services/deployment/internal/authority"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// Enrol redeems a join token for a certificate. The certificate names the agent
// of the token, whatever the request asks for.
func (h *Hub) Enrol(ctx context.Context, req *agentv1.EnrolRequest) (*agentv1.EnrolResponse, error) {
	token, err := jointoken.Decode(req.GetJoinToken())
	if err != nil {
		return nil, err
	}
	request, err := authority.ParseRequest(req.GetCertificateRequest())
	if err != nil {
		return nil, err
	}
	enrolment, err := h.cfg.Store.Redeem(ctx, store.Redemption{
		Hash: token.SecretHash(), Agent: token.Agent, Key: request.Key, Facts: req.GetFacts(), Expires: time.Now().Add(h.cfg.Authority.AgentLife()),
	})
	if err != nil {
		return nil, err
	}
	h.logger.Info("agent enrolled", zap.String("agent", token.Agent))
	return h.certify(request, token.Agent, enrolment)
}

// RenewCertificate certifies another key, or the same, for the enrolment that the caller's certificate is of.
func (h *Hub) RenewCertificate(ctx context.Context, req *agentv1.RenewCertificateRequest) (*agentv1.EnrolResponse, error) {
	id, _, err := identify(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := h.cfg.Store.EnrolledAgent(ctx, id.Agent, id.Enrolment); err != nil {
		return nil, err
	}
	request, err := authority.ParseRequest(req.GetCertificateRequest())
	if err != nil {
		return nil, err
	}
	answer, err := h.certify(request, id.Agent, id.Enrolment)
	if err != nil {
		return nil, err
	}
	return answer, h.cfg.Store.AgentRenewed(ctx, id.Agent, answer.GetExpireTime().AsTime())
}

func (h *Hub) certify(request *authority.Request, agent, enrolment string) (*agentv1.EnrolResponse, error) {
	certificate, expires, err := h.cfg.Authority.SignAgent(request, agent, enrolment)
	if err != nil {
		return nil, err
	}
	return &agentv1.EnrolResponse{
		Agent: agent, Certificate: certificate,
		Authorities: h.cfg.Authority.Trusted(), ExpireTime: timestamppb.New(expires),
	}, nil
}
