package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/signing"
)

// CreateRelease registers a release, signed as its application asks.
func (s *Store) CreateRelease(ctx context.Context, req *deploymentv1.CreateReleaseRequest) (*deploymentv1.Release, error) {
	return Releases.With(resource.Hooks[*deploymentv1.Release]{Default: prepareRelease, Validate: s.checkSignature}).Create(ctx, s.Resources, req)
}

// checkSignature holds the application while it looks for the newest counter, so that of two
// releases that come at once the second sees the first.
func (s *Store) checkSignature(ctx context.Context, tx *sqldb.Tx, _, r *deploymentv1.Release) error {
	name, _, _ := strings.Cut(r.GetName(), "/releases/")
	application, err := Applications.Load(ctx, tx, name)
	if err != nil {
		return err
	}
	var newest int64
	if r.GetManifest() != nil {
		if _, err := Applications.LockRow(ctx, tx, application.GetName()); err != nil {
			return err
		}
		err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(signed_counter), 0) FROM releases WHERE parent = $1 AND signed_counter > 0`, application.GetName()).Scan(&newest)
		if err != nil {
			return fmt.Errorf("look for the newest counter: %w", err)
		}
	}
	r.SignedCounter, err = signing.CheckRelease(application, r, newest, s.Now())
	return err
}
