package signing_test

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/signing"
)

const app, env = "workspaces/default/applications/shop", "workspaces/default/environments/prod"

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant that Go cannot say

type bundle struct {
	app    *deploymentv1.Application
	secret minisign.PrivateKey
}

func setup(t *testing.T) *bundle {
	t.Helper()
	public, secret, err := minisign.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return &bundle{secret: secret, app: &deploymentv1.Application{
		Name: app, SignaturesRequired: true, SigningKeys: []*deploymentv1.SigningKey{{PublicKey: public.String()}},
	}}
}

func (b *bundle) sign(document string) *deploymentv1.SignedDocument {
	return &deploymentv1.SignedDocument{Document: []byte(document), Signature: string(minisign.Sign(b.secret, []byte(document)))}
}

func manifest(counter int64, version, artifacts string, expires time.Time) string {
	return fmt.Sprintf(`{"kind":"release","application":%q,"version":%q,"counter":%d,"expires":%q,"artifacts":[%s]}`,
		app, version, counter, expires.Format(time.RFC3339), artifacts)
}

func (b *bundle) release(counter int64) *deploymentv1.Release {
	sum := strings.Repeat("1", 64)
	r := &deploymentv1.Release{
		Name: fmt.Sprintf("%s/releases/r%d", app, counter), Version: "2.1.0", SignedCounter: counter,
		Artifacts: []*deploymentv1.Artifact{{Os: "linux", Arch: "amd64", Sha256: sum, SizeBytes: 5}},
	}
	if counter > 0 {
		r.Manifest = b.sign(manifest(counter, "2.1.0", artifact(sum, 5), now.Add(time.Hour)))
	}
	return r
}

func artifact(sum string, size int64) string {
	return fmt.Sprintf(`{"os":"linux","arch":"amd64","sha256":%q,"size":%d}`, sum, size)
}

func TestAReleaseIsTakenWhenItsManifestHolds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	counter, err := signing.CheckRelease(b.app, b.release(7), 6, now)
	require.NoError(t, err)
	require.EqualValues(t, 7, counter)
	require.NoError(t, signing.Installable(b.app, b.release(7), now))
	require.Equal(t, signing.ReasonExpired, fault.ReasonOf(signing.Installable(b.app, b.release(7), now.Add(2*time.Hour))))
	require.Equal(t, signing.ReasonRequired, fault.ReasonOf(signing.Installable(b.app, b.release(0), now)))
	b.app.SignaturesRequired = false
	counter, err = signing.CheckRelease(b.app, b.release(0), 6, now)
	require.NoError(t, err)
	require.Zero(t, counter)
	require.NoError(t, signing.Installable(b.app, b.release(7), now.Add(2*time.Hour)), "where signatures are not required nobody asks")
}

func TestEachRefusalHasItsReason(t *testing.T) {
	t.Parallel()
	sum := strings.Repeat("1", 64)
	other := setup(t)
	for name, test := range map[string]struct {
		change func(b *bundle, r *deploymentv1.Release)
		newest int64
		want   string
	}{
		"no manifest":               {func(_ *bundle, r *deploymentv1.Release) { r.Manifest = nil }, 0, signing.ReasonRequired},
		"signed by a stranger":      {func(_ *bundle, r *deploymentv1.Release) { r.Manifest = other.release(7).GetManifest() }, 0, signing.ReasonInvalid},
		"changed after signing":     {func(_ *bundle, r *deploymentv1.Release) { r.Manifest.Document[20]++ }, 0, signing.ReasonInvalid},
		"no signature at all":       {func(_ *bundle, r *deploymentv1.Release) { r.Manifest.Signature = "x" }, 0, signing.ReasonInvalid},
		"the key has expired":       {func(b *bundle, _ *deploymentv1.Release) { b.app.SigningKeys[0].ExpireTime = timestamppb.New(now) }, 0, signing.ReasonInvalid},
		"of another version":        {func(_ *bundle, r *deploymentv1.Release) { r.Version = "2.1.1" }, 0, signing.ReasonMismatch},
		"of another application":    {func(b *bundle, _ *deploymentv1.Release) { b.app.Name += "2" }, 0, signing.ReasonMismatch},
		"another archive":           {func(_ *bundle, r *deploymentv1.Release) { r.Artifacts[0].Sha256 = strings.Repeat("2", 64) }, 0, signing.ReasonMismatch},
		"another size":              {func(_ *bundle, r *deploymentv1.Release) { r.Artifacts[0].SizeBytes++ }, 0, signing.ReasonMismatch},
		"an archive that is absent": {func(_ *bundle, r *deploymentv1.Release) { r.Artifacts = nil }, 0, signing.ReasonMismatch},
		"expired": {func(b *bundle, r *deploymentv1.Release) {
			r.Manifest = b.sign(manifest(7, "2.1.0", artifact(sum, 5), now))
		}, 0, signing.ReasonExpired},
		"the counter that is there":  {func(*bundle, *deploymentv1.Release) {}, 7, signing.ReasonNotNewer},
		"an older counter than that": {func(*bundle, *deploymentv1.Release) {}, 8, signing.ReasonNotNewer},
	} {
		b := setup(t)
		r := b.release(7)
		test.change(b, r)
		_, err := signing.CheckRelease(b.app, r, test.newest, now)
		require.Equal(t, test.want, fault.ReasonOf(err), "%s: %v", name, err)
	}
}

func TestGoingBackNeedsAnOrderWhereTheCounterFalls(t *testing.T) {
	t.Parallel()
	b := setup(t)
	order := func(counter int64, environment string, expires time.Time) *deploymentv1.SignedDocument {
		return b.sign(fmt.Sprintf(`{"kind":"rollback","application":%q,"environment":%q,"counter":%d,"expires":%q}`, app, environment, counter, expires.Format(time.RFC3339)))
	}
	down := []signing.Back{{From: b.release(7), To: b.release(6)}}
	later := now.Add(time.Hour)
	for name, test := range map[string]struct {
		order *deploymentv1.SignedDocument
		steps []signing.Back
		want  string
	}{
		"no order":                     {nil, down, signing.ReasonOrderRequired},
		"upwards needs none":           {nil, []signing.Back{{From: b.release(6), To: b.release(7)}}, ""},
		"off needs none":               {nil, []signing.Back{{From: b.release(7)}}, ""},
		"a good order":                 {order(6, env, later), down, ""},
		"an order that reaches deeper": {order(5, env, later), down, ""},
		"not deep enough":              {order(7, env, later), down, signing.ReasonOrderInvalid},
		"for another environment":      {order(6, env+"2", later), down, signing.ReasonOrderInvalid},
		"expired":                      {order(6, env, now), down, signing.ReasonOrderInvalid},
		"a manifest":                   {b.release(6).GetManifest(), down, signing.ReasonOrderInvalid},
		"to an unsigned one":           {nil, []signing.Back{{From: b.release(7), To: b.release(0)}}, signing.ReasonOrderRequired},
		"to an unsigned one, ordered":  {order(1, env, later), []signing.Back{{From: b.release(7), To: b.release(0)}}, signing.ReasonOrderInvalid},
	} {
		err := signing.CheckOrder(b.app, env, test.order, test.steps, now)
		require.Equal(t, test.want, fault.ReasonOf(err), "%s: %v", name, err)
	}
}

func TestKeysThatNobodyCanReadAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, signing.CheckKeys(b.app))
	require.Error(t, signing.CheckKeys(&deploymentv1.Application{SignaturesRequired: true}))
	require.Error(t, signing.CheckKeys(&deploymentv1.Application{SigningKeys: []*deploymentv1.SigningKey{{PublicKey: "RW" + strings.Repeat("A", 54)}}}))
}
