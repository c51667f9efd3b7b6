//go:build unix

package pgtest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// Template is what databases of tests are copies of, so that many tests make their tables once.
type Template struct {
	// name makes the PostgreSQL database that is copied, with the first test that asks, and returns how it is called.
	name    func() (string, error)
	prepare func(context.Context, *sqldb.DB) error
}

// NewTemplate returns a template that is as prepare leaves an empty database.
func NewTemplate(prepare func(context.Context, *sqldb.DB) error) *Template {
	m := &Template{prepare: prepare}
	m.name = sync.OnceValues(m.make)
	return m
}

// Databases is [Databases] with prepared ones.
func (m *Template) Databases(tb testing.TB) []Named {
	tb.Helper()
	all := Databases(tb)
	for i := range all {
		all[i].fresh = m.copied
		if all[i].Name == "sqlite" {
			all[i].fresh = m.anew
		}
	}
	return all
}

// Each is [Each] with prepared databases.
func (m *Template) Each(t *testing.T, fn func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	each(t, m.Databases(t), fn)
}

func (m *Template) copied(tb testing.TB) string {
	tb.Helper()
	name, err := m.name()
	require.NoError(tb, err)
	return database(tb, " TEMPLATE "+name)
}

// anew prepares a file, which takes no longer than to copy one.
func (m *Template) anew(tb testing.TB) string {
	tb.Helper()
	url := sqliteURL(tb)
	db, err := sqldb.Open(tb.Context(), sqldb.Config{URL: url})
	require.NoError(tb, err)
	require.NoError(tb, m.prepare(tb.Context(), db))
	require.NoError(tb, db.Close())
	return url
}

// make prepares the database; it outlives the test that needed it first.
func (m *Template) make() (string, error) {
	pg, err := running()
	if err != nil {
		return "", err
	}
	ctx := context.Background()
	name := fmt.Sprintf("template_%d", pg.databases.Add(1))
	if err := pg.admin(ctx, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	db, err := sqldb.Open(ctx, sqldb.Config{URL: pg.url(name)})
	if err != nil {
		return "", fmt.Errorf("open the template: %w", err)
	}
	if err := m.prepare(ctx, db); err != nil {
		return "", fmt.Errorf("prepare the template: %w", err)
	}
	return name, db.Close()
}
