package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/golive-dev/golive/pkg/auth"
)

// The files of the signing key in a data folder. Verifiers elsewhere get a copy of the trusted one.
const (
	issuerFile  = "issuer.key"
	trustedFile = "trusted-issuer.json"
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

// loadIssuer loads the signing key. Where it makes a new one it mints the first
// administrator's token, because nobody else could let anybody in.
func (p *process) loadIssuer() error {
	path := IssuerFile(p.cfg.DataDir)
	_, err := os.Stat(path)
	first := errors.Is(err, fs.ErrNotExist)
	if p.issuer, err = auth.LoadIssuer(path); err != nil {
		return fmt.Errorf("signing key: %w", err)
	}
	public, err := json.MarshalIndent(p.issuer.Trusted(), "", "  ")
	if err != nil {
		return fmt.Errorf("public keys: %w", err)
	}
	if err := os.WriteFile(filepath.Join(p.cfg.DataDir, trustedFile), append(public, '\n'), 0o600); err != nil {
		return fmt.Errorf("public keys: %w", err)
	}
	if first {
		p.token, _, err = p.issuer.Mint(auth.Claims{
			Name: Administrator, Grants: map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}},
		})
	}
	return err
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
