package simulator

import (
	"context"
	"fmt"
	"strings"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

const (
	workspace   = "workspaces/default"
	application = workspace + "/applications/shop"
	environment = workspace + "/environments/prod"
	plans       = workspace + "/implementations/crm/cohortPlans/"
	decisions   = workspace + "/implementations/crm/decisions/"
	// targets and releases are how many there are on a bench; a seed deals with some of them.
	targets  = 6
	releases = 4
)

// Bench is a database that many seeds use one after the other. It belongs to one goroutine.
type Bench struct {
	db     *sqldb.DB
	disk   *disk
	tables []string
	ctx    context.Context //nolint:containedctx // never ends: a context that can costs a goroutine a transaction
}

// Open makes a bench in a folder, best one in memory. The name is the bench's own in this process.
func Open(ctx context.Context, folder, name string) (*Bench, error) {
	b := &Bench{disk: &disk{}, ctx: as(context.WithoutCancel(ctx), "users/setup")}
	b.disk.register(name)
	var err error
	if b.db, err = sqldb.Open(ctx, sqldb.Config{URL: "sqlite:" + folder + "/" + name + ".db", Driver: name, MaxOpen: 1}); err != nil {
		return nil, err
	}
	if _, err = store.Over(ctx, b.db, b.db, store.Config{}); err == nil {
		err = b.furnish()
	}
	if err == nil {
		err = b.remember()
	}
	if err != nil {
		return nil, fmt.Errorf("make the bench: %w", err)
	}
	return b, nil
}

// Close closes the database.
func (b *Bench) Close() error { return b.db.Close() }

func as(ctx context.Context, person string) context.Context {
	return auth.NewContext(ctx, &auth.Principal{Name: person})
}

// newStore is the store as one server sees it.
func (b *Bench) newStore(cfg resource.Config) *store.Store {
	cfg.Actor = auth.Actor
	log := feed.New(b.db, feed.Config{Logger: zap.NewNop()})
	return &store.Store{DB: b.db, Metrics: b.db, Log: log, Resources: resource.NewStore(b.db, log, cfg)}
}

// furnish makes what every seed finds: an application with releases, and hosts with their agents.
func (b *Bench) furnish() error {
	r := b.newStore(resource.Config{}).Resources
	return b.db.Tx(b.ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := store.Applications.Insert(ctx, tx, r, &deploymentv1.Application{Name: application}, resource.Meta{}); err != nil {
			return err
		}
		for i := range releases {
			release := &deploymentv1.Release{
				Name: releaseName(i), Version: fmt.Sprintf("%d.0.0", i+1), Run: &deploymentv1.RunSpec{Command: []string{"bin/app"}}, State: deploymentv1.Release_ACTIVE,
				Artifacts: []*deploymentv1.Artifact{{Os: "linux", Arch: "amd64", Sha256: strings.Repeat(fmt.Sprint(i+1), 64), SizeBytes: 1}},
			}
			if err := store.Releases.Insert(ctx, tx, r, release, resource.Meta{}); err != nil {
				return err
			}
		}
		if err := store.Environments.Insert(ctx, tx, r, &deploymentv1.Environment{Name: environment}, resource.Meta{}); err != nil {
			return err
		}
		for i := range targets {
			if err := store.Agents.Insert(ctx, tx, r, &deploymentv1.Agent{Name: agentName(i)}, resource.Meta{}); err != nil {
				return err
			}
			target := &deploymentv1.Target{
				Name: targetName(i), Kind: deploymentv1.Target_SERVER, Agent: agentName(i), Cohorts: []string{fmt.Sprintf("c%d", i%3)},
				Facts: &deploymentv1.HostFacts{Os: "linux", Arch: "amd64", DiskFreeBytes: 1 << 30},
			}
			if err := store.Targets.Insert(ctx, tx, r, target, resource.Meta{}); err != nil {
				return err
			}
		}
		return nil
	})
}

func releaseName(i int) string { return fmt.Sprintf("%s/releases/v%d", application, i+1) }
func targetName(i int) string  { return fmt.Sprintf("%s/targets/t%d", environment, i) }
func agentName(i int) string   { return fmt.Sprintf("%s/agents/a%d", workspace, i) }

// remember keeps the furnished tables beside themselves, so that reset can put them back.
func (b *Bench) remember() error {
	rows, err := b.db.Writer().QueryContext(b.ctx, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%'
		AND name NOT LIKE 'river_%' AND name <> 'event_epoch' ORDER BY name`)
	b.tables, err = sqldb.Collect(rows, err, scanText)
	for _, table := range b.tables {
		if err == nil {
			_, err = b.db.Writer().ExecContext(b.ctx, `CREATE TABLE bench_`+table+` AS SELECT * FROM `+table)
		}
	}
	return err
}

// keep leaves the first hosts and takes the others away.
func (b *Bench) keep(ctx context.Context, hosts int) error {
	_, err := b.db.Writer().ExecContext(ctx, `DELETE FROM targets WHERE name >= $1`, targetName(hosts))
	return err
}

// reset puts every table back to how it was furnished.
func (b *Bench) reset() error {
	*b.disk = disk{trusted: true}
	defer func() { b.disk.trusted = false }()
	return b.db.Tx(b.ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for _, table := range b.tables {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO `+table+` SELECT * FROM bench_`+table); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE sqlite_sequence SET seq = (SELECT MAX(seq) FROM bench_events) WHERE name = 'events'`)
		return err
	})
}
