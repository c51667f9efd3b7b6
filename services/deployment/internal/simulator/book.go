package simulator

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// book is what the simulator has seen of the store: deployments and waves as their events
// tell them, installations as their rows do.
type book struct {
	w       *world
	seq     int64
	commits int
	reads   int

	deployments   map[string]*entry[*deploymentv1.Deployment]
	waves         map[string]*entry[*deploymentv1.Wave]
	installations map[string]installation
	// replayed is what the event log alone says of the installations.
	replayed map[string]*deploymentv1.Installation
	// epochs is the newest epoch of each target.
	epochs map[string]int64
	// plans are the digests of what is frozen in a deployment.
	plans map[string][32]byte
}

// entry is the newest event of a deployment or a wave.
type entry[M proto.Message] struct {
	message  M
	revision int64
	digest   [32]byte
}

type installation struct {
	name, deployment, target, wave string
	from, to, digest, fromDigest   string
	state                          deploymentv1.Installation_State
	health                         deploymentv1.Installation_Health
	attempt                        int32
	epoch, revision                int64
	action                         agentv1.Command_Action
	active                         bool
	updated                        time.Time
}

// change is what one step did.
type change struct {
	deployments   []moved[*deploymentv1.Deployment]
	waves         []moved[*deploymentv1.Wave]
	installations []movedInstallation
}

// moved is a message before and after; before is unset of what is new.
type moved[M proto.Message] struct{ before, after M }

type movedInstallation struct {
	known         bool
	before, after installation
}

func newBook(w *world) *book {
	b := &book{
		w: w, deployments: map[string]*entry[*deploymentv1.Deployment]{}, waves: map[string]*entry[*deploymentv1.Wave]{}, installations: map[string]installation{},
		replayed: map[string]*deploymentv1.Installation{}, epochs: map[string]int64{}, plans: map[string][32]byte{},
	}
	for _, seq := range query(w, func(rows *sql.Rows) (seq int64, err error) { return seq, rows.Scan(&seq) }, `SELECT COALESCE(MAX(seq), 0) FROM events`) {
		b.seq = seq
	}
	return b
}

// running names the deployments that have not ended, in order.
func (b *book) running() []string {
	var names []string
	for name, d := range b.deployments {
		if !rollout.Ended(d.message.GetState()) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (b *book) names() []string { return slices.Sorted(maps.Keys(b.deployments)) }

// wavesOf returns the waves of a deployment in their order.
func (b *book) wavesOf(deployment string) []*deploymentv1.Wave {
	var all []*deploymentv1.Wave
	for name, wave := range b.waves {
		if rollout.DeploymentOf(name) == deployment {
			all = append(all, wave.message)
		}
	}
	slices.SortFunc(all, func(a, b *deploymentv1.Wave) int { return int(a.GetOrdinal() - b.GetOrdinal()) })
	return all
}

// membersOf returns the installations of a wave.
func (b *book) membersOf(wave string) []installation {
	var all []installation
	for _, i := range b.installations {
		if i.wave == wave {
			all = append(all, i)
		}
	}
	slices.SortFunc(all, func(a, b installation) int { return strings.Compare(a.name, b.name) })
	return all
}

type row struct {
	seq              int64
	resource, typ    string
	revision         int64
	after, beforeSum []byte
}

// read takes in what was committed since the last time.
func (b *book) read() (c change, err error) {
	rows := query(b.w, func(rows *sql.Rows) (r row, err error) {
		return r, rows.Scan(&r.seq, &r.resource, &r.typ, &r.revision, &r.after, &r.beforeSum)
	}, `SELECT seq, resource, type, revision, after, before_digest FROM events WHERE seq > $1 ORDER BY seq`, b.seq)
	touched := map[string]bool{}
	for _, r := range rows {
		b.seq = r.seq
		if r.after == nil {
			continue // it was deleted
		}
		var after anypb.Any
		if err := proto.Unmarshal(r.after, &after); err != nil {
			return c, err
		}
		switch {
		case strings.HasPrefix(r.typ, "deployment.installation."):
			touched[r.resource] = true
			i := &deploymentv1.Installation{}
			err = errors.Join(err, after.UnmarshalTo(i))
			b.replayed[r.resource] = i
		case strings.HasPrefix(r.typ, "deployment.wave."):
			m, broken := record(b.waves, r, &after, &deploymentv1.Wave{})
			c.waves, err = append(c.waves, m), errors.Join(err, broken)
		case strings.HasPrefix(r.typ, "deployment.deployment."):
			m, broken := record(b.deployments, r, &after, &deploymentv1.Deployment{})
			c.deployments, err = append(c.deployments, m), errors.Join(err, broken)
		}
	}
	b.reads++
	for _, d := range c.deployments {
		if d.before == nil || rollout.Ended(d.after.GetState()) {
			touched[d.after.GetName()] = true // that its targets are held or free is no event
		}
	}
	for _, i := range b.rows(slices.Sorted(maps.Keys(touched)), b.reads%64 == 0) {
		before, known := b.installations[i.name]
		if !known || before != i {
			c.installations = append(c.installations, movedInstallation{known, before, i})
			b.installations[i.name] = i
		}
	}
	return c, err
}

// record keeps the newest event of a resource. Revisions follow each other and each event
// names the bytes that it replaced (F1, F2): a write that overlooked another one shows here.
func record[M proto.Message](into map[string]*entry[M], r row, after *anypb.Any, m M) (moved[M], error) {
	err := after.UnmarshalTo(m)
	old := into[r.resource]
	change := moved[M]{after: m}
	switch {
	case old == nil && r.revision != 1:
		err = errors.Join(err, fmt.Errorf("%s begins with revision %d", r.resource, r.revision))
	case old != nil:
		change.before = old.message
		if r.revision != old.revision+1 || !bytes.Equal(r.beforeSum, old.digest[:]) {
			err = errors.Join(err, fmt.Errorf("%s: revision %d (%s) was not made from revision %d: a write was lost", r.resource, r.revision, r.typ, old.revision))
		}
	}
	into[r.resource] = &entry[M]{message: m, revision: r.revision, digest: sha256.Sum256(after.GetValue())}
	return change, err
}

const installationColumns = `SELECT name, parent, target, wave, from_release, to_release, config_digest, from_config_digest, state, health, attempt, epoch, revision, action, active, update_time FROM installations`

// rows reads the installations that are active, or named by themselves or their deployment, or all of them.
func (b *book) rows(named []string, all bool) []installation {
	if all {
		return query(b.w, scanInstallation, installationColumns+` ORDER BY name`)
	}
	found := query(b.w, scanInstallation, installationColumns+` WHERE active = 1`)
	for _, name := range named {
		column := `name`
		if !strings.Contains(name, "/installations/") {
			column = `parent`
		}
		found = append(found, query(b.w, scanInstallation, installationColumns+` WHERE `+column+` = $1`, name)...)
	}
	slices.SortFunc(found, func(a, b installation) int { return strings.Compare(a.name, b.name) })
	return slices.Compact(found)
}

func scanInstallation(rows *sql.Rows) (i installation, err error) {
	var micros int64
	err = rows.Scan(&i.name, &i.deployment, &i.target, &i.wave, &i.from, &i.to, &i.digest, &i.fromDigest, &i.state, &i.health, &i.attempt, &i.epoch, &i.revision, &i.action, &i.active, &micros)
	i.updated = time.UnixMicro(micros)
	return i, err
}
