package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/signing"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// preflight makes the checks that need more than the database: that the archives of the new release
// are there, and that there is a way back: what ran before is on the host still, or can be fetched.
func (e *Engine) preflight(ctx context.Context, name string) (*rollout.Preflight, error) {
	q := e.store.DB.Read()
	d, err := store.Deployments.Load(ctx, q, name)
	if err != nil {
		return nil, err
	}
	ways, err := store.WaysBack(ctx, q, name)
	if err != nil {
		return nil, fmt.Errorf("read the ways back: %w", err)
	}
	out, checked := &rollout.Preflight{}, map[string]bool{}
	for _, way := range ways {
		if way.To == "" || checked[way.To] {
			continue
		}
		checked[way.To] = true
		problem, err := e.unavailable(ctx, q, way.To)
		if err != nil {
			return nil, err
		}
		if problem != "" {
			out.Problems = append(out.Problems, problem)
		}
	}
	out.Path, err = e.pathOf(ctx, q, d, ways)
	return out, err
}

// unavailable says why a release cannot be fetched; "" where it can.
func (e *Engine) unavailable(ctx context.Context, q sqldb.Queryer, name string) (string, error) {
	releases, err := e.releases.get(ctx, q, []string{name})
	if err != nil {
		return "", err
	}
	release := releases[name]
	if release == nil {
		return name + " does not exist any more", nil
	}
	for _, a := range release.GetArtifacts() {
		if a.GetUri() != "" {
			continue
		}
		_, err := e.blobs.Stat(ctx, store.WorkspaceOf(name), a.GetSha256())
		if fault.Is(err, fault.KindNotFound) {
			return fmt.Sprintf("the archive %s of %s is missing; upload it again", a.GetSha256(), name), nil
		}
		if err != nil {
			return "", fmt.Errorf("look for %s: %w", a.GetSha256(), err)
		}
	}
	return "", nil
}

// pathOf says what going back would mean for targets on their ways back.
func (e *Engine) pathOf(ctx context.Context, q sqldb.Queryer, d *deploymentv1.Deployment, ways []store.Way) (*deploymentv1.RollbackPath, error) {
	b, err := e.burden(ctx, q, d)
	if err != nil {
		return nil, err
	}
	path := &deploymentv1.RollbackPath{}
	path.Rule, path.Reasons = rollout.RollbackRule(d.GetRollout(), b.migrations, b.before)
	for _, m := range b.down {
		path.MigrationsDown = append(path.MigrationsDown, m.GetId())
	}
	for _, m := range b.never {
		path.Blocked = append(path.Blocked, fmt.Sprintf("migration %s was made and is not reversible", m.GetId()))
	}
	for _, way := range ways {
		switch {
		case way.From == "":
			path.None += way.Targets
		case way.Retained:
			path.Retained += way.Targets
		default:
			path.Fetch += way.Targets
			problem, err := e.unavailable(ctx, q, way.From)
			if err != nil {
				return nil, err
			}
			if problem != "" {
				path.Blocked = append(path.Blocked, fmt.Sprintf("%d targets, %s among them: %s", way.Targets, way.Example, problem))
			}
		}
	}
	return path, nil
}

// burden is what the migrations of a deployment mean for its way back.
type burden struct {
	migrations  []*deploymentv1.Migration
	before      map[string]bool           // made here before the deployment
	down, never []*deploymentv1.Migration // contracted by it: to be taken back, and for good
	open        *store.MigrationRun       // contracted by it, with an outcome that nobody knows yet
	runs        map[string]*store.MigrationRun
}

func (e *Engine) burden(ctx context.Context, q sqldb.Queryer, d *deploymentv1.Deployment) (*burden, error) {
	releases, err := e.releases.get(ctx, q, []string{d.GetRelease()})
	if err != nil {
		return nil, err
	}
	b := &burden{migrations: releases[d.GetRelease()].GetMigrations(), before: map[string]bool{}}
	if d.GetRollbackOf() != "" {
		b.migrations = nil // a rollback makes none
	}
	if b.runs, err = loadRuns(ctx, q, d, b.migrations); err != nil {
		return nil, err
	}
	for id, run := range b.runs {
		ours := run.GetDeployment() == d.GetName()
		b.before[id] = run.GetState() == deploymentv1.MigrationRun_DONE && !ours
		undecided := run.GetState() == deploymentv1.MigrationRun_RUNNING || run.GetState() == deploymentv1.MigrationRun_INTERRUPTED
		if ours && undecided && run.GetPhase() == deploymentv1.Migration_CONTRACT {
			b.open = run
		}
	}
	b.down, b.never = rollout.TakenBack(b.migrations, made(b.runs, d.GetName()))
	return b, nil
}

// PreviewRollback says what a rollback of a deployment would do now.
func (e *Engine) PreviewRollback(ctx context.Context, name string) (*deploymentv1.RollbackPath, error) {
	q := e.store.DB.Read()
	d, err := store.Deployments.Load(ctx, q, name)
	if err != nil {
		return nil, err
	}
	ways, err := store.WaysBackNow(ctx, q, name, rollout.Ended(d.GetState()))
	if err != nil {
		return nil, fmt.Errorf("read the ways back: %w", err)
	}
	path, err := e.pathOf(ctx, q, d, ways)
	if err != nil {
		return nil, err
	}
	if err := rollout.Accepts(d.GetState(), rollout.Rollback); err != nil {
		path.Blocked = append(path.Blocked, fmt.Sprintf("the deployment is %s", d.GetState()))
	}
	if len(ways) == 0 {
		path.Blocked = append(path.Blocked, "no target runs what it brought, so nothing has to go back")
	}
	application, steps, err := e.stepsBack(ctx, q, d, ways)
	if err != nil {
		return nil, err
	}
	for _, step := range steps {
		if why := signing.Refused(application, step); why != "" {
			path.Blocked = append(path.Blocked, why)
		}
	}
	return path, nil
}

// stepsBack returns the steps that hosts would have to make, with the application that says whose word counts.
func (e *Engine) stepsBack(ctx context.Context, q sqldb.Queryer, d *deploymentv1.Deployment, ways []store.Way) (*deploymentv1.Application, []signing.Back, error) {
	application, err := store.Applications.Load(ctx, q, applicationOf(d.GetName()))
	if err != nil {
		return nil, nil, err
	}
	var names []string
	for _, way := range ways {
		names = append(names, way.From, way.To)
	}
	releases, err := e.releases.get(ctx, q, distinct(names))
	if err != nil {
		return nil, nil, err
	}
	steps, seen := []signing.Back(nil), map[signing.Back]bool{}
	for _, way := range ways {
		if step := (signing.Back{From: releases[way.To], To: releases[way.From]}); !seen[step] {
			seen[step] = true
			steps = append(steps, step)
		}
	}
	return application, steps, nil
}

// checkWayBack refuses a rollback that could not be done, and notes on the linked deployment what
// it has to take back and whose word lets it.
func (e *Engine) checkWayBack(ctx context.Context, tx *sqldb.Tx, old, back *deploymentv1.Deployment, s *snapshot, order *deploymentv1.SignedDocument) error {
	b, err := e.burden(ctx, tx, old)
	if err != nil {
		return err
	}
	if b.open != nil {
		return fault.Precondition("MIGRATION_OPEN", "%s is %s, so nobody knows what the old version would find; wait for its outcome, or say it with `golive resolve`",
			b.open.GetName(), b.open.GetState()).Subject("MIGRATION_OPEN", b.open.GetName(), b.open.GetMessage())
	}
	if len(b.never) > 0 {
		f := fault.Precondition("MIGRATION_IRREVERSIBLE", "%d migrations were made that cannot be taken back; fix forward, or take them back by hand and say so with `golive resolve`", len(b.never))
		for _, m := range b.never {
			f = f.Subject("MIGRATION_IRREVERSIBLE", b.runs[m.GetId()].GetName(), "is CONTRACT and not reversible")
		}
		return f
	}
	ways := make([]store.Way, 0, len(s.installations))
	for _, i := range s.installations {
		ways = append(ways, store.Way{From: i.GetToRelease(), To: i.GetFromRelease()})
	}
	application, steps, err := e.stepsBack(ctx, tx, old, ways)
	if err != nil {
		return err
	}
	if err := signing.CheckOrder(application, back.GetEnvironment(), order, steps, e.store.Now()); err != nil {
		return err
	}
	back.RollbackOrder = order
	if len(b.down) == 0 {
		return nil
	}
	back.RollbackPath = &deploymentv1.RollbackPath{Rule: deploymentv1.RollbackPath_FREEZE}
	for _, m := range b.down {
		back.RollbackPath.MigrationsDown = append(back.RollbackPath.MigrationsDown, m.GetId())
		if rollout.OncePerEnvironment(m) {
			continue
		}
		// Each target takes its own back as it goes, and knows by itself whether there is anything to take back.
		run := b.runs[m.GetId()]
		run.State = deploymentv1.MigrationRun_REVERTED
		if err := e.store.PutMigrationRun(ctx, tx, run, "taken back by "+back.GetName()); err != nil {
			return err
		}
	}
	return nil
}

func releaseOwner(release string) string {
	application, _, _ := strings.Cut(release, "/releases/")
	return application
}

// deployableNow refuses a release that hosts would refuse by now.
func (e *Engine) deployableNow(ctx context.Context, q sqldb.Queryer, release *deploymentv1.Release) error {
	application, err := store.Applications.Load(ctx, q, releaseOwner(release.GetName()))
	if err != nil {
		return err
	}
	return signing.Installable(application, release, e.store.Now())
}
