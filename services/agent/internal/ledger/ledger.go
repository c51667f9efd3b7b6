// Package ledger is the agent's memory: what each place holds, and which
// reports the server has not acknowledged.
//
// It is a fold over the journal. A record carries a place as it is afterwards,
// with the command and the report that made it so: one record is one step, and
// either all of it happened or none.
package ledger

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	"github.com/golive-dev/golive/services/agent/internal/journal"
)

// compactAt is how long the journal gets before it is replaced by a snapshot,
// as long as that is much shorter.
const compactAt = 1 << 20

// record is one line of the journal.
type record struct {
	Slot    *Slot   `json:"slot,omitempty"`
	Key     *Key    `json:"key,omitempty"`     // of a report that changes nothing else
	Command []byte  `json:"command,omitempty"` // replaces the slot's
	Report  []byte  `json:"report,omitempty"`  // becomes the slot's last, and waits for its acknowledgement
	Acked   []int64 `json:"acked,omitempty"`
	// Last and Sequence are of snapshots: a report that needs no acknowledgement any more, and the newest number given.
	Last     []byte `json:"last,omitempty"`
	Sequence int64  `json:"sequence,omitempty"`
}

// Ledger is the memory of one agent. It is safe for concurrent use.
type Ledger struct {
	mu       sync.Mutex
	journal  *journal.Journal
	slots    map[Key]*Slot
	pending  map[int64]*agentv1.Report
	hidden   map[int64]bool // pending, but not durable yet: nobody may be told
	sequence int64
	snapshot int64 // length of the journal after it was compacted
	changed  chan struct{}
}

// Open reads the ledger from its journal. It returns how many torn bytes were dropped.
func Open(path string, hook journal.Hook) (*Ledger, int64, error) {
	l := &Ledger{slots: map[Key]*Slot{}, pending: map[int64]*agentv1.Report{}, hidden: map[int64]bool{}, changed: make(chan struct{}, 1)}
	j, torn, err := journal.Open(path, hook, l.replay)
	if err != nil {
		return nil, 0, err
	}
	l.journal = j
	return l, torn, nil
}

// Close closes the journal.
func (l *Ledger) Close() error { return l.journal.Close() }

func (l *Ledger) replay(raw []byte) error {
	var r record
	if err := json.Unmarshal(raw, &r); err != nil {
		return err
	}
	var command *agentv1.Command
	if r.Command != nil {
		command = &agentv1.Command{}
		if err := proto.Unmarshal(r.Command, command); err != nil {
			return fmt.Errorf("read command: %w", err)
		}
	}
	report := &agentv1.Report{}
	raw = r.Report
	if raw == nil {
		raw = r.Last
	}
	if err := proto.Unmarshal(raw, report); err != nil {
		return fmt.Errorf("read report: %w", err)
	}
	if raw == nil {
		report = nil
	}
	l.fold(&r, command, report)
	return nil
}

// fold is the whole meaning of a record.
func (l *Ledger) fold(r *record, command *agentv1.Command, report *agentv1.Report) {
	if r.Slot != nil {
		before := l.slots[r.Slot.Key]
		after := r.Slot.clone()
		if before != nil {
			after.Command, after.Last = before.Command, before.Last
		}
		if command != nil {
			after.Command, after.Last = command, nil
		}
		if report != nil {
			after.Last = report
		}
		l.slots[after.Key] = after
	}
	if r.Key != nil {
		if s := l.slots[*r.Key]; s != nil {
			s.Last = report
		}
	}
	if r.Report != nil {
		l.pending[report.GetSequence()] = report
	}
	for _, sequence := range r.Acked {
		delete(l.pending, sequence)
	}
	l.sequence = max(l.sequence, report.GetSequence(), r.Sequence)
}

// Slot returns a copy of a place, empty if nothing is known of it.
func (l *Ledger) Slot(key Key) *Slot {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.slots[key]; s != nil {
		return s.clone()
	}
	return &Slot{Key: key}
}

// Slots returns copies of all places.
func (l *Ledger) Slots() []*Slot {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]*Slot, 0, len(l.slots))
	for _, s := range l.slots {
		all = append(all, s.clone())
	}
	return all
}

// Accept makes a command the newest of a place, with the place as it is then.
func (l *Ledger) Accept(s *Slot, command *agentv1.Command) error {
	raw, err := proto.Marshal(command)
	if err != nil {
		return fmt.Errorf("journal command: %w", err)
	}
	s.Command, s.Last = clone(command), nil
	return l.append(&record{Slot: s, Command: raw}, s.Command, nil)
}

// Put makes a place durable as it is, with a report if there is one, whose
// sequence it sets. It returns when both survive the power.
func (l *Ledger) Put(s *Slot, report *agentv1.Report) error {
	return l.append(&record{Slot: s}, nil, report)
}

// Tell adds a report on a place that stays as it is.
func (l *Ledger) Tell(key Key, report *agentv1.Report) error {
	return l.append(&record{Key: &key}, nil, report)
}

// Acknowledge forgets reports that are durable on the server. That itself need
// not be durable: a report that is sent twice does no harm.
func (l *Ledger) Acknowledge(sequence int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.pending[sequence]; !ok {
		return
	}
	r := &record{Acked: []int64{sequence}}
	if raw, err := json.Marshal(r); err == nil {
		l.journal.Enqueue(raw) // goes with whatever is synced next
	}
	l.fold(r, nil, nil)
}

func (l *Ledger) append(r *record, command *agentv1.Command, report *agentv1.Report) error {
	l.mu.Lock()
	if report != nil {
		report.Sequence = l.sequence + 1
		raw, err := proto.Marshal(report)
		if err != nil {
			l.mu.Unlock()
			return fmt.Errorf("journal report: %w", err)
		}
		r.Report = raw
	}
	raw, err := json.Marshal(r)
	if err != nil {
		l.mu.Unlock()
		return fmt.Errorf("journal record: %w", err)
	}
	wait := l.journal.Enqueue(raw)
	l.fold(r, command, report)
	if report != nil {
		l.hidden[report.GetSequence()] = true
	}
	l.mu.Unlock()
	if err := wait(); err != nil {
		return err
	}
	if report != nil {
		l.mu.Lock()
		delete(l.hidden, report.GetSequence())
		l.mu.Unlock()
		select {
		case l.changed <- struct{}{}:
		default:
		}
	}
	return l.compact()
}

// Sequence returns the number of the newest report.
func (l *Ledger) Sequence() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sequence
}

// Changed receives after reports were added.
func (l *Ledger) Changed() <-chan struct{} { return l.changed }

// Pending returns the durable reports after a sequence that are not acknowledged,
// in order. Two places that report at once may become durable the other way
// round: a reader asks again from the last sequence before the gap.
func (l *Ledger) Pending(after int64) []*agentv1.Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	var reports []*agentv1.Report
	for sequence, report := range l.pending {
		if sequence > after && !l.hidden[sequence] {
			reports = append(reports, report)
		}
	}
	slices.SortFunc(reports, func(a, b *agentv1.Report) int { return int(a.GetSequence() - b.GetSequence()) })
	return reports
}

// compact replaces the journal when most of it is history.
func (l *Ledger) compact() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.journal.Size() < max(compactAt, 4*l.snapshot) {
		return nil
	}
	records := []*record{{Sequence: l.sequence}}
	for _, s := range l.slots {
		r := &record{Slot: s}
		if s.Command != nil {
			r.Command, _ = proto.Marshal(s.Command)
		}
		if s.Last != nil {
			r.Last, _ = proto.Marshal(s.Last)
		}
		records = append(records, r)
	}
	for _, report := range l.pending {
		raw, _ := proto.Marshal(report)
		records = append(records, &record{Report: raw})
	}
	lines := make([][]byte, 0, len(records))
	for _, r := range records {
		line, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("compact journal: %w", err)
		}
		lines = append(lines, line)
	}
	if err := l.journal.Compact(lines); err != nil {
		return err
	}
	l.snapshot = l.journal.Size()
	return nil
}
