package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

// HearDeployments makes of the events of the deployment service what follows here,
// in their order:
//
//	deployment.wave.running    the readiness of its cohorts is watched for a fall
//	deployment.wave.sealed     its cohorts are live; that of a rollback takes it back
//	deployment.policy.…        freezes are asked for again
//
// Doing it again changes nothing. An event that cannot be understood is passed over: it would come for ever.
func (s *Store) HearDeployments(ctx context.Context, tx *sqldb.Tx, events []*eventv1.Event) error {
	for _, e := range events {
		var err error
		switch kind, verb, _ := strings.Cut(strings.TrimPrefix(e.GetType(), "deployment."), "."); {
		case kind == "deployment":
			d := &deploymentv1.Deployment{}
			if e.GetAfter().UnmarshalTo(d) == nil {
				err = seeDeployment(ctx, tx, d)
			}
		case kind == "wave" && (verb == "running" || verb == "sealed"):
			w := &deploymentv1.Wave{}
			if e.GetAfter().UnmarshalTo(w) == nil && len(strings.Split(w.GetName(), "/")) == 8 {
				err = s.hearWave(ctx, tx, w)
			}
		case kind == "policy":
			err = freezesChanged(ctx, tx, Workspace(e.GetResource()))
		}
		if err != nil {
			return fmt.Errorf("hear of %s: %w", e.GetResource(), err)
		}
	}
	return nil
}

func (s *Store) hearWave(ctx context.Context, tx *sqldb.Tx, w *deploymentv1.Wave) error {
	d, err := seenDeployment(ctx, tx, parent(w.GetName()))
	if err != nil {
		return err
	}
	sealed := w.GetState() == deploymentv1.Wave_SEALED
	if d.GetRollbackOf() != "" {
		if sealed {
			return s.takeBackLive(ctx, tx, d.GetRollbackOf()+"/waves/"+path.Base(w.GetName()), w.GetName())
		}
		return nil
	}
	plans, err := plansOfWave(ctx, tx, d, w)
	if err != nil {
		return err
	}
	for _, plan := range plans {
		if sealed {
			err = s.goLiveBy(ctx, tx, plan, w)
		} else {
			err = s.watchReadiness(ctx, tx, plan, w)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// plansOfWave are the cohort plans that a wave is about: those that its readiness
// gates name, and those of its cohort in plans that are about the same application, in the same environment.
func plansOfWave(ctx context.Context, q sqldb.Queryer, d *deploymentv1.Deployment, w *deploymentv1.Wave) ([]string, error) {
	workspace, application := Workspace(w.GetName()), parent(d.GetName())
	var names []string
	for _, rule := range w.GetRule().GetGates() {
		if plan := rule.GetReadiness().GetCohortPlan(); plan != "" && Workspace(plan) == workspace {
			names = append(names, plan)
		}
	}
	cohort := w.GetRule().GetMembers().GetCohort()
	if cohort == "" || strings.Contains(cohort, "/") {
		return names, nil
	}
	plans, err := CohortPlans.Select(ctx, q, "WHERE cohort = $1 ORDER BY name", workspace+"/cohorts/"+cohort)
	if err != nil || len(plans) == 0 {
		return names, err
	}
	parents := make([]string, len(plans))
	for i, plan := range plans {
		parents[i] = parent(plan.GetName())
	}
	implementations, err := Implementations.LoadMany(ctx, q, slices.Compact(slices.Clone(parents)))
	if err != nil {
		return nil, err
	}
	for i, plan := range plans {
		if about := implementations[parents[i]]; concerns(about, application, d.GetEnvironment()) && !slices.Contains(names, plan.GetName()) {
			names = append(names, plan.GetName())
		}
	}
	return names, nil
}

// concerns says that an implementation names the application, and the environment or none.
func concerns(i *implementationv1.Implementation, application, environment string) bool {
	return i != nil && !lifecycle.ImplementationEnded(i) && slices.Contains(i.GetApplications(), application) &&
		(len(i.GetEnvironments()) == 0 || slices.Contains(i.GetEnvironments(), environment))
}

// seeDeployment keeps what waves do not say about their deployment, for as long as it is under way.
func seeDeployment(ctx context.Context, tx *sqldb.Tx, d *deploymentv1.Deployment) error {
	if d.GetEndTime() != nil {
		_, err := tx.ExecContext(ctx, "DELETE FROM seen_deployments WHERE name = $1", d.GetName())
		return err
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO seen_deployments (name, environment, rollback_of) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
		d.GetName(), d.GetEnvironment(), d.GetRollbackOf())
	return err
}

// seenDeployment is what is known of one; only its name where nothing is.
func seenDeployment(ctx context.Context, q sqldb.Queryer, name string) (*deploymentv1.Deployment, error) {
	d := &deploymentv1.Deployment{Name: name}
	err := q.QueryRowContext(ctx, "SELECT environment, rollback_of FROM seen_deployments WHERE name = $1", name).Scan(&d.Environment, &d.RollbackOf)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	return d, nil
}

// gone says that a plan that somebody named is not there, or never could be.
func gone(err error) bool {
	return fault.Is(err, fault.KindNotFound) || fault.Is(err, fault.KindInvalid)
}
