package store

import (
	"context"
	"database/sql"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/waits"
)

// What people are told beside what is stored with a resource: it changes too often, or
// belongs to another row. Each is one query for a whole page.

// DescribeTargets fills connected, last_seen_time and running.
func (s *Store) DescribeTargets(ctx context.Context, targets ...*deploymentv1.Target) error {
	names := namesOf(targets)
	here, err := s.presence(ctx, names)
	if err != nil {
		return err
	}
	slots, err := SlotsOn(ctx, s.DB.Read(), names)
	if err != nil {
		return err
	}
	var releases []string
	for _, on := range slots {
		for _, slot := range on {
			releases = append(releases, slot.Release)
		}
	}
	known, err := Releases.LoadMany(ctx, s.DB.Read(), releases)
	if err != nil {
		return err
	}
	should, err := DesiredOn(ctx, s.DB.Read(), names)
	if err != nil {
		return err
	}
	differs, err := driftOn(ctx, s.DB.Read(), names)
	if err != nil {
		return err
	}
	for _, t := range targets {
		if p, ok := here[t.GetName()]; ok {
			t.Connected, t.LastSeenTime = p.connected, timestamppb.New(p.lastSeen)
		}
		t.Running = nil
		for _, slot := range slots[t.GetName()] {
			t.Running = append(t.Running, &deploymentv1.RunningRelease{
				Application: slot.Application, Release: slot.Release, Version: known[slot.Release].GetVersion(), Sha256: slot.SHA256,
				Installation: slot.Installation, Since: timestamppb.New(slot.Since), Health: slot.Health,
			})
		}
		describeDesired(t, should[t.GetName()], differs)
	}
	return nil
}

// describeDesired says beside what runs what should, and names what should run and does not.
func describeDesired(t *deploymentv1.Target, should []*Desired, differs map[[2]string]*Drifted) {
	running := map[string]*deploymentv1.RunningRelease{}
	for _, r := range t.GetRunning() {
		running[r.GetApplication()] = r
	}
	for _, d := range should {
		r := running[d.Application]
		if r == nil {
			r = &deploymentv1.RunningRelease{Application: d.Application}
			t.Running = append(t.Running, r)
		}
		r.DesiredRelease = d.Release
		if x := differs[[2]string{t.GetName(), d.Application}]; x != nil {
			r.Drift = x.Reason
		}
	}
}

// DescribeInstallations says why installations wait, where they do.
func (s *Store) DescribeInstallations(ctx context.Context, all ...*deploymentv1.Installation) error {
	var targets []string
	for _, i := range all {
		if waits.InstallationWaits(i.GetState()) {
			targets = append(targets, i.GetTarget())
		}
	}
	hosts, err := s.hosts(ctx, targets)
	for _, i := range all {
		i.BlockedBy = waits.InstallationReasons(i, hosts[i.GetTarget()])
	}
	return err
}

// hosts says what is known of the hosts of targets, for those who wait for them.
func (s *Store) hosts(ctx context.Context, targets []string) (map[string]waits.Presence, error) {
	here, err := s.presence(ctx, targets)
	if err != nil {
		return nil, err
	}
	kept, err := Targets.LoadMany(ctx, s.DB.Read(), targets)
	if err != nil {
		return nil, err
	}
	hosts := make(map[string]waits.Presence, len(kept))
	for name, t := range kept {
		hosts[name] = waits.Presence{Connected: here[name].connected, LastSeen: here[name].lastSeen, Maintenance: t.GetMaintenance(), Agent: t.GetAgent()}
	}
	return hosts, nil
}

// DescribeDeployments fills rolled_back_by.
func DescribeDeployments(ctx context.Context, q sqldb.Queryer, deployments ...*deploymentv1.Deployment) error {
	by := map[string]string{}
	err := inChunks(namesOf(deployments), func(marks string, args []any) error {
		rows, err := q.QueryContext(ctx, `SELECT rollback_of, name FROM deployments WHERE rollback_of <> '' AND rollback_of IN (`+marks+`) ORDER BY create_time`, args...)
		return collectPairs(rows, err, func(of, name string) { by[of] = name })
	})
	for _, d := range deployments {
		d.RolledBackBy = by[d.GetName()]
	}
	return err
}

type presentTarget struct {
	name      string
	connected bool
	lastSeen  time.Time
}

// presence tells of each target whether its agent is connected.
func (s *Store) presence(ctx context.Context, targets []string) (map[string]presentTarget, error) {
	found := make(map[string]presentTarget, len(targets))
	now := s.Now().UnixMicro()
	err := inChunks(targets, func(marks string, args []any) error {
		rows, err := s.DB.Read().QueryContext(ctx, `SELECT target, connected, lease_until, last_seen FROM target_presence WHERE target IN (`+marks+`)`, args...)
		all, err := sqldb.Collect(rows, err, func(r *sql.Rows) (p presentTarget, err error) {
			var lease, seen int64
			err = r.Scan(&p.name, &p.connected, &lease, &seen)
			p.connected = p.connected && lease > now
			p.lastSeen = time.UnixMicro(seen)
			return p, err
		})
		for _, p := range all {
			found[p.name] = p
		}
		return err
	})
	return found, err
}

func namesOf[M interface{ GetName() string }](all []M) []string {
	names := make([]string, len(all))
	for i, m := range all {
		names[i] = m.GetName()
	}
	return names
}
