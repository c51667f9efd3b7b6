// Package jointoken is the one place that knows how a join token is written.
//
// A join token lets one host agent in, once. It carries what the agent must
// know before it trusts anybody: who it will be, the SHA-256 of the certificate
// authority that signs the server it is about to call, and a secret that the
// server knows only as a hash.
//
//	golive-join.v1.<base64url of {"agent", "ca_sha256", "exp", "secret"}>
package jointoken

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
)

// Prefix begins every join token of this version.
const Prefix = "golive-join.v1."

// maxLength bounds what Decode looks at; EnrolRequest allows no more either.
const maxLength = 4096

// Token is a join token, opened.
type Token struct {
	// Agent is the resource name the agent will have, workspaces/{w}/agents/{a}.
	Agent string
	// CASHA256 is the SHA-256 of the authority's certificate in DER.
	CASHA256 [sha256.Size]byte
	// Expires is when it can no longer be redeemed, to the second.
	Expires time.Time
	// Secret proves that the bearer was given the token.
	Secret [32]byte
}

// New draws a token for an agent; authority is the certificate in DER.
func New(agent string, authority []byte, expires time.Time) Token {
	t := Token{Agent: agent, CASHA256: sha256.Sum256(authority), Expires: expires.UTC().Truncate(time.Second)}
	_, _ = rand.Read(t.Secret[:]) // never fails: it ends the process rather than return an error
	return t
}

// ServerName is what a client asks for that trusts an authority by the SHA-256 of its certificate
// alone: while a server has two, it shows the certificate of that one.
func ServerName(authority [sha256.Size]byte) string {
	return hex.EncodeToString(authority[:16]) + ".authority.golive.invalid"
}

// SecretHash is what a server keeps in place of the secret.
func (t Token) SecretHash() [sha256.Size]byte { return sha256.Sum256(t.Secret[:]) }

// wire is the token as JSON.
type wire struct {
	Agent    string `json:"agent"`
	CASHA256 string `json:"ca_sha256"`
	Expires  int64  `json:"exp"`
	Secret   []byte `json:"secret"`
}

// Encode writes the token. It holds the secret: show it once and log it never.
func (t Token) Encode() string {
	// Strings, an integer and bytes always marshal.
	body, _ := json.Marshal(wire{Agent: t.Agent, CASHA256: hex.EncodeToString(t.CASHA256[:]), Expires: t.Expires.Unix(), Secret: t.Secret[:]}) //nolint:gosec // to carry the secret is what a token is for
	return Prefix + base64.RawURLEncoding.EncodeToString(body)
}

// Decode reads a token. It does not look at the clock; see [Token.Expires].
// The error is the fault JOIN_TOKEN_INVALID and repeats nothing of the token.
func Decode(token string) (Token, error) {
	body, found := strings.CutPrefix(strings.TrimSpace(token), Prefix)
	if !found || len(token) > maxLength {
		return Token{}, invalid()
	}
	raw, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return Token{}, invalid().Cause(err)
	}
	var w wire
	if err := json.Unmarshal(raw, &w); err != nil {
		return Token{}, invalid().Cause(err)
	}
	authority, err := hex.DecodeString(w.CASHA256)
	if err != nil || len(authority) != sha256.Size || len(w.Secret) != len(Token{}.Secret) || w.Agent == "" {
		return Token{}, invalid().Cause(err)
	}
	return Token{
		Agent: w.Agent, CASHA256: [sha256.Size]byte(authority),
		Expires: time.Unix(w.Expires, 0).UTC(), Secret: [32]byte(w.Secret),
	}, nil
}

func invalid() *fault.Error {
	return fault.Unauthenticated("JOIN_TOKEN_INVALID",
		"this is not a join token of golive; create one with `golive agent token` and copy the whole line")
}
