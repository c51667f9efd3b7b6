package store

import (
	"context"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// PendingInstallations returns the installations on these targets that their agents have
// something to do for, oldest epoch first.
func PendingInstallations(ctx context.Context, q sqldb.Queryer, targets []string) ([]*Installation, error) {
	var all []*Installation
	err := inChunks(targets, func(marks string, args []any) error {
		some, err := SelectInstallations(ctx, q, `action <> 0 AND target IN (`+marks+`) ORDER BY epoch, name`, args...)
		all = append(all, some...)
		return err
	})
	return all, err
}

// ActiveDeployments returns the deployments that hold one of these targets.
func ActiveDeployments(ctx context.Context, q sqldb.Queryer, targets []string) ([]string, error) {
	return distinctTexts(ctx, q, targets, `SELECT DISTINCT parent FROM installations WHERE active = 1 AND target IN (`)
}

// ReleasesFor returns the releases that installations on these targets may still need: those under way, and what runs.
func ReleasesFor(ctx context.Context, q sqldb.Queryer, targets []string) ([]string, error) {
	under, err := distinctTexts(ctx, q, targets, `SELECT DISTINCT to_release FROM installations WHERE (active = 1 OR action <> 0) AND target IN (`)
	if err != nil {
		return nil, err
	}
	// Where what ran before is not kept on the host any more, it has to be fetched on the way back.
	before, err := distinctTexts(ctx, q, targets, `SELECT DISTINCT from_release FROM installations WHERE from_release <> '' AND (active = 1 OR action <> 0) AND target IN (`)
	if err != nil {
		return nil, err
	}
	under = append(under, before...)
	runs, err := distinctTexts(ctx, q, targets, `SELECT DISTINCT release FROM slots WHERE target IN (`)
	return append(under, runs...), err
}

// distinctTexts runs a query that ends in an open IN list over all values.
func distinctTexts(ctx context.Context, q sqldb.Queryer, values []string, query string) ([]string, error) {
	seen := map[string]bool{}
	var all []string
	err := inChunks(values, func(marks string, args []any) error {
		rows, err := q.QueryContext(ctx, query+marks+`)`, args...)
		some, err := sqldb.Collect(rows, err, scanText)
		for _, s := range some {
			if !seen[s] {
				seen[s] = true
				all = append(all, s)
			}
		}
		return err
	})
	return all, err
}
