package ledger

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
)

// Key names the place of one application on one target. Work on one place is serial.
type Key struct {
	Target      string `json:"target"`
	Application string `json:"application"`
}

// Phase is where the work on the newest command stands.
//
//	Idle ── PRESTAGE, INSTALL ──→ Staging ──→ Activating ──→ Probing ──→ Idle
//	                                 └→ Idle       └─→ Reverting ←─┘
//	Idle ── REVERT, CANCEL ──→ Reverting ──→ Idle
//	Idle ── SEAL ──→ Sealing ──→ Idle
type Phase string

// The phases.
const (
	Idle       Phase = ""
	Staging    Phase = "staging"    // nothing live is touched
	Activating Phase = "activating" // the old version is being stopped, the new one started
	Probing    Phase = "probing"    // the new version was started
	Reverting  Phase = "reverting"
	Sealing    Phase = "sealing"
)

// Slot is all that the agent knows of one place. Instances are numbered folders
// of the place; 0 is none.
type Slot struct {
	Key
	Phase Phase `json:"phase,omitempty"`
	// Live is the instance that is to run, and no other.
	Live int `json:"live,omitempty"`
	// Candidate is the instance that is about to become live.
	Candidate int `json:"candidate,omitempty"`
	// Back is the instance to go back to: it was live before.
	Back int `json:"back,omitempty"`
	// Down is the installation that took the application down; it has no live instance then.
	Down string `json:"down,omitempty"`
	// Unproven is true from the start of Live until it was healthy: it is nothing to go back to.
	Unproven bool `json:"unproven,omitempty"`
	// Routed is the instance that traffic was pointed at last, of two that run side by side.
	Routed int `json:"routed,omitempty"`
	// Activated says that the candidate has the traffic and that its hook has run: all that is left is to end the other.
	Activated bool `json:"activated,omitempty"`
	// Hook is a command of the release that was begun; whether it ended is not known
	// as long as it stands here. It is never run again.
	Hook string `json:"hook,omitempty"`
	// Cause and Message tell why the place is reverting.
	Cause   string `json:"cause,omitempty"`
	Message string `json:"message,omitempty"`
	// Numbers is the last number given to an instance.
	Numbers int `json:"numbers,omitempty"`
	// Instances are those whose folders are kept.
	Instances map[int]Instance `json:"instances,omitempty"`
	// Migrations are those of the newest command that were begun, with how each ended.
	Migrations []Migration `json:"migrations,omitempty"`
	// Applied holds the migrations of every target that were made here, over releases.
	Applied map[string]bool `json:"applied,omitempty"`
	// Counter is the greatest of the signed manifests that were healthy here.
	Counter int64 `json:"counter,omitempty"`

	// Command is the newest that was accepted, and Last the newest report on it.
	Command *agentv1.Command `json:"-"`
	Last    *agentv1.Report  `json:"-"`
}

// Instance is a release made ready for one place.
type Instance struct {
	Installation string `json:"installation"`
	SHA256       string `json:"sha256"`
	Digest       string `json:"digest"` // of the configuration
	Release      string `json:"release"`
	Version      string `json:"version"`
	// Counter is that of its signed manifest; 0 where nothing was verified.
	Counter int64 `json:"counter,omitempty"`
	// Port is its own, of two that take turns; 0 is none.
	Port int `json:"port,omitempty"`
	// Adopted says that it ran before any agent knew of it.
	Adopted bool `json:"adopted,omitempty"`
}

// clone makes a copy that can be changed; messages are never changed once they are in a slot.
func (s *Slot) clone() *Slot {
	c := *s
	c.Instances, c.Applied, c.Migrations = maps.Clone(s.Instances), maps.Clone(s.Applied), slices.Clone(s.Migrations)
	return &c
}

// Find returns the number of the kept instance that holds a workload.
func (s *Slot) Find(w *agentv1.Workload) (number int, ok bool) {
	for n, i := range s.Instances {
		if n != s.Candidate && n > number && i.SHA256 == w.GetArtifact().GetSha256() && i.Digest == w.GetConfigDigest() {
			number = n
		}
	}
	return number, number != 0
}

// Inventory is what Hello tells of the place.
func (s *Slot) Inventory() *agentv1.Inventory {
	return &agentv1.Inventory{
		Target: s.Target, Application: s.Application,
		Installation: s.Command.GetInstallation(), Epoch: s.Command.GetEpoch(),
		ActiveSha256: s.Instances[s.Live].SHA256, Interrupted: s.Phase != Idle,
	}
}

// Verdict is what to do with a command that arrives.
type Verdict int

// The verdicts.
const (
	Stale  Verdict = iota // older than one that was accepted: forget it
	Repeat                // the same as the newest: answer with the newest report
	Accept                // newer: do it
)

// Judge compares a command with the newest that was accepted. Only the epoch
// orders commands: neither their arrival nor anybody's clock.
func Judge(newest, arriving *agentv1.Command) Verdict {
	same := newest.GetInstallation() == arriving.GetInstallation() && newest.GetAttempt() == arriving.GetAttempt() &&
		newest.GetEpoch() == arriving.GetEpoch() && newest.GetAction() == arriving.GetAction()
	switch {
	case same:
		return Repeat
	case arriving.GetEpoch() > newest.GetEpoch():
		return Accept
	default:
		return Stale
	}
}

// Resume is how an agent that starts goes on with a place whose journal ends in
// the middle of a command.
type Resume int

// The ways to go on.
const (
	// ResumeIdle watches what is live: there is nothing to finish.
	ResumeIdle Resume = iota
	// ResumeAgain does the command from its begin: nothing live was touched, and every step may be repeated.
	ResumeAgain
	// ResumeFail ends the command before anything live was touched, because a hook was cut off.
	ResumeFail
	// ResumeForward completes the activation: to stop, switch and start are the same done twice.
	ResumeForward
	// ResumeProbe goes on asking the started version.
	ResumeProbe
	// ResumeRevert goes back, because a hook was cut off in the middle or because that had begun.
	ResumeRevert
)

// Recover decides it, from the journal alone.
func Recover(s *Slot) Resume {
	switch s.Phase {
	case Idle:
		return ResumeIdle
	case Staging:
		if s.Hook != "" {
			return ResumeFail
		}
		return ResumeAgain
	case Activating:
		if s.Hook != "" {
			return ResumeRevert
		}
		return ResumeForward
	case Probing:
		if s.Hook != "" {
			return ResumeRevert
		}
		return ResumeProbe
	case Reverting:
		return ResumeRevert
	case Sealing:
		return ResumeAgain
	}
	return ResumeIdle
}

// Runs returns which instances may be running when an agent starts: all others
// must be stopped before anything else.
func Runs(s *Slot) map[int]bool {
	allowed := map[int]bool{s.Live: true}
	switch s.Phase {
	case Activating:
		allowed[s.Candidate] = true
	case Reverting:
		allowed[s.Back] = true
	default:
	}
	delete(allowed, 0)
	return allowed
}

func clone[M proto.Message](m M) M { return proto.CloneOf(m) }
