package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// Cell is one release in one environment.
type Cell struct{ Release, Environment string }

// ReleaseStandings returns how the releases of some applications stand in every environment that they have to do
// with, in three statements whatever their number. The applications are those from a name up to another.
func ReleaseStandings(ctx context.Context, q sqldb.Queryer, from, to string) (map[Cell]rollout.Standing, error) {
	out := map[Cell]rollout.Standing{}
	runs := func(c Cell, s rollout.Standing) rollout.Standing {
		have := out[c]
		have.Running, have.Healthy, have.Unhealthy = s.Running, s.Healthy, s.Unhealthy
		return have
	}
	err := eachCell(ctx, q, out, runs, `SELECT s.release, t.parent, COUNT(*), SUM(CASE WHEN s.health = `+number(deploymentv1.Installation_HEALTHY_NOW)+` AND s.settled = 1 THEN 1 ELSE 0 END),
		SUM(CASE WHEN s.health = `+number(deploymentv1.Installation_UNHEALTHY)+` THEN 1 ELSE 0 END)
		FROM slots s JOIN targets t ON t.name = s.target WHERE s.application >= $1 AND s.application < $2 GROUP BY s.release, t.parent`, from, to)
	if err != nil {
		return nil, fmt.Errorf("count what runs: %w", err)
	}
	desires := func(c Cell, s rollout.Standing) rollout.Standing {
		have := out[c]
		have.Desired = s.Running
		return have
	}
	err = eachCell(ctx, q, out, desires, `SELECT d.release, t.parent, COUNT(*), 0, 0 FROM desired_releases d JOIN targets t ON t.name = d.target
		WHERE d.application >= $1 AND d.application < $2 GROUP BY d.release, t.parent`, from, to)
	if err != nil {
		return nil, fmt.Errorf("count what should run: %w", err)
	}
	return out, lastDeployments(ctx, q, out, from, to)
}

func eachCell(ctx context.Context, q sqldb.Queryer, into map[Cell]rollout.Standing, merge func(Cell, rollout.Standing) rollout.Standing, query, from, to string) error {
	rows, err := q.QueryContext(ctx, query, from, to)
	_, err = sqldb.Collect(rows, err, func(r *sql.Rows) (c Cell, err error) {
		var s rollout.Standing
		if err = r.Scan(&c.Release, &c.Environment, &s.Running, &s.Healthy, &s.Unhealthy); err == nil {
			into[c] = merge(c, s)
		}
		return c, err
	})
	return err
}

// lastDeployments adds the last deployment of each release to each environment, and when one was sealed as a whole.
func lastDeployments(ctx context.Context, q sqldb.Queryer, into map[Cell]rollout.Standing, from, to string) error {
	// One that had succeeded keeps its state when it is taken back.
	rows, err := q.QueryContext(ctx, `SELECT release, environment, name, CASE WHEN state = `+number(deploymentv1.Deployment_SUCCEEDED)+`
			AND EXISTS (SELECT 1 FROM deployments b WHERE b.rollback_of <> '' AND b.rollback_of = known.name)
			THEN `+number(deploymentv1.Deployment_ROLLED_BACK)+` ELSE state END, sealed FROM (
		SELECT release, environment, name, state, ROW_NUMBER() OVER (PARTITION BY release, environment ORDER BY create_time DESC, name DESC) AS n,
			MAX(CASE WHEN state = `+number(deploymentv1.Deployment_SUCCEEDED)+` AND kind IN (0, `+number(deploymentv1.Deployment_RELEASE)+`) THEN end_time ELSE 0 END)
				OVER (PARTITION BY release, environment) AS sealed
		FROM deployments WHERE parent >= $1 AND parent < $2 AND NOT `+in("kind", deploymentv1.Deployment_CATCH_UP, deploymentv1.Deployment_ROLLBACK)+`) AS known WHERE n = 1`, from, to)
	_, err = sqldb.Collect(rows, err, func(r *sql.Rows) (c Cell, err error) {
		var name string
		var state deploymentv1.Deployment_State
		var sealed int64
		if err = r.Scan(&c.Release, &c.Environment, &name, &state, &sealed); err != nil {
			return c, err
		}
		s := into[c]
		s.Deployment, s.State = name, state
		if sealed != 0 {
			s.Sealed = time.UnixMicro(sealed)
		}
		into[c] = s
		return c, nil
	})
	if err != nil {
		return fmt.Errorf("find the last deployments: %w", err)
	}
	return nil
}

// matrixReleases is how many releases of an application the matrix shows when not asked.
const matrixReleases = 10

// ReleaseMatrix shows every release of a workspace in every environment, in five statements whatever their number.
func (s *Store) ReleaseMatrix(ctx context.Context, req *deploymentv1.GetReleaseMatrixRequest) (*deploymentv1.ReleaseMatrix, error) {
	q := s.DB.Read()
	from, to := req.GetParent()+"/applications/", req.GetParent()+"/applications/~"
	if a := req.GetApplication(); a != "" {
		if err := SameWorkspace("application", req.GetParent()+"/", a); err != nil {
			return nil, err
		}
		if err := Applications.Required(ctx, q, a); err != nil {
			return nil, err
		}
		from, to = OneApplication(a)
	}
	environments, err := Environments.Select(ctx, q, `WHERE parent = $1 ORDER BY ordinal, name`, req.GetParent())
	if err != nil {
		return nil, err
	}
	newest := int(req.GetReleases())
	if newest == 0 {
		newest = matrixReleases
	}
	releases, err := Releases.Select(ctx, q, `WHERE name IN (SELECT name FROM (SELECT name, ROW_NUMBER() OVER (PARTITION BY parent ORDER BY create_time DESC, name DESC) AS n
			FROM releases WHERE parent >= $1 AND parent < $2) AS newest WHERE n <= $3)
		OR name IN (SELECT release FROM slots WHERE application >= $1 AND application < $2)
		OR name IN (SELECT release FROM desired_releases WHERE application >= $1 AND application < $2)
		ORDER BY parent, create_time DESC, name DESC`, from, to, newest)
	if err != nil {
		return nil, err
	}
	standings, err := ReleaseStandings(ctx, q, from, to)
	if err != nil {
		return nil, err
	}
	out := &deploymentv1.ReleaseMatrix{Environments: namesOf(environments)}
	now := s.Now()
	for _, r := range releases {
		row := &deploymentv1.ReleaseMatrixRow{Release: r.GetName(), Version: r.GetVersion(), State: r.GetState()}
		for _, e := range environments {
			row.Cells = append(row.Cells, cell(r, e, standings, now))
		}
		out.Rows = append(out.Rows, row)
	}
	return out, nil
}

func cell(r *deploymentv1.Release, e *deploymentv1.Environment, standings map[Cell]rollout.Standing, now time.Time) *deploymentv1.ReleaseMatrixCell {
	here := standings[Cell{r.GetName(), e.GetName()}]
	out := &deploymentv1.ReleaseMatrixCell{
		Running: here.Running, Healthy: here.Healthy, Desired: here.Desired, Deployment: here.Deployment, DeploymentState: here.State,
	}
	if here.Desired > 0 {
		if !here.Sealed.IsZero() {
			out.SealedTime = stampOf(here.Sealed.UnixMicro())
		}
		return out
	}
	before := standings[Cell{r.GetName(), e.GetPromotedFrom()}]
	for _, o := range rollout.Promotable(r, e, before, here, false, now) {
		out.PromotionBlockedBy = append(out.PromotionBlockedBy, o.BlockedBy)
	}
	return out
}

// OneApplication is the range of names that holds one application alone.
func OneApplication(name string) (from, to string) { return name, name + "!" } // below all that a longer name goes on with

// PromotedDeployment returns the deployment that has been promoted to an environment and has not ended; nil where there is none.
func PromotedDeployment(ctx context.Context, q sqldb.Queryer, application, environment, release string) (*deploymentv1.Deployment, error) {
	all, err := Unended(ctx, q, application, environment)
	at := slices.IndexFunc(all, func(d *deploymentv1.Deployment) bool { return d.GetRelease() == release && d.GetPromotedFrom() != "" })
	if err != nil || at < 0 {
		return nil, err
	}
	return all[at], nil
}
