package e2e

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/rpc"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
)

// settle is how long a plane is left alone before its memory counts as that at rest.
const settle = 5 * time.Second

// BenchmarkStart is from the start of `golive up` to the first answered request, with a fresh data
// folder (keys made, tables created) and with one that is there already; and its memory at rest.
func BenchmarkStart(b *testing.B) {
	p := newPlane(b)
	dir := b.TempDir()
	up := &process{tb: b, path: program(b, "golive"), log: filepath.Join(dir, "log"), args: append([]string{
		"up", "--data-dir", filepath.Join(dir, "data"), "--listen", p.addresses["http"], "--listen-admin", p.addresses["admin"],
	}, p.listen("deployment", "implementation", "agents")...)}
	began := time.Now()
	up.start()
	p.token = up.bootstrapToken()
	firstAnswer(b, p)
	first := time.Since(began)
	wait := time.NewTimer(settle)
	<-wait.C
	rest := rss(b, up.cmd.Process.Pid)

	var total time.Duration
	starts := 0
	for b.Loop() {
		up.kill()
		began := time.Now()
		up.start()
		firstAnswer(b, p)
		total += time.Since(began)
		starts++
	}
	b.ReportMetric(float64(first.Milliseconds()), "ms/first-start")
	b.ReportMetric(float64(total.Milliseconds())/float64(starts), "ms/start")
	b.ReportMetric(float64(rest)/1024, "MiB-at-rest")
}

// firstAnswer asks who it is until it is told.
func firstAnswer(b *testing.B, p *plane) {
	b.Helper()
	conn, err := rpc.Dial(p.addresses["deployment"], rpc.ClientConfig{Token: auth.StaticToken(p.token)})
	require.NoError(b, err)
	defer func() { require.NoError(b, conn.Close()) }()
	for deadline := time.Now().Add(20 * time.Second); ; {
		ctx, cancel := context.WithTimeout(b.Context(), 100*time.Millisecond)
		_, err := accessv1.NewAccessServiceClient(conn).WhoAmI(ctx, &accessv1.WhoAmIRequest{})
		cancel()
		if err == nil {
			return
		}
		require.True(b, time.Now().Before(deadline), "%v", err)
		conn.ResetConnectBackoff()
	}
}
