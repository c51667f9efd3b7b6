//go:build linux

package agent_test

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aead.dev/minisign"
	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/signature"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

const (
	application = "workspaces/default/applications/app"
	environment = "workspaces/default/environments/test"
)

// signer signs what it is asked to.
type signer struct {
	t      *testing.T
	public string
	secret minisign.PrivateKey
}

func newSigner(t *testing.T) *signer {
	t.Helper()
	public, secret, err := minisign.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return &signer{t: t, public: public.String(), secret: secret}
}

func (s *signer) sign(document any) *deploymentv1.SignedDocument {
	s.t.Helper()
	text, err := json.Marshal(document)
	require.NoError(s.t, err)
	return &deploymentv1.SignedDocument{Document: text, Signature: string(minisign.Sign(s.secret, text))}
}

// signed gives a workload a manifest with a counter.
func (s *signer) signed(w *agentv1.Workload, counter int64) *agentv1.Workload {
	return s.manifest(w, counter, time.Now().Add(time.Hour))
}

func (s *signer) manifest(w *agentv1.Workload, counter int64, expires time.Time) *agentv1.Workload {
	a := w.GetArtifact()
	w.Manifest = s.sign(&signature.Release{
		Kind: "release", Application: application, Version: w.GetVersion(), Counter: counter, Expires: expires,
		Artifacts: []signature.Artifact{{OS: a.GetOs(), Arch: a.GetArch(), SHA256: a.GetSha256(), Size: a.GetSizeBytes()}},
	})
	w.SigningKeys = []string{s.public}
	return w
}

func (s *signer) order(counter int64, expires time.Time) *deploymentv1.SignedDocument {
	return s.sign(&signature.Rollback{Kind: "rollback", Application: application, Environment: environment, Counter: counter, Expires: expires})
}

// other gives a release an archive of its own, so that to run one is not to have the other.
func (w *world) other(v *agentv1.Workload, content string) *agentv1.Workload {
	w.t.Helper()
	blob, err := repack(archived, content)
	require.NoError(w.t, err)
	w.mu.Lock()
	w.blobs[digest(blob)] = blob
	w.mu.Unlock()
	v.Artifact.Sha256, v.Artifact.SizeBytes = digest(blob), int64(len(blob))
	return v
}

// try installs with signatures required and returns how it ended.
func (w *world) try(epoch int64, v, previous *agentv1.Workload, order *deploymentv1.SignedDocument) *agentv1.Report {
	w.t.Helper()
	c := w.installation(epoch, v, previous)
	c.SignatureRequired, c.RollbackOrder = true, order
	w.send(c)
	return w.end(c)
}

func TestNothingIsFetchedThatIsNotSigned(t *testing.T) {
	t.Parallel()
	w, good, stranger := setup(t), newSigner(t), newSigner(t)
	never := time.Now().Add(time.Hour)
	for i, test := range []struct {
		name, cause string
		change      func(v *agentv1.Workload)
	}{
		{"no manifest", "SIGNATURE_REQUIRED", func(v *agentv1.Workload) { v.Manifest = nil }},
		{"by a stranger", "SIGNATURE_INVALID", func(v *agentv1.Workload) {
			v.Manifest = stranger.signed(v, 1).GetManifest()
			v.SigningKeys = []string{good.public}
		}},
		{"no key", "SIGNATURE_INVALID", func(v *agentv1.Workload) { v.SigningKeys = nil }},
		{"a changed manifest", "SIGNATURE_INVALID", func(v *agentv1.Workload) { v.Manifest.Document[30]++ }},
		{"an order for a manifest", "SIGNATURE_INVALID", func(v *agentv1.Workload) { v.Manifest = good.order(1, never) }},
		{"another version", "MANIFEST_MISMATCH", func(v *agentv1.Workload) { v.Version = "1.0.1" }},
		{"another archive", "MANIFEST_MISMATCH", func(v *agentv1.Workload) { v.Artifact.SizeBytes++ }},
		{"expired", "MANIFEST_EXPIRED", func(v *agentv1.Workload) { good.manifest(v, 1, time.Now().Add(-time.Second)) }},
	} {
		v := good.signed(w.workload("1.0.0", ""), 1)
		test.change(v)
		r := w.try(int64(i+1), v, nil, nil)
		require.Equal(t, deploymentv1.Installation_FAILED, r.GetState(), test.name)
		require.Equal(t, test.cause, r.GetCause(), "%s: %s", test.name, r.GetMessage())
	}
	w.mu.Lock()
	require.Empty(t, w.offsets, "nobody asked for a single byte")
	w.mu.Unlock()
	require.Equal(t, deploymentv1.Installation_HEALTHY, w.try(100, good.signed(w.workload("1.0.0", ""), 1), nil, nil).GetState())
	w.only("1.0.0")
}

func TestAnOlderCounterNeedsASignedOrder(t *testing.T) {
	t.Parallel()
	w, key := setup(t), newSigner(t)
	v6 := key.signed(w.other(w.workload("6.0.0", ""), "six"), 6)
	v7 := key.signed(w.workload("7.0.0", ""), 7)
	require.Equal(t, deploymentv1.Installation_HEALTHY, w.try(1, v6, nil, nil).GetState())
	require.Equal(t, deploymentv1.Installation_HEALTHY, w.try(2, v7, v6, nil).GetState())
	w.stop()
	w.start() // what it has seen survives
	later := time.Now().Add(time.Hour)
	for i, test := range []struct {
		cause string
		order *deploymentv1.SignedDocument
	}{
		{"COUNTER_OLD", nil},
		{"ROLLBACK_ORDER_INVALID", newSigner(t).order(6, later)},
		{"ROLLBACK_ORDER_INVALID", key.order(7, later)},
		{"ROLLBACK_ORDER_INVALID", key.order(6, time.Now().Add(-time.Second))},
		{"ROLLBACK_ORDER_INVALID", v6.GetManifest()},
	} {
		r := w.try(int64(10+i), v6, v7, test.order)
		require.Equal(t, test.cause, r.GetCause(), r.GetMessage())
		w.only("7.0.0")
	}
	require.Equal(t, deploymentv1.Installation_HEALTHY, w.try(20, v6, v7, key.order(6, later)).GetState())
	w.only("6.0.0")
	again := key.signed(w.other(w.workload("6.0.0", ""), "six"), 6)
	again.ConfigDigest = "changed"
	require.Equal(t, deploymentv1.Installation_HEALTHY, w.try(21, again, v6, nil).GetState(), "what runs may be configured anew")
	require.Equal(t, deploymentv1.Installation_HEALTHY, w.try(22, v7, v6, nil).GetState())
}

func TestAFailingReleaseMayAlwaysGoBack(t *testing.T) {
	t.Parallel()
	w, key := setup(t), newSigner(t)
	v6 := key.signed(w.workload("6.0.0", ""), 6)
	require.Equal(t, deploymentv1.Installation_HEALTHY, w.try(1, v6, nil, nil).GetState())
	bad := key.signed(w.workload("7.0.0", "bad"), 7)
	bad.Run.HealthDeadline.Seconds, bad.Run.HealthDeadline.Nanos = 0, 300_000_000
	require.Equal(t, deploymentv1.Installation_REVERTED, w.try(2, bad, v6, nil).GetState())
	w.only("6.0.0")

	v8 := key.signed(w.workload("8.0.0", ""), 8)
	c := w.installation(3, v8, v6)
	c.SignatureRequired = true
	w.send(c)
	require.Equal(t, deploymentv1.Installation_HEALTHY, w.end(c).GetState())
	back := follow(c, 4, agentv1.Command_REVERT)
	back.SignatureRequired = true
	w.send(back)
	w.until("the revert", func() bool {
		for _, r := range w.reports {
			if r.GetEpoch() == 4 && r.GetState() == deploymentv1.Installation_REVERTED {
				return true
			}
		}
		return false
	})
	w.only("6.0.0")
}

func TestKeysOnTheHostWin(t *testing.T) {
	t.Parallel()
	w, mine, theirs := setup(t), newSigner(t), newSigner(t)
	dir := filepath.Join(w.dir, "trusted-keys")
	require.NoError(t, os.Mkdir(dir, 0o700))
	pin := func(text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "app.pub"), []byte(text), 0o600))
	}
	pin("untrusted comment: mine\n" + mine.public + "\n")
	c := w.installation(1, theirs.signed(w.workload("1.0.0", ""), 1), nil) // the server says: signed by their key, and not required at all
	w.send(c)
	require.Equal(t, "SIGNATURE_INVALID", w.end(c).GetCause())
	c = w.installation(2, w.workload("1.0.0", ""), nil)
	w.send(c)
	require.Equal(t, "SIGNATURE_REQUIRED", w.end(c).GetCause())
	pin("no key at all\n")
	c = w.installation(3, mine.signed(w.workload("1.0.0", ""), 1), nil)
	w.send(c)
	require.Equal(t, "SIGNATURE_INVALID", w.end(c).GetCause(), "a broken file closes the door")
	pin(theirs.public + "\n" + mine.public + "\n")
	w.up(4, mine.signed(w.workload("1.0.0", ""), 1), nil)
	w.only("1.0.0")
}
