package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/signing"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// Pending returns the commands that these targets should act on now, oldest epoch first.
// It is the desired state, read from the rows: asking again is always safe.
func (e *Engine) Pending(ctx context.Context, targets []string) ([]*agentv1.Command, error) {
	q := e.store.DB.Read()
	rows, err := store.PendingInstallations(ctx, q, targets)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	c, err := e.composer(ctx, q, rows)
	if err != nil {
		return nil, err
	}
	commands := make([]*agentv1.Command, 0, len(rows))
	for _, row := range rows {
		command, err := c.command(row)
		if err != nil {
			return nil, fmt.Errorf("compose the command of %s: %w", row.GetName(), err)
		}
		commands = append(commands, command)
	}
	return commands, nil
}

// composer holds what commands are made of, loaded once for many.
type composer struct {
	releases    map[string]*deploymentv1.Release
	deployments map[string]*deploymentv1.Deployment
	targets     map[string]*deploymentv1.Target
	// applications say whose signatures count now; runs which migrations are to be made by whom.
	applications map[string]*deploymentv1.Application
	runs         map[string]*store.MigrationRun
	now          time.Time
}

func (e *Engine) composer(ctx context.Context, q sqldb.Queryer, rows []*store.Installation) (*composer, error) {
	var releases, deployments, targets []string
	for _, r := range rows {
		releases = append(releases, r.GetFromRelease(), r.GetToRelease())
		deployments = append(deployments, r.Deployment)
		targets = append(targets, r.GetTarget())
	}
	c := &composer{now: e.store.Now()}
	var err error
	if c.releases, err = e.releases.get(ctx, q, distinct(releases)); err != nil {
		return nil, fmt.Errorf("load releases: %w", err)
	}
	if c.deployments, err = store.Deployments.LoadMany(ctx, q, distinct(deployments)); err != nil {
		return nil, fmt.Errorf("load deployments: %w", err)
	}
	if c.targets, err = store.Targets.LoadMany(ctx, q, distinct(targets)); err != nil {
		return nil, fmt.Errorf("load targets: %w", err)
	}
	return c, c.loadMore(ctx, q, rows)
}

// loadMore loads what only signed and migrating releases need beside it.
func (c *composer) loadMore(ctx context.Context, q sqldb.Queryer, rows []*store.Installation) (err error) {
	var applications, runners, deployments []string
	for _, r := range rows {
		applications = append(applications, r.Application)
		if len(c.releases[r.GetFromRelease()].GetMigrations())+len(c.releases[r.GetToRelease()].GetMigrations()) > 0 {
			runners, deployments = append(runners, r.GetName()), append(deployments, r.Deployment)
		}
	}
	if c.applications, err = store.Applications.LoadMany(ctx, q, distinct(applications)); err != nil {
		return fmt.Errorf("load applications: %w", err)
	}
	if len(runners) == 0 {
		return nil
	}
	if c.runs, err = store.OpenMigrations(ctx, q, runners); err != nil {
		return fmt.Errorf("load migrations: %w", err)
	}
	everywhere, err := store.RunningEverywhere(ctx, q, distinct(deployments))
	maps.Copy(c.runs, everywhere)
	return err
}

func (c *composer) command(row *store.Installation) (*agentv1.Command, error) {
	d, application := c.deployments[row.Deployment], c.applications[row.Application]
	plan := d.GetRollout()
	command := &agentv1.Command{
		Installation: row.GetName(), Target: row.GetTarget(), Application: row.Application,
		Attempt: row.GetAttempt(), Epoch: row.GetEpoch(), Action: row.Action,
		// A rollback that fails must not bring the bad release back; a frozen plan leaves things as they are.
		RevertOnFailure: plan.GetOnFailure() != deploymentv1.Rollout_FREEZE && d.GetRollbackPath().GetRule() != deploymentv1.RollbackPath_FREEZE,
		StepTimeout:     plan.GetStepTimeout(),
		Migrations:      c.steps(row), RollbackOrder: d.GetRollbackOrder(), SignatureRequired: application.GetSignaturesRequired(),
	}
	if command.GetStepTimeout() == nil {
		command.StepTimeout = durationpb.New(rollout.DefaultStepTimeout)
	}
	facts := c.targets[row.GetTarget()].GetFacts()
	var err error
	if command.Workload, err = workload(c.releases[row.GetToRelease()], facts, row.Overlay, row.ConfigDigest); err != nil {
		return nil, err
	}
	if command.Previous, err = workload(c.releases[row.GetFromRelease()], facts, row.FromOverlay, row.FromConfigDigest); err != nil {
		return nil, err
	}
	keys := signing.Keys(application, c.now)
	for _, w := range []*agentv1.Workload{command.GetWorkload(), command.GetPrevious()} {
		if w != nil && w.GetManifest() != nil {
			w.SigningKeys = keys
		}
	}
	return command, nil
}

// workload makes a release concrete for one target; nil where there is no release.
func workload(release *deploymentv1.Release, facts *deploymentv1.HostFacts, overlay []byte, digest string) (*agentv1.Workload, error) {
	if release == nil {
		return nil, nil //nolint:nilnil // no release is a state of its own: nothing runs
	}
	w := &agentv1.Workload{}
	if err := proto.Unmarshal(overlay, w); err != nil {
		return nil, fmt.Errorf("decode the overlay: %w", err)
	}
	w.Release, w.Version = release.GetName(), release.GetVersion()
	w.Artifact = rollout.Artifact(release, facts) // none: the agent answers UNSUPPORTED
	w.ConfigFiles, w.Run, w.Hooks = release.GetConfigFiles(), release.GetRun(), release.GetHooks()
	w.ConfigDigest, w.Manifest = digest, release.GetManifest()
	return w, nil
}

// overlay freezes what the environment and the target say, for one installation.
func overlay(environment *deploymentv1.Environment, target *deploymentv1.Target) ([]byte, error) {
	variables := map[string]string{}
	maps.Copy(variables, environment.GetVariables())
	maps.Copy(variables, target.GetVariables())
	return proto.MarshalOptions{Deterministic: true}.Marshal(&agentv1.Workload{Variables: variables, Secrets: environment.GetSecrets()})
}

// configDigest identifies a release with an overlay: the same digest means nothing to do.
func configDigest(release string, overlay []byte) string {
	sum := sha256.Sum256(append([]byte(release+"\x00"), overlay...))
	return hex.EncodeToString(sum[:])
}

// Presence hears that the agent of some targets came or went; the rows of presence are
// the truth, this only lets the deployments concerned look at them at once.
func (e *Engine) Presence(ctx context.Context, targets []string, _ bool) {
	err := e.store.DB.Tx(asEngine(ctx), func(ctx context.Context, tx *sqldb.Tx) error {
		names, err := store.ActiveDeployments(ctx, tx, targets)
		if err != nil {
			return err
		}
		slices.Sort(names) // the order in which every writer wakes
		for _, name := range names {
			if err := e.wake(ctx, tx, name, e.store.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		e.logger.Warn("wake deployments after a change of presence; the sweep will", zap.Error(err))
	}
}

// ArtifactAllowed tells whether one of these targets has an installation that needs the
// archive, and in which workspace the archive is.
func (e *Engine) ArtifactAllowed(ctx context.Context, targets []string, sum string) (workspace string, allowed bool, err error) {
	q := e.store.DB.Read()
	names, err := store.ReleasesFor(ctx, q, targets)
	if err != nil || len(names) == 0 {
		return "", false, err
	}
	releases, err := e.releases.get(ctx, q, names)
	if err != nil {
		return "", false, err
	}
	for name, r := range releases {
		for _, a := range r.GetArtifacts() {
			if a.GetSha256() == sum && a.GetUri() == "" {
				return store.WorkspaceOf(name), true, nil
			}
		}
	}
	return "", false, nil
}

func distinct(names []string) []string {
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > 0 && names[0] == "" {
		return names[1:]
	}
	return names
}
