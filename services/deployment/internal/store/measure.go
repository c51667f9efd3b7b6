package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/canary"
)

// What measures are computed from. Each function here is one statement, whatever the number of applications: lists go in as one
// argument, in JSON, which both databases read as a table.

// Site is an application in an environment.
type Site struct{ Application, Environment string }

// fastProbe is the class of a probe that was fast enough.
const fastProbe = "within_1000"

// listed is the statement of the texts of a JSON list in the first argument.
func listed(d sqldb.Dialect) string {
	if d == sqldb.Postgres {
		return `SELECT value COLLATE "C" FROM jsonb_array_elements_text(CAST($1 AS JSONB))`
	}
	return `SELECT value FROM json_each($1)`
}

func asJSON(list any) (string, error) {
	data, err := json.Marshal(list)
	return string(data), err
}

// RunsOf returns what ran of applications, in all environments, at any time of [start, end).
func (s *Store) RunsOf(ctx context.Context, applications []string, start, end time.Time) ([]Run, error) {
	list, err := asJSON(applications)
	if err != nil {
		return nil, err
	}
	rows, err := s.DB.Read().QueryContext(ctx, `SELECT target, application, release, installation, from_time, to_time FROM runs
		WHERE application IN (`+listed(s.DB.Dialect())+`) AND from_time < $2 AND (to_time = 0 OR to_time > $3)`, list, end.UnixMicro(), start.UnixMicro())
	found, err := sqldb.Collect(rows, err, scanRun)
	if err != nil {
		return nil, fmt.Errorf("read what ran of %d applications: %w", len(applications), err)
	}
	return found, nil
}

// Probed is what probes saw of a site. Counted are the probes of agents that tell latencies by class, Fast those among them that
// succeeded within a second.
type Probed struct {
	Observation

	Counted, Fast int64
}

// ObserveSites adds up what probes saw in [start, end) site by site. Runs of one installation are read once: a release that was
// reverted and came back would count twice.
func (s *Store) ObserveSites(ctx context.Context, runs []Run, sites []Site, resolution time.Duration, start, end time.Time) (map[Site]Probed, error) {
	list, err := asJSON(stretches(runs, sites, resolution, start, end))
	if err != nil {
		return nil, err
	}
	classes := within()
	_, summed := sums("b.")
	slowest := classes[len(classes)-1]
	blind := fmt.Sprintf("b.%s = 0 AND b.succeeded > 0 AND b.latency_max_us <= %d", slowest, canary.LatencyBounds()[len(classes)-1].Microseconds())
	summed = `(SUM(CASE WHEN ` + blind + ` THEN 0 ELSE b.succeeded + b.failed END), SUM(b.` + fastProbe + `), SUM(b.observed), SUM(b.good), ` + summed + `)`
	const from = ` FROM probe_buckets b WHERE b.resolution = $2 AND b.installation = r.installation AND b.start_time >= r.lo AND b.start_time < r.hi`
	// SQLite adds up stretch by stretch: grouped by site, all columns of all rows would go through a sort first, which costs as much again.
	query := `WITH r AS (SELECT json_extract(value, '$[0]') AS installation, json_extract(value, '$[1]') AS lo, json_extract(value, '$[2]') AS hi, json_extract(value, '$[3]') AS site
		FROM json_each($1)) SELECT r.site, (SELECT json_array` + summed + from + `) FROM r`
	if s.Metrics.Dialect() == sqldb.Postgres {
		query = `WITH r AS (SELECT (value->>0) COLLATE "C" AS installation, CAST(value->>1 AS BIGINT) AS lo, CAST(value->>2 AS BIGINT) AS hi, CAST(value->>3 AS BIGINT) AS site
			FROM jsonb_array_elements(CAST($1 AS JSONB)) AS t (value)) SELECT r.site, json_build_array` + summed + strings.Replace(from, "FROM", "FROM r,", 1) + ` GROUP BY r.site`
	}
	rows, err := s.Metrics.Read().QueryContext(ctx, query,
		list, resolution.Microseconds())
	out := map[Site]Probed{}
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		site, p, err := scanProbed(rows)
		if err == nil {
			sum := out[sites[site]]
			sum.Add(p)
			out[sites[site]] = sum
		}
		return none, err
	})
	if err != nil {
		return nil, fmt.Errorf("add up the probes of %d sites: %w", len(sites), err)
	}
	return out, nil
}

func scanProbed(rows *sql.Rows) (site int64, p Probed, err error) {
	var sums []byte
	if err := rows.Scan(&site, &sums); err != nil {
		return site, p, err
	}
	var all []int64 // where nothing was seen they are null, which is read as zero
	if err := json.Unmarshal(sums, &all); err != nil {
		return site, p, err
	}
	p.Counted, p.Fast, p.Observed, p.Good = all[0], all[1], micros(all[2]), micros(all[3])
	p.Succeeded, p.Failed, p.LatencySum = all[4], all[5], micros(all[6])
	p.Within, p.LatencyMax = all[7:len(all)-1], micros(all[len(all)-1])
	return site, p, nil
}

// Add adds what was seen elsewhere.
func (p *Probed) Add(other Probed) {
	p.add(other.Observation)
	p.Counted += other.Counted
	p.Fast += other.Fast
}

// stretch is a time in which an installation ran, and the number of its site; in JSON a list, as the statement takes it apart.
type stretch struct {
	installation string
	lo, hi       int64
	site         int
}

// MarshalJSON writes a list.
func (s *stretch) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{s.installation, s.lo, s.hi, s.site})
}

// stretches are one for each installation, from its first run to the end of its last.
func stretches(runs []Run, sites []Site, resolution time.Duration, start, end time.Time) []*stretch {
	number := make(map[Site]int, len(sites))
	for i, p := range sites {
		number[p] = i
	}
	known := make(map[string]*stretch, len(runs))
	out := make([]*stretch, 0, len(runs))
	for _, r := range runs {
		site, wanted := number[r.Site()]
		if !wanted {
			continue
		}
		from, to := clip(r, start, end)
		lo, hi := from.Truncate(resolution).UnixMicro(), to.UnixMicro()
		if one := known[r.Installation]; one != nil {
			one.lo, one.hi = min(one.lo, lo), max(one.hi, hi)
			continue
		}
		known[r.Installation] = &stretch{installation: r.Installation, lo: lo, hi: hi, site: site}
		out = append(out, known[r.Installation])
	}
	return out
}

// Site is where it ran.
func (r Run) Site() Site {
	environment, _, _ := strings.Cut(r.Target, "/targets/")
	return Site{Application: r.Application, Environment: environment}
}

// Pushed is what was pushed of a release under a counter in an environment.
type Pushed struct {
	Environment, Release, Counter string
	Tally
}

// PushedRequests sums what was pushed in a workspace and begins in [start, end), which are whole buckets, under counters of errors and of slow requests.
func (s *Store) PushedRequests(ctx context.Context, workspace string, resolution time.Duration, start, end time.Time) ([]Pushed, error) {
	from := fmt.Sprintf(`sample_buckets WHERE resolution = %d AND`, resolution.Microseconds())
	if resolution < Hour {
		from = `samples WHERE`
	}
	lo, hi := workspace+"/environments/", workspace+"/environments/~"
	rows, err := s.Metrics.Read().QueryContext(ctx, `SELECT environment, release, counter, SUM(total), SUM(bad) FROM `+from+`
		environment >= $1 AND environment < $2 AND start_time >= $3 AND start_time < $4 AND (counter LIKE '%errors' OR counter LIKE '%slow')
		GROUP BY environment, release, counter`, lo, hi, start.UnixMicro(), end.UnixMicro())
	found, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (p Pushed, err error) {
		return p, rows.Scan(&p.Environment, &p.Release, &p.Counter, &p.Total, &p.Bad)
	})
	if err != nil {
		return nil, fmt.Errorf("sum what was pushed in %s: %w", workspace, err)
	}
	return found, nil
}

// FeedbackSince returns what people said of applications in [start, end).
func (s *Store) FeedbackSince(ctx context.Context, applications []string, start, end time.Time) ([]*deploymentv1.Feedback, error) {
	list, err := asJSON(applications)
	if err != nil {
		return nil, err
	}
	return Feedback.Select(ctx, s.DB.Read(), `WHERE parent IN (`+listed(s.DB.Dialect())+`) AND update_time >= $2 AND update_time < $3`, list, start.UnixMicro(), end.UnixMicro())
}

// DeploymentsUnderWay returns the deployments of applications that have not ended, and the newest in each environment that has, without
// those that only mend what another left.
func (s *Store) DeploymentsUnderWay(ctx context.Context, applications []string) ([]*deploymentv1.Deployment, error) {
	list, err := asJSON(applications)
	if err != nil {
		return nil, err
	}
	mending := fmt.Sprintf("(%d, %d)", deploymentv1.Deployment_CATCH_UP, deploymentv1.Deployment_REAPPLY)
	return Deployments.Select(ctx, s.DB.Read(), `WHERE parent IN (`+listed(s.DB.Dialect())+`) AND (terminal = 0 OR name IN
		(SELECT name FROM (SELECT name, ROW_NUMBER() OVER (PARTITION BY parent, environment ORDER BY create_time DESC, name DESC) AS newest FROM deployments
			WHERE parent IN (`+listed(s.DB.Dialect())+`) AND terminal = 1 AND kind NOT IN `+mending+`) ended WHERE newest = 1)) ORDER BY create_time DESC, name`, list)
}

// WavesOf returns the waves of deployments in their order.
func (s *Store) WavesOf(ctx context.Context, deployments []string) ([]*deploymentv1.Wave, error) {
	list, err := asJSON(deployments)
	if err != nil {
		return nil, err
	}
	return Waves.Select(ctx, s.DB.Read(), `WHERE parent IN (`+listed(s.DB.Dialect())+`) ORDER BY parent, ordinal`, list)
}

// OpenIncident is an incident that goes on, and where the deployment went that caused it.
type OpenIncident struct {
	Name string
	Site
}

// OpenIncidents returns the incidents of a workspace that go on and that a deployment caused, by name.
func (s *Store) OpenIncidents(ctx context.Context, workspace string) ([]OpenIncident, error) {
	rows, err := s.DB.Read().QueryContext(ctx, `SELECT i.name, d.parent, d.environment FROM incidents i JOIN deployments d ON d.name = i.caused_by
		WHERE i.parent = $1 AND i.state = $2 ORDER BY i.name`, workspace, int64(deploymentv1.Incident_OPEN))
	found, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (i OpenIncident, err error) {
		return i, rows.Scan(&i.Name, &i.Application, &i.Environment)
	})
	if err != nil {
		return nil, fmt.Errorf("read open incidents of %s: %w", workspace, err)
	}
	return found, nil
}
