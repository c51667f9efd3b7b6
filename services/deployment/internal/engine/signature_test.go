package engine_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"
	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/signature"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

type signer struct {
	t      *testing.T
	secret minisign.PrivateKey
	public string
}

// signs lets the application take releases that this key has signed, and no others.
func (w *world) signs() *signer {
	w.t.Helper()
	public, secret, err := minisign.GenerateKey(rand.Reader)
	require.NoError(w.t, err)
	_, err = store.Applications.Update(w.ctx, w.store.Resources, &deploymentv1.UpdateApplicationRequest{Application: &deploymentv1.Application{
		Name: app, SigningKeys: []*deploymentv1.SigningKey{{PublicKey: public.String()}}, SignaturesRequired: true,
	}})
	require.NoError(w.t, err)
	return &signer{t: w.t, secret: secret, public: public.String()}
}

func (s *signer) sign(document any) *deploymentv1.SignedDocument {
	s.t.Helper()
	text, err := json.Marshal(document)
	require.NoError(s.t, err)
	return &deploymentv1.SignedDocument{Document: text, Signature: string(minisign.Sign(s.secret, text))}
}

func (w *world) signed(key *signer, counter int64, expires time.Time) error {
	id, sum := fmt.Sprintf("s%d", counter), strings.Repeat("b", 64)
	_, err := w.store.CreateRelease(w.ctx, &deploymentv1.CreateReleaseRequest{Parent: app, ReleaseId: id, Release: &deploymentv1.Release{
		Version: fmt.Sprintf("%d.0.0", counter), Run: &deploymentv1.RunSpec{Command: []string{"bin/app"}},
		Artifacts: []*deploymentv1.Artifact{{Os: "linux", Arch: "amd64", Sha256: sum, SizeBytes: 1}},
		Manifest: key.sign(&signature.Release{
			Kind: "release", Application: app, Version: fmt.Sprintf("%d.0.0", counter), Counter: counter, Expires: expires,
			Artifacts: []signature.Artifact{{OS: "linux", Arch: "amd64", SHA256: sum, Size: 1}},
		}),
	}})
	return err
}

func TestGoingBackToAnOlderCounterNeedsAnOrder(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		key, later := w.signs(), time.Now().Add(time.Hour)
		require.NoError(t, w.signed(key, 6, later))
		require.NoError(t, w.signed(key, 7, later))
		require.Equal(t, "COUNTER_NOT_NEWER", fault.ReasonOf(w.signed(key, 5, later)))
		_, err := w.engine.Create(w.ctx, &deploymentv1.CreateDeploymentRequest{Parent: app, Deployment: &deploymentv1.Deployment{Release: app + "/releases/v1", Environment: env}})
		require.Equal(t, "SIGNATURE_REQUIRED", fault.ReasonOf(err), "it was registered before signatures were required")

		var seen []*agentv1.Command
		w.hosts.mu.Lock()
		w.hosts.ends = func(c *agentv1.Command) deploymentv1.Installation_State { seen = append(seen, c); return 0 }
		w.hosts.mu.Unlock()
		w.reach(w.deploy("first", "s6", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		d := w.deploy("second", "s7", nil).GetName()
		w.reach(d, deploymentv1.Deployment_SUCCEEDED)
		path, err := w.engine.PreviewRollback(w.ctx, d)
		require.NoError(t, err)
		require.Contains(t, path.GetBlocked()[0], "signed rollback order")
		_, err = w.engine.Rollback(w.ctx, &deploymentv1.RollbackDeploymentRequest{Name: d})
		require.Equal(t, "ROLLBACK_ORDER_REQUIRED", fault.ReasonOf(err))
		order := func(counter int64) *deploymentv1.SignedDocument {
			return key.sign(&signature.Rollback{Kind: "rollback", Application: app, Environment: env, Counter: counter, Expires: later})
		}
		_, err = w.engine.Rollback(w.ctx, &deploymentv1.RollbackDeploymentRequest{Name: d, RollbackOrder: order(7)})
		require.Equal(t, "ROLLBACK_ORDER_INVALID", fault.ReasonOf(err))
		back, err := w.engine.Rollback(w.ctx, &deploymentv1.RollbackDeploymentRequest{Name: d, RollbackOrder: order(6)})
		require.NoError(t, err)
		w.reach(back.GetName(), deploymentv1.Deployment_SUCCEEDED)

		w.hosts.mu.Lock()
		defer w.hosts.mu.Unlock()
		last := seen[len(seen)-1]
		require.True(t, last.GetSignatureRequired())
		require.Equal(t, []string{key.public}, last.GetWorkload().GetSigningKeys())
		require.NotEmpty(t, last.GetWorkload().GetManifest().GetDocument())
		require.NotEmpty(t, last.GetRollbackOrder().GetDocument(), "agents judge for themselves")
		require.Empty(t, seen[0].GetRollbackOrder())
	})
}
