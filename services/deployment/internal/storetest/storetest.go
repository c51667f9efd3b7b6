// Package storetest gives tests databases that have the tables of package store.
package storetest

import (
	"context"

	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/sqldb"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// Tables is a template with all tables of a store, those of its metrics too; one serves a test process.
func Tables() *pgtest.Template {
	return pgtest.NewTemplate(func(ctx context.Context, db *sqldb.DB) error {
		_, err := store.Over(ctx, db, db, store.Config{})
		return err
	})
}
