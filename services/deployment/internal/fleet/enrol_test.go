package fleet_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/jointoken"
	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/authority"
)

func TestJoinTokenIsGoodForOneKey(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		s := b.serve()
		token := b.invite("host-1", b.target("web-1"))
		first, second := b.newHost("host-1"), b.newHost("host-1")
		require.NoError(t, first.enrol(s, token))
		require.NoError(t, first.enrol(s, token), "the answer may have been lost")
		require.Equal(t, "JOIN_TOKEN_USED", fault.ReasonOf(second.enrol(s, token)))
		require.Equal(t, codes.Unauthenticated, status.Code(second.enrol(s, token)))
		require.Equal(t, "JOIN_TOKEN_INVALID", fault.ReasonOf(second.enrol(s, "golive-join.v1.e30")))

		forged, err := jointoken.Decode(token)
		require.NoError(t, err)
		forged.Agent = workspace + "/agents/other"
		require.Equal(t, "JOIN_TOKEN_INVALID", fault.ReasonOf(first.enrol(s, forged.Encode())), "a token is for the agent it names")

		late := b.invite("host-1", b.target("web-2"))
		b.ahead.Store(int64(2 * time.Hour))
		require.Equal(t, "JOIN_TOKEN_EXPIRED", fault.ReasonOf(second.enrol(s, late)))
		require.NotNil(t, first.connected(s, "boot-0001"))
	})
}

func TestOnlyACertificateOfThisAuthorityConnects(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		s := b.serve()
		h := b.enrolled(s, "host-1", b.target("web-1"))

		other, err := authority.Open(t.TempDir(), nil)
		require.NoError(t, err)
		request, err := authority.ParseRequest(h.request())
		require.NoError(t, err)
		foreign := b.newHost("host-1")
		foreign.key = h.key
		foreign.certificate, _, err = other.SignAgent(request, h.name, "e")
		require.NoError(t, err)
		_, err = foreign.connect(s, "boot-0001")
		require.Equal(t, codes.Unavailable, status.Code(err), "the handshake fails: %v", err)

		_, err = b.newHost("host-1").connect(s, "boot-0001")
		require.Equal(t, "CERTIFICATE_MISSING", fault.ReasonOf(err))

		unknown := b.newHost("host-1")
		unknown.key = h.key
		unknown.certificate, _, err = b.authority.SignAgent(request, h.name, "an enrolment that never was")
		require.NoError(t, err)
		_, err = unknown.connect(s, "boot-0001")
		require.Equal(t, "AGENT_UNKNOWN", fault.ReasonOf(err))

		junk := b.newHost("host-2")
		_, err = agentv1.NewAgentServiceClient(junk.dial(s)).Enrol(t.Context(), &agentv1.EnrolRequest{
			JoinToken: b.invite("host-2"), CertificateRequest: []byte("junk"),
		})
		require.Equal(t, "CERTIFICATE_REQUEST_INVALID", fault.ReasonOf(err))
	})
}

func TestCertificateIsRenewedUntilTheAgentIsDeleted(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		s := b.serve()
		h := b.enrolled(s, "host-1", b.target("web-1"))
		before := h.certificate
		client := agentv1.NewAgentServiceClient(h.dial(s))
		renewed, err := client.RenewCertificate(t.Context(), &agentv1.RenewCertificateRequest{CertificateRequest: b.newHost("x").request()})
		require.NoError(t, err)
		require.Equal(t, h.name, renewed.GetAgent())
		require.NotEqual(t, before, renewed.GetCertificate())
		c := h.connected(s, "boot-0001")
		require.Equal(t, []string{environment + "/targets/web-1"}, c.welcome.GetTargets())

		_, err = b.agents.DeleteAgent(t.Context(), &deploymentv1.DeleteAgentRequest{Name: h.name})
		require.NoError(t, err)
		require.Equal(t, "AGENT_UNKNOWN", fault.ReasonOf(c.ended(time.Second)), "cut within a second")
		_, err = h.connect(s, "boot-0001")
		require.Equal(t, "AGENT_UNKNOWN", fault.ReasonOf(err))
		_, err = client.RenewCertificate(t.Context(), &agentv1.RenewCertificateRequest{CertificateRequest: h.request()})
		require.Equal(t, "AGENT_UNKNOWN", fault.ReasonOf(err))
		read, err := client.ReadArtifact(t.Context(), &agentv1.ReadArtifactRequest{Sha256: digestOf("x")})
		require.NoError(t, err)
		_, err = read.Recv()
		require.Equal(t, "AGENT_UNKNOWN", fault.ReasonOf(err))

		// Its successor of the same name is somebody else.
		next := b.enrolled(s, "host-1", environment+"/targets/web-1")
		next.connected(s, "boot-0002")
		_, err = h.connect(s, "boot-0001")
		require.Equal(t, "AGENT_UNKNOWN", fault.ReasonOf(err))
	})
}

func TestEnrollingAnewCutsTheOneBefore(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		s := b.serve()
		target := b.target("web-1")
		c := b.enrolled(s, "host-1", target).connected(s, "boot-0001")
		next := b.enrolled(s, "host-1", target)
		require.Equal(t, "AGENT_UNKNOWN", fault.ReasonOf(c.ended(time.Second)))
		next.connected(s, "boot-0002")
	})
}

func TestAgentThatGainsATargetIsToldOfIt(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		s := b.serve()
		one, two := b.target("web-1"), b.target("web-2")
		first, second := b.enrolled(s, "host-1", one), b.enrolled(s, "host-2", two)
		a, c := first.connected(s, "boot-0001"), second.connected(s, "boot-0002")
		require.NoError(t, b.store.DB.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			return b.store.SetTargetAgent(ctx, tx, two, first.name)
		}))
		require.Equal(t, "AGENT_CHANGED", fault.ReasonOf(a.ended(time.Second)))
		require.Equal(t, "AGENT_CHANGED", fault.ReasonOf(c.ended(time.Second)))
		require.Equal(t, []string{one, two}, first.connected(s, "boot-0001").welcome.GetTargets())
		require.Empty(t, second.connected(s, "boot-0002").welcome.GetTargets())
	})
}
