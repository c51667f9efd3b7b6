package auth

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
)

// TrustedIssuer is an issuer whose tokens a verifier accepts. Several keys may
// be valid at once, which is how a key is replaced without a gap.
type TrustedIssuer struct {
	Name string                       // The iss claim.
	Keys map[string]ed25519.PublicKey // By the kid header.
}

// jwks is the JSON form: a JSON Web Key Set (RFC 7517, RFC 8037) that also names its issuer.
type jwks struct {
	Issuer string `json:"issuer"`
	Keys   []jwk  `json:"keys"`
}

type jwk struct {
	Type  string `json:"kty"`
	Curve string `json:"crv"`
	ID    string `json:"kid"`
	X     string `json:"x"`
}

// MarshalJSON writes the public keys as a key set.
func (t TrustedIssuer) MarshalJSON() ([]byte, error) {
	set := jwks{Issuer: t.Name}
	for _, id := range slices.Sorted(maps.Keys(t.Keys)) {
		set.Keys = append(set.Keys, jwk{
			Type: "OKP", Curve: "Ed25519", ID: id, X: base64.RawURLEncoding.EncodeToString(t.Keys[id]),
		})
	}
	return json.Marshal(set)
}

// UnmarshalJSON reads a key set; keys of other types than Ed25519 are refused.
func (t *TrustedIssuer) UnmarshalJSON(data []byte) error {
	var set jwks
	if err := json.Unmarshal(data, &set); err != nil {
		return err
	}
	if set.Issuer == "" || len(set.Keys) == 0 {
		return errors.New("a trusted issuer needs an issuer and at least one key")
	}
	keys := make(map[string]ed25519.PublicKey, len(set.Keys))
	for _, k := range set.Keys {
		raw, err := base64.RawURLEncoding.DecodeString(k.X)
		if err != nil || k.Type != "OKP" || k.Curve != "Ed25519" || len(raw) != ed25519.PublicKeySize {
			return fmt.Errorf("key %q is not an Ed25519 public key", k.ID)
		}
		keys[k.ID] = raw
	}
	*t = TrustedIssuer{Name: set.Issuer, Keys: keys}
	return nil
}

// LoadTrusted reads the trusted issuer in the key set file at path.
func LoadTrusted(path string) (TrustedIssuer, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return TrustedIssuer{}, fmt.Errorf("read trusted issuer: %w", err)
	}
	var t TrustedIssuer
	if err := json.Unmarshal(data, &t); err != nil {
		return TrustedIssuer{}, fmt.Errorf("read trusted issuer %s: %w", path, err)
	}
	return t, nil
}
