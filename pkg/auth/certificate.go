package auth

import (
	"crypto/tls"
	"crypto/x509"
	"net/url"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
)

// IdentityScheme is the scheme of the URI in an agent's certificate:
// golive://workspaces/default/agents/host-1.
const IdentityScheme = "golive"

// certificateIssuer is the Issuer of principals that a certificate made.
const certificateIssuer = "certificate"

// AgentIdentity returns the URI that an agent's certificate carries as its
// subject alternative name, for the resource name workspaces/{w}/agents/{a}.
func AgentIdentity(name string) *url.URL {
	host, path, _ := strings.Cut(name, "/")
	return &url.URL{Scheme: IdentityScheme, Host: host, Path: "/" + path}
}

// FromTLS returns the principal of the client certificate that the TLS stack
// has verified; nil without an error where the client brought none.
func FromTLS(state *tls.ConnectionState) (*Principal, error) {
	if len(state.VerifiedChains) == 0 || len(state.VerifiedChains[0]) == 0 {
		return nil, nil //nolint:nilnil // absence is not a failure here, and the caller asks
	}
	return FromCertificate(state.VerifiedChains[0][0])
}

// FromCertificate returns the agent that a verified certificate names. It holds
// the agent role in its own workspace and nothing else; which targets are its
// own is for the handler to check.
func FromCertificate(cert *x509.Certificate) (*Principal, error) {
	if len(cert.URIs) == 1 && cert.URIs[0].Scheme == IdentityScheme {
		name := cert.URIs[0].Host + cert.URIs[0].Path
		part := strings.Split(name, "/")
		plain := cert.URIs[0].String() == IdentityScheme+"://"+name // no user, port, query or fragment
		if plain && len(part) == 4 && part[0] == "workspaces" && part[2] == "agents" && validID(part[1]) && validID(part[3]) {
			return &Principal{
				Name: name, Grants: map[string][]Role{part[1]: {Agent}},
				Expires: cert.NotAfter, Issuer: certificateIssuer,
			}, nil
		}
	}
	return nil, fault.Unauthenticated("CERTIFICATE_INVALID",
		"the client certificate names no agent; enrol the agent again with a new join token")
}

func validID(id string) bool {
	for i, c := range id {
		letter := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !letter && (i == 0 || c != '-' && c != '.' && c != '_') {
			return false
		}
	}
	return id != "" && len(id) <= 63
}
