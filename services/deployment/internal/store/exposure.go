package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Exposure is how long one installation of a deployment had its release live.
type Exposure struct {
	Deployment, Wave, Target string
	From                     time.Time // By the host's clock; zero where it never went live.
	To                       time.Time // Zero while it goes on.
}

// Exposures says how long the releases of deployments were live on each of their targets: from the first step that
// activates to the moment something else ran there.
func Exposures(ctx context.Context, q sqldb.Queryer, deployments []string) ([]Exposure, error) {
	live := in("s.state", deploymentv1.Installation_ACTIVATING, deploymentv1.Installation_PROBING)
	reverted := deploymentv1.Installation_REVERTED
	var out []Exposure
	err := inChunks(deployments, func(marks string, args []any) error {
		rows, err := q.QueryContext(ctx, `SELECT b.parent, b.wave, b.target, b.began, CASE WHEN b.state = `+number(reverted)+` THEN b.update_time ELSE 0 END,
			COALESCE((SELECT MIN(r.from_time) FROM runs r WHERE r.target = b.target AND r.application = b.application AND r.from_time > b.began
				AND (r.installation <> b.name OR r.release <> b.to_release)), 0)
			FROM (SELECT i.name, i.parent, i.wave, i.target, i.application, i.to_release, i.state, i.update_time,
				COALESCE((SELECT MIN(s.start_time) FROM installation_steps s WHERE s.installation = i.name AND `+live+`), 0) AS began
				FROM installations i WHERE i.parent IN (`+marks+`)) b ORDER BY b.parent, b.wave, b.target`, args...)
		found, err := sqldb.Collect(rows, err, scanExposure)
		out = append(out, found...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read how long releases were live: %w", err)
	}
	return out, nil
}

func scanExposure(rows *sql.Rows) (Exposure, error) {
	var e Exposure
	var began, reverted, next int64
	err := rows.Scan(&e.Deployment, &e.Wave, &e.Target, &began, &reverted, &next)
	if began != 0 {
		e.From = time.UnixMicro(began).UTC()
	}
	if next == 0 {
		next = reverted
	}
	if next != 0 {
		e.To = time.UnixMicro(next).UTC()
	}
	return e, err
}

// DeploymentsSince returns the deployments of an application, or of all of a workspace with `applications/-`, that
// ended at or after a moment, or have not ended.
func DeploymentsSince(ctx context.Context, q sqldb.Queryer, parent string, since time.Time) ([]*deploymentv1.Deployment, error) {
	lo, hi := parent, parent
	if workspace := WorkspaceOf(parent); parent == workspace+"/applications/-" {
		lo, hi = workspace+"/applications/", workspace+"/applications/~"
	}
	return Deployments.Select(ctx, q, `WHERE parent >= $1 AND parent <= $2 AND (end_time = 0 OR end_time >= $3)`, lo, hi, since.UnixMicro())
}

// IncidentsOf returns the incidents that name one of an application's deployments as their cause.
func IncidentsOf(ctx context.Context, q sqldb.Queryer, parent string) ([]*deploymentv1.Incident, error) {
	lo, hi := parent+"/deployments/", parent+"/deployments/~"
	if workspace := WorkspaceOf(parent); parent == workspace+"/applications/-" {
		lo, hi = workspace+"/applications/", workspace+"/applications/~"
	}
	return Incidents.Select(ctx, q, `WHERE caused_by >= $1 AND caused_by < $2 ORDER BY name`, lo, hi)
}

// Headcounts returns how many people stand behind the waves of deployments, where a gate about them said so.
func Headcounts(ctx context.Context, q sqldb.Queryer, deployments []string) (map[string]int64, error) {
	people := map[string]int64{}
	err := inChunks(deployments, func(marks string, args []any) error {
		waves, err := Waves.Select(ctx, q, `WHERE parent IN (`+marks+`)`, args...)
		for _, w := range waves {
			for _, g := range w.GetGates() {
				people[w.GetName()] = max(people[w.GetName()], g.GetVerdict().GetHeadcount())
			}
		}
		return err
	})
	return people, err
}
