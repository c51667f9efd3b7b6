package ledger

import (
	"slices"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
)

// Migration is one that the newest command asked for and that was begun.
type Migration struct {
	ID      string                         `json:"id"`
	Down    bool                           `json:"down,omitempty"`
	State   agentv1.MigrationOutcome_State `json:"state"`
	Message string                         `json:"message,omitempty"`
}

// Migrated returns how a step of the newest command stands; nil where it was not begun.
func (s *Slot) Migrated(step *agentv1.MigrationStep) *Migration {
	for i, m := range s.Migrations {
		if m.ID == step.GetId() && m.Down == step.GetDown() {
			return &s.Migrations[i]
		}
	}
	return nil
}

// CutMigration returns the migration that was begun and whose end is not known, or nil. It stands in the
// journal only if the agent died in its middle.
func (s *Slot) CutMigration() *Migration {
	i := slices.IndexFunc(s.Migrations, func(m Migration) bool { return m.State == agentv1.MigrationOutcome_STARTED })
	if i < 0 {
		return nil
	}
	return &s.Migrations[i]
}

// Settled tells whether the place remembers a step of every target as done: made, or never made where it is to be taken back.
func (s *Slot) Settled(step *agentv1.MigrationStep) bool {
	return step.GetPerTarget() && s.Applied[step.GetId()] != step.GetDown()
}

// Remember keeps the outcome of a step of every target, over releases.
func (s *Slot) Remember(step *agentv1.MigrationStep) {
	if !step.GetPerTarget() {
		return
	}
	if step.GetDown() {
		delete(s.Applied, step.GetId())
		return
	}
	if s.Applied == nil {
		s.Applied = map[string]bool{}
	}
	s.Applied[step.GetId()] = true
}
