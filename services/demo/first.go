package demo

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

const migration = "orders-have-customers"

// First brings version 1 to all targets. Its data is migrated once, whoever of the six does it.
func (d *Demo) First(ctx context.Context) error {
	d.say("Version 1.0.0 goes to all six targets: each agent downloads it, checks its digest, installs, configures, tests, activates and probes it. One of them migrates the data.")
	name, err := d.Deploy(ctx, "first", "1.0.0", nil)
	if err != nil {
		return err
	}
	if err := d.Reach(ctx, name, deploymentv1.Deployment_SUCCEEDED); err != nil {
		return err
	}
	if err := d.Expect(ctx, map[string]string{"pilot": "1.0.0", "sales": "1.0.0", "warehouse": "1.0.0"}); err != nil {
		return err
	}
	return d.migratedOnce(ctx)
}

// database is the file that stands for the data that all targets share.
func (d *Demo) database() string { return filepath.Join(d.cfg.Dir, "orders") }

// migratedOnce looks into the data itself, and asks golive.
func (d *Demo) migratedOnce(ctx context.Context) error {
	data, err := os.ReadFile(d.database())
	if err != nil {
		return err
	}
	if times := strings.Count(string(data), "\n"); times != 1 {
		return fmt.Errorf("the data was migrated %d times:\n%s", times, data)
	}
	run, err := d.migrations.GetMigrationRun(ctx, &deploymentv1.GetMigrationRunRequest{Name: Environment + "/migrationRuns/crm." + migration})
	if err != nil {
		return err
	}
	if run.GetState() != deploymentv1.MigrationRun_DONE || run.GetAttempt() != 1 {
		return fmt.Errorf("%s is %s after %d attempts", run.GetName(), run.GetState(), run.GetAttempt())
	}
	d.note("The data was migrated once, by %s.", path.Base(run.GetRunner()))
	return nil
}
