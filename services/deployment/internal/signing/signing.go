// Package signing says whether a release is signed as its application asks, and whether
// hosts will go back to an older one. It is pure: the keys, the newest counter and the time
// come in. The agents ask the same questions again with package signature; what is refused
// here would be refused by every host, one after the other.
package signing

import (
	"errors"
	"fmt"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/signature"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// The reasons of what is refused.
const (
	ReasonRequired      = "SIGNATURE_REQUIRED"
	ReasonInvalid       = "SIGNATURE_INVALID"
	ReasonNotNewer      = "COUNTER_NOT_NEWER"
	ReasonExpired       = "MANIFEST_EXPIRED"
	ReasonMismatch      = "MANIFEST_MISMATCH"
	ReasonOrderRequired = "ROLLBACK_ORDER_REQUIRED"
	ReasonOrderInvalid  = "ROLLBACK_ORDER_INVALID"
)

// Keys returns the public keys of an application whose time has not passed.
func Keys(a *deploymentv1.Application, now time.Time) []string {
	var texts []string
	for _, k := range a.GetSigningKeys() {
		if k.GetExpireTime() == nil || now.Before(k.GetExpireTime().AsTime()) {
			texts = append(texts, k.GetPublicKey())
		}
	}
	return texts
}

// CheckKeys refuses an application whose keys cannot be read, or that asks for signatures nobody can give.
func CheckKeys(a *deploymentv1.Application) error {
	for i, k := range a.GetSigningKeys() {
		if _, err := signature.ParseKey(k.GetPublicKey()); err != nil {
			return fault.Invalid("INVALID_FIELD", "signing key %d is no minisign public key: %v; give the second line of the .pub file", i, err).
				Field(fmt.Sprintf("application.signing_keys[%d].public_key", i), err.Error())
		}
	}
	if a.GetSignaturesRequired() && len(a.GetSigningKeys()) == 0 {
		return fault.Invalid("INVALID_FIELD", "signatures are required, but there is no key to verify one with; add a signing key").
			Field("application.signing_keys", "must not be empty where signatures are required")
	}
	return nil
}

// CheckRelease checks the manifest of a new release and returns its counter; 0 where there is no
// manifest and none is required. newest is the greatest counter that the application has.
func CheckRelease(a *deploymentv1.Application, r *deploymentv1.Release, newest int64, now time.Time) (int64, error) {
	if r.GetManifest() == nil {
		if a.GetSignaturesRequired() {
			return 0, fault.Precondition(ReasonRequired, "%s takes signed releases only; sign a manifest with `minisign -S` and send it with the release", a.GetName()).
				Subject(ReasonRequired, a.GetName(), "requires signatures")
		}
		return 0, nil
	}
	m, err := read(a, r.GetManifest(), now)
	if err == nil {
		err = m.About(a.GetName(), r.GetVersion())
	}
	if err == nil {
		err = sameArtifacts(m, r.GetArtifacts())
	}
	if err == nil {
		err = m.Current(now)
	}
	if err != nil {
		return 0, refusal(err)
	}
	if m.Counter <= newest {
		return 0, fault.Precondition(ReasonNotNewer, "the manifest has counter %d and a release with %d is there already; count on and sign it again", m.Counter, newest).
			Subject(ReasonNotNewer, "release.manifest", "counters only rise")
	}
	return m.Counter, nil
}

// Installable refuses a release that every host would refuse by now.
func Installable(a *deploymentv1.Application, r *deploymentv1.Release, now time.Time) error {
	if r.GetManifest() == nil {
		_, err := CheckRelease(a, r, 0, now)
		return err
	}
	if !a.GetSignaturesRequired() {
		return nil
	}
	m, err := read(a, r.GetManifest(), now)
	if err == nil {
		err = m.Current(now)
	}
	if err != nil {
		return refusal(err)
	}
	return nil
}

func read(a *deploymentv1.Application, d *deploymentv1.SignedDocument, now time.Time) (*signature.Release, error) {
	keys, err := signature.ParseKeys(Keys(a, now)...)
	if err != nil {
		return nil, err
	}
	return signature.ReadRelease(d.GetDocument(), d.GetSignature(), keys...)
}

// sameArtifacts wants the manifest and the release to name the very same archives.
func sameArtifacts(m *signature.Release, artifacts []*deploymentv1.Artifact) error {
	for _, a := range artifacts {
		if err := m.Lists(Artifact(a)); err != nil {
			return err
		}
	}
	if len(m.Artifacts) != len(artifacts) {
		return fmt.Errorf("%w: it lists %d archives and the release has %d", signature.ErrMismatch, len(m.Artifacts), len(artifacts))
	}
	return nil
}

// Artifact is what a manifest says of an archive.
func Artifact(a *deploymentv1.Artifact) signature.Artifact {
	return signature.Artifact{OS: a.GetOs(), Arch: a.GetArch(), SHA256: a.GetSha256(), Size: a.GetSizeBytes()}
}

func refusal(err error) error {
	reason := ReasonInvalid
	switch {
	case errors.Is(err, signature.ErrExpired):
		reason = ReasonExpired
	case errors.Is(err, signature.ErrMismatch):
		reason = ReasonMismatch
	}
	return fault.Precondition(reason, "the release manifest is refused: %v; sign a manifest that says what is in the release", err).
		Subject(reason, "release.manifest", err.Error())
}
