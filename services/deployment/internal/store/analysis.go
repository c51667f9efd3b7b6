package store

import (
	"context"
	"slices"
	"strings"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Analyses are the metrics of waves, measured against their baselines.
var Analyses = resource.Define(resource.Spec[*deploymentv1.Analysis]{
	Table:   "analyses",
	Columns: []resource.Column[*deploymentv1.Analysis]{{Field: "state"}},
	Parent:  Waves.RequiredLater,
})

// AnalysesOf returns the rows of a wave's metrics, in the order of their names.
func AnalysesOf(ctx context.Context, q sqldb.Queryer, wave string) ([]resource.Row[*deploymentv1.Analysis], error) {
	return Analyses.SelectRows(ctx, q, `WHERE parent = $1 ORDER BY name`, wave)
}

// mostBaseline is how many targets make up a baseline at most: more say nothing more, and are read every interval.
const mostBaseline = 500

// Arm is one side of a comparison: targets, and the installations whose probes watch what runs there.
type Arm struct{ Targets, Installations []string }

// CanaryArm returns the members of a wave that run its release now.
func CanaryArm(ctx context.Context, q sqldb.Queryer, wave string) (Arm, error) {
	return arm(ctx, q, `SELECT target, name FROM installations WHERE wave = $1 AND `+
		in("state", deploymentv1.Installation_HEALTHY, deploymentv1.Installation_SEALED)+` ORDER BY name LIMIT $2`, wave, mostBaseline)
}

// BaselineArm returns targets of the environment that run the release which the wave replaces, like its members in
// kind, and in cohort where there are such: those that the deployment has yet to upgrade before others. What it has
// touched is no baseline, whatever runs there.
func BaselineArm(ctx context.Context, q sqldb.Queryer, wave, release, environment string) (Arm, error) {
	prefix := environment + "/targets/"
	application, _, _ := strings.Cut(wave, "/deployments/")
	deployment, _, _ := strings.Cut(wave, "/waves/")
	old, err := arm(ctx, q, `SELECT s.target, s.installation FROM slots s LEFT JOIN installations i ON i.parent = $1 AND i.target = s.target
		WHERE s.application = $2 AND s.target >= $3 AND s.target < $4 AND s.release = $5 AND s.settled = 1
		AND (i.wave IS NULL OR i.wave <> $6 AND `+in("i.state", deploymentv1.Installation_QUEUED)+`)
		ORDER BY CASE WHEN i.wave IS NULL THEN 1 ELSE 0 END, s.target LIMIT $7`,
		deployment, application, prefix, prefix+"~", release, wave, mostBaseline)
	if err != nil || len(old.Targets) == 0 {
		return Arm{}, err
	}
	upgraded, err := arm(ctx, q, `SELECT target, name FROM installations WHERE wave = $1 ORDER BY name LIMIT $2`, wave, mostBaseline)
	if err != nil {
		return Arm{}, err
	}
	targets, err := Targets.LoadMany(ctx, q, append(slices.Clone(old.Targets), upgraded.Targets...))
	if err != nil {
		return Arm{}, err
	}
	return old.like(upgraded, targets), nil
}

// like keeps the targets of the kinds of others, and among them those of their cohorts where there are any.
func (a *Arm) like(others Arm, targets map[string]*deploymentv1.Target) Arm {
	kinds, cohorts := map[deploymentv1.Target_Kind]bool{}, map[string]bool{}
	for _, name := range others.Targets {
		kinds[targets[name].GetKind()] = true
		for _, c := range targets[name].GetCohorts() {
			cohorts[c] = true
		}
	}
	var kind, cohort Arm
	for i, name := range a.Targets {
		if !kinds[targets[name].GetKind()] {
			continue
		}
		kind.add(name, a.Installations[i])
		if slices.ContainsFunc(targets[name].GetCohorts(), func(c string) bool { return cohorts[c] }) {
			cohort.add(name, a.Installations[i])
		}
	}
	if len(cohort.Targets) > 0 {
		return cohort
	}
	return kind
}

func (a *Arm) add(target, installation string) {
	a.Targets = append(a.Targets, target)
	a.Installations = append(a.Installations, installation)
}

func arm(ctx context.Context, q sqldb.Queryer, query string, args ...any) (a Arm, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	return a, collectPairs(rows, err, a.add)
}

// ReplacedRelease returns the release that most members of a wave ran before; "" where none ran any. It is the
// release of the deployment itself where only the configuration changes.
func ReplacedRelease(ctx context.Context, q sqldb.Queryer, wave string) (string, error) {
	rows, err := q.QueryContext(ctx, `SELECT from_release FROM installations WHERE wave = $1 AND from_release <> ''
		GROUP BY from_release, to_release ORDER BY CASE WHEN from_release = to_release THEN 1 ELSE 0 END, COUNT(*) DESC, from_release LIMIT 1`, wave)
	found, err := sqldb.Collect(rows, err, scanText)
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0], nil
}
