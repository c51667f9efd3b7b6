package fleet_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	"github.com/golive-dev/golive/services/deployment/internal/authority"
)

// renewing is an agent that trusts what it was told with its last certificate, renews it
// after half of its life, and sends each report until it is acknowledged.
type renewing struct {
	*host
	s       *server
	trusts  [][]byte
	expires time.Time
	renewed int
	unacked []int64
	next    int64
	sending bool
}

func (r *renewing) dialed() (*grpc.ClientConn, error) {
	roots := x509.NewCertPool()
	for _, der := range r.trusts {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		roots.AddCert(c)
	}
	return grpc.NewClient(r.s.address, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: roots, ServerName: "127.0.0.1",
		Certificates: []tls.Certificate{{Certificate: [][]byte{r.certificate}, PrivateKey: r.key}},
	})))
}

// once lives for one certificate: a stream with reports, then another certificate.
func (r *renewing) once(ctx context.Context, installation string, life time.Duration) error {
	conn, err := r.dialed()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	client := agentv1.NewAgentServiceClient(conn)
	stream, err := client.Connect(ctx)
	if err != nil {
		return err
	}
	_ = stream.Send(hello("boot-0001", 1))
	acks := make(chan int64, 1000)
	ended := make(chan error, 1)
	if _, err := stream.Recv(); err != nil {
		return err
	}
	go func() {
		for {
			m, err := stream.Recv()
			if err != nil {
				ended <- err
				return
			}
			if m.GetAck() != nil {
				acks <- m.GetAck().GetSequence()
			}
		}
	}()
	for _, sequence := range r.unacked {
		_ = stream.Send(&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Report{Report: aReport(sequence, installation)}})
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	renew := time.After(time.Until(r.expires.Add(-life / 2)))
	for r.sending || len(r.unacked) > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			return err
		case sequence := <-acks:
			r.unacked = slices.DeleteFunc(r.unacked, func(one int64) bool { return one == sequence })
		case <-tick.C:
			if !r.sending {
				continue
			}
			r.next++
			r.unacked = append(r.unacked, r.next)
			_ = stream.Send(&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Report{Report: aReport(r.next, installation)}})
		case <-renew:
			answer, err := client.RenewCertificate(ctx, &agentv1.RenewCertificateRequest{CertificateRequest: r.request()})
			if err != nil {
				return err
			}
			r.certificate, r.trusts, r.expires = answer.GetCertificate(), answer.GetAuthorities(), answer.GetExpireTime().AsTime()
			r.renewed++
			return nil // the next stream is under the new certificate
		}
	}
	return nil
}

// until lives on, stream after stream as an agent does, until a condition holds.
func (r *renewing) until(ctx context.Context, installation string, life time.Duration, holds func() bool) error {
	for !holds() {
		if err := r.once(ctx, installation, life); err != nil && ctx.Err() != nil {
			return err
		}
	}
	return nil
}

func TestCertificatesAndTheAuthorityAreReplacedUnderLoad(t *testing.T) {
	const life = 3 * time.Second
	each(t, func(t *testing.T, b *bundle) {
		var err error
		dir := t.TempDir()
		b.authority, err = authority.OpenFor(dir, nil, life)
		require.NoError(t, err)
		first := b.authority.Certificate()
		s := b.serve()
		target := b.target("web-1")
		r := &renewing{s: s, host: b.newHost("host-1"), sending: true}
		issued, expires, err := b.enrolInto(r.host, target)
		require.NoError(t, err)
		r.certificate, r.trusts, r.expires = issued, [][]byte{first}, expires
		installation := b.installation(target)

		_, err = authority.Rotate(dir, time.Now(), life)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		forgotten := func() bool {
			return len(b.authority.Trusted()) == 1 && !slices.Equal(b.authority.Certificate(), first)
		}
		require.NoError(t, r.until(ctx, installation, life, forgotten))
		n := r.renewed + 1
		require.NoError(t, r.until(ctx, installation, life, func() bool { return r.renewed >= n }))
		require.GreaterOrEqual(t, r.renewed, 3)
		require.Equal(t, [][]byte{b.authority.Certificate()}, r.trusts)
		r.sending = false
		require.NoError(t, r.until(ctx, installation, life, func() bool { return len(r.unacked) == 0 }))
		heard := map[int64]bool{}
		for _, sequence := range b.work.sequences() {
			heard[sequence] = true
		}
		for sequence := range r.next {
			require.True(t, heard[sequence+1], "report %d is lost", sequence+1)
		}
		require.Empty(t, b.agent(r.name).GetQuarantineReason())
	})
}

// enrolInto certifies a host as Enrol does, and tells when that ends.
func (b *bundle) enrolInto(h *host, target string) ([]byte, time.Time, error) {
	b.t.Helper()
	s := b.serve()
	if err := h.enrol(s, b.invite("host-1", target)); err != nil {
		return nil, time.Time{}, err
	}
	s.stop()
	c, err := x509.ParseCertificate(h.certificate)
	if err != nil {
		return nil, time.Time{}, err
	}
	return h.certificate, c.NotAfter, nil
}

func TestAServerThatIsKilledLosesNoReportOfItsAgents(t *testing.T) {
	eachReplicated(t, func(t *testing.T, one, two *bundle) {
		here, there := one.serve(), two.serve()
		const agents, reports = 10, 50
		type life struct {
			h            *host
			c            *stream
			installation string
		}
		lives := make([]*life, agents)
		for i := range lives {
			id := string(rune('a' + i))
			target := one.target("web-" + id)
			l := &life{h: one.enrolled(here, "host-"+id, target), installation: one.installation(target)}
			l.c = l.h.connected(here, "boot-000"+id)
			lives[i] = l
		}
		for i, l := range lives {
			for n := range int64(reports) {
				_ = l.c.send(&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Report{Report: aReport(int64(i*1000)+n+1, l.installation)}})
			}
			if i == agents/2 {
				go here.stop() // with reports on their way
			}
		}
		for i, l := range lives {
			_ = l.c.ended(soon)
			acked := l.c.acked()
			c := l.h.connected(there, "boot-000"+string(rune('a'+i)))
			left := 0
			for n := range int64(reports) {
				if sequence := int64(i*1000) + n + 1; !slices.Contains(acked, sequence) {
					c.report(sequence, l.installation)
					left++
				}
			}
			require.Eventually(t, func() bool { return len(c.acked()) == left }, soon, often)
		}
		durable := append(one.work.sequences(), two.work.sequences()...)
		slices.Sort(durable)
		require.Len(t, slices.Compact(durable), agents*reports, "every report is durable here or there")
	})
}
