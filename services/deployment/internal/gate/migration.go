package gate

import (
	"context"
	"fmt"
	"strings"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// MigrationFacts is where each migration that is waited for stands, by id; nil where it never ran.
type MigrationFacts struct {
	IDs  []string
	Runs map[string]*deploymentv1.MigrationRun
}

func migration(ctx context.Context, q sqldb.Queryer, ask Question, gate *deploymentv1.MigrationGate) (*gatev1.Verdict, error) {
	f := MigrationFacts{IDs: gate.GetMigrations(), Runs: map[string]*deploymentv1.MigrationRun{}}
	if len(f.IDs) == 0 {
		release, err := store.Releases.Load(ctx, q, ask.Deployment.GetRelease())
		if err != nil {
			return nil, err
		}
		for _, m := range release.GetMigrations() {
			// What runs on every target runs with the installation that waits here.
			if m.GetPhase() == deploymentv1.Migration_EXPAND && m.GetScope() != deploymentv1.Migration_PER_TARGET {
				f.IDs = append(f.IDs, m.GetId())
			}
		}
	}
	names := make(map[string]string, len(f.IDs))
	var all []string
	for _, id := range f.IDs {
		name := store.MigrationRunName(ask.Deployment.GetEnvironment(), applicationOf(ask.Deployment), id)
		names[name] = id
		all = append(all, name)
	}
	if len(all) > 0 {
		runs, err := store.LoadMigrationRuns(ctx, q, all)
		if err != nil {
			return nil, err
		}
		for name, run := range runs {
			f.Runs[names[name]] = run.MigrationRun
		}
	}
	return JudgeMigration(ask, f), nil
}

// JudgeMigration opens once every migration is done in the environment.
func JudgeMigration(ask Question, f MigrationFacts) *gatev1.Verdict {
	var reasons []*gatev1.BlockedBy
	var evidence []*gatev1.Evidence
	done := 0
	for _, id := range f.IDs {
		run := f.Runs[id]
		name := store.MigrationRunName(ask.Deployment.GetEnvironment(), applicationOf(ask.Deployment), id)
		state := "NOT_RUN"
		if run != nil {
			state = run.GetState().String()
		}
		met := run.GetState() == deploymentv1.MigrationRun_DONE
		evidence = append(evidence, &gatev1.Evidence{Criterion: "migration", State: passIf(met), Resource: name, AsOf: run.GetUpdateTime(), Detail: state})
		if met {
			done++
			continue
		}
		reason := &gatev1.BlockedBy{
			Kind: gatev1.BlockedBy_MIGRATION, Resource: name, Current: fmt.Sprintf("migration %s is %s", id, strings.ReplaceAll(strings.ToLower(state), "_", " ")),
			Required: "done in " + lastSegment(ask.Deployment.GetEnvironment()), Owner: "agents",
			Command: "golive list migration-runs " + ask.Deployment.GetEnvironment(),
		}
		if run.GetState() == deploymentv1.MigrationRun_FAILED || run.GetState() == deploymentv1.MigrationRun_INTERRUPTED {
			reason.Owner, reason.Command = operators, "golive resolve "+name
		}
		reasons = append(reasons, reason)
	}
	evidence = append(evidence, counted("migrations", ask.Deployment.GetEnvironment(), done, len(f.IDs), len(f.IDs)))
	return judged(ask.Wave, gatev1.Verdict_WAIT, reasons, evidence...)
}
