// Package waits says of each kind of thing in this service whether it waits, for whom and since
// when. It is pure: why a deployment, a wave or an installation waits was found out elsewhere and is in
// its message; here it becomes one line of the list of everything that waits. The same functions give the
// columns that the list is selected by, so that list and columns cannot say different things.
package waits

import (
	"cmp"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// operators is who moves what has no owner of its own.
const operators = "operators"

// The kinds of things that wait here, as [waitingv1.Waiting] names them.
const (
	KindDeployment   = "deployment"
	KindWave         = "wave"
	KindInstallation = "installation"
	KindAgent        = "agent"
	KindTarget       = "target"
	KindEnvironment  = "environment"
	KindApplication  = "application"
	KindMigrationRun = "migrationRun"
	KindPolicy       = "policy"
)

// Waiting makes the line of a thing from its reasons. It waits since the oldest of them holds, and goes on when the last
// of them ends; that nobody knows where one of them has no end.
func Waiting(kind, name, display, state, group string, reasons []*gatev1.BlockedBy) *waitingv1.Waiting {
	w := &waitingv1.Waiting{Resource: name, Kind: kind, DisplayName: display, State: state, Group: group, BlockedBy: reasons}
	open := false // whether nobody knows of some reason when it ends
	for _, r := range reasons {
		w.Owner = cmp.Or(w.GetOwner(), r.GetOwner())
		if at := r.GetSince(); at != nil && (w.GetSince() == nil || at.AsTime().Before(w.GetSince().AsTime())) {
			w.Since = at
		}
		open = open || r.GetEta() == nil
		if r.GetEta().AsTime().After(w.GetEta().AsTime()) {
			w.Eta = r.GetEta()
		}
	}
	if open {
		w.Eta = nil
	}
	return w
}

// Deployment is the line of a deployment. One that has ended waits for nothing.
func Deployment(d *deploymentv1.Deployment) *waitingv1.Waiting {
	reasons := d.GetBlockedBy()
	if rollout.Ended(d.GetState()) {
		reasons = nil
	}
	return Waiting(KindDeployment, d.GetName(), lastSegment(d.GetRelease())+" to "+lastSegment(d.GetEnvironment()), d.GetState().String(), ApplicationOf(d.GetName()), reasons)
}

// Wave is the line of a wave, also of one whose turn has not come.
func Wave(w *deploymentv1.Wave) *waitingv1.Waiting {
	reasons := w.GetBlockedBy()
	if rollout.WaveEnded(w.GetState()) {
		reasons = nil
	}
	return Waiting(KindWave, w.GetName(), w.GetRule().GetId(), w.GetState().String(), ApplicationOf(w.GetName()), reasons)
}

// Installation is the line of an installation that was described, so that it says why it waits.
func Installation(i *deploymentv1.Installation) *waitingv1.Waiting {
	return Waiting(KindInstallation, i.GetName(), lastSegment(i.GetTarget()), i.GetState().String(), ApplicationOf(i.GetName()), i.GetBlockedBy())
}

// Agent is the line of an agent that calls and is not heard, or does not run the program that it should. That one is
// away is no news by itself: what waits for its targets says so.
func Agent(a *deploymentv1.Agent) *waitingv1.Waiting {
	id := lastSegment(a.GetName())
	state, reason := "CONNECTED", (*gatev1.BlockedBy)(nil)
	switch {
	case a.GetRevokeTime() != nil:
		state, reason = "REVOKED", &gatev1.BlockedBy{
			Current: "revoked", Required: "a new enrolment of this host", Since: a.GetRevokeTime(), Command: "golive agent token " + id,
		}
	case a.GetQuarantineReason() != "":
		state, reason = "QUARANTINED", &gatev1.BlockedBy{
			Current: a.GetQuarantineReason(), Required: "one process with this identity", Since: a.GetUpdateTime(), Command: "golive agent release " + a.GetName(),
		}
	case a.GetUpdateError() != "" && a.GetDesiredVersion() != a.GetVersion():
		reason = &gatev1.BlockedBy{
			Current: a.GetUpdateError(), Required: "version " + a.GetDesiredVersion() + " of its program", Since: a.GetUpdateTime(), Command: "golive agent upgrade " + id + " VERSION --artifact …",
		}
	}
	if reason == nil {
		return Waiting(KindAgent, a.GetName(), "", state, "", nil)
	}
	reason.Kind, reason.Resource, reason.Owner = gatev1.BlockedBy_OPERATOR, a.GetName(), operators
	return Waiting(KindAgent, a.GetName(), "", state, "", []*gatev1.BlockedBy{reason})
}

// MigrationRun is the line of a migration of which nobody knows whether it was made, or that failed.
func MigrationRun(r *deploymentv1.MigrationRun) *waitingv1.Waiting {
	var reasons []*gatev1.BlockedBy
	b := &gatev1.BlockedBy{
		Kind: gatev1.BlockedBy_MIGRATION, Resource: r.GetName(), Owner: operators, Since: r.GetUpdateTime(),
		Required: "migration " + r.GetMigrationId() + " made, or known not to be", Command: "golive resolve " + r.GetName(),
	}
	switch r.GetState() {
	case deploymentv1.MigrationRun_INTERRUPTED:
		b.Current = "whether it was made is not known: " + r.GetMessage()
		reasons = append(reasons, b)
	case deploymentv1.MigrationRun_FAILED:
		b.Current = "it failed: " + r.GetMessage()
		reasons = append(reasons, b)
	default:
	}
	return Waiting(KindMigrationRun, r.GetName(), r.GetMigrationId(), r.GetState().String(), r.GetApplication(), reasons)
}

// Policy is the line of a policy by which somebody stopped the line: others wait until a person releases it.
func Policy(p *deploymentv1.Policy) *waitingv1.Waiting {
	line := p.GetStopLine()
	if !line.GetEngaged() {
		return Waiting(KindPolicy, p.GetName(), p.GetDisplayName(), "", "", nil)
	}
	return Waiting(KindPolicy, p.GetName(), p.GetDisplayName(), "STOPPED", "", []*gatev1.BlockedBy{{
		Kind: gatev1.BlockedBy_OPERATOR, Resource: p.GetName(), Current: line.GetEngagedBy() + " stopped the line: " + line.GetReason(),
		Required: "the line released", Owner: "approver or admin", Since: line.GetEngageTime(),
		Command: "golive policy release-line " + lastSegment(p.GetName()) + " --reason …",
	}})
}

// Since is when something began to wait, for a column; zero where it does not.
func Since(w *waitingv1.Waiting) time.Time {
	if w.GetSince() == nil || len(w.GetBlockedBy()) == 0 {
		return time.Time{}
	}
	return w.GetSince().AsTime()
}

// ApplicationOf is the application that a deployment, or what belongs to it, is of.
func ApplicationOf(name string) string {
	application, _, _ := strings.Cut(name, "/deployments/")
	return application
}

func lastSegment(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

func stamp(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t) }
