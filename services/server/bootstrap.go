package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/golive-dev/golive/pkg/auth"
)

// The files of the signing key in a data folder. Verifiers elsewhere get a copy of
// the trusted one. The introduced one is there once the first token was given out.
const (
	issuerFile     = "issuer.key"
	trustedFile    = "trusted-issuer.json"
	introducedFile = "introduced"
)

// Administrator is who the first token of an installation stands for.
const Administrator = "users/admin"

// IssuerFile is the signing key in a data folder: who can read it can mint any token.
func IssuerFile(dataDir string) string { return filepath.Join(dataDir, issuerFile) }

// OpenIssuer loads the signing key of a data folder that has one.
func OpenIssuer(dataDir string) (*auth.Issuer, error) {
	if _, err := os.Stat(IssuerFile(dataDir)); err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	return auth.LoadIssuer(IssuerFile(dataDir))
}

// loadIssuer loads the signing key. In a new data folder it mints the first
// administrator's token, because nobody else could let anybody in.
func (p *process) loadIssuer() (err error) {
	if p.issuer, err = auth.LoadIssuer(IssuerFile(p.cfg.DataDir)); err != nil {
		return fmt.Errorf("signing key: %w", err)
	}
	public, err := json.MarshalIndent(p.issuer.Trusted(), "", "  ")
	if err != nil {
		return fmt.Errorf("public keys: %w", err)
	}
	if err := os.WriteFile(filepath.Join(p.cfg.DataDir, trustedFile), append(public, '\n'), 0o600); err != nil {
		return fmt.Errorf("public keys: %w", err)
	}
	introduced := filepath.Join(p.cfg.DataDir, introducedFile)
	if _, err := os.Stat(introduced); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// A start that fails has shown nobody the token, so it does not count: Run does.
	p.introduce = func() error { return os.WriteFile(introduced, nil, 0o600) }
	p.token, _, err = p.issuer.Mint(auth.Claims{
		Name: Administrator, Grants: map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}},
	})
	return err
}

// Trusts tells whether a token was signed with the key of this server and is valid still.
func (s *Server) Trusts(token string) bool {
	if s.issuer == nil || token == "" {
		return false
	}
	verifier, err := auth.NewVerifier([]auth.TrustedIssuer{s.issuer.Trusted()}, nil)
	if err != nil {
		return false
	}
	_, err = verifier.Verify(context.Background(), token)
	return err == nil
}

// loadTrusted reads the issuers of other processes.
func loadTrusted(files []string) ([]auth.TrustedIssuer, error) {
	trusted := make([]auth.TrustedIssuer, 0, len(files))
	for _, file := range files {
		issuer, err := auth.LoadTrusted(file)
		if err != nil {
			return nil, fmt.Errorf("trusted issuer: %w", err)
		}
		trusted = append(trusted, issuer)
	}
	return trusted, nil
}
